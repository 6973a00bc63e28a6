//! Everything that is known of one model.

use serde_json::Value;

use super::list::{model_json, models_csv};
use super::survey::{Survey, Verdict};
use crate::core::model::Model;
use crate::core::report::table::{Cell, Screen, Table};

/// Lines of what is known, then the figures.
#[must_use]
pub fn detail_text(survey: &Survey, model: &Model, screen: Screen) -> String {
    let mut facts: Vec<(&str, String)> = vec![
        ("name", model.name.clone()),
        ("display name", model.display_name.clone()),
    ];
    facts.extend(model.version.clone().map(|version| ("version", version)));
    facts.push(("created", model.create_time.to_string()));
    facts.push(("state", model.state.to_string()));
    if !model.labels.is_empty() {
        let labels = model
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        facts.push(("labels", labels.collect::<Vec<_>>().join(", ")));
    }
    facts.extend(model.uri.clone().map(|uri| ("URI", uri)));
    if let Some(lineage) = &model.lineage {
        facts.extend(lineage.dataset.clone().map(|dataset| ("data set", dataset)));
        facts.extend(
            lineage
                .notebook_run
                .clone()
                .map(|run| ("notebook run", run)),
        );
        facts.extend(
            lineage
                .source_commit
                .clone()
                .map(|commit| ("source commit", commit)),
        );
    }
    if !survey.current.is_empty() {
        let is_current = if survey.is_current(&model.name) {
            "yes"
        } else {
            "no"
        };
        facts.push(("now in Git", is_current.to_owned()));
    }
    match survey.verdict(&model.name) {
        Some(Verdict::Chosen) => facts.push(("chosen", "yes".to_owned())),
        Some(Verdict::Rejected(reason)) => facts.push(("chosen", format!("no: {reason}"))),
        None => {}
    }
    let mut table = Table::default();
    for (fact, value) in &facts {
        table
            .rows
            .push(vec![Cell::new(&format!("{fact}:")), Cell::new(value)]);
    }
    let mut text = table.render(screen);
    text.push_str(&super::evaluation::figures_of(model, screen));
    text
}

/// A model as in a ModelCatalog, with `current`, `chosen` and `reason`.
#[must_use]
pub fn detail_json(survey: &Survey, model: &Model) -> Value {
    model_json(survey, model)
}

/// A row of names and a row of values.
#[must_use]
pub fn detail_csv(survey: &Survey, model: &Model) -> String {
    models_csv(survey, &[model])
}
