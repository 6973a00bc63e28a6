//! The figures of an evaluation, as registries write them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::core::model::Evaluation;

/// The lists of figures by confidence threshold: AutoML's for classification and for extraction,
/// and Vertex AI's.
const BY_THRESHOLD: [&str; 3] = [
    "confidenceMetricsEntry",
    "confidenceMetricsEntries",
    "confidenceMetrics",
];
/// The threshold whose figures are taken: what both registries' consoles show first, and what a
/// model that is asked for its best guess does.
const THRESHOLD: f64 = 0.5;
/// The figures that are taken from the entry of that threshold.
const AT_THRESHOLD: [&str; 4] = ["precision", "recall", "f1Score", "falsePositiveRate"];

/// How a registry writes a figure that is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zero {
    /// It is written.
    Written,
    /// It is left out, as fields of protocol buffers are.
    LeftOut,
}

/// Takes the figures out of a metrics object: every number in it, such as `auPrc` and `logLoss`,
/// and precision, recall, F1 score and false positive rate at the confidence threshold 0.5.
///
/// Without an entry for exactly that threshold there are no such figures: those of another
/// threshold would not be comparable between models.
pub(super) fn figures(metrics: &Value, zero: Zero) -> BTreeMap<String, f64> {
    let Value::Object(fields) = metrics else {
        return BTreeMap::new();
    };
    let mut figures: BTreeMap<String, f64> = fields
        .iter()
        .filter_map(|(field, value)| Some((field.clone(), finite(value)?)))
        .collect();
    let entries = BY_THRESHOLD
        .iter()
        .filter_map(|field| fields.get(*field)?.as_array())
        .flatten()
        .filter_map(Value::as_object);
    let at_threshold = entries
        .filter(|entry| {
            let threshold = entry.get("confidenceThreshold").and_then(finite);
            (threshold.unwrap_or(0.0) - THRESHOLD).abs() < 1e-6
        })
        .max_by_key(|entry| most_predictions(entry));
    if let Some(entry) = at_threshold {
        for field in AT_THRESHOLD {
            let figure = match (entry.get(field), zero) {
                (Some(value), _) => finite(value),
                (None, Zero::LeftOut) => Some(0.0),
                (None, Zero::Written) => None,
            };
            figures.extend(figure.map(|figure| (field.to_owned(), figure)));
        }
    }
    figures
}

/// How many predictions for one item the figures of an entry allow: AutoML's `positionThreshold`,
/// Vertex AI's `maxPredictions`; zero, which is left out, means any number.
fn most_predictions(entry: &Map<String, Value>) -> u64 {
    let limits = ["positionThreshold", "maxPredictions"];
    let limit = limits.iter().find_map(|field| entry.get(*field)?.as_u64());
    match limit {
        None | Some(0) => u64::MAX,
        Some(limit) => limit,
    }
}

/// Not `NaN` and `Infinity`, which JSON holds as strings.
fn finite(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

/// Puts figures together that a registry knows by name only. `label/LABEL/METRIC` is the figure of
/// one label: neither MLflow nor the Kubeflow Model Registry has a place for those, and both allow
/// `/` in names.
pub(super) fn named(figures: impl IntoIterator<Item = (String, f64)>) -> Option<Evaluation> {
    let mut evaluation = Evaluation::default();
    for (name, figure) in figures {
        if !figure.is_finite() {
            continue;
        }
        let of_label = name
            .strip_prefix("label/")
            .and_then(|rest| rest.rsplit_once('/'));
        match of_label {
            Some((label, metric)) => {
                let metrics = evaluation.per_label.entry(label.to_owned()).or_default();
                metrics.insert(metric.to_owned(), figure);
            }
            None => {
                evaluation.metrics.insert(name, figure);
            }
        }
    }
    (evaluation != Evaluation::default()).then_some(evaluation)
}
