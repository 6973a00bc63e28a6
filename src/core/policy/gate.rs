//! Gates: thresholds on evaluation metrics, absolute or against the model now in Git.

use std::fmt;

use serde::Deserialize;
use thiserror::Error;

use super::Reason;
use crate::core::config::decode::null_as_default;
use crate::core::model::Model;

/// A threshold on one metric. At least one of the three limits is set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Gate {
    /// The metric.
    pub metric: String,
    /// The label whose figure counts. Without it, the overall figure.
    pub label: Option<String>,
    /// The least figure that passes.
    pub min: Option<f64>,
    /// The greatest figure that passes.
    pub max: Option<f64>,
    /// How far the figure may be below that of the model in Git.
    pub max_regression: Option<f64>,
    /// What holds when there is no figure to judge.
    pub missing: Missing,
}

/// What holds when there is no figure to judge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Missing {
    /// The model does not pass.
    #[default]
    Fail,
    /// The model passes with a warning.
    Warn,
    /// The model passes.
    Ignore,
}

/// A gate that makes no sense. The fault is in the config.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum GateError {
    /// The gate names no metric.
    #[error("the gate names no metric; give for instance metric: precision")]
    NoMetric,
    /// The gate has no limit.
    #[error("the gate on {metric} has no limit; give min, max or maxRegression")]
    NoLimit {
        /// The metric.
        metric: String,
    },
    /// A limit is not a finite number.
    #[error("the gate on {metric} has the limit {value}, which is not a finite number")]
    NotFinite {
        /// The metric.
        metric: String,
        /// The limit.
        value: f64,
    },
    /// No figure could pass.
    #[error("the gate on {metric} has min {min} above max {max}, so that nothing passes")]
    Contradiction {
        /// The metric.
        metric: String,
        /// The minimum.
        min: f64,
        /// The maximum.
        max: f64,
    },
    /// The allowed regression is below zero.
    #[error("the gate on {metric} has maxRegression {value}; use 0 or more")]
    NegativeRegression {
        /// The metric.
        metric: String,
        /// The allowed regression.
        value: f64,
    },
    /// A flat gate has a shape that is not known.
    #[error(
        "{text:?} is not a gate; write precision>=0.6, recall<=0.9, recall~0.05 or \
         precision[area-docs]>=0.5"
    )]
    Malformed {
        /// The text.
        text: String,
    },
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Parts {
    metric: String,
    label: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    max_regression: Option<f64>,
    #[serde(deserialize_with = "null_as_default")]
    missing: Missing,
}

impl TryFrom<Parts> for Gate {
    type Error = GateError;

    fn try_from(parts: Parts) -> Result<Self, GateError> {
        let gate = Self {
            metric: parts.metric,
            label: parts.label,
            min: parts.min,
            max: parts.max,
            max_regression: parts.max_regression,
            missing: parts.missing,
        };
        gate.validate()?;
        Ok(gate)
    }
}

impl Gate {
    /// Reads the flat form: `precision>=0.6,recall<=0.9,recall~0.05,precision[area-docs]>=0.5`,
    /// where `~` is `maxRegression`.
    ///
    /// # Errors
    ///
    /// When an entry is not a gate.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, GateError> {
        let mut is_in_label = false;
        let entries = text.split(|character| {
            match character {
                '[' => is_in_label = true,
                ']' => is_in_label = false,
                _ => {}
            }
            character == ',' && !is_in_label
        });
        entries
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(Self::parse)
            .collect()
    }

    fn parse(entry: &str) -> Result<Self, GateError> {
        let malformed = || GateError::Malformed {
            text: entry.to_owned(),
        };
        let end = entry.find(['[', '>', '<', '~']).ok_or_else(malformed)?;
        let (metric, rest) = entry.split_at(end);
        let (label, rest) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (label, rest) = rest.split_once(']').ok_or_else(malformed)?;
                (
                    Some(label.trim().to_owned()).filter(|label| !label.is_empty()),
                    rest.trim_start(),
                )
            }
            None => (None, rest),
        };
        if label.is_none() && entry[end..].starts_with('[') {
            return Err(malformed());
        }
        let (operator, number) = [">=", "<=", "~"]
            .into_iter()
            .find_map(|operator| Some((operator, rest.strip_prefix(operator)?)))
            .ok_or_else(malformed)?;
        let limit: f64 = number.trim().parse().map_err(|_| malformed())?;
        let limit_of = |wanted: &str| (operator == wanted).then_some(limit);
        Self::try_from(Parts {
            metric: metric.trim().to_owned(),
            label,
            min: limit_of(">="),
            max: limit_of("<="),
            max_regression: limit_of("~"),
            missing: Missing::default(),
        })
    }

    fn validate(&self) -> Result<(), GateError> {
        if self.metric.trim().is_empty() {
            return Err(GateError::NoMetric);
        }
        let metric = || self.to_string();
        let limits = [self.min, self.max, self.max_regression];
        if let Some(value) = limits
            .into_iter()
            .flatten()
            .find(|value| !value.is_finite())
        {
            return Err(GateError::NotFinite {
                metric: metric(),
                value,
            });
        }
        if limits == [None; 3] {
            return Err(GateError::NoLimit { metric: metric() });
        }
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min > max
        {
            return Err(GateError::Contradiction {
                metric: metric(),
                min,
                max,
            });
        }
        match self.max_regression {
            Some(value) if value < 0.0 => Err(GateError::NegativeRegression {
                metric: metric(),
                value,
            }),
            _ => Ok(()),
        }
    }

    /// The figure of a model that this gate is about.
    #[must_use]
    pub fn figure(&self, model: &Model) -> Option<f64> {
        let evaluation = model.evaluation.as_ref()?;
        let figures = match &self.label {
            Some(label) => evaluation.per_label.get(label)?,
            None => &evaluation.metrics,
        };
        // A source may report what it could not compute as not a number.
        figures
            .get(&self.metric)
            .copied()
            .filter(|figure| figure.is_finite())
    }

    /// Judges a model. `current` are the models in Git, newest first.
    pub(super) fn judge(&self, model: &Model, current: &[&Model]) -> Verdict {
        let Some(figure) = self.figure(model) else {
            return self.without(Reason::NoFigure {
                gate: self.to_string(),
            });
        };
        if let Some(minimum) = self.min
            && figure < minimum
        {
            let gate = self.to_string();
            return Verdict::Fail(Reason::BelowMinimum {
                gate,
                figure,
                minimum,
            });
        }
        if let Some(maximum) = self.max
            && figure > maximum
        {
            let gate = self.to_string();
            return Verdict::Fail(Reason::AboveMaximum {
                gate,
                figure,
                maximum,
            });
        }
        let Some(allowed) = self.max_regression else {
            return Verdict::Pass;
        };
        let baseline = current
            .iter()
            .find_map(|current| Some((*current, self.figure(current)?)));
        let Some((current, baseline)) = baseline else {
            return self.without(Reason::NoBaseline {
                gate: self.to_string(),
            });
        };
        let drop = baseline - figure;
        // 0.65 - 0.6 is a little more than 0.05 in binary; nobody means that.
        if drop > allowed + 1e-9 * baseline.abs().max(1.0) {
            return Verdict::Fail(Reason::Regression {
                gate: self.to_string(),
                figure,
                baseline,
                allowed,
                current: current.name.clone(),
            });
        }
        Verdict::Pass
    }

    fn without(&self, reason: Reason) -> Verdict {
        match self.missing {
            Missing::Fail => Verdict::Fail(reason),
            Missing::Warn => Verdict::Warn(reason),
            Missing::Ignore => Verdict::Pass,
        }
    }
}

/// What a gate is about: `precision` or `precision[area-docs]`.
impl fmt::Display for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.metric)?;
        match &self.label {
            Some(label) => write!(formatter, "[{label}]"),
            None => Ok(()),
        }
    }
}

/// What a gate says about a model.
pub(super) enum Verdict {
    Pass,
    /// Passed, but for a reason that the user wants to hear of.
    Warn(Reason),
    Fail(Reason),
}

#[cfg(test)]
mod tests;
