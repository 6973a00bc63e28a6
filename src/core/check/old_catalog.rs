//! MS012: the catalog was observed too long ago.

use jiff::SignedDuration;

use super::rule::{Facts, Rule, finding};
use crate::core::krm::{ResultItem, Severity};
use crate::core::policy::duration;

pub(super) const RULE: Rule = Rule {
    id: "MS012",
    name: "old-catalog",
    severity: Severity::Warning,
    about: "The ModelCatalog was observed longer ago than --max-catalog-age allows, so newer models \
            may be missing from it. Without that flag catalogs may be of any age.",
    help: "run `modelsync catalog refresh --stamp`",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let Some(allowed) = facts.max_catalog_age else {
        return Vec::new();
    };
    let mut findings: Vec<ResultItem> = Vec::new();
    for listing in facts
        .subjects
        .iter()
        .filter_map(|subject| subject.listing.as_ref())
    {
        let message = match listing.observed_at {
            None => format!("{} does not say when it was observed", listing.origin),
            Some(observed) => {
                let age = facts.now.duration_since(observed);
                if age <= SignedDuration::try_from(allowed).unwrap_or(SignedDuration::MAX) {
                    continue;
                }
                let age =
                    duration::format(std::time::Duration::from_secs(age.unsigned_abs().as_secs()));
                let allowed = duration::format(allowed);
                format!(
                    "{} was observed {age} ago; at most {allowed} is allowed",
                    listing.origin
                )
            }
        };
        // Several configs may share a catalog.
        if !findings.iter().any(|known| known.message == message) {
            findings.push(finding(message));
        }
    }
    findings
}
