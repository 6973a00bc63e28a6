//! Models, for people and for programs: a list, one model, two compared.

mod detail;
mod evaluation;
mod list;
mod survey;

pub use detail::{detail_csv, detail_json, detail_text};
pub use evaluation::{Comparison, compare};
pub use list::{list_csv, list_json, list_table};
pub use survey::{Survey, Verdict};

use super::figure::figure;

#[cfg(test)]
mod tests;
