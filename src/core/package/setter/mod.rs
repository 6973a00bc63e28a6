//! Setters: markers in comments that name the value of a field, and where the value is stored.
//!
//! | spelling | since |
//! |---|---|
//! | `# {"type":"string","x-kustomize":{"setter":{"name":"N","value":"V"}}}` | kustomize config |
//! | `# {"$ref":"#/definitions/io.k8s.cli.setters.N"}`, `….substitutions.N` | kpt 0.2x |
//! | `# {"$openapi":"N"}` | kyaml |
//! | `# {"$kpt-set":"N"}` | kpt 0.3x |
//! | `# kpt-set: text-${N}` | kpt 1.0 |
//!
//! Markers count in embedded documents too, which no other tool sees. Values are stored in
//! v1alpha1 Kptfiles, and for kpt 1.0 in the configuration of `apply-setters`.

mod marked;
mod marker;
mod pattern;
mod scope;

pub use marked::{Marked, Misplaced, marked};
pub use pattern::Pattern;
pub use scope::{Scope, Stored, names, scopes};

/// Whether `path` is `directory` or below it.
#[must_use]
pub fn is_within(path: &str, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    directory.is_empty()
        || path == directory
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.starts_with('/'))
}
