//! The catalogs of a package and what their registries answer: which of them change, and how.

use std::collections::BTreeMap;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use super::arrange::{Arrangement, arrange};
use super::rewrite::rewrite;
use crate::core::change::{
    FileChange, OwnConfig, Places, Question, locate, read_configs, select_from,
};
use crate::core::config::{GROUP, SetModel, Source, nearest};
use crate::core::model::{Listing, ModelCatalog};
use crate::core::package::{Package, Part, PartId};
use crate::core::yaml::{Splice, apply};

/// A catalog that can be refreshed, and what its registry is asked.
#[derive(Clone, Debug)]
pub struct Subject {
    part: PartId,
    /// The number of its document in the file.
    number: usize,
    /// Its file.
    pub path: String,
    /// What it holds now.
    pub catalog: ModelCatalog,
    /// What its registry is asked.
    pub question: Question,
    /// The configs that choose from it.
    readers: Vec<SetModel>,
}

/// What a refresh comes to.
#[derive(Debug, Default)]
pub struct Refreshed {
    /// One for each catalog whose registry answered.
    pub outcomes: Vec<Outcome>,
    /// The files that change; none when there is a problem.
    pub files: Vec<FileChange>,
    /// What is in the way, one sentence each. Then nothing may be written.
    pub problems: Vec<Problem>,
}

/// What becomes of one catalog.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: String,
    /// Its source, as it is written in YAML.
    pub source: &'static str,
    /// Its models.
    pub arrangement: Arrangement,
    /// The time that is written; `None` when `observedAt` stays as it is.
    pub observed_at: Option<Timestamp>,
    /// What the user should know, one sentence each.
    pub warnings: Vec<String>,
}

/// Why a catalog cannot be refreshed, in one sentence.
pub type Problem = String;

impl Outcome {
    /// Whether the catalog stays as it is.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.arrangement.is_unchanged() && self.observed_at.is_none()
    }
}

/// The catalogs of these names, or every one that says whom to ask.
///
/// # Errors
/// One sentence: there is none, a name is not there, or a catalog cannot be read or names no
/// registry.
pub fn subjects(package: &Package<'_>, names: &[String]) -> Result<Vec<Subject>, Problem> {
    if let Some((_, part, error)) = package.broken(ModelCatalog::KIND).next() {
        let path = part.path().unwrap_or_default();
        return Err(format!("cannot read {path}:{}: {error}", error.position));
    }
    let resources: Vec<_> = package.of_kind(GROUP, ModelCatalog::KIND).collect();
    let known: Vec<String> = resources
        .iter()
        .filter_map(|(_, _, resource)| resource.id.name.clone())
        .collect();
    if resources.is_empty() {
        return Err("there is no ModelCatalog; add one with `spec.source`".to_owned());
    }
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        let hint = nearest::hint(name, &known);
        return Err(format!("there is no ModelCatalog {name:?}; {hint}"));
    }
    let (configs, _) = read_configs(package);
    let mut subjects = Vec::new();
    for (part, text, resource) in &resources {
        let name = resource.id.name.clone().unwrap_or_default();
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        let catalog = ModelCatalog::from_yaml(&text.document(resource), &resource.path)
            .map_err(|error| format!("cannot read the catalog: {error}"))?;
        let readers = readers(&configs, &name, known.len());
        let source = match &catalog.source {
            None if names.is_empty() => continue,
            None => {
                return Err(format!(
                    "the catalog {name} ({}) does not say whom to ask; set its spec.source to one \
                     of vertexAI, automl, mlflow and modelRegistry",
                    resource.path
                ));
            }
            Some(Source::Catalog(_)) => {
                return Err(format!(
                    "the catalog {name} ({}) names a catalog as its source; set its spec.source to \
                     one of vertexAI, automl, mlflow and modelRegistry",
                    resource.path
                ));
            }
            Some(source) => source.clone(),
        };
        subjects.push(Subject {
            part: *part,
            number: resource.index.unwrap_or_default(),
            path: resource.path.clone(),
            question: Question {
                source,
                display_name: display_name(&readers),
            },
            catalog,
            readers,
        });
    }
    if subjects.is_empty() {
        let names = nearest::join(&known, "and");
        return Err(format!(
            "no ModelCatalog says whom to ask; set spec.source of {names} to one of vertexAI, \
             automl, mlflow and modelRegistry"
        ));
    }
    Ok(subjects)
}

/// The configs that choose from the catalog of this name.
fn readers(configs: &[SetModel], name: &str, catalogs: usize) -> Vec<SetModel> {
    let reads = |config: &&SetModel| match &config.source {
        Some(Source::Catalog(source)) => source.name == name,
        Some(_) => false,
        None => catalogs == 1,
    };
    configs.iter().filter(reads).cloned().collect()
}

/// The display name that all of these configs want.
fn display_name(readers: &[SetModel]) -> Option<String> {
    let mut names = readers.iter().map(|config| &config.policy.display_name);
    let first = names.next()?;
    names
        .all(|name| name == first)
        .then(|| first.clone())
        .flatten()
}

/// How to refresh.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Write `observedAt` although nothing else changes.
    pub stamp: bool,
    /// Take out every model when the registry has none.
    pub allow_empty: bool,
}

/// Refreshes catalogs from what their registries answered at `now`.
#[must_use]
pub fn refresh(
    package: &Package<'_>,
    subjects: &[Subject],
    answers: &[(Question, Result<Listing, String>)],
    options: Options,
    now: Timestamp,
) -> Refreshed {
    let mut refreshed = Refreshed::default();
    let mut splices: BTreeMap<PartId, Vec<Splice>> = BTreeMap::new();
    for subject in subjects {
        let name = &subject.catalog.name;
        let fail = |problem: String| format!("cannot refresh {name} ({}): {problem}", subject.path);
        let answer = answers
            .iter()
            .find(|(question, _)| *question == subject.question);
        let listing = match answer {
            Some((_, Ok(listing))) => listing,
            Some((_, Err(problem))) => {
                refreshed.problems.push(fail(problem.clone()));
                continue;
            }
            None => continue,
        };
        match one(package, subject, listing, options, now) {
            Ok((outcome, edits)) => {
                splices.entry(subject.part).or_default().extend(edits);
                refreshed.outcomes.push(outcome);
            }
            Err(problem) => refreshed.problems.push(fail(problem)),
        }
    }
    if refreshed.problems.is_empty() {
        refreshed.files = files(package, splices);
    }
    refreshed
}

fn one(
    package: &Package<'_>,
    subject: &Subject,
    listing: &Listing,
    options: Options,
    now: Timestamp,
) -> Result<(Outcome, Vec<Splice>), Problem> {
    let old = &subject.catalog.listing;
    if listing.models.is_empty() && !old.models.is_empty() && !options.allow_empty {
        return Err(format!(
            "{} lists no models, and the catalog has {}; check the source, or take them all out \
             with --allow-empty",
            listing.origin,
            old.models.len()
        ));
    }
    if let Some(name) = listing.repeated_name() {
        return Err(format!("{} lists the model {name} twice", listing.origin));
    }
    let arrangement = arrange(&old.models, &listing.models);
    let time = listing.observed_at.unwrap_or(now);
    // Nobody needs the fraction, and it must not be later than it is.
    let whole = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Trunc);
    let time = time.round(whole).unwrap_or(time);
    let places: Vec<Places> = subject
        .readers
        .iter()
        .map(|config| locate(package, &config.targets, &OwnConfig::default()))
        .collect();
    let is_due = options.stamp
        || !arrangement.is_unchanged()
        || subject
            .readers
            .iter()
            .zip(&places)
            .any(|(config, places)| decides_otherwise(config, places, old, time));
    let observed_at = is_due
        .then_some(time)
        .filter(|time| old.observed_at != Some(*time));
    let part = package.part(subject.part);
    let edits = rewrite(
        part,
        subject.number,
        &subject.catalog,
        &arrangement,
        observed_at,
    )
    .map_err(|error| error.to_string())?;
    let in_git = places.iter().flat_map(Places::current);
    let mut gone: Vec<String> = in_git
        .filter(|model| arrangement.removed.contains(model))
        .collect();
    gone.sort();
    gone.dedup();
    let warnings = gone
        .into_iter()
        .map(|model| format!("the model in Git ({model}) is gone from {}", listing.origin));
    let outcome = Outcome {
        name: subject.catalog.name.clone(),
        path: subject.path.clone(),
        source: subject.question.source.kind(),
        observed_at,
        warnings: warnings.collect(),
        arrangement,
    };
    Ok((outcome, edits))
}

/// Whether a policy chooses another model only because of the later time: ages are measured at the
/// time of the catalog, so that a model which was too young must one day be old enough.
fn decides_otherwise(config: &SetModel, places: &Places, old: &Listing, time: Timestamp) -> bool {
    let later = Listing {
        observed_at: Some(time),
        ..old.clone()
    };
    let chosen = |listing: &Listing| {
        let selection = select_from(Some(listing), config, places, time).ok()?;
        selection.chosen_name().map(str::to_owned)
    };
    chosen(old) != chosen(&later)
}

fn files(package: &Package<'_>, splices: BTreeMap<PartId, Vec<Splice>>) -> Vec<FileChange> {
    let mut texts: BTreeMap<PartId, String> = BTreeMap::new();
    for (part, mut splices) in splices {
        // Each document's are within it.
        splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
        texts.insert(part, apply(package.part(part).text(), &splices));
    }
    let after = package.with(|id, part| {
        let path = part.path().unwrap_or_default();
        Some(Part::file(path, texts.get(&id)?.clone()))
    });
    FileChange::between(package, &after, &std::collections::BTreeSet::new())
}

#[cfg(test)]
mod tests;
