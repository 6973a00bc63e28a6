//! Models, for people and for programs: a list, one model, two compared.

mod detail;
mod evaluation;
mod list;
mod survey;

pub use detail::{detail_csv, detail_json, detail_text};
pub use evaluation::{Comparison, compare};
pub use list::{list_csv, list_json, list_table};
pub use survey::{Survey, Verdict};

/// A figure for people: four decimals at most.
fn figure(value: f64) -> String {
    let text = format!("{value:.4}");
    if value != 0.0
        && text
            .trim_start_matches('-')
            .trim_matches(['0', '.'])
            .is_empty()
    {
        return format!("{value:.1e}");
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
