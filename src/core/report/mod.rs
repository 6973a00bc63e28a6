//! One value, many renderings. Every function returns text or data; nobody prints here.

pub mod diff;
pub mod findings;
pub mod json;
pub mod text;
