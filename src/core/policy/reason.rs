//! Why a model was not chosen, with the figures.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;

use super::duration;
use crate::core::config::nearest;
use crate::core::model::State;

/// Why a model was not chosen. The first rule that holds against it, in the order of the variants.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// Another display name is wanted.
    DisplayName {
        /// The model's display name.
        actual: String,
        /// The policy's display name.
        wanted: String,
    },
    /// A label is missing or has another value.
    Label {
        /// The label.
        key: String,
        /// The model's value.
        actual: Option<String>,
        /// The policy's value.
        wanted: String,
    },
    /// Another model is pinned.
    NotPinned,
    /// The policy excludes the model.
    Excluded,
    /// The model is in another state.
    State {
        /// The model's state.
        actual: State,
        /// The policy's states.
        wanted: Vec<State>,
    },
    /// The model is too young.
    TooYoung {
        /// The model's age; negative when it was created after it was observed.
        age: SignedDuration,
        /// The policy's minimum.
        minimum: Duration,
    },
    /// A figure is below the gate's minimum.
    BelowMinimum {
        /// The metric, with the label where there is one.
        gate: String,
        /// The model's figure.
        figure: f64,
        /// The gate's minimum.
        minimum: f64,
    },
    /// A figure is above the gate's maximum.
    AboveMaximum {
        /// The metric, with the label where there is one.
        gate: String,
        /// The model's figure.
        figure: f64,
        /// The gate's maximum.
        maximum: f64,
    },
    /// A figure is too far below that of the model in Git.
    Regression {
        /// The metric, with the label where there is one.
        gate: String,
        /// The model's figure.
        figure: f64,
        /// The figure of the model in Git.
        baseline: f64,
        /// The regression that the gate allows.
        allowed: f64,
        /// The model in Git.
        current: String,
    },
    /// The model has no figure for a gate.
    NoFigure {
        /// The metric, with the label where there is one.
        gate: String,
    },
    /// No model in Git has a figure to compare with.
    NoBaseline {
        /// The metric, with the label where there is one.
        gate: String,
    },
    /// The model is older than the one in Git.
    Downgrade {
        /// The model in Git.
        current: String,
    },
    /// The model may be chosen, but a newer one may too.
    Older,
}

impl Reason {
    /// Tells whether a gate rejected the model.
    #[must_use]
    pub const fn is_gate(&self) -> bool {
        matches!(
            self,
            Self::BelowMinimum { .. }
                | Self::AboveMaximum { .. }
                | Self::Regression { .. }
                | Self::NoFigure { .. }
                | Self::NoBaseline { .. }
        )
    }

    /// Tells whether the model was rejected for being older than the one in Git.
    #[must_use]
    pub const fn is_downgrade(&self) -> bool {
        matches!(self, Self::Downgrade { .. })
    }

    /// The reason without its figures, to be counted. The number is its place in a summary.
    pub(super) const fn group(&self) -> (u8, &'static str) {
        match self {
            Self::DisplayName { .. } => (0, "with another display name"),
            Self::Label { .. } => (1, "without a wanted label"),
            Self::NotPinned => (2, "not pinned"),
            Self::Excluded => (3, "excluded by the policy"),
            Self::State { .. } => (4, "not in a wanted state"),
            Self::TooYoung { .. } => (5, "too young"),
            Self::Downgrade { .. } => (7, "older than the model in Git"),
            Self::Older => (8, "older than the chosen model"),
            _ => (6, "failed a gate"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DisplayName { actual, wanted } => {
                write!(formatter, "display name is {actual:?}; wanted {wanted:?}")
            }
            Self::Label {
                key,
                actual: Some(actual),
                wanted,
            } => {
                write!(formatter, "label {key:?} is {actual:?}; wanted {wanted:?}")
            }
            Self::Label {
                key,
                actual: None,
                wanted,
            } => {
                write!(formatter, "label {key:?} is missing; wanted {wanted:?}")
            }
            Self::NotPinned => formatter.write_str("not the pinned model"),
            Self::Excluded => formatter.write_str("excluded by the policy"),
            Self::State { actual, wanted } => {
                let wanted: Vec<&str> = wanted.iter().map(|state| state.as_str()).collect();
                write!(
                    formatter,
                    "state is {actual}; wanted {}",
                    nearest::join(&wanted, "or")
                )
            }
            Self::TooYoung { age, minimum } => {
                let minimum = duration::format(*minimum);
                let place = if age.is_negative() {
                    "in the future"
                } else {
                    "ago"
                };
                let age = duration::format(rounded(age.unsigned_abs()));
                write!(
                    formatter,
                    "created {age} {place}; the minimum age is {minimum}"
                )
            }
            Self::BelowMinimum {
                gate,
                figure,
                minimum,
            } => write!(
                formatter,
                "{gate} {} is below the minimum {}",
                Figure(*figure),
                Figure(*minimum)
            ),
            Self::AboveMaximum {
                gate,
                figure,
                maximum,
            } => write!(
                formatter,
                "{gate} {} is above the maximum {}",
                Figure(*figure),
                Figure(*maximum)
            ),
            Self::Regression {
                gate,
                figure,
                baseline,
                allowed,
                current,
            } => write!(
                formatter,
                "{gate} {} is {} below {} of the model in Git ({current}); at most {} is allowed",
                Figure(*figure),
                Figure(difference(*baseline, *figure)),
                Figure(*baseline),
                Figure(*allowed)
            ),
            Self::NoFigure { gate } => write!(formatter, "no evaluation for metric {gate:?}"),
            Self::NoBaseline { gate } => write!(
                formatter,
                "no evaluation of the model in Git for metric {gate:?}, so a regression cannot be \
                 ruled out"
            ),
            Self::Downgrade { current } => {
                write!(
                    formatter,
                    "older than the model in Git ({current}); downgrade is forbidden"
                )
            }
            Self::Older => formatter.write_str("older than the chosen model"),
        }
    }
}

/// An age without the fractions of a second that nobody reads.
fn rounded(age: Duration) -> Duration {
    match age.as_secs() {
        0 => age,
        seconds => Duration::from_secs(seconds),
    }
}

/// A number in the fewest digits that read back as the same, without hundreds of zeros.
struct Figure(f64);

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.abs();
        if magnitude != 0.0 && !(1e-5..1e16).contains(&magnitude) {
            write!(formatter, "{:e}", self.0)
        } else {
            write!(formatter, "{}", self.0)
        }
    }
}

/// The difference as people compute it: 0.5 - 0.4 is 0.1, not 0.09999999999999998.
fn difference(left: f64, right: f64) -> f64 {
    let exact = left - right;
    let rounded = (exact * 1e9).round() / 1e9;
    if rounded == 0.0 || !rounded.is_finite() {
        exact
    } else {
        rounded
    }
}

#[cfg(test)]
mod tests;
