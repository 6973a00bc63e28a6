//! What registries say, asked through a cache.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::answers::{Answer, Answers, Clock, How};
use super::metrics::{Asked, Metrics, What};
use crate::adapters::sources;
use crate::core::change::{Models, Question};

/// Whom to ask: the registries, or in tests something that stands for them.
pub(super) trait Ask: Send + Sync {
    /// What a registry lists.
    fn models(&self, question: Question) -> BoxFuture<'static, Result<Models, String>>;

    /// What a registry is training.
    fn training(&self, question: Question) -> BoxFuture<'static, Result<Vec<String>, String>>;
}

/// The registries themselves.
pub(super) struct Real;

impl Ask for Real {
    fn models(&self, question: Question) -> BoxFuture<'static, Result<Models, String>> {
        async move {
            let mut asked = sources::ask(vec![question]).await;
            match asked.pop() {
                Some((_, Err(message))) => Err(message),
                answer => Ok(Models {
                    given: None,
                    asked: answer.into_iter().collect(),
                }),
            }
        }
        .boxed()
    }

    fn training(&self, question: Question) -> BoxFuture<'static, Result<Vec<String>, String>> {
        async move { sources::training(&question).await }.boxed()
    }
}

/// Registries whose answers are kept for a set time.
pub(super) struct Registries {
    ask: Arc<dyn Ask>,
    models: Answers<Question, Models>,
    training: Answers<Question, Vec<String>>,
    metrics: Arc<Metrics>,
}

impl Registries {
    pub(super) fn new(
        ask: Arc<dyn Ask>,
        keep: Duration,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            ask,
            models: Answers::new(keep, clock.clone()),
            training: Answers::new(keep, clock),
            metrics,
        }
    }

    /// What the registry lists.
    pub(super) async fn models(&self, question: &Question) -> Answer<Models> {
        let ask = |question| self.ask.models(question);
        let (answer, how) = self.models.get(question, ask).await;
        self.count(What::Models, how, answer.is_ok());
        answer
    }

    /// What the registry is training.
    pub(super) async fn training(&self, question: &Question) -> Answer<Vec<String>> {
        let ask = |question| self.ask.training(question);
        let (answer, how) = self.training.get(question, ask).await;
        self.count(What::Training, how, answer.is_ok());
        answer
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
