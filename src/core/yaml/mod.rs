//! Find one scalar in a YAML text and replace its bytes; nothing else may change.
//!
//! The promise, kept by [`replace`] for every text, path and value, and checked by property tests:
//!
//! 1. the output is the input with the bytes of the replaced scalars exchanged, and
//! 2. the output, parsed, differs from the input, parsed, at exactly the replaced scalars.
//!
//! Scalars may lie inside YAML or JSON documents that are themselves the value of a string, to any
//! depth and in any scalar style. What cannot be kept to is refused, with its [`Position`].
//!
//! JSON is read as YAML. Nothing here knows of Kubernetes.

pub mod comment;
pub mod decode;
pub mod document;
pub mod edit;
pub mod encode;
pub mod field_path;
#[cfg(test)]
mod laws;
pub mod lookup;
pub mod pieces;
pub mod position;

pub use document::{Content, Node, NodeId, Stream, YamlError};
pub use edit::{Assignment, EditError, Splice, apply, apply_in_place, replace};
pub use field_path::{FieldPath, Step};
pub use lookup::{Located, LookupError, Obstacle, Site, locate};
pub use pieces::{Insertion, Piece, Pieces};
pub use position::Position;
