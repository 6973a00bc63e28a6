//! Flags that several subcommands have, and how their values are read.

use std::net::{AddrParseError, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::core::krm::Severity;
use crate::core::policy::duration;
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
            configs: given_paths(&self.configs),
            catalog: given_path(self.catalog.as_ref()),
            model: given(self.model.as_ref()),
        }
    }
}

/// A value that may be blank, which is as good as not given: Tekton passes parameters that are not
/// set as empty strings, and a manifest may leave a variable empty.
#[derive(Clone, Debug)]
pub(super) struct Blank<T>(pub(super) Option<T>);

impl<T> Blank<T> {
    /// Reads what is not blank.
    ///
    /// # Errors
    /// What `parse` says.
    pub(super) fn or<E>(text: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<Self, E> {
        if text.is_empty() {
            Ok(Self(None))
        } else {
            parse(text).map(|value| Self(Some(value)))
        }
    }
}

impl<T: FromStr> FromStr for Blank<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        Self::or(text, str::parse)
    }
}

/// A switch as a variable gives it; blank is off. A word that says neither is refused: who misspells
/// `false` must not get the opposite.
///
/// # Errors
/// It is another word.
pub(super) fn switch(text: &str) -> Result<bool, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "" | "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
        _ => Err("give true or false"),
    }
}

/// A path that may be blank, which clap's own parser of paths refuses.
pub(super) fn path_or_blank() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// A text, or the default in the place of a blank one.
pub(super) fn filled<'t>(text: &'t str, default: &'t str) -> &'t str {
    if text.trim().is_empty() {
        default
    } else {
        text
    }
}

/// A text, unless it is blank.
pub(super) fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

/// A path, unless it is blank.
pub(super) fn given_path(path: Option<&PathBuf>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty()).cloned()
}

/// Those paths that are not blank.
pub(super) fn given_paths(paths: &[PathBuf]) -> Vec<PathBuf> {
    let given = paths.iter().filter_map(|path| given_path(Some(path)));
    given.collect()
}

/// Where a server listens when nothing else is said.
pub(super) const LISTEN: &str = "0.0.0.0:8080";

/// An address and port, or the default in the place of a blank one.
///
/// # Errors
/// It is none.
pub(super) fn listen(text: &str) -> Result<SocketAddr, AddrParseError> {
    filled(text, LISTEN).parse()
}

/// A duration above zero.
///
/// # Errors
/// It is zero, or no duration.
pub(super) fn positive(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err("give a duration above zero, such as 20s".to_owned()),
        Err(error) => Err(error.to_string()),
    }
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
