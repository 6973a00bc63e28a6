//! A run as one JSON object.

use serde_json::{Value, json};

use crate::core::change::FileChange;
use crate::core::krm::ResultItem;

/// What `--output json` prints: `outcome` (`changed`, `unchanged` or `failed`), `files` with their
/// old and new paths, and `results`.
#[must_use]
pub fn run(changes: &[FileChange], results: &[ResultItem], failed: bool) -> Value {
    let outcome = match (failed, changes.is_empty()) {
        (true, _) => "failed",
        (false, true) => "unchanged",
        (false, false) => "changed",
    };
    let files = changes
        .iter()
        .map(|change| json!({"path": change.to, "previousPath": change.from}));
    json!({
        "outcome": outcome,
        "files": files.collect::<Vec<_>>(),
        "results": results.iter().map(result).collect::<Vec<_>>(),
    })
}

fn result(result: &ResultItem) -> Value {
    let mut value = json!({"severity": result.severity.to_string(), "message": result.message});
    if let Some(rule) = result.rule {
        value["rule"] = json!(rule);
    }
    if let Some((path, _)) = &result.file {
        value["file"] = json!(path);
    }
    if let Some(position) = result.position {
        value["line"] = json!(position.line);
        value["column"] = json!(position.column);
    }
    if let Some(id) = &result.resource {
        let parts = [
            ("apiVersion", &id.api_version),
            ("kind", &id.kind),
            ("name", &id.name),
            ("namespace", &id.namespace),
        ];
        let parts = parts
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), Value::from(value.as_deref()?))));
        value["resource"] = Value::Object(parts.collect());
    }
    if let Some(field) = &result.field {
        value["field"] = json!({
            "path": field.path,
            "currentValue": field.current_value,
            "proposedValue": field.proposed_value,
        });
    }
    value
}
