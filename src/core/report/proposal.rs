//! One config's Change as facts for the templates of commit messages and pull requests.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::core::change::{FileChange, Update};
use crate::core::model::{Listing, Model};

/// What templates can say. Names are in camel case, as in YAML.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The name of the SetModel.
    pub config: String,
    /// The package's directory from the root of the repository; empty for the root.
    pub package: String,
    /// The branch that the commit is for.
    pub base: String,
    /// The model that is chosen.
    pub model: ModelFacts,
    /// The models that were in Git, mostly one.
    pub previous: Vec<ModelFacts>,
    /// Where models are listed.
    pub source: String,
    /// Why this model, on one line.
    pub summary: String,
    /// What the user should know although a choice was made.
    pub warnings: Vec<String>,
    /// Each place that changes.
    pub changes: Vec<PlaceFacts>,
    /// How many places there are beyond those.
    pub more_changes: usize,
    /// Files that move.
    pub moves: Vec<MoveFacts>,
    /// Overall figures of the new model beside those of the old one.
    pub metrics: Vec<FigureFacts>,
    /// How many metrics there are beyond those.
    pub more_metrics: usize,
    /// The same for each label.
    pub labels: Vec<LabelFacts>,
    /// How many labels there are beyond those.
    pub more_labels: usize,
    /// Other models, newest first, with the reasons why they were not chosen.
    pub rejected: Vec<RejectedFacts>,
    /// How many others there are beyond those.
    pub more_rejected: usize,
}

/// A model.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelFacts {
    /// The full name, which is in Git.
    pub name: String,
    /// The last part of the name.
    pub short_name: String,
    /// Whatever the listing says of it; empty where it says nothing.
    pub display_name: String,
    /// The version.
    pub version: String,
    /// When it was created (RFC 3339).
    pub create_time: String,
    /// How far it has come.
    pub state: String,
    /// Where its files are.
    pub uri: String,
    /// The data set it was made from.
    pub dataset: String,
    /// The notebook run that trained it.
    pub notebook_run: String,
    /// The commit of the training code.
    pub source_commit: String,
}

/// A place that changes.
#[derive(Clone, Debug, Serialize)]
pub struct PlaceFacts {
    /// The file.
    pub file: String,
    /// The field, in kustomize's syntax.
    pub field: String,
    /// The old value.
    pub old: String,
    /// The new value.
    pub new: String,
}

/// A file that moves.
#[derive(Clone, Debug, Serialize)]
pub struct MoveFacts {
    /// Its path before.
    pub from: String,
    /// Its path after.
    pub to: String,
}

/// One metric, old and new; none where there is no figure.
#[derive(Clone, Debug, Serialize)]
pub struct FigureFacts {
    /// The metric.
    pub metric: String,
    /// The figure of the model in Git.
    pub old: Option<f64>,
    /// The figure of the chosen model.
    pub new: Option<f64>,
    /// How much it grows.
    pub delta: Option<f64>,
}

/// One label's figures.
#[derive(Clone, Debug, Serialize)]
pub struct LabelFacts {
    /// The label.
    pub label: String,
    /// Its figures, in the order of the metrics' names.
    pub figures: Vec<FigureFacts>,
}

/// A model that was not chosen.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedFacts {
    /// The full name.
    pub name: String,
    /// When it was created (RFC 3339).
    pub create_time: String,
    /// Why it was not chosen.
    pub reason: String,
}

/// A list of the facts that can be too long for a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongList {
    /// Figures by label.
    Labels,
    /// Models that were not chosen.
    Rejected,
    /// Overall figures.
    Metrics,
    /// Places that change.
    Changes,
}

/// How many models that were not chosen are listed.
const MOST_REJECTED: usize = 30;

impl Facts {
    /// The facts of an update that chose a model; `None` when it chose none. `package` is its
    /// directory from the root of the repository.
    #[must_use]
    pub fn of(
        config: &str,
        package: &str,
        base: &str,
        update: &Update,
        listing: Option<&Listing>,
        files: &[FileChange],
    ) -> Option<Self> {
        let chosen = update.selection.chosen.as_ref()?;
        let find = |name: &str| listing.and_then(|listing| listing.find(name));
        let previous = &update.change.previous;
        let old = previous.iter().find_map(|name| find(name));
        let new = chosen.model.as_ref();
        let rejected = &update.selection.rejected;
        Some(Self {
            config: config.to_owned(),
            package: package.to_owned(),
            base: base.to_owned(),
            model: ModelFacts::new(&chosen.name, new),
            previous: previous
                .iter()
                .map(|name| ModelFacts::new(name, find(name)))
                .collect(),
            source: listing.map_or("none", |listing| &listing.origin).to_owned(),
            summary: update.selection.summary(),
            warnings: update.selection.warnings.clone(),
            changes: places(update),
            more_changes: 0,
            moves: files
                .iter()
                .filter(|file| file.from != file.to)
                .map(|file| MoveFacts {
                    from: file.from.clone(),
                    to: file.to.clone(),
                })
                .collect(),
            metrics: figures(overall(old), overall(new)),
            more_metrics: 0,
            labels: labels(old, new),
            more_labels: 0,
            rejected: rejected
                .iter()
                .take(MOST_REJECTED)
                .map(|rejected| RejectedFacts {
                    name: rejected.model.name.clone(),
                    create_time: rejected.model.create_time.to_string(),
                    reason: rejected.reason.to_string(),
                })
                .collect(),
            more_rejected: rejected.len().saturating_sub(MOST_REJECTED),
        })
    }

    /// The same without what changes by itself as time goes by: other models and their ages.
    #[must_use]
    pub fn lasting(&self) -> Self {
        Self {
            summary: String::new(),
            warnings: Vec::new(),
            rejected: Vec::new(),
            more_rejected: 0,
            ..self.clone()
        }
    }

    /// How long a list is.
    #[must_use]
    pub fn length(&self, list: LongList) -> usize {
        match list {
            LongList::Labels => self.labels.len(),
            LongList::Rejected => self.rejected.len(),
            LongList::Metrics => self.metrics.len(),
            LongList::Changes => self.changes.len(),
        }
    }

    /// The same with `most` entries of a list at most, and the others counted: figures that changed
    /// most, the newest models, the first places.
    #[must_use]
    pub fn with_most(&self, list: LongList, most: usize) -> Self {
        let mut facts = self.clone();
        let left_out = self.length(list).saturating_sub(most);
        match list {
            LongList::Labels => {
                keep_most_changed(&mut facts.labels, most, |label| &label.figures);
                facts.more_labels += left_out;
            }
            LongList::Rejected => {
                facts.rejected.truncate(most);
                facts.more_rejected += left_out;
            }
            LongList::Metrics => {
                keep_most_changed(&mut facts.metrics, most, std::slice::from_ref);
                facts.more_metrics += left_out;
            }
            LongList::Changes => {
                facts.changes.truncate(most);
                facts.more_changes += left_out;
            }
        }
        facts
    }
}

impl LongList {
    /// All of them, those that a reader misses least first.
    pub const ALL: [Self; 4] = [Self::Labels, Self::Rejected, Self::Metrics, Self::Changes];

    /// What templates call the number of entries that are left out.
    #[must_use]
    pub const fn more(self) -> &'static str {
        match self {
            Self::Labels => "moreLabels",
            Self::Rejected => "moreRejected",
            Self::Metrics => "moreMetrics",
            Self::Changes => "moreChanges",
        }
    }
}

/// Keeps those whose figures changed most, in the order they have. A figure that comes or goes
/// changes more than any other.
fn keep_most_changed<T>(list: &mut Vec<T>, most: usize, figures: impl Fn(&T) -> &[FigureFacts]) {
    let change = |figure: &FigureFacts| match figure.delta {
        Some(delta) => delta.abs(),
        None => f64::INFINITY,
    };
    let greatest = |entry: &T| figures(entry).iter().map(change).fold(0.0, f64::max);
    let mut ranked: Vec<(usize, f64)> = list.iter().map(greatest).enumerate().collect();
    ranked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    ranked.truncate(most);
    let kept: BTreeSet<usize> = ranked.into_iter().map(|(place, _)| place).collect();
    let mut place = 0..;
    list.retain(|_| place.next().is_some_and(|place| kept.contains(&place)));
}

impl ModelFacts {
    fn new(name: &str, model: Option<&Model>) -> Self {
        let short_name = name.trim_end_matches('/').rsplit('/').next();
        let lineage = model
            .and_then(|model| model.lineage.clone())
            .unwrap_or_default();
        Self {
            name: name.to_owned(),
            short_name: short_name.unwrap_or(name).to_owned(),
            display_name: model
                .map(|model| model.display_name.clone())
                .unwrap_or_default(),
            version: model
                .and_then(|model| model.version.clone())
                .unwrap_or_default(),
            create_time: model
                .map(|model| model.create_time.to_string())
                .unwrap_or_default(),
            state: model
                .map(|model| model.state.to_string())
                .unwrap_or_default(),
            uri: model
                .and_then(|model| model.uri.clone())
                .unwrap_or_default(),
            dataset: lineage.dataset.unwrap_or_default(),
            notebook_run: lineage.notebook_run.unwrap_or_default(),
            source_commit: lineage.source_commit.unwrap_or_default(),
        }
    }
}

fn places(update: &Update) -> Vec<PlaceFacts> {
    let results = update.change.results.iter();
    results
        .filter_map(|result| {
            let field = result.field.as_ref()?;
            Some(PlaceFacts {
                file: result
                    .file
                    .as_ref()
                    .map(|(path, _)| path.clone())
                    .unwrap_or_default(),
                field: field.path.clone(),
                old: field.current_value.clone().unwrap_or_default(),
                new: field.proposed_value.clone()?,
            })
        })
        .collect()
}

type Figures = BTreeMap<String, f64>;

fn overall(model: Option<&Model>) -> Option<&Figures> {
    Some(&model?.evaluation.as_ref()?.metrics)
}

fn figures(old: Option<&Figures>, new: Option<&Figures>) -> Vec<FigureFacts> {
    let of = |figures: Option<&Figures>, metric: &str| {
        let figure = figures.and_then(|figures| figures.get(metric)).copied();
        figure.filter(|figure| figure.is_finite())
    };
    let metrics: BTreeSet<&String> = [old, new]
        .into_iter()
        .flatten()
        .flat_map(Figures::keys)
        .collect();
    metrics
        .into_iter()
        .map(|metric| {
            let (old, new) = (of(old, metric), of(new, metric));
            FigureFacts {
                metric: metric.clone(),
                old,
                new,
                delta: old.zip(new).map(|(old, new)| new - old),
            }
        })
        .collect()
}

fn labels(old: Option<&Model>, new: Option<&Model>) -> Vec<LabelFacts> {
    let of = |model: Option<&Model>| {
        let evaluation = model.and_then(|model| model.evaluation.as_ref());
        evaluation
            .map(|evaluation| evaluation.per_label.clone())
            .unwrap_or_default()
    };
    let (old, new) = (of(old), of(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let facts = |label: &String| LabelFacts {
        label: label.clone(),
        figures: figures(old.get(label), new.get(label)),
    };
    names.into_iter().map(facts).collect()
}
