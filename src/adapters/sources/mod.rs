//! Where models are listed: one file for each registry. A listing is whole or it is an error.

use std::collections::BTreeMap;

use futures::future::BoxFuture;

use crate::core::change::Question;
use crate::core::model::Listing;

/// What a registry can be asked. What one cannot do is an error that says so.
pub(crate) trait Source: Send + Sync {
    /// Lists every model, with evaluations where the registry has them: all pages or an error.
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

/// Asks the registries. What one refuses is an error in words, so that the others still count.
pub(crate) async fn ask(questions: Vec<Question>) -> Vec<(Question, Result<Listing, String>)> {
    let mut answers = Vec::new();
    for question in questions {
        let answer = Err(format!(
            "source {} is a registry, which cannot be asked from here; put its models into a \
             ModelCatalog and name that as the source",
            question.source.kind()
        ));
        answers.push((question, answer));
    }
    answers
}
