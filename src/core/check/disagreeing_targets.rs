//! MS005: the places of one config hold different models.

use super::{Facts, finding};
use crate::core::krm::ResultItem;

pub(super) fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let current = facts.places.current();
    if current.len() < 2 {
        return Vec::new();
    }
    let places = facts.places.places.iter().filter_map(|place| {
        let model = place.current.as_deref()?;
        let message = format!(
            "the places of {} disagree: this one holds {model}, others {}",
            facts.config.name,
            current
                .iter()
                .filter(|other| *other != model)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        );
        let finding = finding(message)
            .about(&place.resource)
            .at(place.located.position);
        Some(finding.on_field(&place.located.path, place.located.value.as_deref(), None))
    });
    places.collect()
}
