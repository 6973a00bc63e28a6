//! MS010: a target matches nothing, or nothing that can be edited.

use super::rule::{Facts, Rule};
use crate::core::krm::{ResultItem, Severity};
use crate::core::yaml::Obstacle;

pub(super) const RULE: Rule = Rule {
    id: "MS010",
    name: "unmatched-target",
    severity: Severity::Error,
    about: "A target's field path or setter matches nothing, too much, or something that may not \
            be edited, such as an alias or a map.",
    help: "correct the target, or the document that it names",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let mut findings = Vec::new();
    for subject in &facts.subjects {
        let refusals = subject.places.refusals.iter();
        for refusal in refusals.filter(|it| it.obstacle != Obstacle::InvalidDocument) {
            let mut finding = refusal.item.clone();
            finding.message = format!("{}: {}", subject.config.name, finding.message);
            findings.push(finding);
        }
    }
    findings
}
