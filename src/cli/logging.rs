//! What a long-running subcommand logs, and how: to standard error, one event a line.

use std::io::IsTerminal;

use anyhow::Context;
use clap::{Args, ValueEnum};
use tracing_subscriber::filter::EnvFilter;

use super::options::filled;

const FILTER: &str = "info";

/// How to log.
#[derive(Args, Debug)]
pub(super) struct LogArgs {
    /// What to log: error, warn, info, debug, trace, or a filter such as info,modelsync=debug
    #[arg(
        long,
        value_name = "FILTER",
        env = "MODELSYNC_LOG",
        default_value = FILTER
    )]
    log: String,
    /// How to write a log line [default: text on a terminal, json otherwise]
    #[arg(long, value_enum, value_name = "FORMAT", env = "MODELSYNC_LOG_FORMAT")]
    log_format: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
    /// What a variable says that a manifest leaves empty
    #[value(name = "", hide = true)]
    Unset,
}

impl LogArgs {
    /// Starts to log.
    ///
    /// # Errors
    /// The filter cannot be read.
    pub(super) fn start(&self) -> anyhow::Result<()> {
        let filter = filled(&self.log, FILTER);
        let filter = EnvFilter::builder().parse(filter).with_context(|| {
            format!("cannot read the log filter {filter:?}; give a level such as info or debug")
        })?;
        let format = self.log_format.filter(|it| *it != LogFormat::Unset);
        let is_terminal = std::io::stderr().is_terminal();
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            // It would print that a line cannot be printed, and panic over it.
            .log_internal_errors(false)
            .with_writer(std::io::stderr);
        match (format, is_terminal) {
            (Some(LogFormat::Json), _) | (None, false) => {
                log.json()
                    .flatten_event(true)
                    .with_current_span(false)
                    .init();
            }
            (Some(_), _) | (None, true) => log.with_ansi(is_terminal).init(),
        }
        Ok(())
    }
}
