//! MS007: something refers to a ConfigMap that holds the model by a hashed name that no ConfigMap
//! has.

use std::collections::BTreeSet;

use super::{Facts, finding};
use crate::core::krm::ResultItem;
use crate::core::package::{name_hash, references};
use crate::core::yaml::{Position, lookup::path_to};

pub(super) fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let mut bases = BTreeSet::new();
    for place in &facts.places.places {
        let id = &place.resource.id;
        if id.is("", "ConfigMap")
            && let Some((base, _)) = id.name.as_deref().and_then(name_hash::split)
        {
            bases.insert(base);
        }
    }
    let needles: Vec<&str> = bases.iter().copied().collect();
    let mut findings = Vec::new();
    for (_, text, parsed) in facts.package.saying(&needles) {
        for resource in &parsed.resources {
            for (id, name) in references::all(&parsed.stream, resource.root) {
                let base = name_hash::split(&name).map(|(base, _)| base);
                let is_ours = base.is_some_and(|base| bases.contains(base));
                if !is_ours || exists(facts, &name, resource.id.namespace.as_deref()) {
                    continue;
                }
                let path = path_to(&parsed.stream, resource.root, id).unwrap_or_default();
                let position = Position::of(text.text(), parsed.stream.node(id).span.start);
                let message = format!("refers to the ConfigMap {name}, which does not exist");
                let finding = finding(message).about(resource).at(position);
                findings.push(finding.on_field(&path, Some(&name), None));
            }
        }
    }
    findings
}

fn exists(facts: &Facts<'_>, name: &str, namespace: Option<&str>) -> bool {
    facts.package.saying(&[name]).any(|(_, _, parsed)| {
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
