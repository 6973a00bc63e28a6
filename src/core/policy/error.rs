//! When a policy cannot be applied to a listing at all.

use thiserror::Error;

use crate::core::config::nearest;
use crate::core::model::NameError;

/// A policy that cannot be applied to a listing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectError {
    /// The listing has no models.
    #[error("{origin} lists no models")]
    Empty {
        /// Where the listing comes from.
        origin: String,
    },
    /// The listing has two models of the same name. The fault is the source's.
    #[error("{origin} lists the model {name} twice; names must be unique")]
    DuplicateName {
        /// Where the listing comes from.
        origin: String,
        /// The name.
        name: String,
    },
    /// No model has the wanted display name.
    #[error("no model in {origin} has the display name {wanted:?}; {hint}")]
    NoDisplayName {
        /// Where the listing comes from.
        origin: String,
        /// The policy's display name.
        wanted: String,
        /// The nearest display name, or all of them.
        hint: String,
    },
    /// The policy does not say which of several display names is wanted.
    #[error(
        "{origin} lists models of several display names ({}); set displayName to one of them",
        nearest::join(names, "and")
    )]
    SeveralDisplayNames {
        /// Where the listing comes from.
        origin: String,
        /// The display names.
        names: Vec<String>,
    },
    /// The pinned model is not in the listing.
    #[error(
        "the pinned model {name} is not in {origin}{}",
        nearest.as_ref().map_or_else(
            || "; refresh the catalog or change the pin".to_owned(),
            |nearest| format!("; did you mean {nearest}?"),
        )
    )]
    PinNotListed {
        /// Where the listing comes from.
        origin: String,
        /// The pinned name.
        name: String,
        /// The nearest name in the listing.
        nearest: Option<String>,
    },
    /// A model that is in no listing cannot pass a gate.
    #[error(
        "the model {name} is in no catalog, so the gate on {gate} cannot be judged; add a catalog, \
         or set the gate's missing to warn or ignore"
    )]
    UnlistedGate {
        /// The name of the model.
        name: String,
        /// What the gate is about.
        gate: String,
    },
    /// The policy excludes the model.
    #[error("the model {name} is excluded by the policy; take it out of exclude or choose another")]
    UnlistedExcluded {
        /// The name of the model.
        name: String,
    },
    /// A name cannot be written into a file.
    #[error(transparent)]
    Name(#[from] NameError),
}
