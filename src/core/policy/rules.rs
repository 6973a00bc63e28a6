//! The policy as the user writes it. What it means is in `select.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use super::{Gate, duration};
use crate::core::config::decode::null_as_default;
use crate::core::model::{State, name};

/// Which models may be chosen.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// Only models of this display name.
    pub display_name: Option<String>,
    /// Only models with all of these labels.
    #[serde(deserialize_with = "null_as_default")]
    pub match_labels: BTreeMap<String, String>,
    /// Only models in one of these states.
    #[serde(deserialize_with = "some_states")]
    pub states: Vec<State>,
    /// Only models at least this old.
    #[serde(deserialize_with = "go_duration")]
    pub min_age: Duration,
    /// Never these models, each by its full name or by the last segment of it.
    #[serde(deserialize_with = "null_as_default")]
    pub exclude: Vec<String>,
    /// Only this model. Every other rule holds for it too.
    #[serde(deserialize_with = "model_name")]
    pub pin: Option<String>,
    /// Whether a model may be chosen that is older than the one in Git.
    #[serde(deserialize_with = "null_as_default")]
    pub downgrade: Downgrade,
    /// Thresholds, all of which a model must pass.
    #[serde(deserialize_with = "null_as_default")]
    pub gates: Vec<Gate>,
}

/// Whether a model may be chosen that is older than the one in Git.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Downgrade {
    /// Never older than what is in Git.
    #[default]
    Forbid,
    /// Older ones too.
    Allow,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            display_name: None,
            match_labels: BTreeMap::new(),
            states: vec![State::Trained, State::Deployed],
            min_age: Duration::ZERO,
            exclude: Vec::new(),
            pin: None,
            downgrade: Downgrade::default(),
            gates: Vec::new(),
        }
    }
}

impl Policy {
    /// Tells whether the policy excludes the model of this name.
    #[must_use]
    pub fn excludes(&self, name: &str) -> bool {
        let last_segment = name.rsplit('/').next().unwrap_or(name);
        self.exclude
            .iter()
            .any(|excluded| excluded == name || excluded == last_segment)
    }
}

fn some_states<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<State>, D::Error> {
    let Some(states) = Option::<Vec<State>>::deserialize(deserializer)? else {
        return Ok(Policy::default().states);
    };
    if states.is_empty() {
        return Err(de::Error::custom(
            "states is empty, so no model could be chosen; leave it out for Trained and Deployed",
        ));
    }
    Ok(states)
}

fn go_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) => duration::parse(&text).map_err(de::Error::custom),
        None => Ok(Policy::default().min_age),
    }
}

fn model_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let pin = Option::<String>::deserialize(deserializer)?;
    if let Some(pin) = &pin {
        name::validate(pin).map_err(de::Error::custom)?;
    }
    Ok(pin)
}
