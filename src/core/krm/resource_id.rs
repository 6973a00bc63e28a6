//! Which resource a document is. Every part is optional: a `kustomization.yaml` has none.

use std::fmt;

use crate::core::yaml::{NodeId, Stream};

/// Identity of a resource, as far as the document states it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceId {
    /// `apiVersion`.
    pub api_version: Option<String>,
    /// `kind`.
    pub kind: Option<String>,
    /// `metadata.name`.
    pub name: Option<String>,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
}

impl ResourceId {
    /// Reads the identity of the document at `root`.
    #[must_use]
    pub fn of(stream: &Stream, root: NodeId) -> Self {
        let string = |keys: &[&str]| stream.get_str(root, keys).map(str::to_owned);
        Self {
            api_version: string(&["apiVersion"]),
            kind: string(&["kind"]),
            name: string(&["metadata", "name"]),
            namespace: string(&["metadata", "namespace"]),
        }
    }

    /// Whether the document is a resource of this kind in this API group, in any version.
    #[must_use]
    pub fn is(&self, group: &str, kind: &str) -> bool {
        let own = self.api_version.as_deref().unwrap_or("");
        let own_group = own.split_once('/').map_or("", |(group, _)| group);
        self.kind.as_deref() == Some(kind) && own_group == group
    }

    /// Whether the document is an object of the Kubernetes data model at all.
    #[must_use]
    pub fn is_resource(&self) -> bool {
        self.api_version.is_some() && self.kind.is_some()
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.kind.as_deref().unwrap_or("document"))?;
        match (&self.namespace, &self.name) {
            (Some(namespace), Some(name)) => write!(formatter, " {namespace}/{name}"),
            (None, Some(name)) => write!(formatter, " {name}"),
            _ => Ok(()),
        }
    }
}
