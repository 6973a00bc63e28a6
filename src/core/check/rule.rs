//! Rules and what they look at.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use super::{
    dangling_reference, disagreeing_targets, downgrade, failed_gate, ineligible_model,
    invalid_config, invalid_document, malformed_model, old_catalog, oversized_config_map,
    shared_place, stale_model, suppression, unknown_model, unmatched_target, wrong_name_hash,
};
use crate::core::change::{Place, Places};
use crate::core::config::SetModel;
use crate::core::krm::{ResultItem, Severity};
use crate::core::model::Listing;
use crate::core::package::Package;
use crate::core::policy::Selection;

/// What the rules look at.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The package.
    pub package: &'a Package<'a>,
    /// Each config with what follows from it.
    pub subjects: Vec<Subject<'a>>,
    /// What is wrong with configs and catalogs themselves.
    pub invalid: Vec<ResultItem>,
    /// The oldest that a catalog may be.
    pub max_catalog_age: Option<Duration>,
    /// The time of the run.
    pub now: Timestamp,
}

impl Facts<'_> {
    /// For each ConfigMap that holds a model, one place in it.
    pub(super) fn config_maps(&self) -> Vec<&Place> {
        let mut seen = BTreeSet::new();
        let places = self
            .subjects
            .iter()
            .flat_map(|subject| &subject.places.places);
        places
            .filter(|place| {
                place.resource.id.is("", "ConfigMap")
                    && seen.insert((place.part, place.resource.root))
            })
            .collect()
    }
}

/// One config with what follows from it.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The config.
    pub config: &'a SetModel,
    /// The places of its targets, and the targets that have none.
    pub places: Places,
    /// The models; none when they could not be listed.
    pub listing: Option<Listing>,
    /// What its policy chooses; none when that could not be decided.
    pub selection: Option<Selection>,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is reported with this severity.
    Report(Severity),
    /// It is not reported.
    Off,
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "error" => Self::Report(Severity::Error),
            "warning" => Self::Report(Severity::Warning),
            "info" => Self::Report(Severity::Info),
            "off" => Self::Off,
            other => {
                return Err(format!(
                    "level {other:?} is none of error, warning, info, off"
                ));
            }
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(severity) => write!(formatter, "{severity}"),
            Self::Off => formatter.write_str("off"),
        }
    }
}

/// One rule.
pub struct Rule {
    /// Its id, which never changes meaning.
    pub id: &'static str,
    /// Its name, in words.
    pub name: &'static str,
    /// Its severity unless the user says otherwise.
    pub severity: Severity,
    /// What it finds and why that matters, in a few sentences.
    pub about: &'static str,
    /// What to do about a finding.
    pub help: &'static str,
    pub(super) run: fn(&Facts<'_>) -> Vec<ResultItem>,
}

impl fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id)
    }
}

/// Every rule, in the order of the ids.
pub const RULES: [&Rule; 16] = [
    &stale_model::RULE,
    &failed_gate::RULE,
    &unknown_model::RULE,
    &downgrade::RULE,
    &disagreeing_targets::RULE,
    &wrong_name_hash::RULE,
    &dangling_reference::RULE,
    &ineligible_model::RULE,
    &invalid_document::RULE,
    &unmatched_target::RULE,
    &malformed_model::RULE,
    &old_catalog::RULE,
    &invalid_config::RULE,
    &shared_place::RULE,
    &oversized_config_map::RULE,
    &suppression::RULE,
];

/// The rule with an id or a name.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES
        .into_iter()
        .find(|rule| rule.id.eq_ignore_ascii_case(id) || rule.name == id)
}

/// A finding.
pub(super) fn finding(message: impl Into<String>) -> ResultItem {
    ResultItem::new(Severity::Error, message)
}

/// A finding about a place.
pub(super) fn on_place(place: &Place, message: impl Into<String>) -> ResultItem {
    let located = &place.located;
    let finding = finding(message).about(&place.resource).at(located.position);
    finding.on_field(&located.path, located.value.as_deref(), None)
}

/// The models in Git that the policy rejects for a reason that `is_meant` accepts, one finding for
/// each place that holds one.
pub(super) fn on_rejected(
    facts: &Facts<'_>,
    is_meant: fn(&crate::core::policy::Reason) -> bool,
    problem: &str,
) -> Vec<ResultItem> {
    let mut findings = Vec::new();
    for subject in &facts.subjects {
        let Some(selection) = &subject.selection else {
            continue;
        };
        for place in &subject.places.places {
            let Some(model) = place.current.as_deref() else {
                continue;
            };
            if let Some(reason) = selection
                .reason_for(model)
                .filter(|reason| is_meant(reason))
            {
                let message = format!("the model in Git ({model}) {problem}: {reason}");
                findings.push(on_place(place, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_order() {
        for (number, rule) in RULES.into_iter().enumerate() {
            assert_eq!(rule.id, format!("MS{:03}", number + 1));
            assert!(
                rule.about.ends_with('.') && !rule.help.ends_with('.'),
                "{}",
                rule.id
            );
        }
    }
}
