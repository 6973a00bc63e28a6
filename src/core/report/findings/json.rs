//! Findings as one JSON object.

use serde_json::{Value, json};

use super::{path, region};
use crate::core::check::Report;
use crate::core::package::Package;

/// `findings`, each with `rule`, `name`, `level`, `message`, `help` and where known `path`, `line`,
/// `column`, `endLine`, `endColumn`, `field`, `currentValue`, `proposedValue`; and `undecided`, what
/// kept rules from deciding. Lines and columns count from 1; columns count characters.
#[must_use]
pub fn json(package: &Package<'_>, report: &Report) -> Value {
    let findings = report.findings.iter().map(|finding| {
        let mut value = json!({
            "rule": finding.rule.id,
            "name": finding.rule.name,
            "level": finding.severity.to_string(),
            "message": finding.item.message,
            "help": finding.rule.help,
        });
        if let Some(path) = path(finding) {
            value["path"] = json!(path);
        }
        if let Some((start, end)) = region(package, finding) {
            value["line"] = json!(start.line);
            value["column"] = json!(start.column);
            value["endLine"] = json!(end.line);
            value["endColumn"] = json!(end.column);
        }
        if let Some(field) = &finding.item.field {
            value["field"] = json!(field.path);
            value["currentValue"] = json!(field.current_value);
            value["proposedValue"] = json!(field.proposed_value);
        }
        value
    });
    json!({"findings": findings.collect::<Vec<_>>(), "undecided": report.undecided})
}
