//! Who names a ConfigMap.
//!
//! Kustomize rewrites the references of the kinds it knows (`namereference.go`). A name with a
//! hash is unambiguous, so references are found by their form in any kind: Knative Services and
//! the like are not left behind.

use super::contents::{Package, PartId};
use crate::core::krm::{Resource, ResourceId};
use crate::core::yaml::{Content, Located, NodeId, Position, Site, Stream, lookup::path_to};

/// Keys whose value, a map, names a ConfigMap as `name`.
const FORMS: [&str; 3] = ["configMap", "configMapRef", "configMapKeyRef"];

/// A scalar that names a ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The text it is in.
    pub part: PartId,
    /// The document it is in.
    pub resource: Resource,
    /// Where.
    pub place: Located,
    /// Whether its form says that it is a reference; else it merely has the same text.
    pub is_reference: bool,
}

/// Finds the scalars that say `name`, in resources that can refer to `namespace`, other than the
/// ConfigMap's own name.
#[must_use]
pub fn find(package: &Package<'_>, name: &str, namespace: Option<&str>) -> Vec<Reference> {
    let mut found = Vec::new();
    for (part, text, parsed) in package.saying(&[name]) {
        for resource in &parsed.resources {
            let other_namespace = match (namespace, resource.id.namespace.as_deref()) {
                (Some(wanted), Some(own)) => wanted != own,
                _ => false,
            };
            let stream = &parsed.stream;
            for (id, node) in stream.nodes() {
                if other_namespace || node.scalar() != Some(name) {
                    continue;
                }
                let Some(path) = path_to(stream, resource.root, id) else {
                    continue;
                };
                if path == "metadata.name" {
                    continue;
                }
                let is_reference = is_reference(stream, resource.root, id, &resource.id);
                let place = Located {
                    nodes: vec![id],
                    site: Site::Replace,
                    value: Some(name.to_owned()),
                    path,
                    position: Position::of(text.text(), node.span.start),
                    aliases: node.aliases,
                };
                found.push(Reference {
                    part,
                    resource: resource.clone(),
                    place,
                    is_reference,
                });
            }
        }
    }
    found
}

/// Whether the scalar's form makes it a reference to a ConfigMap.
fn is_reference(stream: &Stream, root: NodeId, id: NodeId, resource: &ResourceId) -> bool {
    let by_form = stream.nodes().any(|(map, _)| {
        stream.entries(map).iter().any(|(key, value)| {
            stream
                .node(*key)
                .scalar()
                .is_some_and(|key| FORMS.contains(&key))
                && stream.get(*value, "name") == Some(id)
        })
    });
    by_form || in_role(stream, root, id, resource) || in_annotation(stream, root, id)
}

/// `rules[].resourceNames[]` of a Role whose rule is about ConfigMaps.
fn in_role(stream: &Stream, root: NodeId, id: NodeId, resource: &ResourceId) -> bool {
    let is_role = ["Role", "ClusterRole"]
        .iter()
        .any(|kind| resource.is("rbac.authorization.k8s.io", kind));
    let Some(rules) = stream.get(root, "rules").filter(|_| is_role) else {
        return false;
    };
    let list = |rule: NodeId, key| stream.get(rule, key).map(|list| stream.items(list));
    stream.items(rules).iter().any(|rule| {
        let resources = list(*rule, "resources").unwrap_or_default();
        let for_config_maps = resources
            .iter()
            .any(|it| matches!(stream.node(*it).scalar(), Some("configmaps" | "*")));
        for_config_maps
            && list(*rule, "resourceNames")
                .unwrap_or_default()
                .contains(&id)
    })
}

fn in_annotation(stream: &Stream, root: NodeId, id: NodeId) -> bool {
    const ANNOTATION: &str = "nginx.ingress.kubernetes.io/fastcgi-params-configmap";
    stream.get_path(root, &["metadata", "annotations", ANNOTATION]) == Some(id)
}

/// Every reference to a ConfigMap by its form, with the name it gives. `optional: true` ones are
/// left out: they may dangle.
#[must_use]
pub fn all(stream: &Stream, root: NodeId) -> Vec<(NodeId, String)> {
    let maps = stream
        .nodes()
        .filter(|(_, node)| matches!(node.content, Content::Mapping { .. }));
    let entries = maps.flat_map(|(map, _)| stream.entries(map).iter().copied());
    entries
        .filter_map(|(key, value)| {
            let is_form = stream
                .node(key)
                .scalar()
                .is_some_and(|key| FORMS.contains(&key));
            let name = stream.get(value, "name").filter(|_| is_form)?;
            let is_optional = stream.get_str(value, &["optional"]) == Some("true");
            path_to(stream, root, name)?;
            let text = stream.node(name).scalar().filter(|_| !is_optional)?;
            Some((name, text.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::package::{Layout, Part};

    #[test]
    fn finds_references_by_form() {
        let text = "\
kind: Deployment
metadata: {namespace: a}
spec:
  volumes:
  - configMap: {name: c}
  - other: c
  envFrom:
  - configMapRef: {name: c}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
rules:
- {resources: [configmaps], resourceNames: [c]}
- {resources: [secrets], resourceNames: [c]}
---
metadata: {namespace: b}
x: {configMap: {name: c}}
---
kind: ConfigMap
metadata: {name: c}
";
        let package = Package::new(Layout::Directory, vec![Part::file("x.yaml", text)]);
        let found = find(&package, "c", Some("a"));
        let paths: Vec<_> = found
            .iter()
            .map(|it| (it.place.path.as_str(), it.is_reference))
            .collect();
        assert_eq!(
            paths,
            [
                ("spec.volumes[0].configMap.name", true),
                ("spec.volumes[1].other", false),
                ("spec.envFrom[0].configMapRef.name", true),
                ("rules[0].resourceNames[0]", true),
                ("rules[1].resourceNames[0]", false),
            ]
        );
    }
}
