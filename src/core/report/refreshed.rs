//! What a refresh of catalogs did, for people and for programs.

use serde_json::{Value, json};

use crate::core::catalog::{Outcome, Refreshed};

/// How many models of a catalog are named to people.
const SHOWN: usize = 20;

/// Lines for people: a summary of each catalog, and the models that differ.
#[must_use]
pub fn text(refreshed: &Refreshed) -> String {
    refreshed.outcomes.iter().map(outcome_text).collect()
}

fn outcome_text(outcome: &Outcome) -> String {
    let arrangement = &outcome.arrangement;
    let count = arrangement.models.len();
    let models = if count == 1 { "model" } else { "models" };
    let mut text = format!("{} ({}): ", outcome.name, outcome.path);
    text.push_str(&match (arrangement.is_unchanged(), outcome.observed_at) {
        (true, None) => format!("{count} {models}, unchanged\n"),
        (true, Some(time)) => format!("{count} {models}, unchanged; observed at {time}\n"),
        (false, _) => format!(
            "{} added, {} changed, {} removed, {} unchanged\n",
            arrangement.added.len(),
            arrangement.changed.len(),
            arrangement.removed.len(),
            arrangement.unchanged()
        ),
    });
    let added = arrangement.added.iter().map(|name| format!("added {name}"));
    let changed = arrangement.changed.iter();
    let changed =
        changed.map(|changed| format!("changed {} ({})", changed.name, changed.fields.join(", ")));
    let removed = arrangement.removed.iter();
    let removed = removed.map(|name| format!("removed {name}"));
    let lines: Vec<String> = added.chain(changed).chain(removed).collect();
    for line in lines.iter().take(SHOWN) {
        text.push_str(&format!("  {line}\n"));
    }
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        text.push_str(&format!("  and {more} more, which --output json names\n"));
    }
    for warning in &outcome.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text
}

/// One object: `outcome` (`changed`, `unchanged` or `failed`), `files`, `catalogs` and `errors`.
#[must_use]
pub fn json(refreshed: &Refreshed) -> Value {
    let outcome = match (refreshed.problems.is_empty(), refreshed.files.is_empty()) {
        (false, _) => "failed",
        (true, true) => "unchanged",
        (true, false) => "changed",
    };
    let files = refreshed.files.iter().map(|file| &file.to);
    json!({
        "outcome": outcome,
        "files": files.collect::<Vec<_>>(),
        "catalogs": refreshed.outcomes.iter().map(outcome_json).collect::<Vec<_>>(),
        "errors": refreshed.problems,
    })
}

fn outcome_json(outcome: &Outcome) -> Value {
    let arrangement = &outcome.arrangement;
    let changed = arrangement
        .changed
        .iter()
        .map(|changed| json!({"name": changed.name, "fields": changed.fields}));
    json!({
        "name": outcome.name,
        "file": outcome.path,
        "source": outcome.source,
        "observedAt": outcome.observed_at.map(|time| time.to_string()),
        "added": arrangement.added,
        "changed": changed.collect::<Vec<_>>(),
        "removed": arrangement.removed,
        "unchanged": arrangement.unchanged(),
        "warnings": outcome.warnings,
    })
}
