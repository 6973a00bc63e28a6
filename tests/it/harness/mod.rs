//! What several scenarios need.

pub(crate) mod api_server;
pub(crate) mod controller;
#[expect(dead_code, reason = "each binary of tests uses its part")]
pub(crate) mod forge;
pub(crate) mod git_project;
pub(crate) mod git_server;
pub(crate) mod lambda;
pub(crate) mod mlflow_server;
mod process;
mod real_part;
pub(crate) mod registry;
pub(crate) mod server;

pub(crate) use real_part::{is_there, skipped};
