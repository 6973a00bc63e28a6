//! What registries say, asked through a cache.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;

use super::answers::{Answer, Answers, Clock, How};
use super::metrics::{Asked, Metrics, What};
use crate::adapters::sources::{self, Source};
use crate::core::change::{Models, Question};

/// Registries whose answers are kept for a set time.
pub(super) struct Registries {
    models: Answers<Question, Models>,
    training: Answers<Question, Vec<String>>,
    connected: Arc<Connected>,
    metrics: Arc<Metrics>,
}

impl Registries {
    pub(super) fn new(keep: Duration, clock: Clock, metrics: Arc<Metrics>) -> Self {
        Self {
            models: Answers::new(keep, clock.clone()),
            training: Answers::new(keep, clock),
            connected: Arc::default(),
            metrics,
        }
    }

    /// What the registry lists.
    pub(super) async fn models(&self, question: &Question) -> Answer<Models> {
        let connected = self.connected.clone();
        let ask = |question| list(connected, question).boxed();
        let (answer, how) = self.models.get(question, ask).await;
        self.count(What::Models, how, answer.is_ok());
        answer
    }

    /// What the registry is training.
    pub(super) async fn training(&self, question: &Question) -> Answer<Vec<String>> {
        let connected = self.connected.clone();
        let ask = |question: Question| {
            let training = async move {
                let asked =
                    connected.ask(&question, |source| async move { source.training().await });
                asked.await
            };
            training.boxed()
        };
        let (answer, how) = self.training.get(question, ask).await;
        self.count(What::Training, how, answer.is_ok());
        answer
    }

    /// Notes that a caller got what the listing was for.
    pub(super) fn heard_models(&self, question: &Question) {
        self.models.heard(question);
    }

    /// Notes that a caller got what the answer about trainings was for.
    pub(super) fn heard_training(&self, question: &Question) {
        self.training.heard(question);
    }

    fn count(&self, what: What, how: How, is_ok: bool) {
        let asked = match how {
            How::Kept => Asked::Kept,
            How::Joined => Asked::Joined,
            How::Asked if is_ok => Asked::Answered,
            How::Asked => Asked::Failed,
        };
        self.metrics.registry(what, asked);
    }
}

/// What a registry lists, in the form in which decisions take it: so that all callers share it.
async fn list(connected: Arc<Connected>, question: Question) -> Result<Models, String> {
    let asked = connected.ask(&question, |source| async move { source.list().await });
    let listing = asked.await?;
    Ok(Models {
        given: None,
        asked: vec![(question, Ok(listing))],
    })
}

/// Registries that are connected to: their connections and tokens serve for many questions.
#[derive(Default)]
struct Connected(Mutex<Vec<(Question, Arc<dyn Source>)>>);

/// Questions come from configs, which come and go.
const MOST_CONNECTED: usize = 64;

impl Connected {
    /// Asks a registry, and keeps the connection when it answers. After a failure it is made anew: the
    /// credentials may have been replaced.
    async fn ask<T, F: Future<Output = anyhow::Result<T>>>(
        &self,
        question: &Question,
        ask: impl FnOnce(Arc<dyn Source>) -> F,
    ) -> Result<T, String> {
        let in_words = |error: anyhow::Error| format!("{error:#}");
        let source = match self.find(question) {
            Some(source) => source,
            None => {
                let display_name = question.display_name.as_deref();
                let source = sources::connect(&question.source, display_name).map_err(in_words)?;
                self.put(question, source.into())
            }
        };
        let answer = ask(source).await;
        if answer.is_err() {
            self.lock().retain(|(asked, _)| asked != question);
        }
        answer.map_err(in_words)
    }

    fn find(&self, question: &Question) -> Option<Arc<dyn Source>> {
        let sources = self.lock();
        let found = sources.iter().find(|(asked, _)| asked == question);
        found.map(|(_, source)| source.clone())
    }

    /// Keeps a source, the newest ones only, and gives the one that is kept: another caller may have
    /// been faster.
    fn put(&self, question: &Question, source: Arc<dyn Source>) -> Arc<dyn Source> {
        let mut sources = self.lock();
        if let Some((_, source)) = sources.iter().find(|(asked, _)| asked == question) {
            return source.clone();
        }
        if sources.len() >= MOST_CONNECTED {
            sources.remove(0);
        }
        sources.push((question.clone(), source.clone()));
        source
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Question, Arc<dyn Source>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
