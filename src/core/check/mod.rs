//! What is wrong with a package before it is merged: one file per rule, and the table of them.

mod dangling_reference;
mod disagreeing_targets;
mod downgrade;
mod failed_gate;
mod ineligible_model;
mod stale_model;
mod unknown_model;
mod wrong_name_hash;

use crate::core::change::Places;
use crate::core::config::SetModel;
use crate::core::krm::{ResultItem, Severity};
use crate::core::package::Package;
use crate::core::policy::Selection;

/// What a rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The package.
    pub package: &'a Package<'a>,
    /// The config that is checked.
    pub config: &'a SetModel,
    /// The places of its targets.
    pub places: &'a Places,
    /// What its policy chooses.
    pub selection: &'a Selection,
}

/// One rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its id, which never changes meaning.
    pub id: &'static str,
    /// What it finds, as a noun.
    pub title: &'static str,
    run: fn(&Facts<'_>) -> Vec<ResultItem>,
}

/// Every rule, in the order of the ids.
pub const RULES: [Rule; 8] = [
    Rule {
        id: "MS001",
        title: "stale model",
        run: stale_model::run,
    },
    Rule {
        id: "MS002",
        title: "failed gate",
        run: failed_gate::run,
    },
    Rule {
        id: "MS003",
        title: "unknown model",
        run: unknown_model::run,
    },
    Rule {
        id: "MS004",
        title: "downgrade",
        run: downgrade::run,
    },
    Rule {
        id: "MS005",
        title: "disagreeing targets",
        run: disagreeing_targets::run,
    },
    Rule {
        id: "MS006",
        title: "wrong name hash",
        run: wrong_name_hash::run,
    },
    Rule {
        id: "MS007",
        title: "dangling reference",
        run: dangling_reference::run,
    },
    Rule {
        id: "MS008",
        title: "ineligible model",
        run: ineligible_model::run,
    },
];

/// Runs every rule. Findings are errors that carry the rule's id.
#[must_use]
pub fn check(facts: &Facts<'_>) -> Vec<ResultItem> {
    let findings = RULES.iter().flat_map(|rule| {
        let findings = (rule.run)(facts).into_iter();
        findings.map(|finding| ResultItem {
            rule: Some(rule.id),
            ..finding
        })
    });
    findings.collect()
}

/// A finding.
fn finding(message: impl Into<String>) -> ResultItem {
    ResultItem::new(Severity::Error, message)
}

/// One finding for each place that holds `model`.
fn on_places(facts: &Facts<'_>, model: &str, message: &str) -> Vec<ResultItem> {
    let places = facts.places.places.iter();
    let holding = places.filter(|place| place.current.as_deref() == Some(model));
    holding
        .map(|place| {
            let located = &place.located;
            let finding = finding(message).about(&place.resource).at(located.position);
            finding.on_field(&located.path, located.value.as_deref(), None)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_order() {
        assert!(RULES.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert!(
            RULES
                .iter()
                .all(|rule| rule.id.len() == 5 && rule.id.starts_with("MS"))
        );
    }
}
