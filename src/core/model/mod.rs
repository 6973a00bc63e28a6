//! What a registry reports: models, and the catalog that records them in Git.

mod catalog;
mod listing;
pub mod name;
mod record;

pub use catalog::ModelCatalog;
pub use listing::{Listing, ResolveError, last_segment};
pub use name::NameError;
pub use record::{Evaluation, Lineage, Model, State};
