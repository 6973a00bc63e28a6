//! What became of proposals, as JSON, as lines for people and as results of a Tekton task.

use serde_json::{Value, json};

use crate::core::proposal::{Outcome, Preview, Report};

/// What `--output json` prints: one object for one config; for several an object with the outcome
/// that says most, and `proposals`.
#[must_use]
pub fn json(reports: &[Report]) -> Value {
    if let [report] = reports {
        return object(report);
    }
    let most = reports.iter().map(|report| report.outcome).max();
    let outcome = most.unwrap_or(Outcome::UpToDate).as_str();
    let proposals: Vec<Value> = reports.iter().map(object).collect();
    json!({"outcome": outcome, "proposals": proposals})
}

/// The same for a run that came to no proposal at all.
#[must_use]
pub fn failure(message: &str) -> Value {
    json!({"outcome": Outcome::Failed.as_str(), "reasons": [message]})
}

fn object(report: &Report) -> Value {
    let mut value = json!({
        "config": report.config,
        "outcome": report.outcome.as_str(),
        "base": report.base,
        "branch": report.branch,
        "commit": report.commit,
        "pullRequest": report.pull_request.as_ref().map(|url| json!({"url": url})),
        "model": report.model,
        "previousModel": report.previous.first(),
        "reasons": report.reasons,
        "steps": report.steps,
    });
    if let Some(preview) = &report.preview {
        value["dryRun"] = json!({
            "message": preview.message,
            "diff": preview.diff,
            "title": preview.title,
            "body": preview.body,
        });
    }
    value
}

/// Results by name; of several proposals a line each.
#[must_use]
pub fn results(reports: &[Report]) -> Vec<(&'static str, String)> {
    let lines = |value: fn(&Report) -> Option<&String>| {
        let values: Vec<&str> = reports
            .iter()
            .filter_map(value)
            .map(String::as_str)
            .collect();
        values.join("\n")
    };
    vec![
        ("pr-url", lines(|it| it.pull_request.as_ref())),
        ("commit", lines(|it| it.commit.as_ref())),
        ("model", lines(|it| it.model.as_ref())),
    ]
}

/// What was done, for people; with `is_verbose` also why, for every model.
#[must_use]
pub fn lines(report: &Report, is_verbose: bool) -> String {
    let mut text = String::new();
    let name = &report.config;
    let first = match (report.outcome, &report.branch) {
        (Outcome::UpToDate, _) | (_, None) => String::new(),
        (Outcome::Unchanged, Some(branch)) => format!("{name}: {branch} is there; nothing to do"),
        (_, Some(_)) => {
            let steps = &report.steps;
            steps
                .iter()
                .map(|step| format!("{name}: {step}"))
                .collect::<Vec<_>>()
                .join("\n")
        }
    };
    if !first.is_empty() {
        text.push_str(&first);
        text.push('\n');
    }
    if let (Outcome::Created, Some(branch), None) =
        (report.outcome, &report.branch, &report.pull_request)
        && report.preview.is_none()
    {
        let base = &report.base;
        text.push_str(&format!(
            "{name}: open a pull request from {branch} into {base}\n"
        ));
    }
    if report.outcome == Outcome::UpToDate {
        for step in &report.steps {
            text.push_str(&format!("{name}: {step}\n"));
        }
    }
    let reasons = report.reasons.iter().map(|reason| {
        let line = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{line}\n")
    });
    // Nothing was done although there is something to propose.
    let is_refused = report.outcome == Outcome::Unchanged && report.branch.is_none();
    if is_verbose {
        text.extend(reasons);
    } else if report.outcome == Outcome::UpToDate || is_refused {
        text.extend(reasons.take(1));
    }
    text
}

/// The commit that would be made, as `git log` shows one.
#[must_use]
pub fn commit(preview: &Preview) -> String {
    let message: String = preview
        .message
        .lines()
        .map(|line| format!("    {line}").trim_end().to_owned() + "\n")
        .collect();
    format!("commit\n\n{message}\n")
}

/// The pull request that would be made.
#[must_use]
pub fn text(preview: &Preview) -> String {
    format!("\npull request: {}\n\n{}", preview.title, preview.body)
}
