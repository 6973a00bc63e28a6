//! MLflow's answers: its REST interface `2.0`
//! (<https://mlflow.org/docs/latest/api_reference/rest-api.html>).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::figures::named;
use super::{MappingError, PageShape, Text, required, time_of_milliseconds};
use crate::core::config::decode::null_as_default;
use crate::core::model::{Evaluation, Lineage, Model, State};

/// A page of `registered-models/search`.
pub const REGISTERED_MODELS: PageShape = PageShape {
    items: "registered_models",
    next: "next_page_token",
};
/// A page of `model-versions/search`.
pub const VERSIONS: PageShape = PageShape {
    items: "model_versions",
    next: "next_page_token",
};
/// What a model's label starts with that stands for one of its aliases: `alias.champion: "true"`.
pub const ALIAS_PREFIX: &str = "alias.";
/// The alias of a version that serves.
const SERVING_ALIAS: &str = "production";

/// A registered model. Only it knows the aliases of its versions.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RegisteredModel {
    /// The name.
    pub name: Option<String>,
    /// The aliases of its versions.
    #[serde(default, deserialize_with = "null_as_default")]
    pub aliases: Vec<Alias>,
}

/// A name that points at a version.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Alias {
    /// The name.
    #[serde(default)]
    pub alias: String,
    /// The version.
    pub version: Option<Text>,
}

/// A version of a registered model.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Version {
    /// The registered model's name.
    pub name: Option<String>,
    /// The version: a number, written as a string.
    pub version: Option<Text>,
    /// When it was created, in milliseconds since 1970.
    pub creation_timestamp: Option<Text>,
    /// `None`, `Staging`, `Production` or `Archived`.
    pub current_stage: Option<String>,
    /// `PENDING_REGISTRATION`, `FAILED_REGISTRATION` or `READY`.
    pub status: Option<String>,
    /// Where the files are.
    pub source: Option<String>,
    /// The run that made it.
    pub run_id: Option<String>,
    /// Its tags.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tags: Vec<Tag>,
}

/// A key and a value.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Tag {
    /// The key.
    #[serde(default)]
    pub key: String,
    /// The value.
    #[serde(default, deserialize_with = "null_as_default")]
    pub value: String,
}

/// What `runs/get` answers.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RunAnswer {
    /// The run.
    #[serde(default)]
    pub run: Run,
}

/// What `runs/search` answers.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RunsAnswer {
    /// The runs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub runs: Vec<Run>,
}

/// A run: what trained a version.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Run {
    /// What it is.
    #[serde(default)]
    pub info: RunInfo,
    #[serde(default)]
    data: RunData,
    #[serde(default)]
    inputs: RunInputs,
}

/// What a run is.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RunInfo {
    /// Its id.
    #[serde(default)]
    pub run_id: String,
    /// The experiment that it belongs to.
    #[serde(default)]
    pub experiment_id: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct RunData {
    /// The last figure of every metric.
    #[serde(default)]
    metrics: Vec<Metric>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Metric {
    #[serde(default)]
    key: String,
    /// A number; `NaN` and `Infinity` are strings.
    #[serde(default)]
    value: Value,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct RunInputs {
    #[serde(default)]
    dataset_inputs: Vec<DatasetInput>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct DatasetInput {
    #[serde(default)]
    dataset: Dataset,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Dataset {
    #[serde(default)]
    name: String,
}

impl Version {
    /// Whether it was put away. Such a version cannot be chosen, and no state of a model says so.
    #[must_use]
    pub fn is_archived(&self) -> bool {
        self.current_stage.as_deref() == Some("Archived")
    }
}

/// The value that goes into Git: MLflow's own URI of a version, `models:/NAME/VERSION`
/// (<https://mlflow.org/docs/latest/ml/model-registry/workflow>).
#[must_use]
pub fn model_name(registered_model: &str, version: &str) -> String {
    format!("models:/{registered_model}/{version}")
}

/// The registered model and the version that a name stands for.
#[must_use]
pub fn parse_model_name(name: &str) -> Option<(&str, &str)> {
    let (registered_model, version) = name.strip_prefix("models:/")?.rsplit_once('/')?;
    (!registered_model.is_empty() && !version.is_empty()).then_some((registered_model, version))
}

/// Makes a [`Model`] of a version, the aliases of its registered model, and its run.
///
/// # Errors
/// A field is missing that every model needs.
pub fn model(
    reported: &Version,
    aliases: &[Alias],
    run: Option<&Run>,
) -> Result<Model, MappingError> {
    let display_name = required("a model version", "name", reported.name.as_deref())?;
    let what = format!("a version of the model {display_name}");
    let version = required(
        &what,
        "version",
        reported.version.as_ref().map(Text::as_str),
    )?;
    let name = model_name(display_name, version);
    let what = format!("the model {name}");
    let create_time = time_of_milliseconds(
        &what,
        "creation_timestamp",
        reported.creation_timestamp.as_ref(),
    )?;
    let mut labels: BTreeMap<String, String> = reported
        .tags
        .iter()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect();
    let mut serves = reported.current_stage.as_deref() == Some("Production");
    for alias in aliases {
        if alias.version.as_ref().map(Text::as_str) == Some(version) {
            serves |= alias.alias == SERVING_ALIAS;
            labels.insert(format!("{ALIAS_PREFIX}{}", alias.alias), "true".to_owned());
        }
    }
    let state = match reported.status.as_deref() {
        // What servers from before this field do not say.
        None | Some("" | "READY") if serves => State::Deployed,
        None | Some("" | "READY") => State::Trained,
        Some("PENDING_REGISTRATION") => State::Training,
        Some("FAILED_REGISTRATION") => State::Failed,
        Some(other) => {
            return Err(MappingError::Invalid {
                what,
                field: "status",
                value: other.to_owned(),
                expected: "one of PENDING_REGISTRATION, READY and FAILED_REGISTRATION",
            });
        }
    };
    Ok(Model {
        name,
        display_name: display_name.to_owned(),
        version: Some(version.to_owned()),
        create_time,
        state,
        labels,
        uri: reported.source.clone().filter(|source| !source.is_empty()),
        evaluation: run.and_then(Run::evaluation),
        lineage: run.and_then(Run::lineage),
    })
}

impl Run {
    fn evaluation(&self) -> Option<Evaluation> {
        let figures = self.data.metrics.iter();
        named(figures.filter_map(|metric| Some((metric.key.clone(), metric.value.as_f64()?))))
    }

    /// From the tags that MLflow sets by itself
    /// (<https://mlflow.org/docs/latest/ml/tracking/#system-tags>).
    fn lineage(&self) -> Option<Lineage> {
        let tag = |key: &str| {
            let found = self.data.tags.iter().find(|tag| tag.key == key)?;
            Some(found.value.clone()).filter(|value| !value.is_empty())
        };
        let is_notebook = tag("mlflow.source.type").as_deref() == Some("NOTEBOOK");
        let datasets = self.inputs.dataset_inputs.iter();
        let lineage = Lineage {
            dataset: datasets
                .map(|input| input.dataset.name.clone())
                .find(|name| !name.is_empty()),
            notebook_run: tag("mlflow.source.name").filter(|_| is_notebook),
            source_commit: tag("mlflow.source.git.commit"),
        };
        (lineage != Lineage::default()).then_some(lineage)
    }
}
