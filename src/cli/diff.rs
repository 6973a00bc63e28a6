//! `modelsync diff`.

use clap::Args;

use super::failure::Outcome;
use super::options::{Format, OutputArgs, PackageArgs};
use super::output::Printer;
use crate::core::report::{diff, json, text};
use crate::faces::directory;

/// Print what render would change, as a unified diff
#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    #[command(flatten)]
    package: PackageArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Exit with 1 when there is a difference
    #[arg(long)]
    exit_code: bool,
}

pub(super) fn run(arguments: &DiffArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let batch = directory::plan(&arguments.package.request())?;
    let diff = diff::unified(&batch.files);
    match arguments.output.output {
        Format::Json => {
            let mut object = json::run(&batch.files, &batch.results, batch.failed);
            object["diff"] = diff.into();
            printer.data(format!("{object:#}\n").as_bytes());
        }
        Format::Text => {
            printer.lines(&text::report(&batch, arguments.output.least()));
            printer.diff(&diff);
        }
    }
    Ok(match (batch.failed, batch.files.is_empty()) {
        (true, _) => Outcome::Failed,
        (false, false) if arguments.exit_code => Outcome::Different,
        (false, _) => Outcome::Done,
    })
}
