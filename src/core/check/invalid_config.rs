//! MS013: a SetModel or a ModelCatalog cannot be read, or the policy cannot be applied.

use super::rule::{Facts, Rule};
use crate::core::krm::{ResultItem, Severity};

pub(super) const RULE: Rule = Rule {
    id: "MS013",
    name: "invalid-config",
    severity: Severity::Error,
    about: "A SetModel or ModelCatalog has unknown, missing or contradictory fields, or the policy \
            cannot be applied to the models that are listed.",
    help: "correct the field",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    facts.invalid.clone()
}
