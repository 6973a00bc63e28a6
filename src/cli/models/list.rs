//! `modelsync models list`.

use clap::Args;

use super::source::SourceArgs;
use super::{FormatArgs, Outcome, Printer, warn};
use crate::core::report::models::{list_csv, list_json, list_table};
use crate::faces::models;

/// List models, newest first, and say of each whether the policy chooses it and why not
///
/// The model that is now in Git is marked with a star.
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) fn run(arguments: &ListArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let survey = models::survey(&arguments.source.request())?;
    arguments.format.print(
        printer,
        |printer| list_table(&survey, printer.screen()),
        || list_csv(&survey),
        || list_json(&survey),
    );
    warn(&survey, printer);
    Ok(Outcome::Done)
}
