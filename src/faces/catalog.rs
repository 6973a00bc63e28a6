//! `modelsync catalog refresh`: ask the registries, rewrite the catalogs.

use std::path::PathBuf;

use crate::adapters::{clock, files, runtime, sources};
use crate::core::catalog::{Options, Refreshed, refresh, subjects};
use crate::core::change::Question;

/// What the user asked for.
pub(crate) struct Request {
    /// The directory.
    pub(crate) directory: PathBuf,
    /// Names of catalogs; none means every one that says whom to ask.
    pub(crate) names: Vec<String>,
    /// How to refresh.
    pub(crate) options: Options,
}

/// Asks and computes what is to be changed.
///
/// # Errors
/// The directory cannot be read, or it is not clear which catalogs are meant. What a registry
/// refuses is among the problems of the result.
pub(crate) fn plan(request: &Request) -> anyhow::Result<Refreshed> {
    let package = files::read_directory(&request.directory)?;
    let subjects = subjects(&package, &request.names).map_err(|problem| {
        anyhow::anyhow!("cannot refresh {}: {problem}", request.directory.display())
    })?;
    let mut questions: Vec<Question> = Vec::new();
    for subject in &subjects {
        if !questions.contains(&subject.question) {
            questions.push(subject.question.clone());
        }
    }
    // Before the answers: a model that comes while they arrive is newer than the catalog.
    let now = clock::now()?;
    let answers = runtime::block_on(sources::ask(questions))?;
    Ok(refresh(&package, &subjects, &answers, request.options, now))
}

/// Writes what was planned: all files or none.
///
/// # Errors
/// A file cannot be written; then none is changed.
pub(crate) fn write(request: &Request, refreshed: &Refreshed) -> anyhow::Result<()> {
    files::write(&request.directory, &refreshed.files)
}
