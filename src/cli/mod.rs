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
    let outcome = outcome.and_then(|outcome| printer.finish().map(|()| outcome));
    match outcome {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => failure::report(&error, &app.command, &mut printer),
    }
}

/// The command line as a value, for documentation and its tests.
#[must_use]
pub fn command() -> clap::Command {
    App::command()
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction, Command};

    #[test]
    fn arguments_are_consistent() {
        super::command().debug_assert();
    }

    /// What of a subcommand, and of those below it, is read from the environment.
    fn from_environment(command: &Command) -> Vec<Arg> {
        let mut found: Vec<Arg> = command
            .get_arguments()
            .filter(|argument| argument.get_env().is_some())
            .cloned()
            .collect();
        found.extend(command.get_subcommands().flat_map(from_environment));
        found
    }

    /// Tekton passes parameters that are not set as empty strings. Not so a Deployment, which sets
    /// what is for the servers.
    #[test]
    fn an_empty_variable_is_no_wrong_usage() {
        let mut program = super::command();
        program.build();
        let tasks = program
            .get_subcommands()
            .filter(|it| !["serve", "controller"].contains(&it.get_name()));
        let arguments: Vec<Arg> = tasks.flat_map(from_environment).collect();
        assert!(arguments.len() > 30, "{arguments:?}");
        for argument in arguments {
            let name = argument
                .get_long()
                .expect("each has a long flag")
                .to_owned();
            // A variable's text goes to the same parser as a flag's, also that of a switch.
            let argument = argument
                .action(ArgAction::Set)
                .num_args(1)
                .default_value(None::<&str>);
            let parsed = Command::new("test")
                .arg(argument)
                .try_get_matches_from(["test", &format!("--{name}=")]);
            assert!(parsed.is_ok(), "--{name}: {}", parsed.unwrap_err());
        }
    }
}
