//! Rewriting a ModelCatalog from what its registry reports, without disturbing what people wrote.
//!
//! ```text
//! models of the registry ─► arrange ─► wanted models in order ─► rewrite ─► splices
//!                                                                   ▲
//!                                 neighbours ─► compose ────────────┘
//! ```
//!
//! Reading a catalog is the business of [`model`](super::model); asking the registry that of the
//! adapters.

mod arrange;
mod compose;
#[cfg(test)]
mod laws;
mod refresh;
mod rewrite;

pub use arrange::{Arrangement, Changed, arrange};
pub use refresh::{Options, Outcome, Problem, Refreshed, Subject, refresh, subjects};
pub use rewrite::{RewriteError, rewrite};
