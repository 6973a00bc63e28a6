//! Groups of flags that several subcommands have.

use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::core::krm::Severity;
use crate::faces::directory::Request;

/// What to work on.
#[derive(Args, Debug)]
pub(super) struct PackageArgs {
    /// Directory with the package; files hidden by .krmignore and .gitignore are not read
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// File with a SetModel (can be repeated) [default: every SetModel in DIR]
    #[arg(long = "config", value_name = "FILE", env = "MODELSYNC_CONFIG", value_parser = path_or_blank())]
    configs: Vec<PathBuf>,
    /// File with a ModelCatalog, instead of the one in DIR
    #[arg(long, value_name = "FILE", env = "MODELSYNC_CATALOG", value_parser = path_or_blank())]
    catalog: Option<PathBuf>,
    /// Full name of the model to choose; every other rule of the policy still applies
    #[arg(long, value_name = "NAME", env = "MODELSYNC_MODEL")]
    model: Option<String>,
}

impl PackageArgs {
    pub(super) fn request(&self) -> Request {
        Request {
            directory: self.directory.clone(),
            configs: self
                .configs
                .iter()
                .filter(|path| !is_blank(path))
                .cloned()
                .collect(),
            catalog: self.catalog.clone().filter(|path| !is_blank(path)),
            model: self.model.clone().filter(|model| !model.is_empty()),
        }
    }
}

/// A path, or nothing: Tekton passes parameters that are not set as empty strings, which clap's own
/// parser of paths refuses.
pub(super) fn path_or_blank() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

fn is_blank(path: &Path) -> bool {
    path.as_os_str().is_empty()
}

/// How to print.
#[derive(Args, Debug)]
pub(super) struct OutputArgs {
    /// Output format: text, or json for one object on standard output
    #[arg(long, default_value = "text", value_name = "FORMAT", env = "MODELSYNC_OUTPUT", value_parser = format)]
    pub(super) output: Format,
    /// Print every step and why each model was or was not chosen
    #[arg(short, long)]
    verbose: bool,
}

impl OutputArgs {
    /// Whether to say everything.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// The least severity to print.
    pub(super) fn least(&self) -> Severity {
        if self.verbose {
            Severity::Info
        } else {
            Severity::Warning
        }
    }
}

/// Tekton passes a parameter that is not set as an empty string.
fn format(text: &str) -> Result<Format, String> {
    match text {
        "" | "text" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        _ => Err("there are text and json".to_owned()),
    }
}

/// Output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Lines for people
    Text,
    /// One JSON object on standard output
    Json,
}
