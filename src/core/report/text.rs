//! Results as lines for people.

use crate::core::change::Batch;
use crate::core::krm::{ResultItem, Severity};

/// What to tell after a run on a directory: the summary of each config, and what `least` allows.
#[must_use]
pub fn report(batch: &Batch, least: Severity) -> String {
    let is_shown = |result: &&ResultItem| result.severity <= least || result.is_summary;
    batch
        .results
        .iter()
        .filter(is_shown)
        .map(|result| line(result) + "\n")
        .collect()
}

fn line(result: &ResultItem) -> String {
    let rule = result
        .rule
        .map_or(String::new(), |rule| format!(" [{rule}]"));
    let message = result
        .located_message()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    match result.severity {
        Severity::Info => format!("{message}{rule}"),
        severity => format!("{severity}: {message}{rule}"),
    }
}
