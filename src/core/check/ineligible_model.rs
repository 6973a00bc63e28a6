//! MS008: the model in Git is one that the policy would not choose, other than for its age or a
//! gate: it failed, is excluded, or lacks a label.

use super::{Facts, on_places};
use crate::core::krm::ResultItem;
use crate::core::policy::Reason;

pub(super) fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let current = facts.places.current().into_iter();
    let ineligible = current.flat_map(|model| {
        let reason = facts.selection.reason_for(&model).filter(|reason| {
            !reason.is_gate()
                && !reason.is_downgrade()
                && !matches!(reason, Reason::Older | Reason::NotPinned)
        });
        reason.map_or_else(Vec::new, |reason| {
            let message = format!("the model in Git ({model}) is not eligible: {reason}");
            on_places(facts, &model, &message)
        })
    });
    ineligible.collect()
}
