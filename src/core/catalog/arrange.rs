//! Which models a catalog gets, and in which order.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::core::model::Model;
use crate::core::policy::order;

/// The models that a catalog is to have, in order, and how they differ from those that it has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrangement {
    /// The models, in the order in which they are to stand.
    pub models: Vec<Model>,
    /// For each of them its index in the old catalog; `None` when it is new.
    pub origins: Vec<Option<usize>>,
    /// Names of the new models.
    pub added: Vec<String>,
    /// Models that are not as they were.
    pub changed: Vec<Changed>,
    /// Names of models that are gone.
    pub removed: Vec<String>,
}

/// A model that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// The fields that differ, as they are written in YAML.
    pub fields: Vec<String>,
}

impl Arrangement {
    /// Whether the catalog is to have the models that it has.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    /// How many models stay as they are.
    #[must_use]
    pub fn unchanged(&self) -> usize {
        self.models.len() - self.added.len() - self.changed.len()
    }
}

/// Arranges what a registry reports. Models that the catalog has keep their order. New ones go to
/// where they belong when the catalog is sorted by time, newest first or oldest first; else to the
/// end, oldest first. A catalog of fewer than two models counts as sorted newest first.
#[must_use]
pub fn arrange(old: &[Model], reported: &[Model]) -> Arrangement {
    let mut wanted: BTreeMap<&str, Model> = BTreeMap::new();
    for model in reported {
        wanted.insert(&model.name, writable(model));
    }
    let mut arrangement = Arrangement::default();
    let mut kept: Vec<(usize, Model)> = Vec::new();
    for (index, model) in old.iter().enumerate() {
        let Some(new) = wanted.remove(model.name.as_str()) else {
            arrangement.removed.push(model.name.clone());
            continue;
        };
        if *model != new {
            arrangement.changed.push(Changed {
                name: model.name.clone(),
                fields: different_fields(model, &new),
            });
        }
        kept.push((index, new));
    }
    let mut added: Vec<Model> = wanted.into_values().collect();
    added.sort_by(order::compare);
    arrangement.added = added.iter().map(|model| model.name.clone()).collect();
    let newest_first = is_sorted(old, Ordering::is_ge);
    let is_in_order = newest_first || is_sorted(old, Ordering::is_le);
    if newest_first {
        added.reverse();
    }
    let mut added = added.into_iter().peekable();
    for (index, model) in kept {
        let comes_first = |new: &Model| {
            let order = order::compare(new, &model);
            is_in_order
                && if newest_first {
                    order.is_gt()
                } else {
                    order.is_lt()
                }
        };
        while let Some(new) = added.next_if(comes_first) {
            arrangement.models.push(new);
            arrangement.origins.push(None);
        }
        arrangement.models.push(model);
        arrangement.origins.push(Some(index));
    }
    for new in added {
        arrangement.models.push(new);
        arrangement.origins.push(None);
    }
    arrangement
}

/// Whether each model stands to the next in age as `allows` says.
fn is_sorted(models: &[Model], allows: fn(Ordering) -> bool) -> bool {
    models
        .windows(2)
        .all(|pair| allows(pair[0].create_time.cmp(&pair[1].create_time)))
}

/// A model without the figures that cannot be compared, which a catalog cannot hold.
fn writable(model: &Model) -> Model {
    let mut model = model.clone();
    if let Some(evaluation) = &mut model.evaluation {
        evaluation.metrics.retain(|_, figure| figure.is_finite());
        for metrics in evaluation.per_label.values_mut() {
            metrics.retain(|_, figure| figure.is_finite());
        }
    }
    model
}

fn different_fields(old: &Model, new: &Model) -> Vec<String> {
    let (old, new) = (super::rewrite::fields(old), super::rewrite::fields(new));
    let mut names: Vec<String> = old
        .keys()
        .chain(new.keys().filter(|key| !old.contains_key(*key)))
        .filter(|key| old.get(*key) != new.get(*key))
        .cloned()
        .collect();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::{Evaluation, State};

    fn model(name: &str, day: i64) -> Model {
        Model::plain(name, jiff::Timestamp::from_second(day * 86_400).unwrap())
    }

    fn names(old: &[(&str, i64)], reported: &[(&str, i64)]) -> String {
        let models = |pairs: &[(&str, i64)]| -> Vec<Model> {
            pairs.iter().map(|(name, day)| model(name, *day)).collect()
        };
        let arrangement = arrange(&models(old), &models(reported));
        let names = arrangement.models.iter().map(|model| model.name.as_str());
        names.collect()
    }

    #[test]
    fn new_models_go_where_they_belong() {
        let new = [("a", 1), ("b", 2), ("c", 3), ("d", 4)];
        assert_eq!(names(&[("a", 1), ("c", 3)], &new), "abcd");
        assert_eq!(names(&[("c", 3), ("a", 1)], &new), "dcba");
        assert_eq!(names(&[("c", 3)], &new), "dcba");
        assert_eq!(names(&[], &new), "dcba");
        // Not sorted.
        assert_eq!(names(&[("c", 3), ("a", 1), ("d", 4)], &new), "cadb");
        assert_eq!(names(&[("b", 2), ("x", 9)], &new), "abcd");
        // Equal times.
        assert_eq!(
            names(&[("a", 1), ("c", 1)], &[("a", 1), ("b", 1), ("c", 1)]),
            "bac"
        );
    }

    #[test]
    fn says_what_differs() {
        let old = [model("a", 1), model("b", 2), model("c", 3)];
        let mut changed = model("b", 2);
        changed.state = State::Deployed;
        changed.uri = Some("gs://b".to_owned());
        let arrangement = arrange(&old, &[changed, model("d", 4), model("a", 1)]);
        assert_eq!(arrangement.added, ["d"]);
        assert_eq!(arrangement.removed, ["c"]);
        assert_eq!(arrangement.changed[0].name, "b");
        assert_eq!(arrangement.changed[0].fields, ["state", "uri"]);
        assert_eq!(arrangement.unchanged(), 1);
        assert_eq!(arrangement.origins, [Some(0), Some(1), None]);
    }

    #[test]
    fn figures_that_are_none_are_left_out() {
        let mut reported = model("a", 1);
        reported.evaluation = Some(Evaluation {
            metrics: [("loss".to_owned(), f64::NAN), ("precision".to_owned(), 0.5)].into(),
            per_label: [("l".to_owned(), [("x".to_owned(), f64::INFINITY)].into())].into(),
        });
        let arrangement = arrange(&[], &[reported]);
        let evaluation = arrangement.models[0].evaluation.as_ref().unwrap();
        assert_eq!(evaluation.metrics.len(), 1);
        assert!(evaluation.per_label["l"].is_empty());
        assert!(arrange(&arrangement.models, &arrangement.models).is_unchanged());
    }
}
