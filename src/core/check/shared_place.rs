//! MS014: two SetModels write the same place.

use super::rule::{Facts, Rule, on_place};
use crate::core::krm::{ResultItem, Severity};

pub(super) const RULE: Rule = Rule {
    id: "MS014",
    name: "shared-place",
    severity: Severity::Error,
    about: "Two SetModels have a target in the same place, and each would undo the other.",
    help: "remove the target from one of them",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let mut findings = Vec::new();
    for (number, subject) in facts.subjects.iter().enumerate() {
        for place in &subject.places.places {
            let earlier = facts.subjects[..number].iter().find(|other| {
                other.places.places.iter().any(|twin| {
                    twin.part == place.part && twin.located.nodes == place.located.nodes
                })
            });
            if let Some(other) = earlier {
                let (one, two) = (&other.config.name, &subject.config.name);
                let message = format!("both {one} and {two} write this place");
                findings.push(on_place(place, message));
            }
        }
    }
    findings
}
