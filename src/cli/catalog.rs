//! `modelsync catalog`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::failure::Outcome;
use super::options::Format;
use super::output::Printer;
use crate::core::catalog::Options;
use crate::core::report::{diff, refreshed};
use crate::faces::catalog::{self, Request};

/// Work on the ModelCatalogs of a directory
#[derive(Args, Debug)]
pub(super) struct CatalogArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Refresh(RefreshArgs),
}

/// Rewrite catalogs from what their registries report
///
/// Asks the registry that each catalog names in spec.source. Comments, order and models that did
/// not change keep their bytes; new models are written as those beside them, models that are gone
/// are taken out. spec.observedAt is rewritten when something changed, or when a policy would
/// decide otherwise at the new time. Writes all files or none, and none when a registry does not
/// answer in full.
#[derive(Args, Debug)]
struct RefreshArgs {
    /// Directory with the package; files hidden by .krmignore and .gitignore are not read
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Name of a catalog (can be repeated) [default: every one that has a spec.source]
    #[arg(long = "catalog", value_name = "NAME")]
    catalogs: Vec<String>,
    /// Print the difference and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Rewrite spec.observedAt although nothing else changed
    #[arg(long)]
    stamp: bool,
    /// Take every model out when a registry lists none
    #[arg(long)]
    allow_empty: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
}

pub(super) fn run(arguments: &CatalogArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    match &arguments.command {
        Command::Refresh(arguments) => run_refresh(arguments, printer),
    }
}

fn run_refresh(arguments: &RefreshArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let names = arguments.catalogs.iter().filter(|name| !name.is_empty());
    let request = Request {
        directory: arguments.directory.clone(),
        names: names.cloned().collect(),
        options: Options {
            stamp: arguments.stamp,
            allow_empty: arguments.allow_empty,
        },
    };
    let refreshed = catalog::plan(&request)?;
    let is_refused = !refreshed.problems.is_empty();
    if !is_refused && !arguments.dry_run {
        catalog::write(&request, &refreshed)?;
    }
    match arguments.output {
        Format::Json => {
            let mut object = refreshed::json(&refreshed);
            if arguments.dry_run {
                object["diff"] = diff::unified(&refreshed.files).into();
            }
            printer.data(format!("{object:#}\n").as_bytes());
        }
        Format::Text => {
            if !is_refused {
                printer.lines(&refreshed::text(&refreshed));
            }
            if arguments.dry_run {
                printer.diff(&diff::unified(&refreshed.files));
            }
        }
    }
    for problem in &refreshed.problems {
        printer.error(problem);
    }
    if is_refused && !refreshed.outcomes.is_empty() {
        printer.lines("no catalog was changed\n");
    }
    Ok(if is_refused {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}
