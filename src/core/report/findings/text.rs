//! Findings for people, in the manner of rustc.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::path;
use crate::core::check::{Finding, Report};
use crate::core::krm::Severity;
use crate::core::package::Package;

/// Renders a report; with colours when `has_colour`.
#[must_use]
pub fn text(package: &Package<'_>, report: &Report, has_colour: bool) -> String {
    let renderer = if has_colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = String::new();
    for finding in &report.findings {
        let message = finding
            .item
            .message
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        text.push_str(&renderer.render(&[group(package, finding, &message)]));
        text.push_str("\n\n");
    }
    for undecided in &report.undecided {
        let title = Level::ERROR
            .with_name("undecided")
            .primary_title(undecided.as_str());
        text.push_str(&renderer.render(&[Group::with_title(title)]));
        text.push_str("\n\n");
    }
    text.push_str(&summary(report));
    text.push('\n');
    text
}

fn group<'a>(package: &'a Package<'_>, finding: &'a Finding, message: &'a str) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let group = Group::with_title(level.primary_title(message).id(finding.rule.id));
    let help = Level::HELP.message(finding.rule.help);
    match (&finding.place, path(finding)) {
        (Some((part, span)), Some(path)) => {
            let source = package.part(*part).text();
            let annotation = AnnotationKind::Primary.span(span.clone());
            group
                .element(Snippet::source(source).path(path).annotation(annotation))
                .element(help)
        }
        _ => group.element(help),
    }
}

fn summary(report: &Report) -> String {
    let count = |severity| {
        report
            .findings
            .iter()
            .filter(|it| it.severity == severity)
            .count()
    };
    let parts = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "info"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .map(|(severity, name)| (count(severity), name))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| {
            let plural = if count > 1 && name != "info" { "s" } else { "" };
            format!("{count} {name}{plural}")
        })
        .collect();
    match (parts.is_empty(), report.undecided.is_empty()) {
        (true, true) => "no findings".to_owned(),
        (true, false) => "could not decide everything; no findings so far".to_owned(),
        (false, _) => parts.join(", "),
    }
}
