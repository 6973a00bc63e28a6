//! `modelsync fn`.

use clap::{Args, ValueEnum};

use super::failure::Outcome;
use super::output::Printer;
use crate::core::change::Task;
use crate::faces;

/// Run as a KRM function: a ResourceList on standard input, the same with edits and results on
/// standard output
///
/// set-model writes the newest good model into the targets of its config. check-model does the same
/// computation and reports what is wrong. Without an argument the kind of the functionConfig
/// decides: SetModel (or a ConfigMap of key: value) or CheckModel. Without a functionConfig every
/// SetModel among the items is used.
#[derive(Args, Debug)]
pub(super) struct FunctionArgs {
    /// Which function
    #[arg(value_enum, value_name = "FUNCTION")]
    function: Option<Name>,
    /// Print the function's documentation as JSON and exit
    #[arg(long)]
    doc: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Write the newest good model
    SetModel,
    /// Report what is wrong
    CheckModel,
}

pub(super) fn run(arguments: &FunctionArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    if arguments.doc {
        printer.data(format!("{:#}\n", doc(arguments.function)).as_bytes());
        return Ok(Outcome::Done);
    }
    let task = arguments.function.map(|name| match name {
        Name::SetModel => Task::Set,
        Name::CheckModel => Task::Check,
    });
    let answer = faces::function::run(task)?;
    printer.all_data(answer.output);
    Ok(match answer.error {
        None => Outcome::Done,
        Some(error) => {
            printer.error(&error);
            Outcome::Failed
        }
    })
}

/// The documentation that kpt's function catalog asks for, made from the functions' own files.
fn doc(name: Option<Name>) -> serde_json::Value {
    let (readme, tag) = match name {
        None | Some(Name::SetModel) => (
            include_str!("../../functions/set-model/README.md"),
            "mutator",
        ),
        Some(Name::CheckModel) => (
            include_str!("../../functions/check-model/README.md"),
            "validator",
        ),
    };
    let section = |name: &str| {
        let (_, rest) = readme
            .split_once(&format!("<!--mdtogo:{name}-->"))
            .unwrap_or_default();
        rest.split_once("<!--mdtogo-->")
            .unwrap_or_default()
            .0
            .trim()
    };
    serde_json::json!({
        "short": section("Short"),
        "long": section("Long"),
        "examples": section("Examples"),
        "description": section("Short"),
        "tags": [tag],
        "license": env!("CARGO_PKG_LICENSE"),
        "hidden": false,
    })
}
