//! Results as lines for people.

use crate::core::krm::{ResultItem, Severity};

/// One line for each result: severity, place, message.
#[must_use]
pub fn lines(results: &[ResultItem], least: Severity) -> String {
    let shown = results.iter().filter(|result| result.severity <= least);
    shown.map(|result| line(result) + "\n").collect()
}

fn line(result: &ResultItem) -> String {
    let place = match (&result.file, result.position) {
        (Some((path, _)), Some(position)) => format!("{path}:{position}: "),
        (Some((path, _)), None) => format!("{path}: "),
        (None, _) => String::new(),
    };
    let rule = result
        .rule
        .map_or(String::new(), |rule| format!(" [{rule}]"));
    let message = result
        .message
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    match result.severity {
        Severity::Info => format!("{place}{message}{rule}"),
        severity => format!("{severity}: {place}{message}{rule}"),
    }
}
