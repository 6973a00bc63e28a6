//! From a listing and a policy to a selection.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::gate::Verdict;
use super::{Chosen, Downgrade, Missing, Policy, Reason, Rejected, SelectError, Selection, order};
use crate::core::config::nearest;
use crate::core::model::{Listing, Model, name};

/// Chooses the newest model that the policy lets through.
///
/// `current` are the names of the models now in Git. `now` is used for ages when the listing does
/// not say when it was observed.
///
/// # Guarantees
///
/// Every model of the listing is either the chosen one or rejected with a reason. The result does
/// not depend on the order of the listing.
///
/// # Errors
///
/// When the policy does not fit the listing. That no model is eligible is not an error.
pub fn select(
    listing: &Listing,
    policy: &Policy,
    current: &[String],
    now: Timestamp,
) -> Result<Selection, SelectError> {
    check_names(listing)?;
    check_display_names(listing, policy)?;

    let mut models: Vec<&Model> = listing.models.iter().collect();
    models.sort_by(|left, right| order::compare(right, left));
    let judge = Judge {
        policy,
        current: models
            .iter()
            .copied()
            .filter(|model| current.contains(&model.name))
            .collect(),
        time: listing.observed_at.unwrap_or(now),
    };

    let mut warnings: Vec<String> = current
        .iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|name| listing.find(name).is_none())
        .map(|name| {
            format!(
                "the model in Git ({name}) is not in {}, so neither its age nor its metrics could \
                 be compared",
                listing.origin
            )
        })
        .collect();
    let mut chosen: Option<&Model> = None;
    let mut rejected = Vec::new();
    for model in models {
        let reason = match (judge.reason_against(model), chosen) {
            (Some(reason), _) => reason,
            (None, None) => {
                chosen = Some(model);
                continue;
            }
            (None, Some(chosen)) => {
                if chosen.create_time == model.create_time {
                    warnings.push(format!(
                        "{} and {} were both created {}; chose {} by version and name",
                        chosen.name, model.name, model.create_time, chosen.name
                    ));
                }
                Reason::Older
            }
        };
        rejected.push(Rejected {
            model: model.clone(),
            reason,
        });
    }
    if let Some(chosen) = chosen {
        warnings.extend(judge.warnings_about(chosen));
    }
    let chosen = chosen.map(|model| Chosen {
        name: model.name.clone(),
        model: Some(model.clone()),
    });
    Ok(Selection {
        chosen,
        rejected,
        warnings,
    })
}

/// Accepts a model by name alone, when it was pinned on the command line and there is no catalog.
///
/// # Errors
///
/// When the name cannot be written into a file, the policy excludes it, or a gate does not let
/// through what it cannot judge.
pub fn select_unlisted(name: &str, policy: &Policy) -> Result<Selection, SelectError> {
    name::validate(name)?;
    if policy.excludes(name) {
        return Err(SelectError::UnlistedExcluded {
            name: name.to_owned(),
        });
    }
    if let Some(gate) = policy
        .gates
        .iter()
        .find(|gate| gate.missing == Missing::Fail)
    {
        return Err(SelectError::UnlistedGate {
            name: name.to_owned(),
            gate: gate.to_string(),
        });
    }
    let warnings = vec![format!(
        "the model {name} was not checked against any catalog"
    )];
    let chosen = Some(Chosen {
        name: name.to_owned(),
        model: None,
    });
    Ok(Selection {
        chosen,
        rejected: Vec::new(),
        warnings,
    })
}

fn check_names(listing: &Listing) -> Result<(), SelectError> {
    if listing.models.is_empty() {
        return Err(SelectError::Empty {
            origin: listing.origin.clone(),
        });
    }
    match listing.repeated_name() {
        Some(name) => Err(SelectError::DuplicateName {
            origin: listing.origin.clone(),
            name: name.to_owned(),
        }),
        None => Ok(()),
    }
}

fn check_display_names(listing: &Listing, policy: &Policy) -> Result<(), SelectError> {
    let origin = listing.origin.clone();
    if let Some(pin) = &policy.pin
        && listing.find(pin).is_none()
    {
        let nearest = nearest::find(pin, &listing.names()).map(str::to_owned);
        return Err(SelectError::PinNotListed {
            origin,
            name: pin.clone(),
            nearest,
        });
    }
    let display_names: BTreeSet<&str> = listing
        .models
        .iter()
        .map(|model| model.display_name.as_str())
        .collect();
    let names: Vec<&str> = display_names.iter().copied().collect();
    match &policy.display_name {
        Some(wanted) if !display_names.contains(wanted.as_str()) => {
            let hint = nearest::hint(wanted, &names);
            Err(SelectError::NoDisplayName {
                origin,
                wanted: wanted.clone(),
                hint,
            })
        }
        None if names.len() > 1 && policy.pin.is_none() => {
            let names = names.into_iter().map(str::to_owned).collect();
            Err(SelectError::SeveralDisplayNames { origin, names })
        }
        _ => Ok(()),
    }
}

struct Judge<'a> {
    policy: &'a Policy,
    /// The models in Git that the listing knows, newest first.
    current: Vec<&'a Model>,
    /// When ages are measured.
    time: Timestamp,
}

impl Judge<'_> {
    /// The first rule that holds against a model.
    fn reason_against(&self, model: &Model) -> Option<Reason> {
        self.identity(model)
            .or_else(|| self.maturity(model))
            .or_else(|| self.gates(model))
            .or_else(|| self.downgrade(model))
    }

    /// Rules about which model it is.
    fn identity(&self, model: &Model) -> Option<Reason> {
        let policy = self.policy;
        if let Some(wanted) = &policy.display_name
            && *wanted != model.display_name
        {
            let actual = model.display_name.clone();
            return Some(Reason::DisplayName {
                actual,
                wanted: wanted.clone(),
            });
        }
        for (key, wanted) in &policy.match_labels {
            let actual = model.labels.get(key);
            if actual != Some(wanted) {
                return Some(Reason::Label {
                    key: key.clone(),
                    actual: actual.cloned(),
                    wanted: wanted.clone(),
                });
            }
        }
        if policy.pin.as_ref().is_some_and(|pin| *pin != model.name) {
            return Some(Reason::NotPinned);
        }
        policy.excludes(&model.name).then_some(Reason::Excluded)
    }

    /// Rules about how far the model has come.
    fn maturity(&self, model: &Model) -> Option<Reason> {
        let policy = self.policy;
        if !policy.states.contains(&model.state) {
            return Some(Reason::State {
                actual: model.state,
                wanted: policy.states.clone(),
            });
        }
        let minimum = SignedDuration::try_from(policy.min_age).unwrap_or(SignedDuration::MAX);
        let age = self.time.duration_since(model.create_time);
        // A clock that is a little behind is no reason when no age is asked for.
        (!minimum.is_zero() && age < minimum).then_some(Reason::TooYoung {
            age,
            minimum: policy.min_age,
        })
    }

    fn gates(&self, model: &Model) -> Option<Reason> {
        self.policy
            .gates
            .iter()
            .find_map(|gate| match gate.judge(model, &self.current) {
                Verdict::Fail(reason) => Some(reason),
                Verdict::Pass | Verdict::Warn(_) => None,
            })
    }

    fn downgrade(&self, model: &Model) -> Option<Reason> {
        let newest = self.current.first()?;
        (self.policy.downgrade == Downgrade::Forbid && model.create_time < newest.create_time).then(
            || Reason::Downgrade {
                current: newest.name.clone(),
            },
        )
    }

    fn warnings_about(&self, model: &Model) -> Vec<String> {
        let gates = self.policy.gates.iter();
        gates
            .filter_map(|gate| match gate.judge(model, &self.current) {
                Verdict::Warn(reason) => Some(format!(
                    "the gate on {gate} was not judged for {}: {reason}",
                    model.name
                )),
                Verdict::Pass | Verdict::Fail(_) => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
