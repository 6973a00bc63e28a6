//! What registries say, asked through a cache.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use super::answers::{Answer, Answers, Clock, How};
use super::metrics::{Asked, Metrics, What};
use crate::adapters::sources;
use crate::core::change::{Models, Question};

/// Registries whose answers are kept for a set time.
pub(super) struct Registries {
    models: Answers<Question, Models>,
    training: Answers<Question, Vec<String>>,
    metrics: Arc<Metrics>,
}

impl Registries {
    pub(super) fn new(keep: Duration, clock: Clock, metrics: Arc<Metrics>) -> Self {
        Self {
            models: Answers::new(keep, clock.clone()),
            training: Answers::new(keep, clock),
            metrics,
        }
    }

    /// What the registry lists.
    pub(super) async fn models(&self, question: &Question) -> Answer<Models> {
        let ask = |question| list(question).boxed();
        let (answer, how) = self.models.get(question, ask).await;
        self.count(What::Models, how, answer.is_ok());
        answer
    }

    /// What the registry is training.
    pub(super) async fn training(&self, question: &Question) -> Answer<Vec<String>> {
        let ask = |question| async move { sources::training(&question).await }.boxed();
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
async fn list(question: Question) -> Result<Models, String> {
    let mut asked = sources::ask(vec![question]).await;
    match asked.pop() {
        Some((_, Err(message))) => Err(message),
        answer => Ok(Models {
            given: None,
            asked: answer.into_iter().collect(),
        }),
    }
}
