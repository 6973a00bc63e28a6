//! What was chosen, and why everything else was not.

use std::collections::BTreeMap;

use super::Reason;
use crate::core::model::Model;

/// The result of a policy: the chosen model or none, and for every other model the reason.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Selection {
    /// The chosen model. None when no model is eligible.
    pub chosen: Option<Chosen>,
    /// Every other model of the listing, newest first.
    pub rejected: Vec<Rejected>,
    /// What the user should know although a choice was made.
    pub warnings: Vec<String>,
}

/// The chosen model.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The value that goes into Git.
    pub name: String,
    /// What the listing says of it. None when the name was pinned without a listing.
    pub model: Option<Model>,
}

/// A model that was not chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// The model.
    pub model: Model,
    /// Why it was not chosen.
    pub reason: Reason,
}

impl Selection {
    /// Says on one line what was chosen, or why nothing was.
    #[must_use]
    pub fn summary(&self) -> String {
        let Some(chosen) = &self.chosen else {
            return format!(
                "no model of {} is eligible: {}",
                self.rejected.len(),
                self.rejected_by_group()
            );
        };
        let Some(model) = &chosen.model else {
            return format!("chose {}, not checked against any catalog", chosen.name);
        };
        let total = self.rejected.len() + 1;
        let models = if total == 1 { "model" } else { "models" };
        let is_pinned = self
            .rejected
            .iter()
            .any(|rejected| rejected.reason == Reason::NotPinned);
        let is_newest = self
            .rejected
            .iter()
            .all(|rejected| super::order::compare(&rejected.model, model).is_lt());
        let rank = match (is_newest, is_pinned) {
            (true, _) => "newest of",
            (false, true) => "pinned among",
            (false, false) => "newest eligible of",
        };
        format!(
            "chose {} (created {}), {rank} {total} {models}",
            chosen.name, model.create_time
        )
    }

    /// Finds the reason why a model was not chosen. None for the chosen model, and for names that
    /// the listing does not have.
    #[must_use]
    pub fn reason_for(&self, name: &str) -> Option<&Reason> {
        let rejected = self
            .rejected
            .iter()
            .find(|rejected| rejected.model.name == name)?;
        Some(&rejected.reason)
    }

    /// The name of the chosen model.
    #[must_use]
    pub fn chosen_name(&self) -> Option<&str> {
        self.chosen.as_ref().map(|chosen| chosen.name.as_str())
    }

    fn rejected_by_group(&self) -> String {
        let mut groups = BTreeMap::<(u8, &str), usize>::new();
        for rejected in &self.rejected {
            *groups.entry(rejected.reason.group()).or_default() += 1;
        }
        let groups: Vec<String> = groups
            .into_iter()
            .map(|((_, group), count)| format!("{count} {group}"))
            .collect();
        groups.join(", ")
    }
}
