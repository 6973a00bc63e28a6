//! The pure part: bytes and values in, values out. No clock, network, environment or file system;
//! the time is a parameter. Modules stand in the order in which the data flows.

pub mod krm;
pub mod package;
pub mod yaml;
