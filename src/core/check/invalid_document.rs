//! MS009: a string on a target's way holds no valid document.

use super::rule::{Facts, Rule};
use crate::core::krm::{ResultItem, Severity};
use crate::core::yaml::Obstacle;

pub(super) const RULE: Rule = Rule {
    id: "MS009",
    name: "invalid-document",
    severity: Severity::Error,
    about: "The document inside a string that a target leads through is not valid YAML, so whoever \
            reads it in the cluster would fail.",
    help: "correct the document",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let refusals = facts
        .subjects
        .iter()
        .flat_map(|subject| &subject.places.refusals);
    let invalid = refusals.filter(|refusal| refusal.obstacle == Obstacle::InvalidDocument);
    invalid.map(|refusal| refusal.item.clone()).collect()
}
