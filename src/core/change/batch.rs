//! Several configs on one package, each on what the one before left.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::edits::FileChange;
use super::locate::OwnConfig;
use super::update::{Models, update};
use crate::core::check::{self, Facts};
use crate::core::config::{API_VERSION, SetModel};
use crate::core::krm::{ResultItem, Severity};
use crate::core::package::{Package, Part, PartId};

/// What is done with the configs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Change the places.
    Set,
    /// Report what is wrong, and change nothing.
    Check,
}

/// What a run comes to.
#[derive(Debug)]
pub struct Batch {
    /// Whether something is in the way, or (for [`Task::Check`]) wrong. Then nothing is changed.
    pub failed: bool,
    /// Texts that change, by their ids.
    pub texts: Vec<(PartId, String)>,
    /// The same as files, in the order in which they must be written.
    pub files: Vec<FileChange>,
    /// Everything to say, summaries first.
    pub results: Vec<ResultItem>,
}

impl Batch {
    /// A run that failed before it began.
    #[must_use]
    pub fn failure(error: ResultItem) -> Self {
        Self {
            failed: true,
            texts: Vec::new(),
            files: Vec::new(),
            results: vec![error],
        }
    }
}

/// Runs `task` for every config.
#[must_use]
pub fn run(
    package: &Package<'_>,
    configs: &[SetModel],
    own: &OwnConfig,
    models: Models<'_>,
    now: Timestamp,
    task: Task,
) -> Batch {
    let mut state = copy(package);
    let mut last = BTreeSet::new();
    let mut failed = false;
    // The summary of each config, then the rest: kpt shows four lines.
    let (mut summaries, mut rest) = (Vec::new(), Vec::new());
    for config in configs {
        let (ok, mut results) = match task {
            Task::Set => match update(&state, config, own, models, now) {
                Ok(update) => {
                    let next = update.change.apply(&state);
                    last.extend(update.change.renamed);
                    state = copy(&next);
                    (true, update.results)
                }
                Err(errors) => (false, errors),
            },
            Task::Check => check_one(&state, config, own, models, now),
        };
        failed |= !ok;
        if !results.is_empty() {
            summaries.push(results.remove(0));
        }
        rest.extend(results);
    }
    summaries.append(&mut rest);
    if failed {
        return Batch {
            failed,
            texts: Vec::new(),
            files: Vec::new(),
            results: summaries,
        };
    }
    let pairs = package.parts().zip(state.parts());
    let texts = pairs
        .filter(|((_, old), (_, new))| old.text() != new.text())
        .map(|((id, _), (_, new))| (id, new.text().to_owned()));
    Batch {
        failed,
        texts: texts.collect(),
        files: FileChange::between(package, &state, &last),
        results: summaries,
    }
}

/// Findings and their summary for one config; `true` when there are none.
fn check_one(
    package: &Package<'_>,
    config: &SetModel,
    own: &OwnConfig,
    models: Models<'_>,
    now: Timestamp,
) -> (bool, Vec<ResultItem>) {
    let update = match update(package, config, own, models, now) {
        Ok(update) => update,
        Err(errors) => return (false, errors),
    };
    let facts = Facts {
        package,
        config,
        places: &update.places,
        selection: &update.selection,
    };
    let findings = check::check(&facts);
    let name = &config.name;
    let why = update.selection.summary();
    if findings.is_empty() {
        let current = update.places.current().join(", ");
        let message = format!("{name}: {current} is good: {why}");
        return (true, vec![ResultItem::summary(Severity::Info, message)]);
    }
    let count = findings.len();
    let noun = if count == 1 { "finding" } else { "findings" };
    let summary = ResultItem::summary(Severity::Error, format!("{name}: {count} {noun}: {why}"));
    (false, [summary].into_iter().chain(findings).collect())
}

/// The same texts, owned or borrowed from nobody else.
fn copy(package: &Package<'_>) -> Package<'static> {
    let parts = package.parts().map(|(_, part)| match part.path() {
        Some(path) => Part::file(path, part.text().to_owned()),
        None => Part::item(part.text().to_owned()),
    });
    Package::new(package.layout, parts.collect())
}

/// The SetModels in a package; with `names`, those.
///
/// # Errors
/// One cannot be read, or a name is not there.
pub fn configs_in(
    package: &Package<'_>,
    names: &[String],
) -> Result<Vec<SetModel>, Box<ResultItem>> {
    let (group, _) = API_VERSION.split_once('/').unwrap_or((API_VERSION, ""));
    let error = |message: String| Box::new(ResultItem::new(Severity::Error, message));
    let mut configs = Vec::new();
    for (_, part, resource) in package.of_kind(group, SetModel::KIND) {
        let path = if resource.path.is_empty() {
            "items"
        } else {
            &resource.path
        };
        let config = SetModel::from_yaml(&part.document(resource), path)
            .map_err(|cause| error(format!("cannot read the config: {cause}")))?;
        if names.is_empty() || names.contains(&config.name) {
            configs.push(config);
        }
    }
    if let Some((_, text, cause)) = package.broken(SetModel::KIND).next() {
        let path = text.path().unwrap_or("an item");
        return Err(error(format!(
            "cannot read {path}:{}: {cause}",
            cause.position
        )));
    }
    let is_known = |name: &&String| configs.iter().any(|config| config.name == **name);
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => Err(error(format!("the package has no SetModel {name:?}"))),
        None => Ok(configs),
    }
}
