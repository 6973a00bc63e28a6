//! What kpt and kustomize send and expect: resource identities, the ResourceList protocol, results.

#[cfg(test)]
mod laws;
pub mod resource_id;
pub mod resource_list;
pub mod result;
mod scan;

pub use resource_id::{Resource, ResourceId, join};
pub use resource_list::{ResourceList, ResourceListError};
pub use result::{Field, ResultItem, Severity};
