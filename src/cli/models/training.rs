//! `modelsync models training`.

use clap::Args;
use serde_json::json;

use super::source::SourceArgs;
use super::{FormatArgs, Outcome, Printer};
use crate::core::report::csv;
use crate::core::report::table::{Cell, Table};
use crate::faces::models;

/// List what is being trained now
#[derive(Args, Debug)]
pub(super) struct TrainingArgs {
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) fn run(arguments: &TrainingArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let training = models::training(&arguments.source.request())?;
    arguments.format.print(
        printer,
        |printer| {
            let mut table = Table::new(&["NAME"]);
            table.rows = training.iter().map(|name| vec![Cell::new(name)]).collect();
            if training.is_empty() {
                return String::new();
            }
            table.render(printer.screen())
        },
        || {
            let rows = training.iter().map(|name| csv::row(&[name]));
            [csv::row(&["name"])].into_iter().chain(rows).collect()
        },
        || json!({"training": training}),
    );
    if training.is_empty() {
        printer.lines("nothing is being trained\n");
    }
    Ok(Outcome::Done)
}
