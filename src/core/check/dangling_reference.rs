//! MS007: something refers to a ConfigMap that holds the model by a hashed name that no ConfigMap
//! has.

use std::collections::BTreeSet;

use super::rule::{Facts, Rule, finding};
use crate::core::change::Place;
use crate::core::krm::{Resource, ResultItem, Severity};
use crate::core::package::{Package, PartId, name_hash, references};
use crate::core::yaml::{NodeId, Position, lookup::path_to};

pub(super) const RULE: Rule = Rule {
    id: "MS007",
    name: "dangling-reference",
    severity: Severity::Error,
    about: "Something refers to a ConfigMap that holds the model, by the name it had with other \
            content. Pods would wait for ever for a ConfigMap that does not exist.",
    help: "hydrate again, or run `modelsync check --fix`",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let places: Vec<&Place> = facts
        .subjects
        .iter()
        .flat_map(|subject| &subject.places.places)
        .collect();
    let dangling = find(facts.package, &places)
        .into_iter()
        .filter_map(|dangling| {
            let part = facts.package.part(dangling.part);
            let parsed = part.parsed().ok()?;
            let path = path_to(&parsed.stream, dangling.resource.root, dangling.node)?;
            let offset = parsed.stream.node(dangling.node).span.start;
            let name = &dangling.name;
            let message = format!("refers to the ConfigMap {name}, which does not exist");
            let finding = finding(message).about(&dangling.resource);
            let finding = finding.at(Position::of(part.text(), offset));
            Some(finding.on_field(&path, Some(name), dangling.only_candidate.as_deref()))
        });
    dangling.collect()
}

/// A reference that leads nowhere.
pub(super) struct Dangling {
    pub(super) part: PartId,
    pub(super) resource: Resource,
    pub(super) node: NodeId,
    pub(super) name: String,
    /// The name it should have, when there is only one ConfigMap that can be meant.
    pub(super) only_candidate: Option<String>,
}

/// Finds references to hashed names of the places' ConfigMaps that no ConfigMap has.
pub(super) fn find(package: &Package<'_>, places: &[&Place]) -> Vec<Dangling> {
    let mut bases = BTreeSet::new();
    for place in places {
        let id = &place.resource.id;
        if id.is("", "ConfigMap")
            && let Some((base, _)) = id.name.as_deref().and_then(name_hash::split)
        {
            bases.insert(base);
        }
    }
    let needles: Vec<&str> = bases.iter().copied().collect();
    let mut found = Vec::new();
    for (part, _, parsed) in package.saying(&needles) {
        for resource in &parsed.resources {
            for (node, name) in references::all(&parsed.stream, resource.root) {
                let Some((base, _)) = name_hash::split(&name) else {
                    continue;
                };
                let namespace = resource.id.namespace.as_deref();
                if !bases.contains(base) || exists(package, &name, namespace) {
                    continue;
                }
                let candidates: BTreeSet<_> = places
                    .iter()
                    .map(|place| &place.resource.id)
                    .filter(|id| namespace.is_none() || id.namespace.as_deref() == namespace)
                    .filter_map(|id| id.name.as_deref())
                    .filter(|name| name_hash::split(name).is_some_and(|(own, _)| own == base))
                    .collect();
                let only = if candidates.len() == 1 {
                    candidates.first()
                } else {
                    None
                };
                found.push(Dangling {
                    part,
                    resource: resource.clone(),
                    node,
                    only_candidate: only.map(|name| (*name).to_owned()),
                    name,
                });
            }
        }
    }
    found
}

fn exists(package: &Package<'_>, name: &str, namespace: Option<&str>) -> bool {
    package.saying(&[name]).any(|(_, _, parsed)| {
        parsed.resources.iter().any(|other| {
            let other_namespace = other.id.namespace.as_deref();
            other.id.is("", "ConfigMap")
                && other.id.name.as_deref() == Some(name)
                && (namespace.is_none()
                    || other_namespace.is_none()
                    || namespace == other_namespace)
        })
    })
}
