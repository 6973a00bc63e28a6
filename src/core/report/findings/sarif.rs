//! Findings in the Static Analysis Results Interchange Format, SARIF 2.1.0
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/>).

use serde_json::{Value, json};

use super::{path, region};
use crate::core::check::{RULES, Report};
use crate::core::krm::Severity;
use crate::core::package::Package;

/// A log with one run. `directory` leads from the repository's root to the package.
#[must_use]
pub fn sarif(package: &Package<'_>, report: &Report, directory: &str) -> Value {
    let rules = RULES.into_iter().map(|rule| {
        json!({
            "id": rule.id,
            "name": pascal_case(rule.name),
            "shortDescription": {"text": rule.name.replace('-', " ")},
            "fullDescription": {"text": rule.about},
            "help": {"text": rule.help},
            "defaultConfiguration": {"level": level(rule.severity)},
        })
    });
    let results = report.findings.iter().map(|finding| {
        let index = RULES
            .into_iter()
            .position(|rule| rule.id == finding.rule.id);
        let mut result = json!({
            "ruleId": finding.rule.id,
            "ruleIndex": index,
            "level": level(finding.severity),
            "message": {"text": finding.item.message},
        });
        if let Some(path) = path(finding) {
            let uri = percent_encoded(&crate::core::krm::join(directory, path));
            let mut place = json!({"artifactLocation": {"uri": uri}});
            if let Some((start, end)) = region(package, finding) {
                place["region"] = json!({
                    "startLine": start.line,
                    "startColumn": start.column,
                    "endLine": end.line,
                    "endColumn": end.column,
                });
            }
            result["locations"] = json!([{"physicalLocation": place}]);
        }
        result
    });
    let notifications = report
        .undecided
        .iter()
        .map(|undecided| json!({"level": "error", "message": {"text": undecided}}));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "modelsync",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.undecided.is_empty(),
                "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
            }],
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn pascal_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}

/// A path as a relative URI reference (RFC 3986 §2): everything but unreserved characters and
/// slashes is encoded.
fn percent_encoded(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}
