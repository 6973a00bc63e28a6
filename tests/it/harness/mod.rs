//! What several scenarios need.

pub(crate) mod api_server;
pub(crate) mod controller;
pub(crate) mod git_project;
pub(crate) mod git_server;
pub(crate) mod lambda;
pub(crate) mod mlflow_server;
pub(crate) mod registry;
pub(crate) mod server;

use std::io::Write;
#[expect(dead_code, reason = "each binary of tests uses its part")]
pub(crate) mod forge;
mod real_part;

pub(crate) use real_part::{is_there, skipped};
