//! How a run ends: the only table of exit codes.

use std::process::ExitCode;

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
    /// The arguments do not go together; the reason is printed.
    WrongUsage,
}

/// Arguments that do not go together, where the argument parser cannot tell because an empty value is
/// none. Ends a run as wrong usage does.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct WrongUsage(pub(super) &'static str);

impl Outcome {
    /// How a run ends that an error stopped.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        if error.is::<WrongUsage>() {
            Self::WrongUsage
        } else {
            Self::Failed
        }
    }

    /// The exit code: 0 done, 1 refused, failed or different, 2 (mostly by the argument parser) usage,
    /// 3 undecided.
    pub(super) fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Different | Self::Failed => ExitCode::FAILURE,
            Self::WrongUsage => ExitCode::from(2),
            Self::Undecided => ExitCode::from(3),
        }
    }
}

/// Prints an error that stopped a subcommand.
pub(super) fn report(error: &anyhow::Error, printer: &mut Printer) -> ExitCode {
    printer.error(&format!("{error:#}"));
    Outcome::of(error).exit_code()
}
