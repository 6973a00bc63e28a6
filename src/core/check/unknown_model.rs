//! MS003: the model in Git is in no listing.

use super::{Facts, on_places};
use crate::core::krm::ResultItem;

pub(super) fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let selection = facts.selection;
    if selection
        .chosen
        .as_ref()
        .is_some_and(|chosen| chosen.model.is_none())
    {
        // A pinned model without a catalog: there is nothing to look it up in.
        return Vec::new();
    }
    let is_known = |model: &str| {
        selection.chosen_name() == Some(model) || selection.reason_for(model).is_some()
    };
    let unknown = facts
        .places
        .current()
        .into_iter()
        .filter(|model| !is_known(model));
    unknown
        .flat_map(|model| {
            let message = format!(
                "the model in Git ({model}) is not among the models that are listed; refresh the \
                 catalog or correct the name"
            );
            on_places(facts, &model, &message)
        })
        .collect()
}
