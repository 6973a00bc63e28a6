//! MS008: the model in Git is one that the policy would not choose, other than for its age or a
//! gate: it failed, is excluded, or lacks a label.

use super::rule::{Facts, Rule, on_rejected};
use crate::core::krm::{ResultItem, Severity};
use crate::core::policy::Reason;

pub(super) const RULE: Rule = Rule {
    id: "MS008",
    name: "ineligible-model",
    severity: Severity::Error,
    about: "A target holds a model that the policy does not allow: its state, display name or \
            labels are others than the wanted ones, it is too young, or it is excluded.",
    help: "choose another model, or change the policy",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let is_meant = |reason: &Reason| {
        !reason.is_gate()
            && !reason.is_downgrade()
            && !matches!(reason, Reason::Older | Reason::NotPinned)
    };
    on_rejected(facts, is_meant, "is not eligible")
}
