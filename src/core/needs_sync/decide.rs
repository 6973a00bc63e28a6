//! The two decisions. What a registry lists and trains, and what time it is, is brought along.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::core::change::{Models, OwnConfig, locate, update};
use crate::core::config::SetModel;
use crate::core::model::{Listing, Model, State};
use crate::core::package::Package;
use crate::core::policy::{Policy, duration, order};

/// An answer, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// Something needs to be done.
    Yes {
        /// The model to do it with.
        model: Option<String>,
        /// Why, on one line.
        reason: String,
    },
    /// Nothing needs to be done.
    No {
        /// The model that is in place.
        model: Option<String>,
        /// Why, on one line.
        reason: String,
    },
    /// It cannot be said.
    Undecided {
        /// Why not, one line each; at least one.
        messages: Vec<String>,
    },
}

/// Whether the package should hold another model than it does.
///
/// A source without any model that the policy could look at, as before the first training, is no
/// error: there is nothing to write, and the answer is no.
pub fn needs_sync(
    package: &Package<'_>,
    config: &SetModel,
    models: &Models,
    now: Timestamp,
) -> Decision {
    let own = OwnConfig::default();
    if let Ok(Some(listing)) = models.listing(package, config)
        && candidates(&listing, &config.policy).next().is_none()
        && locate(package, &config.targets, &own).refusals.is_empty()
    {
        return Decision::No {
            model: None,
            reason: nothing_listed(&listing, &config.policy),
        };
    }
    match update(package, config, &own, models, now) {
        Err(errors) => {
            let messages = errors.into_iter().map(|error| error.message);
            Decision::Undecided {
                messages: messages.collect(),
            }
        }
        Ok(update) => {
            let model = update.selection.chosen_name().map(str::to_owned);
            let reason = if update.change.is_empty() {
                let summary = update.results.into_iter().next();
                summary.map(|summary| summary.message).unwrap_or_default()
            } else {
                let was = match update.change.previous.as_slice() {
                    [] => "no model".to_owned(),
                    previous => previous.join(" and "),
                };
                let why = update.selection.summary();
                format!("{}: {why}; in Git is {was}", config.name)
            };
            if update.change.is_empty() {
                Decision::No { model, reason }
            } else {
                Decision::Yes { model, reason }
            }
        }
    }
}

/// Whether a model should be trained: nothing is being trained, and the newest model is at least
/// `interval` old or there is none.
///
/// The newest model counts whatever has become of it, so that a training that failed is not repeated
/// at once. `training` names what the registry is training now, for whichever display name.
pub fn needs_train(
    config: &SetModel,
    listing: &Listing,
    training: &[String],
    interval: Duration,
    now: Timestamp,
) -> Decision {
    let name = &config.name;
    let models: Vec<&Model> = candidates(listing, &config.policy).collect();
    let under_way = models.iter().filter(|model| model.state == State::Training);
    let under_way: Vec<&str> = training
        .iter()
        .map(String::as_str)
        .chain(under_way.map(|model| model.name.as_str()))
        .collect();
    if let Some(first) = under_way.first() {
        let others = match under_way.len() - 1 {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        return Decision::No {
            model: None,
            reason: format!("{name}: {first} is being trained{others}"),
        };
    }
    let newest = models
        .into_iter()
        .max_by(|left, right| order::compare(left, right));
    let Some(newest) = newest else {
        let why = nothing_listed(listing, &config.policy);
        return Decision::Yes {
            model: None,
            reason: format!("{name}: {why}"),
        };
    };
    let age = now.duration_since(newest.create_time);
    let limit = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
    let reason = |relation: &str| {
        format!(
            "{name}: the newest model {} was created {}, {relation} {} ago",
            newest.name,
            newest.create_time,
            duration::format(interval)
        )
    };
    if age < limit {
        Decision::No {
            model: None,
            reason: reason("less than"),
        }
    } else {
        Decision::Yes {
            model: None,
            reason: reason("at least"),
        }
    }
}

/// The models of the policy's display name.
fn candidates<'l>(listing: &'l Listing, policy: &'l Policy) -> impl Iterator<Item = &'l Model> {
    let wanted = policy.display_name.as_ref();
    let models = listing.models.iter();
    models.filter(move |model| wanted.is_none_or(|wanted| *wanted == model.display_name))
}

fn nothing_listed(listing: &Listing, policy: &Policy) -> String {
    match &policy.display_name {
        Some(name) => format!(
            "{} lists no model with display name {name:?}",
            listing.origin
        ),
        None => format!("{} lists no model", listing.origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::package::{Layout, Part};

    const CONFIG: &str = "\
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: SetModel
metadata: {name: bot}
spec:
  policy: {displayName: d}
  targets:
  - resource: {kind: ConfigMap, name: bot}
    field: data.model
";

    fn config() -> SetModel {
        SetModel::from_yaml(CONFIG, "c.yaml").unwrap()
    }

    fn now() -> Timestamp {
        "2020-06-02T00:00:00Z".parse().unwrap()
    }

    fn listing(models: &[(&str, &str, &str)]) -> Listing {
        let entries: String = models
            .iter()
            .map(|(name, time, state)| {
                let display = if *name == "other" { "e" } else { "d" };
                format!("  - {{name: {name}, displayName: {display}, createTime: {time}, state: {state}}}\n")
            })
            .collect();
        let text = format!(
            "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: ModelCatalog\nmetadata: {{name: r}}\nspec:\n  models:{}",
            if entries.is_empty() {
                " []\n".to_owned()
            } else {
                format!("\n{entries}")
            }
        );
        let mut listing = crate::core::model::ModelCatalog::from_yaml(&text, "r.yaml")
            .unwrap()
            .listing;
        listing.origin = "the registry".to_owned();
        listing
    }

    fn sync(map: &str, models: &[(&str, &str, &str)]) -> Decision {
        let package = Package::new(Layout::Directory, [Part::file("map.yaml", map)]);
        needs_sync(&package, &config(), &Models::given(listing(models)), now())
    }

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bot}\ndata: {model: m1}\n";
    const M1: (&str, &str, &str) = ("m1", "2020-05-01T00:00:00Z", "Deployed");
    const M2: (&str, &str, &str) = ("m2", "2020-06-01T00:00:00Z", "Trained");

    #[test]
    fn a_newer_model_needs_a_sync() {
        let Decision::Yes { model, reason } = sync(MAP, &[M2, M1]) else {
            panic!("no");
        };
        assert_eq!(model.as_deref(), Some("m2"));
        insta::assert_snapshot!(reason, @"bot: chose m2 (created 2020-06-01T00:00:00Z), newest of 2 models; in Git is m1");
    }

    #[test]
    fn the_newest_model_needs_none() {
        let Decision::No { model, reason } = sync(MAP, &[M1]) else {
            panic!("yes");
        };
        assert_eq!(model.as_deref(), Some("m1"));
        insta::assert_snapshot!(reason, @"bot: m1 is current: chose m1 (created 2020-05-01T00:00:00Z), newest of 1 model");
    }

    #[test]
    fn no_model_at_all_is_a_no_with_a_reason() {
        let other = ("other", "2020-06-01T00:00:00Z", "Trained");
        for models in [&[][..], &[other]] {
            let Decision::No {
                model: None,
                reason,
            } = sync(MAP, models)
            else {
                panic!("{models:?}");
            };
            assert_eq!(
                reason,
                "the registry lists no model with display name \"d\""
            );
        }
        let failed = ("m2", "2020-06-01T00:00:00Z", "Failed");
        let Decision::No {
            model: None,
            reason,
        } = sync(MAP, &[failed])
        else {
            panic!("yes");
        };
        insta::assert_snapshot!(reason, @"bot: nothing was changed: no model of 1 is eligible: 1 not in a wanted state");
    }

    #[test]
    fn a_place_that_is_not_there_leaves_it_undecided() {
        for models in [&[][..], &[M2]] {
            let Decision::Undecided { messages } = sync("a: 1\n", models) else {
                panic!("{models:?}");
            };
            assert!(messages[0].contains("no document matches"), "{messages:?}");
        }
    }

    #[test]
    fn trains_when_nothing_is_training_and_the_newest_is_old() {
        let day = Duration::from_secs(86_400);
        type Models<'m> = &'m [(&'m str, &'m str, &'m str)];
        let cases: [(&str, Models<'_>, &[&str], bool, &str); 9] = [
            ("none", &[], &[], true, "lists no model with display name"),
            (
                "others only",
                &[("other", "2020-06-01T23:00:00Z", "Trained")],
                &[],
                true,
                "lists no model",
            ),
            ("old", &[M1], &[], true, "at least 1d ago"),
            ("exactly as old", &[M2], &[], true, "at least 1d ago"),
            (
                "young",
                &[M1, ("m3", "2020-06-01T00:00:01Z", "Trained")],
                &[],
                false,
                "m3 was created 2020-06-01T00:00:01Z, less than 1d ago",
            ),
            (
                "young and failed",
                &[("m3", "2020-06-01T12:00:00Z", "Failed")],
                &[],
                false,
                "less than",
            ),
            (
                "in the future",
                &[("m3", "2021-06-01T12:00:00Z", "Trained")],
                &[],
                false,
                "less than",
            ),
            (
                "an operation",
                &[M1],
                &["operations/1", "operations/2"],
                false,
                "operations/1 is being trained and 1 more",
            ),
            (
                "a model in training",
                &[("m3", "2020-01-01T00:00:00Z", "Training")],
                &[],
                false,
                "m3 is being trained",
            ),
        ];
        for (case, models, training, wanted, says) in cases {
            let training: Vec<String> = training.iter().map(|name| (*name).to_owned()).collect();
            let (is_yes, reason) =
                match needs_train(&config(), &listing(models), &training, day, now()) {
                    Decision::Yes { reason, .. } => (true, reason),
                    Decision::No { reason, .. } => (false, reason),
                    Decision::Undecided { messages } => panic!("{case}: {messages:?}"),
                };
            assert_eq!(is_yes, wanted, "{case}: {reason}");
            assert!(reason.contains(says), "{case}: {reason}");
        }
    }
}
