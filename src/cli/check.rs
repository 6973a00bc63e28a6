//! `modelsync check`.

use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::failure::Outcome;
use super::options::PackageArgs;
use super::output::Printer;
use crate::core::check::{Level, Options, rule};
use crate::core::krm::Severity;
use crate::core::policy::duration;
use crate::core::report::findings;
use crate::faces::check;

/// Find what is wrong with a directory before it is merged
///
/// Exits with 0 when nothing was found, 1 when there are findings at or above --fail-on, 2 on wrong
/// usage, and 3 when it could not decide, for want of a catalog or a readable directory.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    package: PackageArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
    /// Least level of a finding that makes the check fail
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "LEVEL")]
    fail_on: FailOn,
    /// Level of a rule: error, warning, info or off (can be repeated)
    #[arg(long = "rule", value_name = "ID=LEVEL")]
    rules: Vec<RuleLevel>,
    /// Report a ModelCatalog that was observed longer ago than this, such as 36h or 7d
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    max_catalog_age: Option<Duration>,
    /// Report only findings on lines that differ from the common ancestor of REF and HEAD
    #[arg(long, value_name = "REF", env = "MODELSYNC_BASE")]
    base: Option<String>,
    /// Apply the edits that have one right answer, then check
    #[arg(long)]
    fix: bool,
}

/// Output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines of source with what is wrong, for people
    Text,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for test reports
    Junit,
    /// Workflow commands, which become annotations of a pull request on GitHub
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
}

/// `ID=LEVEL`.
#[derive(Clone, Debug)]
struct RuleLevel(&'static str, Level);

impl FromStr for RuleLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, level) = text
            .split_once('=')
            .ok_or("give a rule and a level, such as MS001=error")?;
        let rule = rule(id).ok_or_else(|| format!("there is no rule {id:?}"))?;
        Ok(Self(rule.id, level.parse()?))
    }
}

pub(super) fn run(arguments: &CheckArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let options = Options {
        levels: arguments
            .rules
            .iter()
            .map(|RuleLevel(id, level)| (*id, *level))
            .collect(),
        max_catalog_age: arguments.max_catalog_age,
        ..Options::default()
    };
    let request = arguments.package.request();
    let base = arguments.base.as_deref().filter(|base| !base.is_empty());
    let checked = match check::run(&request, &options, base, arguments.fix) {
        Ok(checked) => checked,
        Err(error) => {
            printer.error(&format!("{error:#}"));
            return Ok(Outcome::Undecided);
        }
    };
    for file in &checked.fixed {
        let moved = if file.from == file.to {
            String::new()
        } else {
            format!(" (was {})", file.from)
        };
        printer.lines(&format!("fixed {}{moved}\n", file.to));
    }
    let (package, report) = (&checked.package, &checked.report);
    let directory = check::from_here(&request.directory);
    let text = match arguments.format {
        Format::Text => findings::text(package, report, printer.has_colour()),
        Format::Json => format!("{:#}\n", findings::json(package, report)),
        Format::Sarif => format!("{:#}\n", findings::sarif(package, report, &directory)),
        Format::Junit => findings::junit(package, report),
        Format::Github => findings::github(package, report, &directory),
    };
    printer.data(text.as_bytes());
    let least = match arguments.fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Info => Severity::Info,
    };
    Ok(match (report.has(least), report.undecided.is_empty()) {
        (true, _) => Outcome::Failed,
        (false, false) => Outcome::Undecided,
        (false, true) => Outcome::Done,
    })
}
