//! `modelsync models`: one file for each verb.

mod deploy;
mod evaluate;
mod get;
mod label;
mod list;
mod source;
mod training;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::failure::Outcome;
use super::output::Printer;
use crate::core::report::models::Survey;
use crate::core::report::yaml;

/// List, compare, label and deploy models
///
/// Models come from the source of the only SetModel in the directory, or of the one that --config
/// names; from the only ModelCatalog there, or the one that --catalog names; or from a registry that
/// is named on the command line. A model is named in full, or by the end of its name after a slash.
#[derive(Args, Debug)]
pub(super) struct ModelsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::ListArgs),
    Get(get::GetArgs),
    Evaluate(evaluate::EvaluateArgs),
    Label(label::LabelArgs),
    Deploy(deploy::DeployArgs),
    Training(training::TrainingArgs),
}

pub(super) fn run(arguments: &ModelsArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    match &arguments.command {
        Command::List(arguments) => list::run(arguments, printer),
        Command::Get(arguments) => get::run(arguments, printer),
        Command::Evaluate(arguments) => evaluate::run(arguments, printer),
        Command::Label(arguments) => label::run(arguments, printer),
        Command::Deploy(arguments) => deploy::run(arguments, printer),
        Command::Training(arguments) => training::run(arguments, printer),
    }
}

/// Output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns for people
    Table,
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// Comma-separated values, as RFC 4180 has them
    Csv,
}

/// How to print models.
#[derive(Args, Debug)]
struct FormatArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    output: Format,
}

impl FormatArgs {
    /// Prints one of the three, whichever is wanted.
    fn print(
        &self,
        printer: &mut Printer,
        table: impl FnOnce(&Printer) -> String,
        csv: impl FnOnce() -> String,
        value: impl FnOnce() -> Value,
    ) {
        let text = match self.output {
            Format::Table => table(printer),
            Format::Csv => csv(),
            Format::Json => format!("{:#}\n", value()),
            Format::Yaml => yaml::render(&value()),
        };
        printer.data(text.as_bytes());
    }
}

/// Prints what the user should know of a listing; a table does not show it.
fn warn(survey: &Survey, printer: &mut Printer) {
    for warning in &survey.warnings {
        printer.lines(&format!("warning: {warning}\n"));
    }
}
