//! One config from start to end: places, listing, selection, plan.

use jiff::Timestamp;

use super::edits::Change;
use super::locate::{OwnConfig, Places, locate};
use super::plan::plan;
use crate::core::config::{DecodeError, GROUP, SetModel, Source};
use crate::core::krm::{Resource, ResultItem, Severity};
use crate::core::model::{Listing, ModelCatalog};
use crate::core::package::{Package, PartId};
use crate::core::policy::{Reason, Selection, select, select_unlisted};
use crate::core::yaml::Position;

/// Where the models come from.
#[derive(Clone, Copy, Debug)]
pub enum Models<'a> {
    /// From the package's ModelCatalog.
    Package,
    /// From a listing that the caller has.
    Listing(&'a Listing),
}

/// What one config comes to.
#[derive(Debug)]
pub struct Update {
    /// Which model was chosen, and why no other.
    pub selection: Selection,
    /// The places that hold the model.
    pub places: Places,
    /// The edits; none when every place is current or no model is eligible.
    pub change: Change,
    /// Everything to say, the summary first.
    pub results: Vec<ResultItem>,
}

/// Finds the places, chooses the model and plans the edits.
///
/// # Errors
/// Everything that is in the way, as results; nothing may be edited then.
pub fn update(
    package: &Package<'_>,
    config: &SetModel,
    own: &OwnConfig,
    models: Models<'_>,
    now: Timestamp,
) -> Result<Update, Vec<ResultItem>> {
    let named = |errors| in_the_name_of(config, errors);
    let places = locate(package, &config.targets, own);
    if !places.refusals.is_empty() {
        return Err(named(
            places
                .refusals
                .into_iter()
                .map(|refusal| refusal.item)
                .collect(),
        ));
    }
    let selection = choose(package, config, &places, models, now).map_err(named)?;
    let change = match selection.chosen_name() {
        Some(model) => plan(package, &places, model).map_err(named)?,
        None => Change::default(),
    };
    let results = report(config, &selection, &places, &change);
    Ok(Update {
        selection,
        places,
        change,
        results,
    })
}

/// Chooses a model for places that are found.
///
/// # Errors
/// There is no listing, or the policy cannot be applied to it.
pub fn choose(
    package: &Package<'_>,
    config: &SetModel,
    places: &Places,
    models: Models<'_>,
    now: Timestamp,
) -> Result<Selection, Vec<ResultItem>> {
    let from_package;
    let listing = match models {
        Models::Listing(listing) => Some(listing),
        Models::Package => {
            from_package = listing(package, config).map_err(|error| match error {
                ListingError::NotHere(item) | ListingError::Invalid(item) => vec![*item],
            })?;
            from_package.as_ref()
        }
    };
    select_from(listing, config, places, now)
        .map_err(|message| vec![ResultItem::new(Severity::Error, message)])
}

/// Chooses from a listing, or without one the model that is pinned.
///
/// # Errors
/// What is in the way, in words.
pub fn select_from(
    listing: Option<&Listing>,
    config: &SetModel,
    places: &Places,
    now: Timestamp,
) -> Result<Selection, String> {
    let selection = match (listing, &config.policy.pin) {
        (Some(listing), _) => select(listing, &config.policy, &places.current(), now),
        (None, Some(pin)) => select_unlisted(pin, &config.policy),
        (None, None) => {
            return Err(
                "the package has no ModelCatalog, so there is no model to choose; add \
                        one, or name one with --catalog, or a model with --model"
                    .to_owned(),
            );
        }
    };
    selection.map_err(|error| error.to_string())
}

/// Why there is no listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListingError {
    /// It is not in the package, or it is not clear which.
    NotHere(Box<ResultItem>),
    /// The catalog is there and cannot be read.
    Invalid(Box<ResultItem>),
}

/// The listing of the catalog that a config names, or of the package's only one; `None` when the
/// package has none and the config names none.
///
/// # Errors
/// The catalog is missing, ambiguous or cannot be read; or the source is a registry.
pub fn listing(package: &Package<'_>, config: &SetModel) -> Result<Option<Listing>, ListingError> {
    let item = |message: String| Box::new(ResultItem::new(Severity::Error, message));
    let not_here = |message: String| Err(ListingError::NotHere(item(message)));
    let wanted = match &config.source {
        None => None,
        Some(Source::Catalog(catalog)) => Some(catalog.name.as_str()),
        Some(other) => {
            return not_here(format!(
                "source {} is a registry, which cannot be asked from here; put its models into a \
                 ModelCatalog and name that as the source",
                other.kind()
            ));
        }
    };
    let catalogs: Vec<_> = package.of_kind(GROUP, ModelCatalog::KIND).collect();
    let name = |resource: &Resource| resource.id.name.clone().unwrap_or_default();
    let matching: Vec<_> = catalogs
        .iter()
        .filter(|(_, _, resource)| wanted.is_none_or(|wanted| name(resource) == wanted))
        .collect();
    match (matching.as_slice(), wanted) {
        ([(part, _, resource)], _) => read(package, *part, resource).map(Some),
        ([], None) => match package.broken(ModelCatalog::KIND).next() {
            Some((_, text, error)) => {
                let path = text.path().unwrap_or("an item");
                let message = format!("cannot read {path}:{}: {error}", error.position);
                Err(ListingError::Invalid(item(message)))
            }
            None => Ok(None),
        },
        ([], Some(wanted)) if catalogs.is_empty() => not_here(format!(
            "the package has no ModelCatalog {wanted:?}; add it, or give --catalog"
        )),
        (found, _) => {
            let names: Vec<_> = catalogs
                .iter()
                .map(|(_, _, resource)| name(resource))
                .collect();
            let problem = match (wanted, found.len()) {
                (Some(wanted), 0) => format!("has no ModelCatalog {wanted:?}"),
                (Some(wanted), count) => format!("has {count} ModelCatalogs {wanted:?}"),
                (None, count) => format!("has {count} ModelCatalogs, and the config names none"),
            };
            not_here(format!(
                "the package {problem}; set `source: {{catalog: {{name: …}}}}` to one of {}",
                names.join(", ")
            ))
        }
    }
}

fn read(package: &Package<'_>, part: PartId, resource: &Resource) -> Result<Listing, ListingError> {
    let text = package.part(part).document(resource);
    let path = if resource.path.is_empty() {
        "items"
    } else {
        &resource.path
    };
    match ModelCatalog::from_yaml(&text, path) {
        Ok(mut catalog) => {
            catalog.listing.origin = format!("ModelCatalog {}", catalog.name);
            Ok(catalog.listing)
        }
        Err(error) => {
            let item =
                ResultItem::new(Severity::Error, format!("cannot read the catalog: {error}"));
            Err(ListingError::Invalid(Box::new(located(
                item.about(resource),
                &error,
            ))))
        }
    }
}

/// Puts the place of a decoding error on the result.
pub(super) fn located(item: ResultItem, error: &DecodeError) -> ResultItem {
    let number = |number: Option<u64>| usize::try_from(number?).ok();
    match (number(error.line), number(error.column)) {
        (Some(line), Some(column)) => item.at(Position { line, column }),
        _ => item,
    }
}

/// Says whose errors they are.
fn in_the_name_of(config: &SetModel, mut errors: Vec<ResultItem>) -> Vec<ResultItem> {
    let count = errors.len();
    if let Some(first) = errors.first_mut()
        && count == 1
    {
        first.message = format!("{}: {}", config.name, first.message);
        first.is_summary = true;
    } else {
        let summary = format!("{}: {count} problems; nothing was changed", config.name);
        errors.insert(0, ResultItem::summary(Severity::Error, summary));
    }
    errors
}

fn report(
    config: &SetModel,
    selection: &Selection,
    places: &Places,
    change: &Change,
) -> Vec<ResultItem> {
    let name = &config.name;
    let why = selection.summary();
    let mut results = vec![match selection.chosen_name() {
        None => ResultItem::summary(
            Severity::Warning,
            format!("{name}: nothing was changed: {why}"),
        ),
        Some(model) if change.is_empty() => {
            ResultItem::summary(Severity::Info, format!("{name}: {model} is current: {why}"))
        }
        Some(model) => {
            let was = match change.previous.as_slice() {
                [] => "not set".to_owned(),
                previous => previous.join(" and "),
            };
            let message = format!("{name}: updated the model to {model}, was {was}: {why}");
            ResultItem::summary(Severity::Info, message)
        }
    }];
    let warn = |message: &String| ResultItem::new(Severity::Warning, message.clone());
    results.extend(selection.warnings.iter().map(warn));
    let current = places.current();
    if current.len() > 1 {
        let message = format!(
            "the places of {name} held different models: {}",
            current.join(", ")
        );
        results.push(ResultItem::new(Severity::Warning, message));
    }
    if change.is_empty() {
        results.extend(places.notes.iter().cloned());
    } else {
        results.extend(change.results.iter().cloned());
    }
    // What lost by age alone needs no line of its own.
    let has_chosen = selection.chosen.is_some();
    let unlucky = selection.rejected.iter().filter(|rejected| {
        rejected.reason != Reason::Older && !(has_chosen && rejected.reason.is_downgrade())
    });
    results.extend(unlucky.map(|rejected| {
        let message = format!("not chosen: {}: {}", rejected.model.name, rejected.reason);
        ResultItem::new(Severity::Info, message)
    }));
    results
}
