//! `modelsync models get`.

use clap::Args;

use super::source::SourceArgs;
use super::{FormatArgs, Outcome, Printer};
use crate::core::report::models::{detail_csv, detail_json, detail_text};
use crate::faces::models;

/// Show all that is known of a model
#[derive(Args, Debug)]
pub(super) struct GetArgs {
    /// Name of the model
    #[arg(value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) fn run(arguments: &GetArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let survey = models::survey(&arguments.source.request())?;
    let model = survey.listing.resolve(&arguments.model)?;
    arguments.format.print(
        printer,
        |printer| detail_text(&survey, model, printer.screen()),
        || detail_csv(&survey, model),
        || detail_json(&survey, model),
    );
    Ok(Outcome::Done)
}
