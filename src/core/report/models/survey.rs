//! A listing with what the policy says of each model.

use crate::core::model::{Listing, Model, name};
use crate::core::policy::{Policy, Reason, Selection, order};

/// A listing and, where there is a policy, what it chose.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The models.
    pub listing: Listing,
    /// What the policy chose; `None` when there is none, or it could not be applied.
    pub selection: Option<Selection>,
    /// Names of the models now in Git.
    pub current: Vec<String>,
    /// The metrics that the policy's gates are about, each once.
    pub gated: Vec<String>,
    /// What the user should know, one sentence each.
    pub warnings: Vec<String>,
}

/// What the policy says of one model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict<'a> {
    /// It is the one.
    Chosen,
    /// It is not, and why.
    Rejected(&'a Reason),
}

impl Survey {
    /// The metrics that the gates of a policy are about, each once.
    #[must_use]
    pub fn gated(policy: &Policy) -> Vec<String> {
        let mut metrics: Vec<String> = Vec::new();
        for gate in policy.gates.iter().filter(|gate| gate.label.is_none()) {
            if !metrics.contains(&gate.metric) {
                metrics.push(gate.metric.clone());
            }
        }
        metrics
    }

    /// The models, newest first.
    #[must_use]
    pub fn models(&self) -> Vec<&Model> {
        let mut models: Vec<&Model> = self.listing.models.iter().collect();
        models.sort_by(|left, right| order::compare(right, left));
        models
    }

    /// What the policy says of a model; `None` without a policy.
    #[must_use]
    pub fn verdict(&self, name: &str) -> Option<Verdict<'_>> {
        let selection = self.selection.as_ref()?;
        if selection.chosen_name() == Some(name) {
            return Some(Verdict::Chosen);
        }
        selection.reason_for(name).map(Verdict::Rejected)
    }

    /// Whether a model is now in Git.
    #[must_use]
    pub fn is_current(&self, name: &str) -> bool {
        self.current.iter().any(|current| current == name)
    }

    /// The metrics that a list shows: those that are gated, then precision and recall where any
    /// model has them.
    pub(super) fn shown_metrics(&self) -> Vec<String> {
        let mut metrics = self.gated.clone();
        for metric in ["precision", "recall"] {
            let has_any = self
                .listing
                .models
                .iter()
                .any(|model| figure_of(model, metric).is_some());
            if has_any && !metrics.iter().any(|shown| shown == metric) {
                metrics.push(metric.to_owned());
            }
        }
        metrics
    }

    /// A name for people: Google's without the parts that all models of a listing share, if that is
    /// enough to tell them apart.
    pub(super) fn short<'n>(&self, full: &'n str) -> &'n str {
        let short = name::short(full);
        match self.listing.resolve(short) {
            Ok(model) if model.name == full => short,
            _ => full,
        }
    }
}

/// The overall figure of a metric.
pub(super) fn figure_of(model: &Model, metric: &str) -> Option<f64> {
    model.evaluation.as_ref()?.metrics.get(metric).copied()
}
