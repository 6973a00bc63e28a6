//! How a run ends: the only table of exit codes.

use std::process::ExitCode;

use super::Command;
use super::output::Printer;

/// How a subcommand ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything was done, or there was nothing to do.
    Done,
    /// There is a difference, and the user asked to be told by the exit code.
    Different,
    /// Refused or failed; the reason is printed.
    Failed,
    /// A check could not decide.
    Undecided,
}

impl Outcome {
    /// The exit code: 0 done, 1 refused, failed or different, 2 (by the argument parser) usage, 3
    /// undecided.
    pub(super) fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Different | Self::Failed => ExitCode::FAILURE,
            Self::Undecided => ExitCode::from(3),
        }
    }
}

/// Prints an error that stopped a subcommand.
pub(super) fn report(error: &anyhow::Error, command: &Command, printer: &mut Printer) -> ExitCode {
    let is_closed_pipe = error.chain().any(|cause| {
        let kind = cause
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        kind == Some(std::io::ErrorKind::BrokenPipe)
    });
    // Whoever read our output has seen enough; but a function's output is never enough in part.
    if is_closed_pipe && !matches!(command, Command::Function(_)) {
        return ExitCode::SUCCESS;
    }
    printer.error(&format!("{error:#}"));
    Outcome::Failed.exit_code()
}
