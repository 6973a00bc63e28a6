//! One value, many renderings. Every function returns text or data; nobody prints here.

pub mod commit_message;
pub mod csv;
pub mod diff;
mod figure;
pub mod findings;
pub mod json;
pub mod markdown;
pub mod models;
pub mod progress;
pub mod proposal;
pub mod proposed;
pub mod pull_request;
pub mod refreshed;
pub mod table;
pub mod template;
pub mod text;
pub mod yaml;
