//! MS011: the model id is not of its registry's form.

use super::rule::{Facts, Rule, on_place};
use crate::core::krm::{ResultItem, Severity};
use crate::core::model::{Listing, name};

pub(super) const RULE: Rule = Rule {
    id: "MS011",
    name: "malformed-model",
    severity: Severity::Error,
    about: "A target holds something that cannot be the name of a model: it is empty, has \
            surrounding or control characters, or all models that are listed have Google resource \
            names and this is none.",
    help: "give the model's full name",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let mut findings = Vec::new();
    for subject in &facts.subjects {
        for place in &subject.places.places {
            let Some(model) = place.current.as_deref() else {
                continue;
            };
            let problem = match (name::validate(model), &subject.listing) {
                (Err(error), _) => error.to_string(),
                (Ok(()), Some(listing)) if is_malformed(model, listing) => {
                    format!("{model:?} is no name like projects/…/locations/…/models/…")
                }
                _ => continue,
            };
            findings.push(on_place(
                place,
                format!("this cannot be a model: {problem}"),
            ));
        }
    }
    findings
}

/// Whether a name cannot be one of the registry that a listing came from.
pub(super) fn is_malformed(model: &str, listing: &Listing) -> bool {
    let mut names = listing.models.iter().map(|model| &model.name);
    name::validate(model).is_err()
        || (!listing.models.is_empty()
            && names.all(|name| name::is_google_resource_name(name))
            && !name::is_google_resource_name(model))
}
