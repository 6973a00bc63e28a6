//! Vertex AI's answers: its REST interface `v1`
//! (<https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.models>).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::figures::{Zero, figures};
use super::{MappingError, PageShape, required, time};
use crate::core::config::decode::null_as_default;
use crate::core::model::{Evaluation, Model, State};

/// A page of `projects.locations.models.list` or `listVersions`.
pub const MODELS: PageShape = PageShape {
    items: "models",
    next: "nextPageToken",
};
/// A page of `projects.locations.models.evaluations.list`.
pub const EVALUATIONS: PageShape = PageShape {
    items: "modelEvaluations",
    next: "nextPageToken",
};
/// A page of `projects.locations.models.evaluations.slices.list`.
pub const SLICES: PageShape = PageShape {
    items: "modelEvaluationSlices",
    next: "nextPageToken",
};
/// A page of `projects.locations.trainingPipelines.list`.
pub const TRAINING_PIPELINES: PageShape = PageShape {
    items: "trainingPipelines",
    next: "nextPageToken",
};

/// A version of a model as Vertex AI reports it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VertexModel {
    /// The full resource name, without the version.
    pub name: Option<String>,
    /// The version.
    pub version_id: Option<String>,
    /// Names that point at the version, such as `default`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub version_aliases: Vec<String>,
    /// When the version was created, in RFC 3339.
    pub version_create_time: Option<String>,
    /// What people call it.
    pub display_name: Option<String>,
    /// When the model's first version was created, in RFC 3339.
    pub create_time: Option<String>,
    /// Where the model's files are.
    pub artifact_uri: Option<String>,
    /// Where it serves.
    #[serde(default, deserialize_with = "null_as_default")]
    pub deployed_models: Vec<Value>,
    /// Changes with every change of the model.
    pub etag: Option<String>,
    /// Its labels.
    #[serde(default, deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
}

/// An evaluation of a version.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VertexEvaluation {
    /// The full resource name.
    #[serde(default)]
    pub name: String,
    /// When it was made, in RFC 3339.
    #[serde(default)]
    pub create_time: String,
    /// The figures.
    #[serde(default)]
    metrics: Value,
}

/// The part of an evaluation that is about one slice of the test data.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct VertexSlice {
    /// Which slice.
    slice: Option<Slice>,
    /// The figures.
    #[serde(default)]
    metrics: Value,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Slice {
    dimension: Option<String>,
    value: Option<String>,
}

/// The dimension of slices that are about one label each.
pub const LABEL_DIMENSION: &str = "annotationSpec";

/// A training pipeline.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingPipeline {
    /// The full resource name.
    #[serde(default)]
    pub name: String,
    /// How far it is.
    #[serde(default)]
    pub state: String,
}

impl TrainingPipeline {
    /// The states of a pipeline that goes on.
    pub const ACTIVE: [&'static str; 4] = [
        "PIPELINE_STATE_QUEUED",
        "PIPELINE_STATE_PENDING",
        "PIPELINE_STATE_RUNNING",
        "PIPELINE_STATE_PAUSED",
    ];

    /// Whether it has not ended.
    #[must_use]
    pub fn is_training(&self) -> bool {
        Self::ACTIVE.contains(&self.state.as_str())
    }
}

/// The name of a version for requests about it: `projects/P/locations/L/models/M@V`.
///
/// # Errors
/// The model has no name.
pub fn version_name(reported: &VertexModel) -> Result<String, MappingError> {
    let name = required("a model", "name", reported.name.as_deref())?;
    // Some answers carry the version in the name already.
    let name = name.split('@').next().unwrap_or(name);
    Ok(match reported.version_id.as_deref() {
        None | Some("") => name.to_owned(),
        Some(version) => format!("{name}@{version}"),
    })
}

/// Makes a [`Model`] of a version, its newest evaluation and that evaluation's slices.
///
/// `is_only_version` decides about the name, the value that goes into Git. A model that was never
/// given a second version is known by its plain name everywhere, so that is kept. As soon as there
/// are two, the plain name means whichever is the default at the moment, and only
/// `projects/P/locations/L/models/M@V` names one of them.
///
/// # Errors
/// A field is missing that every model needs.
pub fn model(
    reported: &VertexModel,
    is_only_version: bool,
    evaluation: Option<&VertexEvaluation>,
    slices: &[VertexSlice],
) -> Result<Model, MappingError> {
    let versioned = version_name(reported)?;
    let what = format!("the model {versioned}");
    let name = match versioned.split_once('@') {
        Some((plain, _)) if is_only_version => plain.to_owned(),
        _ => versioned,
    };
    let display_name = required(&what, "displayName", reported.display_name.as_deref())?;
    let create_time = match reported.version_create_time.as_deref() {
        Some(text) if !text.is_empty() => time(&what, "versionCreateTime", Some(text))?,
        _ => time(&what, "createTime", reported.create_time.as_deref())?,
    };
    // A model is there once it is trained; training is a pipeline.
    let state = if reported.deployed_models.is_empty() {
        State::Trained
    } else {
        State::Deployed
    };
    let non_empty = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Ok(Model {
        name,
        display_name: display_name.to_owned(),
        version: non_empty(&reported.version_id),
        create_time,
        state,
        labels: reported.labels.clone(),
        uri: non_empty(&reported.artifact_uri),
        evaluation: evaluation.map(|evaluation| Evaluation {
            metrics: figures(&evaluation.metrics, Zero::Written),
            per_label: slices.iter().filter_map(VertexSlice::figures).collect(),
        }),
        lineage: None,
    })
}

impl VertexSlice {
    /// The label that the slice is about, and its figures.
    fn figures(&self) -> Option<(String, BTreeMap<String, f64>)> {
        let slice = self.slice.as_ref()?;
        let is_label = slice.dimension.as_deref() == Some(LABEL_DIMENSION);
        let label = slice.value.clone().filter(|_| is_label)?;
        Some((label, figures(&self.metrics, Zero::Written)))
    }
}
