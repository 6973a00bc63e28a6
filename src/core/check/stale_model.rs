//! MS001: a place holds another model than the one the policy chooses.

use super::{Facts, finding};
use crate::core::krm::ResultItem;

pub(super) fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let Some(chosen) = facts.selection.chosen_name() else {
        return Vec::new();
    };
    let places = facts.places.places.iter();
    let stale = places.filter(|place| place.current.as_deref() != Some(chosen));
    stale
        .map(|place| {
            let held = place.current.as_deref().unwrap_or("no model");
            let message = format!(
                "stale: holds {held}, and {} chooses {chosen}; run `modelsync render`",
                facts.config.name
            );
            let finding = finding(message)
                .about(&place.resource)
                .at(place.located.position);
            let new = place.with(chosen);
            finding.on_field(
                &place.located.path,
                place.located.value.as_deref(),
                new.as_deref(),
            )
        })
        .collect()
}
