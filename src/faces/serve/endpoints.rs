//! `/needsSync` and `/needsTrain`: from a request to an answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;

use super::metrics::Metrics;
use super::package::{Loaded, Loader};
use super::registries::Registries;
use crate::adapters::clock;
use crate::core::change::{Models, Question};
use crate::core::config::SetModel;
use crate::core::needs_sync::{Decision, NeedsSync, needs_train};

/// Which question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    NeedsSync,
    NeedsTrain,
}

impl Endpoint {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::NeedsSync => "/needsSync",
            Self::NeedsTrain => "/needsTrain",
        }
    }
}

/// What answers need.
pub(super) struct Lambda {
    pub(super) loader: Loader,
    pub(super) registries: Registries,
    pub(super) metrics: Arc<Metrics>,
    pub(super) retrain_interval: Duration,
    pub(super) last: Mutex<BTreeMap<(&'static str, String), String>>,
}

impl Lambda {
    /// Answers a request; `config` is the name it gave.
    pub(super) async fn answer(
        self: Arc<Self>,
        endpoint: Endpoint,
        config: Option<&str>,
    ) -> (StatusCode, NeedsSync) {
        let failed = |code, messages: &[String]| (code, NeedsSync::failed(messages));
        let loaded = match self.loader.load().await {
            Ok(loaded) => loaded,
            Err(messages) => {
                self.tell(endpoint, "", &undecided(messages.clone()));
                return failed(StatusCode::INTERNAL_SERVER_ERROR, &messages);
            }
        };
        let index = match choose(&loaded.configs, config) {
            Ok(index) => index,
            Err((code, message)) => return failed(code, &[message]),
        };
        let name = loaded.configs[index].name.clone();
        let question = Question::of(&loaded.configs[index]);
        let decision = match endpoint {
            Endpoint::NeedsSync => self.needs_sync(loaded, index).await,
            Endpoint::NeedsTrain => self.needs_train(loaded, index).await,
        };
        let decision = decision.unwrap_or_else(|message| undecided(vec![message]));
        // Not earlier: a request that waits for one of two answers must find the other one again.
        if let Some(question) = question {
            self.registries.heard_models(&question);
            if endpoint == Endpoint::NeedsTrain {
                self.registries.heard_training(&question);
            }
        }
        self.tell(endpoint, &name, &decision);
        let code = match decision {
            Decision::Undecided { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Decision::Yes { .. } | Decision::No { .. } => StatusCode::OK,
        };
        (code, NeedsSync::of(&decision, &name))
    }

    /// Whether requests can be answered, as far as this side of the registries goes.
    pub(super) async fn ready(&self) -> Result<(), String> {
        let loaded = self.loader.load().await;
        loaded.map(|_| ()).map_err(|messages| messages.join("\n"))
    }

    async fn needs_sync(&self, loaded: Arc<Loaded>, index: usize) -> Result<Decision, String> {
        let now = clock::current();
        let asked = self.models(&loaded, &loaded.configs[index]).await?;
        if let Some(decision) = loaded.remembered(index, asked.as_ref()) {
            return Ok(decision);
        }
        let decide = move || loaded.needs_sync(index, asked, now);
        self.loader.in_turn(decide).await
    }

    async fn needs_train(&self, loaded: Arc<Loaded>, index: usize) -> Result<Decision, String> {
        let now = clock::current();
        let config = &loaded.configs[index];
        let (asked, training) =
            futures::join!(self.models(&loaded, config), self.training(&loaded, config));
        let (asked, training, interval) = (asked?, training?, self.retrain_interval);
        let decide = move || {
            let config = &loaded.configs[index];
            let models = loaded.models(asked.as_ref());
            match models.listing(&loaded.package(), config) {
                Ok(Some(listing)) => needs_train(config, &listing, &training, interval, now),
                Ok(None) => undecided(vec![format!(
                    "{}: the package has no ModelCatalog and the config names no source; add one",
                    config.name
                )]),
                Err(error) => undecided(vec![format!(
                    "{}: {}",
                    config.name,
                    error.into_item().message
                )]),
            }
        };
        self.loader.in_turn(decide).await
    }

    /// What the registry of a config lists; `None` when its models are listed in a file.
    async fn models(
        &self,
        loaded: &Loaded,
        config: &SetModel,
    ) -> Result<Option<Arc<Models>>, String> {
        match Question::of(config) {
            Some(question) if loaded.given.is_none() => {
                let models = self.registries.models(&question).await;
                let in_its_name = |message| format!("{}: {message}", config.name);
                models.map(Some).map_err(in_its_name)
            }
            _ => Ok(None),
        }
    }

    async fn training(
        &self,
        loaded: &Loaded,
        config: &SetModel,
    ) -> Result<Arc<Vec<String>>, String> {
        match Question::of(config) {
            Some(question) if loaded.given.is_none() => {
                let training = self.registries.training(&question).await;
                training.map_err(|message| format!("{}: {message}", config.name))
            }
            // A catalog says what was trained, and nothing of what is being trained.
            _ => Ok(Arc::default()),
        }
    }

    /// Counts a decision, and logs it when it is another than the last.
    fn tell(&self, endpoint: Endpoint, config: &str, decision: &Decision) {
        let (number, reason) = match decision {
            Decision::Yes { reason, .. } => (1, reason.clone()),
            Decision::No { reason, .. } => (0, reason.clone()),
            Decision::Undecided { messages } => (-1, messages.join("; ")),
        };
        let path = endpoint.path();
        if !config.is_empty() {
            self.metrics.decision(path, config, number);
        }
        let text = format!("{number} {reason}");
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.insert((path, config.to_owned()), text.clone());
        drop(last);
        match (number, before == Some(text)) {
            (_, true) => tracing::debug!(path, config, reason, "decided as before"),
            (-1, false) => tracing::warn!(path, config, reason, "cannot decide"),
            (1, false) => tracing::info!(path, config, reason, "yes"),
            (_, false) => tracing::info!(path, config, reason, "no"),
        }
    }
}

fn undecided(messages: Vec<String>) -> Decision {
    Decision::Undecided { messages }
}

/// The config that a request is about: the one it names, or the only one.
fn choose(configs: &[SetModel], name: Option<&str>) -> Result<usize, (StatusCode, String)> {
    let names = || {
        let names: Vec<_> = configs.iter().map(|config| config.name.as_str()).collect();
        names.join(", ")
    };
    match name {
        None | Some("") if configs.len() == 1 => Ok(0),
        None | Some("") => Err((
            StatusCode::BAD_REQUEST,
            format!(
                "there are several configs; add ?config= with one of {}",
                names()
            ),
        )),
        Some(name) => {
            let found = configs.iter().position(|config| config.name == name);
            found.ok_or_else(|| {
                let message = format!("there is no config {name:?}; there is {}", names());
                (StatusCode::NOT_FOUND, message)
            })
        }
    }
}
