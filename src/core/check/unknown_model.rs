//! MS003: the model in Git is in no listing.

use super::malformed_model::is_malformed;
use super::rule::{Facts, Rule, on_place};
use crate::core::krm::{ResultItem, Severity};

pub(super) const RULE: Rule = Rule {
    id: "MS003",
    name: "unknown-model",
    severity: Severity::Error,
    about: "A target holds a model that is not among the models that are listed, so nobody can say \
            what it is.",
    help: "correct the name, or run `modelsync catalog refresh`",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let mut findings = Vec::new();
    for subject in &facts.subjects {
        let Some(listing) = &subject.listing else {
            continue;
        };
        for place in &subject.places.places {
            let Some(model) = place.current.as_deref() else {
                continue;
            };
            if listing.find(model).is_none() && !is_malformed(model, listing) {
                let message = format!("the model in Git ({model}) is not in {}", listing.origin);
                findings.push(on_place(place, message));
            }
        }
    }
    findings
}
