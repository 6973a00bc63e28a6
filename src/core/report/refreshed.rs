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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::catalog::arrange;
    use crate::core::model::{Model, ModelCatalog};

    fn models(names: &[String], state: &str) -> Vec<Model> {
        let models = names.iter().map(|name| {
            format!(
                "  - {{name: {name}, displayName: d, createTime: 2020-06-03T01:02:03Z, state: {state}}}\n"
            )
        });
        let head = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: ModelCatalog\n\
                    metadata: {name: c}\nspec:\n  models:\n";
        let text = format!("{head}{}", models.collect::<String>());
        ModelCatalog::from_yaml(&text, "").unwrap().listing.models
    }

    #[test]
    fn long_lists_are_cut_for_people() {
        let outcome = |added: usize| {
            let old = models(&["x".to_owned(), "z".to_owned()], "Trained");
            let names = (0..added).map(|number| format!("m{number}"));
            let names: Vec<String> = names.chain(["x".to_owned()]).collect();
            Outcome {
                name: "c".to_owned(),
                path: "c.yaml".to_owned(),
                source: "mlflow",
                arrangement: arrange(&old, &models(&names, "Deployed")),
                observed_at: None,
                warnings: vec!["look".to_owned()],
            }
        };
        let text = |added| {
            text(&Refreshed {
                outcomes: vec![outcome(added)],
                ..Refreshed::default()
            })
        };
        insta::assert_snapshot!(text(1), @"
        c (c.yaml): 1 added, 1 changed, 1 removed, 0 unchanged
          added m0
          changed x (state)
          removed z
        warning: look
        ");
        let long = text(100);
        assert_eq!(long.lines().count(), 1 + SHOWN + 2, "{long}");
        assert!(
            long.contains("  and 82 more, which --output json names\n"),
            "{long}"
        );
    }
}
