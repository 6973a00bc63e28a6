//! All models, newest first.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::survey::{Survey, Verdict, figure_of};
use crate::core::model::Model;
use crate::core::report::csv;
use crate::core::report::table::{Cell, Screen, Table, Tone};

/// A table. The model now in Git is marked `*`.
#[must_use]
pub fn list_table(survey: &Survey, screen: Screen) -> String {
    let models = survey.models();
    let metrics = survey.shown_metrics();
    let has_policy = survey.selection.is_some();
    let has_version = models.iter().any(|model| model.version.is_some());
    let mut header = vec!["", "NAME", "DISPLAY NAME"];
    if survey.current.is_empty() {
        header.remove(0);
    }
    if has_version {
        header.push("VERSION");
    }
    header.extend(["CREATED", "STATE"]);
    let names: Vec<String> = metrics.iter().map(|metric| metric.to_uppercase()).collect();
    header.extend(names.iter().map(String::as_str));
    if has_policy {
        header.push("CHOSEN");
    }
    let mut table = Table::new(&header);
    for model in models {
        let mut row = Vec::new();
        if !survey.current.is_empty() {
            let mark = if survey.is_current(&model.name) {
                "*"
            } else {
                ""
            };
            row.push(Cell::new(mark));
        }
        row.push(Cell::new(survey.short(&model.name)));
        row.push(Cell::new(&model.display_name));
        if has_version {
            row.push(Cell::new(model.version.as_deref().unwrap_or_default()));
        }
        row.push(Cell::new(&model.create_time.to_string()));
        row.push(Cell::new(model.state.as_str()));
        for metric in &metrics {
            let figure = figure_of(model, metric).map(super::figure);
            row.push(Cell::figure(&figure.unwrap_or_default()));
        }
        if has_policy {
            row.push(match survey.verdict(&model.name) {
                Some(Verdict::Chosen) => Cell::new("yes").toned(Tone::Good),
                Some(Verdict::Rejected(reason)) => Cell::new(&format!("no: {reason}")),
                None => Cell::new(""),
            });
        }
        table.rows.push(row);
    }
    table.render(screen)
}

/// An object: `origin`, `observedAt`, `current`, `chosen`, `warnings`, and `models`, each as in a
/// ModelCatalog with `current`, `chosen` and `reason`.
#[must_use]
pub fn list_json(survey: &Survey) -> Value {
    let chosen = survey.selection.as_ref().map(|it| it.chosen_name());
    json!({
        "origin": survey.listing.origin,
        "observedAt": survey.listing.observed_at.map(|time| time.to_string()),
        "current": survey.current,
        "chosen": chosen.flatten(),
        "warnings": survey.warnings,
        "models": survey.models().into_iter().map(|model| model_json(survey, model)).collect::<Vec<_>>(),
    })
}

/// A model as in a ModelCatalog, with what the policy says of it.
pub(super) fn model_json(survey: &Survey, model: &Model) -> Value {
    let mut value = serde_json::to_value(model).unwrap_or_default();
    value["current"] = survey.is_current(&model.name).into();
    match survey.verdict(&model.name) {
        Some(Verdict::Chosen) => value["chosen"] = true.into(),
        Some(Verdict::Rejected(reason)) => {
            value["chosen"] = false.into();
            value["reason"] = reason.to_string().into();
        }
        None => {}
    }
    value
}

/// A row for each model, below a row of names. Every metric and label of any model has a column.
#[must_use]
pub fn list_csv(survey: &Survey) -> String {
    models_csv(survey, &survey.models())
}

/// The same for some of the models.
pub(super) fn models_csv(survey: &Survey, models: &[&Model]) -> String {
    let metrics: BTreeSet<&str> = models
        .iter()
        .filter_map(|model| model.evaluation.as_ref())
        .flat_map(|evaluation| evaluation.metrics.keys().map(String::as_str))
        .collect();
    let labels: BTreeSet<&str> = models
        .iter()
        .flat_map(|model| model.labels.keys().map(String::as_str))
        .collect();
    let mut header: Vec<String> = [
        "name",
        "displayName",
        "version",
        "createTime",
        "state",
        "uri",
        "current",
        "chosen",
        "reason",
    ]
    .map(str::to_owned)
    .into();
    header.extend(metrics.iter().map(|metric| format!("metrics.{metric}")));
    header.extend(labels.iter().map(|label| format!("labels.{label}")));
    let mut text = csv::row(&header);
    for model in models {
        let (chosen, reason) = match survey.verdict(&model.name) {
            None => ("", String::new()),
            Some(Verdict::Chosen) => ("true", String::new()),
            Some(Verdict::Rejected(reason)) => ("false", reason.to_string()),
        };
        let mut row = vec![
            model.name.clone(),
            model.display_name.clone(),
            model.version.clone().unwrap_or_default(),
            model.create_time.to_string(),
            model.state.to_string(),
            model.uri.clone().unwrap_or_default(),
            survey.is_current(&model.name).to_string(),
            chosen.to_owned(),
            reason,
        ];
        row.extend(metrics.iter().map(|metric| {
            figure_of(model, metric).map_or(String::new(), |figure| figure.to_string())
        }));
        row.extend(
            labels
                .iter()
                .map(|label| model.labels.get(*label).cloned().unwrap_or_default()),
        );
        text.push_str(&csv::row(&row));
    }
    text
}
