//! `modelsync models deploy`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::super::options::Format;
use super::source::SourceArgs;
use super::{Outcome, Printer};
use crate::core::model::name;
use crate::core::policy::duration;
use crate::core::report::progress;
use crate::faces::models;

/// Deploy a model in its registry, and wait until it serves
#[derive(Args, Debug)]
pub(super) struct DeployArgs {
    /// Name of the model
    #[arg(value_name = "MODEL")]
    model: String,
    /// Do not wait
    #[arg(long, conflicts_with = "timeout")]
    no_wait: bool,
    /// How long to wait, such as 90s or 1h
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "30m")]
    timeout: Duration,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) fn run(arguments: &DeployArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let limit = (!arguments.no_wait).then_some(arguments.timeout);
    let request = arguments.source.request();
    let deployed = models::deploy(
        &request,
        &arguments.model,
        limit,
        &mut |model, percent, since| {
            // On one line of a narrow terminal.
            let what = format!("deploying {}", name::short(model));
            printer.progress(&progress::line(&what, percent, since));
        },
    );
    printer.end_progress();
    let deployed = deployed?;
    match arguments.output {
        Format::Json => {
            let object = json!({
                "model": deployed.model,
                "operation": deployed.operation,
                "done": deployed.is_done,
            });
            printer.data(format!("{object:#}\n").as_bytes());
        }
        Format::Text => {
            let model = &deployed.model;
            printer.lines(&match (&deployed.operation, deployed.is_done) {
                (None, _) => format!("{model} is deployed already\n"),
                (Some(_), true) => format!("deployed {model}\n"),
                (Some(operation), false) => format!("deploying {model}: operation {operation}\n"),
            });
        }
    }
    Ok(Outcome::Done)
}
