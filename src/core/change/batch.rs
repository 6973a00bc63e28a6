//! Several configs on one package, each on what the one before left.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::edits::{Change, FileChange};
use super::locate::OwnConfig;
use super::models::{Models, located};
use super::update::update;
use crate::core::check::{Level, Options, RULES, check};
use crate::core::config::{GROUP, SetModel};
use crate::core::krm::{ResultItem, Severity};
use crate::core::package::{Package, PartId};

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
    models: &Models,
    now: Timestamp,
    task: Task,
) -> Batch {
    if task == Task::Check {
        return check_all(package, configs, own, models, now);
    }
    let mut state = Change::default().apply(package);
    let mut last = BTreeSet::new();
    let mut failed = false;
    // The summary of each config, then the rest: kpt shows four lines.
    let (mut summaries, mut rest) = (Vec::new(), Vec::new());
    for config in configs {
        let (ok, mut results) = match update(&state, config, own, models, now) {
            Ok(update) => {
                let next = update.change.apply(&state);
                last.extend(update.change.renamed);
                state = next;
                (true, update.results)
            }
            Err(errors) => (false, errors),
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
        .filter(|((_, old), (_, new))| !old.is_same(new))
        .map(|((id, _), (_, new))| (id, new.text().to_owned()));
    Batch {
        failed,
        texts: texts.collect(),
        files: FileChange::between(package, &state, &last),
        results: summaries,
    }
}

/// The findings of every rule as errors, after a summary.
fn check_all(
    package: &Package<'_>,
    configs: &[SetModel],
    own: &OwnConfig,
    models: &Models,
    now: Timestamp,
) -> Batch {
    let error = Level::Report(Severity::Error);
    let options = Options {
        levels: RULES.into_iter().map(|rule| (rule.id, error)).collect(),
        max_catalog_age: None,
        own: own.clone(),
    };
    let report = check(package, configs, Vec::new(), models, now, &options);
    let names: Vec<_> = configs.iter().map(|config| config.name.as_str()).collect();
    let names = names.join(", ");
    let failed = !report.findings.is_empty() || !report.undecided.is_empty();
    let summary = match (report.findings.len(), report.undecided.is_empty()) {
        (0, true) => ResultItem::summary(Severity::Info, format!("{names}: no findings")),
        (0, false) => ResultItem::summary(Severity::Error, format!("{names}: could not decide")),
        (1, _) => ResultItem::summary(Severity::Error, format!("{names}: 1 finding")),
        (count, _) => ResultItem::summary(Severity::Error, format!("{names}: {count} findings")),
    };
    let findings = report.findings.into_iter().map(|finding| finding.item);
    let undecided = report.undecided.into_iter();
    let undecided = undecided.map(|message| ResultItem::new(Severity::Error, message));
    Batch {
        failed,
        texts: Vec::new(),
        files: Vec::new(),
        results: [summary]
            .into_iter()
            .chain(findings)
            .chain(undecided)
            .collect(),
    }
}

/// The SetModels in a package, and what is wrong with those that cannot be read.
#[must_use]
pub fn read_configs(package: &Package<'_>) -> (Vec<SetModel>, Vec<ResultItem>) {
    let error = |message: String| ResultItem::new(Severity::Error, message);
    let (mut configs, mut errors) = (Vec::new(), Vec::new());
    for (_, part, resource) in package.of_kind(GROUP, SetModel::KIND) {
        let path = if resource.path.is_empty() {
            "items"
        } else {
            &resource.path
        };
        match SetModel::from_yaml(&part.document(resource), path) {
            Ok(config) => configs.push(config),
            Err(cause) => {
                let item = error(format!("cannot read the config: {cause}")).about(resource);
                errors.push(located(item, &cause));
            }
        }
    }
    for (_, text, cause) in package.broken(SetModel::KIND) {
        let path = text.path().unwrap_or("an item");
        let mut item = error(format!("cannot read {path}:{}: {cause}", cause.position));
        item.file = text.path().map(|path| (path.to_owned(), None));
        errors.push(item.at(cause.position));
    }
    (configs, errors)
}

/// The SetModels in a package; with `names`, those.
///
/// # Errors
/// One cannot be read, or a name is not there.
pub fn configs_in(
    package: &Package<'_>,
    names: &[String],
) -> Result<Vec<SetModel>, Box<ResultItem>> {
    let (mut configs, errors) = read_configs(package);
    if let Some(mut error) = errors.into_iter().next() {
        // The message says where.
        (error.file, error.position) = (None, None);
        return Err(Box::new(error));
    }
    if let Some(name) = names
        .iter()
        .find(|name| !configs.iter().any(|it| it.name == **name))
    {
        let message = format!("the package has no SetModel {name:?}");
        return Err(Box::new(ResultItem::new(Severity::Error, message)));
    }
    configs.retain(|config| names.is_empty() || names.contains(&config.name));
    Ok(configs)
}
