//! One config from start to end: places, listing, selection, plan.

use jiff::Timestamp;

use super::edits::Change;
use super::locate::{OwnConfig, Places, locate};
use super::models::Models;
use super::plan::plan;
use crate::core::config::SetModel;
use crate::core::krm::{ResultItem, Severity};
use crate::core::model::Listing;
use crate::core::package::Package;
use crate::core::policy::{Reason, Selection, select, select_unlisted};

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
    models: &Models,
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
    models: &Models,
    now: Timestamp,
) -> Result<Selection, Vec<ResultItem>> {
    let listing = models
        .listing(package, config)
        .map_err(|error| vec![error.into_item()])?;
    select_from(listing.as_deref(), config, places, now)
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
