//! MS005: the places of one config hold different models.

use super::rule::{Facts, Rule, Subject, on_place};
use crate::core::krm::{ResultItem, Severity};
use crate::core::model::Listing;

pub(super) const RULE: Rule = Rule {
    id: "MS005",
    name: "disagreeing-targets",
    severity: Severity::Error,
    about: "The targets of one SetModel hold different models: a file was edited by hand, or the \
            hydrated copy is not up to date.",
    help: "run `modelsync render`, or `modelsync check --fix`",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    facts.subjects.iter().flat_map(disagreeing).collect()
}

fn disagreeing(subject: &Subject<'_>) -> Vec<ResultItem> {
    let current = subject.places.current();
    if current.len() < 2 {
        return Vec::new();
    }
    // The one that is right: the chosen one if anybody holds it, else the one most places hold.
    let holders = |model: &String| {
        let places = subject.places.places.iter();
        places
            .filter(|place| place.current.as_ref() == Some(model))
            .count()
    };
    let chosen = subject
        .selection
        .as_ref()
        .and_then(|selection| selection.chosen_name());
    let right = current
        .iter()
        .find(|model| Some(model.as_str()) == chosen)
        .or_else(|| current.iter().rev().max_by_key(|model| holders(model)));
    let places = subject.places.places.iter();
    places
        .filter_map(|place| {
            let model = place
                .current
                .as_ref()
                .filter(|model| Some(*model) != right)?;
            // What is no model at all has a rule of its own.
            let is_known = |listing: &Listing| listing.find(model).is_some();
            if !subject.listing.as_ref().is_none_or(is_known) {
                return None;
            }
            let others = right.map_or("", String::as_str);
            let message = format!("this holds {model}, and other places hold {others}");
            Some(on_place(place, message))
        })
        .collect()
}
