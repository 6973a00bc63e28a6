//! One trained model as a registry reports it. The words are ours; each source maps its own.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::core::config::decode::null_as_default;

/// One trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Model {
    /// The full resource name: the value that goes into Git.
    pub name: String,
    /// What people call the model. All models trained for one purpose share it.
    pub display_name: String,
    /// The version within the registry, where it counts versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When the model was created.
    #[serde(deserialize_with = "time")]
    pub create_time: Timestamp,
    /// How far the model has come.
    pub state: State,
    /// Labels that the registry keeps with the model.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub labels: BTreeMap<String, String>,
    /// Where the model's files are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// How good the model is, when it was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Evaluation>,
    /// What the model was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
}

#[cfg(test)]
impl Model {
    /// A trained model with no more than it must have.
    pub(crate) fn plain(name: &str, create_time: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            display_name: "d".to_owned(),
            version: None,
            create_time,
            state: State::Trained,
            labels: BTreeMap::new(),
            uri: None,
            evaluation: None,
            lineage: None,
        }
    }
}

/// How far a model has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Being trained.
    Training,
    /// Trained, not serving.
    Trained,
    /// Trained and serving.
    Deployed,
    /// Training failed.
    Failed,
}

impl State {
    /// Every state, in the order of a model's life.
    pub const ALL: [Self; 4] = [Self::Training, Self::Trained, Self::Deployed, Self::Failed];

    /// The state as it is written in YAML.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Training => "Training",
            Self::Trained => "Trained",
            Self::Deployed => "Deployed",
            Self::Failed => "Failed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The figures of one evaluation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evaluation {
    /// Overall figures by metric: `precision: 0.72`.
    #[serde(default, deserialize_with = "finite_figures")]
    pub metrics: BTreeMap<String, f64>,
    /// Figures by label, then by metric.
    #[serde(
        default,
        deserialize_with = "finite_figures_by_label",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub per_label: BTreeMap<String, BTreeMap<String, f64>>,
}

/// What a model was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lineage {
    /// The data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The notebook run that trained the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notebook_run: Option<String>,
    /// The commit of the training code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_commit: Option<String>,
}

/// The parser's own errors speak of digits and offsets.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        let message = format!("{text:?} is not a time; write for instance 2020-06-03T01:02:03Z");
        de::Error::custom(message)
    })
}

/// A number that can be compared. YAML can also spell `.nan` and `.inf`.
#[derive(Clone, Copy)]
struct Finite(f64);

impl<'de> Deserialize<'de> for Finite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        if value.is_finite() {
            Ok(Self(value))
        } else {
            Err(de::Error::custom(format!(
                "{value} is not a figure; leave the metric out"
            )))
        }
    }
}

fn figures(values: BTreeMap<String, Finite>) -> BTreeMap<String, f64> {
    values
        .into_iter()
        .map(|(metric, Finite(value))| (metric, value))
        .collect()
}

fn finite_figures<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, f64>, D::Error> {
    null_as_default(deserializer).map(figures)
}

fn finite_figures_by_label<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, BTreeMap<String, f64>>, D::Error> {
    let labels: BTreeMap<String, BTreeMap<String, Finite>> = null_as_default(deserializer)?;
    Ok(labels
        .into_iter()
        .map(|(label, values)| (label, figures(values)))
        .collect())
}
