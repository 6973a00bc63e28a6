//! Which resource a document is, and where it stands. Every part is optional: a
//! `kustomization.yaml` has no name.

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

/// One document of a text. Any map is one here; whether it is a Kubernetes resource is for
/// [`ResourceId::is_resource`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its root.
    pub root: NodeId,
    /// What it says it is.
    pub id: ResourceId,
    /// Directory of the package it belongs to; empty in a directory that is read as files.
    pub package: String,
    /// Its file, relative to the package; empty when an item does not say.
    pub path: String,
    /// The number of the document in its file, where that is known.
    pub index: Option<usize>,
}

impl Resource {
    /// Its file's path from the common root of all packages, as far as that is known.
    #[must_use]
    pub fn full_path(&self) -> String {
        join(&self.package, &self.path)
    }

    /// The directory of its file.
    #[must_use]
    pub fn directory(&self) -> String {
        let path = self.full_path();
        path.rsplit_once('/')
            .map_or(String::new(), |(directory, _)| directory.to_owned())
    }

    /// Name of its file, without directories.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or("")
    }
}

/// Joins two paths with slashes; either may be empty.
#[must_use]
pub fn join(directory: &str, path: &str) -> String {
    match (directory.trim_end_matches('/'), path) {
        ("", path) => path.to_owned(),
        (directory, "") => directory.to_owned(),
        (directory, path) => format!("{directory}/{path}"),
    }
}
