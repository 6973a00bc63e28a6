//! What a check found, one file for each format.

mod github;
mod json;
mod junit;
mod rules_page;
mod sarif;
mod text;

pub use github::github;
pub use json::json;
pub use junit::junit;
pub use rules_page::rules_page;
pub use sarif::sarif;
pub use text::text;

use crate::core::check::Finding;
use crate::core::package::Package;
use crate::core::yaml::Position;

/// The first and the last line and column of a finding, where it has a place.
fn region(package: &Package<'_>, finding: &Finding) -> Option<(Position, Position)> {
    let (part, span) = finding.place.as_ref()?;
    let text = package.part(*part).text();
    Some((Position::of(text, span.start), Position::of(text, span.end)))
}

/// The file of a finding.
fn path(finding: &Finding) -> Option<&str> {
    finding.item.file.as_ref().map(|(path, _)| path.as_str())
}
