//! `modelsync render`.

use clap::Args;

use super::failure::Outcome;
use super::options::{Format, OutputArgs, PackageArgs};
use super::output::Printer;
use crate::core::report::{json, text};
use crate::faces::directory;

/// Write the newest good model into the files of a directory
///
/// Changes nothing but the bytes of the model id, and what must follow from it: stored setter
/// values, the hash in a ConfigMap's name, references to it, and the name of its file. Writes all
/// files or none.
#[derive(Args, Debug)]
pub(super) struct RenderArgs {
    #[command(flatten)]
    package: PackageArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(arguments: &RenderArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let request = arguments.package.request();
    let batch = directory::plan(&request)?;
    if !batch.failed {
        directory::write(&request, &batch)?;
    }
    match arguments.output.output {
        Format::Json => {
            let object = json::run(&batch.files, &batch.results, batch.failed);
            printer.data(format!("{object:#}\n").as_bytes());
        }
        Format::Text => printer.lines(&text::report(&batch, arguments.output.least())),
    }
    Ok(if batch.failed {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}
