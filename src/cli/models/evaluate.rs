//! `modelsync models evaluate`.

use anyhow::bail;
use clap::Args;

use super::source::SourceArgs;
use super::{FormatArgs, Outcome, Printer};
use crate::core::report::models::compare;
use crate::faces::models;

/// Show the figures of a model label by label, or of two models side by side with what differs
#[derive(Args, Debug)]
pub(super) struct EvaluateArgs {
    /// Name of a model
    #[arg(value_name = "MODEL")]
    model: String,
    /// Name of another model, to compare with
    #[arg(value_name = "OTHER")]
    other: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) fn run(arguments: &EvaluateArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let listing = models::survey(&arguments.source.request())?.listing;
    let mut models = vec![listing.resolve(&arguments.model)?];
    if let Some(other) = &arguments.other {
        models.push(listing.resolve(other)?);
    }
    let comparison = compare(&models);
    if comparison.is_empty() {
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        bail!(
            "{} has no figures of {}; a registry is asked only for those of one display name, which \
             --display-name changes",
            listing.origin,
            names.join(" and ")
        );
    }
    arguments.format.print(
        printer,
        |printer| comparison.table(printer.screen()),
        || comparison.csv(),
        || comparison.json(),
    );
    Ok(Outcome::Done)
}
