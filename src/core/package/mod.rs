//! The files or items of one run, wherever they came from, and what is written in them beyond the
//! model id: setters, name suffix hashes, references.

mod contents;
pub mod kustomization;
pub mod name_hash;
pub mod references;
pub mod setter;

pub use contents::{LEGACY_PATH, Layout, PATH, Package, Parsed, Part, PartId};
