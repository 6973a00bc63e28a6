//! AutoML's answers: its REST interface `v1`
//! (<https://cloud.google.com/automl/docs/reference/rest/v1/projects.locations.models>).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::figures::{Zero, figures};
use super::{MappingError, PageShape, required, time};
use crate::core::config::decode::null_as_default;
use crate::core::model::{Evaluation, Lineage, Model, State};

/// A page of `projects.locations.models.list`. The field is singular.
pub const MODELS: PageShape = PageShape {
    items: "model",
    next: "nextPageToken",
};
/// A page of `projects.locations.models.modelEvaluations.list`.
pub const EVALUATIONS: PageShape = PageShape {
    items: "modelEvaluation",
    next: "nextPageToken",
};
/// A page of `projects.locations.operations.list`.
pub const OPERATIONS: PageShape = PageShape {
    items: "operations",
    next: "nextPageToken",
};

/// A model as AutoML reports it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoMlModel {
    /// The full resource name.
    pub name: Option<String>,
    /// What people call it.
    pub display_name: Option<String>,
    /// The data set it was trained on: the last part of its resource name.
    pub dataset_id: Option<String>,
    /// When it was created, in RFC 3339.
    pub create_time: Option<String>,
    /// `DEPLOYED` or `UNDEPLOYED`.
    pub deployment_state: Option<String>,
    /// Changes with every change of the model.
    pub etag: Option<String>,
    /// Its labels.
    #[serde(default, deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
}

/// One evaluation of a model: overall, or for one label.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoMlEvaluation {
    /// The label; left out for the overall evaluation.
    pub annotation_spec_id: Option<String>,
    /// What people call the label.
    pub display_name: Option<String>,
    /// When it was made, in RFC 3339.
    pub create_time: Option<String>,
    /// Everything else. One field is the metrics, and its name says what the model does:
    /// `classificationEvaluationMetrics`.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// A long-running operation (<https://google.aip.dev/151>).
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Operation {
    /// Its full resource name.
    #[serde(default)]
    pub name: String,
    /// Whether it has ended.
    #[serde(default, deserialize_with = "null_as_default")]
    pub done: bool,
    /// Why it failed.
    pub error: Option<OperationError>,
    /// What it does and how far it is.
    #[serde(default, deserialize_with = "null_as_default")]
    metadata: BTreeMap<String, Value>,
}

/// Why an operation failed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OperationError {
    /// In words.
    #[serde(default)]
    pub message: String,
}

impl Operation {
    /// Whether it prepares or trains a model and has not ended.
    #[must_use]
    pub fn is_training(&self) -> bool {
        let details = [
            "createDatasetDetails",
            "importDataDetails",
            "createModelDetails",
        ];
        !self.done
            && details
                .iter()
                .any(|field| self.metadata.contains_key(*field))
    }

    /// How far it is, in percent, where it says so.
    #[must_use]
    pub fn percent(&self) -> Option<u8> {
        let percent = self.metadata.get("progressPercent")?.as_u64()?;
        u8::try_from(percent).ok().filter(|percent| *percent <= 100)
    }
}

/// Makes a [`Model`] of a model and its evaluations.
///
/// # Errors
/// A field is missing that every model needs.
pub fn model(
    reported: &AutoMlModel,
    evaluations: &[AutoMlEvaluation],
) -> Result<Model, MappingError> {
    let name = required("a model", "name", reported.name.as_deref())?;
    let what = format!("the model {name}");
    let display_name = required(&what, "displayName", reported.display_name.as_deref())?;
    let create_time = time(&what, "createTime", reported.create_time.as_deref())?;
    // Only trained models are listed; training is an operation.
    let state = match reported.deployment_state.as_deref() {
        Some("DEPLOYED") => State::Deployed,
        _ => State::Trained,
    };
    let lineage = reported
        .dataset_id
        .clone()
        .filter(|dataset| !dataset.is_empty())
        .map(|dataset| Lineage {
            dataset: Some(dataset),
            ..Lineage::default()
        });
    Ok(Model {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        version: None,
        create_time,
        state,
        labels: reported.labels.clone(),
        uri: None,
        evaluation: evaluation(evaluations),
        lineage,
    })
}

/// Puts the evaluations of one model together; of several for the same label the newest counts.
fn evaluation(evaluations: &[AutoMlEvaluation]) -> Option<Evaluation> {
    let mut oldest_first: Vec<&AutoMlEvaluation> = evaluations.iter().collect();
    // RFC 3339 in UTC, as Google writes it, sorts as text down to the second.
    oldest_first.sort_by_key(|evaluation| evaluation.create_time.as_deref().unwrap_or_default());
    let mut result = Evaluation::default();
    for evaluation in oldest_first {
        let is_metrics = |field: &str| field.ends_with("EvaluationMetrics");
        let figures = evaluation
            .rest
            .iter()
            .find(|(field, _)| is_metrics(field))
            .map(|(_, metrics)| figures(metrics, Zero::LeftOut))
            .unwrap_or_default();
        let non_empty = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        match non_empty(&evaluation.annotation_spec_id) {
            None => result.metrics = figures,
            Some(id) => {
                let label = non_empty(&evaluation.display_name).unwrap_or(id);
                result.per_label.insert(label, figures);
            }
        }
    }
    (result != Evaluation::default()).then_some(result)
}
