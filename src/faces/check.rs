//! `modelsync check`: a directory's findings, and their fixes.

use std::path::Path;

use super::directory::{Request, read};
use crate::adapters::git::Base;
use crate::adapters::{clock, files, runtime};
use crate::core::change::{FileChange, read_configs};
use crate::core::check::{Options, Report, check, fix};
use crate::core::config::SetModel;
use crate::core::krm::{ResultItem, Severity};
use crate::core::package::Package;

/// What a check found, and in what.
pub(crate) struct Checked {
    /// The package, for the lines that findings are about.
    pub(crate) package: Package<'static>,
    /// What was found.
    pub(crate) report: Report,
    /// Files that were fixed before.
    pub(crate) fixed: Vec<FileChange>,
}

/// Checks a directory; with `is_fix` applies the edits that have one right answer before, with
/// `base` reports only what differs from that revision.
///
/// # Errors
/// The directory, or a file that was named, cannot be read; or a fix cannot be written.
pub(crate) fn run(
    request: &Request,
    options: &Options,
    base: Option<&str>,
    is_fix: bool,
) -> anyhow::Result<Checked> {
    let base = base
        .map(|revision| Base::find(&request.directory, revision))
        .transpose()?;
    let now = clock::now()?;
    let mut package = files::read_directory(&request.directory)?;
    let (configs, mut invalid) = configs(request, &package)?;
    let models = runtime::block_on(request.models(&configs))??;
    let mut fixed = Vec::new();
    if is_fix && invalid.is_empty() {
        fixed = fix(&package, &configs, &models, now);
        files::write(&request.directory, &fixed)?;
        package = files::read_directory(&request.directory)?;
    }
    if configs.is_empty() && invalid.is_empty() {
        let message = "there is no SetModel, so nothing says where a model id is; add one, or name \
                       one with --config";
        invalid.push(ResultItem::new(Severity::Error, message));
    }
    let mut report = check(&package, &configs, invalid, &models, now, options);
    if let Some(base) = base {
        report.only_changed(&package, |path| base.text(path))?;
    }
    Ok(Checked {
        package,
        report,
        fixed,
    })
}

/// A directory as a path from the current one, where CI runs at the root of the repository.
pub(crate) fn from_here(directory: &Path) -> String {
    let relative = files::from_here(directory);
    let text = relative.to_string_lossy();
    let text = text.trim_start_matches("./");
    if text == "." {
        String::new()
    } else {
        text.to_owned()
    }
}

/// The configs of a request, and what is wrong with those that cannot be read.
fn configs(
    request: &Request,
    package: &Package<'_>,
) -> anyhow::Result<(Vec<SetModel>, Vec<ResultItem>)> {
    let (mut configs, mut invalid) = (Vec::new(), Vec::new());
    for path in &request.configs {
        match read(path)? {
            Ok(config) => configs.push(config),
            Err(error) => invalid.push(invalid_config(path, &error.to_string())),
        }
    }
    if request.configs.is_empty() {
        (configs, invalid) = read_configs(package);
    }
    request.pin(&mut configs)?;
    Ok((configs, invalid))
}

fn invalid_config(path: &Path, message: &str) -> ResultItem {
    let mut item = ResultItem::new(
        Severity::Error,
        format!("cannot read the config: {message}"),
    );
    item.file = Some((path.display().to_string(), None));
    item
}
