//! MS002: the model in Git fails a gate of the policy.

use super::rule::{Facts, Rule, on_rejected};
use crate::core::krm::{ResultItem, Severity};
use crate::core::policy::Reason;

pub(super) const RULE: Rule = Rule {
    id: "MS002",
    name: "failed-gate",
    severity: Severity::Error,
    about: "A target holds a model whose evaluation fails a gate of the policy.",
    help: "choose another model, or change the gate",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    on_rejected(facts, Reason::is_gate, "fails a gate")
}
