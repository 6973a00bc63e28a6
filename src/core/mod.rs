//! The pure part: bytes and values in, values out. No clock, network, environment or file system;
//! the time is a parameter.

pub mod catalog;
pub mod change;
pub mod check;
pub mod config;
pub mod function;
pub mod krm;
#[cfg(test)]
mod laws;
pub mod leader_election;
pub mod model;
pub mod model_sync;
pub mod needs_sync;
pub mod package;
pub mod policy;
pub mod proposal;
pub mod registry;
pub mod report;
pub mod yaml;
