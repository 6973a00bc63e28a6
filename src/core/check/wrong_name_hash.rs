//! MS006: a ConfigMap that holds the model has a name suffix that is not the hash of its content.

use std::collections::BTreeSet;

use super::{Facts, finding};
use crate::core::krm::ResultItem;
use crate::core::package::name_hash::{self, Contents};

pub(super) fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let mut seen = BTreeSet::new();
    let places = facts.places.places.iter();
    let config_maps = places.filter(|place| {
        place.resource.id.is("", "ConfigMap") && seen.insert((place.part, place.resource.root))
    });
    config_maps
        .filter_map(|place| {
            let resource = &place.resource;
            let parsed = facts.package.part(place.part).parsed().ok()?;
            let name = resource.id.name.as_deref()?;
            let (base, suffix) = name_hash::split(name)?;
            let contents = Contents::of(&parsed.stream, resource.root)?;
            if contents.scheme(base, suffix).is_some() {
                return None;
            }
            let message = format!(
                "the name suffix {suffix} is not the hash of the content under either of \
                 kustomize's rules; hydrate again, or rename the ConfigMap"
            );
            let finding = finding(message).about(resource);
            Some(finding.on_field("metadata.name", Some(name), None))
        })
        .collect()
}
