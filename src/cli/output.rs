//! Printing: data to standard output, everything else to standard error. What standard error does
//! not take is lost, and nothing else: neither the data nor the exit code.

use std::fmt;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::Context;

use crate::core::report::table::Screen;

/// Collects data and prints the rest at once.
pub(super) struct Printer {
    data: Vec<u8>,
    has_colour: bool,
}

impl Printer {
    pub(super) fn new() -> Self {
        // https://no-color.org: any value but an empty one.
        let has_no_color =
            std::env::vars_os().any(|(name, value)| name == "NO_COLOR" && !value.is_empty());
        let has_colour = !has_no_color && std::io::stdout().is_terminal();
        Self {
            data: Vec::new(),
            has_colour,
        }
    }

    /// Whether standard output is a terminal that shows colours.
    pub(super) fn has_colour(&self) -> bool {
        self.has_colour
    }

    /// What standard output is shown on. Its width is that of `COLUMNS` where a shell exports it;
    /// elsewhere the terminal breaks long lines itself.
    pub(super) fn screen(&self) -> Screen {
        let is_terminal = std::io::stdout().is_terminal();
        let columns = std::env::vars_os().find(|(name, _)| name == "COLUMNS");
        let columns = columns.and_then(|(_, value)| value.to_str()?.parse().ok());
        Screen {
            width: columns.filter(|_| is_terminal),
            has_colour: self.has_colour,
        }
    }

    /// Shows how far something is, in place of what was shown before; on a terminal only.
    pub(super) fn progress(&mut self, line: &str) {
        if std::io::stderr().is_terminal() {
            // To the start of the line, and erase it (ECMA-48, EL).
            tell(format_args!("\r\u{1b}[K{line}"));
        }
    }

    /// Takes the last progress away.
    pub(super) fn end_progress(&mut self) {
        self.progress("");
    }

    /// Takes data for standard output.
    pub(super) fn data(&mut self, data: &[u8]) {
        self.data.extend_from_slice(data);
    }

    /// Takes data that may be large, without a copy where it can.
    pub(super) fn all_data(&mut self, data: Vec<u8>) {
        if self.data.is_empty() {
            self.data = data;
        } else {
            self.data(&data);
        }
    }

    /// Takes a unified diff, and colours it for a terminal.
    pub(super) fn diff(&mut self, diff: &str) {
        if !self.has_colour {
            return self.data(diff.as_bytes());
        }
        for line in diff.lines() {
            let style = match line.as_bytes().first() {
                _ if line.starts_with("+++") || line.starts_with("---") => Style::new().bold(),
                Some(b'+') => AnsiColor::Green.on_default(),
                Some(b'-') => AnsiColor::Red.on_default(),
                Some(b'@') => AnsiColor::Cyan.on_default(),
                Some(b' ') => Style::new(),
                _ => Style::new().bold(),
            };
            self.data(format!("{style}{line}{style:#}\n").as_bytes());
        }
    }

    /// Prints lines for people; each ends with a line break.
    pub(super) fn lines(&mut self, lines: &str) {
        tell(format_args!("{}", shown(lines)));
    }

    /// Prints an error.
    pub(super) fn error(&mut self, message: &str) {
        tell(format_args!("error: {}\n", shown(message)));
    }

    /// Writes the data, all of it or an error. Where `may_stop` is true, a reader that closes the pipe
    /// has seen enough.
    pub(super) fn finish(&mut self, may_stop: bool) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(&self.data).and_then(|()| stdout.flush());
        self.data.clear();
        match written {
            Err(error) if may_stop && error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written.context("cannot write to standard output"),
        }
    }
}

/// A text with control characters as escapes: names come from registries, and a terminal would obey
/// them.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !"\n\t".contains(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Writes to standard error. Nobody can be told when that fails, as on a full disk or when the reader
/// is gone; `eprint!` would panic.
fn tell(text: fmt::Arguments<'_>) {
    // At once, so that lines of several processes do not mix.
    let _ = std::io::stderr().write_all(text.to_string().as_bytes());
}

/// Makes a panic say in one line that it is our fault.
pub(super) fn explain_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        tell(format_args!(
            "error: internal error at {place}: {message}; please report it with the input\n"
        ));
    }));
}

/// Prints what the argument parser has to say: help to standard output, errors to standard error.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is no reason to fail a `--help`.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
