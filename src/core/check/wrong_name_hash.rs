//! MS006: a ConfigMap that holds the model has a name suffix that is not the hash of its content.

use super::rule::{Facts, Rule, finding};
use crate::core::krm::{ResultItem, Severity};
use crate::core::package::name_hash::{self, Contents};
use crate::core::yaml::Position;

pub(super) const RULE: Rule = Rule {
    id: "MS006",
    name: "wrong-name-hash",
    severity: Severity::Error,
    about: "A ConfigMap that holds the model has a name that ends like a kustomize hash, and the \
            hash is that of other content, under both rules that kustomize has had. Pods that \
            refer to the name would not be restarted.",
    help: "hydrate again, or rename the ConfigMap and what refers to it",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    facts
        .config_maps()
        .into_iter()
        .filter_map(|place| {
            let resource = &place.resource;
            let part = facts.package.part(place.part);
            let parsed = part.parsed().ok()?;
            let name = resource.id.name.as_deref()?;
            let (base, suffix) = name_hash::split(name)?;
            let contents = Contents::of(&parsed.stream, resource.root)?;
            if contents.scheme(base, suffix).is_some() {
                return None;
            }
            let message =
                format!("the suffix {suffix} is not the hash of this ConfigMap's content");
            let node = parsed
                .stream
                .get_path(resource.root, &["metadata", "name"])?;
            let position = Position::of(part.text(), parsed.stream.node(node).span.start);
            let finding = finding(message).about(resource).at(position);
            Some(finding.on_field("metadata.name", Some(name), None))
        })
        .collect()
}
