//! Findings as GitHub workflow commands, which become annotations of the pull request
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).

use super::{path, region};
use crate::core::check::Report;
use crate::core::krm::Severity;
use crate::core::package::Package;

/// One command for each finding. `directory` leads from the repository's root to the package.
#[must_use]
pub fn github(package: &Package<'_>, report: &Report, directory: &str) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let mut properties = Vec::new();
        if let Some(path) = path(finding) {
            let path = crate::core::krm::join(directory, path);
            properties.push(format!("file={}", escape_property(&path)));
        }
        if let Some((start, end)) = region(package, finding) {
            properties.push(format!("line={},endLine={}", start.line, end.line));
            if start.line == end.line {
                properties.push(format!("col={},endColumn={}", start.column, end.column));
            }
        }
        let title = format!("{} {}", finding.rule.id, finding.rule.name);
        properties.push(format!("title={}", escape_property(&title)));
        let message = format!("{}. {}", finding.item.message, finding.rule.help);
        text.push_str(&format!(
            "::{command} {}::{}\n",
            properties.join(","),
            escape(&message)
        ));
    }
    for undecided in &report.undecided {
        text.push_str(&format!(
            "::error title=could not decide::{}\n",
            escape(undecided)
        ));
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}
