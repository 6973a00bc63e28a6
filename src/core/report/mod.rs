//! One value, many renderings. Every function returns text or data; nobody prints here.

pub mod diff;
pub mod json;
pub mod text;
