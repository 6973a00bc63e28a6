//! MS002: the model in Git fails a gate of the policy.

use super::{Facts, on_places};
use crate::core::krm::ResultItem;

pub(super) fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let current = facts.places.current().into_iter();
    let failed = current.flat_map(|model| {
        let reason = facts
            .selection
            .reason_for(&model)
            .filter(|reason| reason.is_gate());
        reason.map_or_else(Vec::new, |reason| {
            on_places(
                facts,
                &model,
                &format!("the model in Git ({model}) fails a gate: {reason}"),
            )
        })
    });
    failed.collect()
}
