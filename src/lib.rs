//! modelsync keeps the model id that is written in Git equal to the newest trained model that is
//! good enough, and can always say why.
//!
//! ```text
//! ResourceList or directory ─► package ─┐
//! ModelCatalog ─► models ───────────────┤► policy ─► selection ─► targets ─► edits ─► Change
//!                                       │                                             ├► ResourceList + results   (fn)
//!                                       │                                             ├► files or unified diff    (render, diff)
//!                                       │                                             └► findings                 (check-model)
//! ```
//!
//! Four layers, and the path of a file says which one it is in. A layer names only layers to its
//! right; `tests/it/architecture.rs` keeps it so.
//!
//! ```text
//! cli ─► faces ─► adapters ─► core
//! ```

pub(crate) mod adapters;
pub mod cli;
pub mod core;
pub(crate) mod faces;

// The laws of the editor are checked here and in fuzz/, by one file that says `modelsync`.
#[cfg(test)]
extern crate self as modelsync;
