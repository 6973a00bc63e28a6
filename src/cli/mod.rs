//! Arguments in, text and exit codes out: one file for each subcommand.

mod catalog;
mod check;
mod controller;
mod crd;
mod diff;
mod failure;
mod function;
mod logging;
mod models;
mod options;
mod output;
mod pr;
mod render;
mod serve;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use output::Printer;

/// Keep the model id that is written in Git equal to the newest trained model that is good enough,
/// and say why
#[derive(Debug, Parser)]
#[command(name = "modelsync", version, propagate_version = true)]
struct App {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(name = "fn")]
    Function(function::FunctionArgs),
    Render(render::RenderArgs),
    Diff(diff::DiffArgs),
    Check(check::CheckArgs),
    Pr(Box<pr::PrArgs>),
    Catalog(catalog::CatalogArgs),
    Models(models::ModelsArgs),
    Controller(controller::ControllerArgs),
    Crd(crd::CrdArgs),
    Serve(serve::ServeArgs),
}

/// Runs the program: parses the arguments, runs the subcommand, prints, and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let app = match App::try_parse() {
        Ok(app) => app,
        Err(error) => return output::usage(&error),
    };
    output::explain_panics();
    let mut printer = Printer::new();
    let outcome = match &app.command {
        Command::Function(arguments) => function::run(arguments, &mut printer),
        Command::Render(arguments) => render::run(arguments, &mut printer),
        Command::Diff(arguments) => diff::run(arguments, &mut printer),
        Command::Check(arguments) => check::run(arguments, &mut printer),
        Command::Pr(arguments) => pr::run(arguments, &mut printer),
        Command::Catalog(arguments) => catalog::run(arguments, &mut printer),
        Command::Models(arguments) => models::run(arguments, &mut printer),
        Command::Controller(arguments) => controller::run(arguments),
        Command::Crd(arguments) => crd::run(arguments, &mut printer),
        Command::Serve(arguments) => serve::run(arguments),
    };
    // A function's output is never enough in part.
    let may_stop = !matches!(app.command, Command::Function(_));
    let outcome = outcome.and_then(|outcome| printer.finish(may_stop).map(|()| outcome));
    match outcome {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => failure::report(&error, &mut printer),
    }
}

/// The command line as a value, for documentation and its tests.
#[must_use]
pub fn command() -> clap::Command {
    App::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn arguments_are_consistent() {
        super::command().debug_assert();
    }
}
