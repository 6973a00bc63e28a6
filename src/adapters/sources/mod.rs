//! Where models are listed: one file for each registry. A listing is whole or it is an error.
//!
//! How an answer becomes a model is known by [`crate::core::registry`].

mod api;
mod automl;
mod credentials;
mod endpoint;
mod google;
mod google_auth;
mod mlflow;
mod model_registry;
mod paging;
mod vertex_ai;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::future::{BoxFuture, join_all};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::clock;
use super::http::Limits;
use crate::core::change::Question;
use crate::core::config;
use crate::core::model::{Listing, Model};
use crate::core::registry::distinct;

/// What a registry can be asked. What one cannot do is an error that says so.
pub(crate) trait Source: Send + Sync {
    /// Lists every model, with evaluations where the registry has them: all pages or an error.
    /// With a display name, only models of that name have evaluations.
    fn list(&self) -> BoxFuture<'_, anyhow::Result<Listing>>;

    /// Names what is being trained now: all pages or an error.
    fn training(&self) -> BoxFuture<'_, anyhow::Result<Vec<String>>>;

    /// Sets labels of a model, or removes those without a value.
    fn label<'a>(
        &'a self,
        model: &'a str,
        labels: &'a BTreeMap<String, Option<String>>,
    ) -> BoxFuture<'a, anyhow::Result<()>>;

    /// Starts to deploy a model and names the operation to wait for; `None` when the model is
    /// deployed already.
    fn deploy<'a>(&'a self, model: &'a str) -> BoxFuture<'a, anyhow::Result<Option<String>>>;

    /// Whether an operation has ended well; an error when it failed. `Some` of 0 to 100 percent
    /// while it goes on and says how far it is.
    fn operation<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<Progress>>;
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It goes on, at so many percent where the registry says.
    Running(Option<u8>),
    /// It has ended well.
    Done,
}

/// How many requests for the details of models are under way at once.
const CONCURRENCY: usize = 8;

/// Prepares to ask a registry; nothing is sent yet. `display_name` says which models matter: the
/// policy's, or `None` for all.
///
/// # Errors
/// The source is a catalog, which nobody needs to be asked for; its URL is none, or not one that
/// credentials may be sent to; or an environment variable cannot be read.
pub(crate) fn connect(
    source: &config::Source,
    display_name: Option<&str>,
) -> anyhow::Result<Box<dyn Source>> {
    connect_within(source, display_name, Limits::from_environment()?)
}

fn connect_within(
    source: &config::Source,
    display_name: Option<&str>,
    limits: Limits,
) -> anyhow::Result<Box<dyn Source>> {
    let display_name = display_name.map(str::to_owned);
    Ok(match source {
        config::Source::Catalog(catalog) => bail!(
            "cannot ask ModelCatalog {:?}: it is a file in the package; name a registry as the \
             source",
            catalog.name
        ),
        config::Source::VertexAi(source) => {
            Box::new(vertex_ai::VertexAi::new(source, display_name, limits)?)
        }
        config::Source::AutoMl(source) => {
            Box::new(automl::AutoMl::new(source, display_name, limits)?)
        }
        config::Source::Mlflow(source) => {
            Box::new(mlflow::Mlflow::new(source, display_name, limits)?)
        }
        config::Source::ModelRegistry(source) => Box::new(model_registry::ModelRegistry::new(
            source,
            display_name,
            limits,
        )?),
    })
}

/// Asks the registries, all at once. What one refuses is an error in words, so that the others
/// still count.
pub(crate) async fn ask(questions: Vec<Question>) -> Vec<(Question, Result<Listing, String>)> {
    let answers = questions.into_iter().map(|question| async {
        let answer = async {
            let source = connect(&question.source, question.display_name.as_deref())?;
            source.list().await
        };
        let answer = answer.await.map_err(|error| format!("{error:#}"));
        (question, answer)
    });
    join_all(answers).await
}

/// A whole listing, unless it takes too long: then what has arrived does not count.
async fn whole(
    origin: &str,
    limits: &Limits,
    models: impl Future<Output = anyhow::Result<Vec<Model>>>,
) -> anyhow::Result<Listing> {
    let what = || format!("cannot list the models of {origin}");
    let limit = longest_listing(limits);
    let models = tokio::time::timeout(limit, models)
        .await
        .map_err(|_| {
            anyhow::anyhow!(
                "not all pages arrived within {limit:?}; raise MODELSYNC_HTTP_TIMEOUT, or ask \
                 for fewer models"
            )
        })
        .and_then(|models| models)
        .with_context(what)?;
    Ok(Listing {
        models: distinct(models).with_context(what)?,
        observed_at: Some(clock::now()?),
        origin: origin.to_owned(),
    })
}

/// How long all requests of one listing may take together.
fn longest_listing(limits: &Limits) -> Duration {
    limits.total.saturating_mul(5)
}

/// Does something for each item, a few at a time. The results are in the order of the items.
async fn for_each<'a, T, R, F, Fut>(items: &'a [T], act: F) -> anyhow::Result<Vec<R>>
where
    F: Fn(&'a T) -> Fut,
    Fut: Future<Output = anyhow::Result<R>> + Send,
{
    let futures: Vec<Fut> = items.iter().map(act).collect();
    stream::iter(futures)
        .buffered(CONCURRENCY)
        .try_collect()
        .await
}

#[cfg(test)]
mod tests;
