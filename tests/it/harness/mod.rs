//! What several scenarios need.

#[expect(dead_code, reason = "each binary of tests uses its part")]
pub(crate) mod forge;
mod real_part;

pub(crate) use real_part::{is_there, skipped};
