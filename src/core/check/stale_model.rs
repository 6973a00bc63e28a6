//! MS001: a place holds another model than the one the policy chooses.

use super::rule::{Facts, Rule, on_place};
use crate::core::krm::{Field, ResultItem, Severity};
use crate::core::policy::Reason;

pub(super) const RULE: Rule = Rule {
    id: "MS001",
    name: "stale-model",
    severity: Severity::Warning,
    about: "A target holds a good model, and the policy chooses a newer one. The pull request that \
            changes it may be on its way, so this is a warning unless you say otherwise.",
    help: "run `modelsync render`, or `modelsync check --fix`",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let mut findings = Vec::new();
    for subject in &facts.subjects {
        let Some(selection) = &subject.selection else {
            continue;
        };
        let Some(chosen) = selection.chosen_name() else {
            continue;
        };
        if subject.places.current().len() > 1 {
            // Which is worse, and has a rule of its own.
            continue;
        }
        for place in &subject.places.places {
            let is_stale = match place.current.as_deref() {
                None => true,
                // Models that are unknown or no good have rules of their own.
                Some(model) => {
                    matches!(
                        selection.reason_for(model),
                        Some(Reason::Older | Reason::NotPinned | Reason::Downgrade { .. })
                    ) || (model != chosen && selection.rejected.is_empty())
                }
            };
            if !is_stale {
                continue;
            }
            let held = place.current.as_deref().unwrap_or("no model");
            let name = &subject.config.name;
            let mut finding = on_place(place, format!("holds {held}, and {name} chooses {chosen}"));
            if let Some(Field { proposed_value, .. }) = &mut finding.field {
                *proposed_value = place.with(chosen);
            }
            findings.push(finding);
        }
    }
    findings
}
