use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::core::model::{Evaluation, State};
use crate::core::policy::Gate;

/// The time of every test.
fn now() -> Timestamp {
    time("2020-07-24T12:00:00Z")
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A deployed model that was created so many days before `now`.
fn model(name: &str, days: i64) -> Model {
    Model {
        display_name: "issues".to_owned(),
        state: State::Deployed,
        ..Model::plain(name, now() - SignedDuration::from_hours(24 * days))
    }
}

fn evaluated(name: &str, days: i64, metrics: &[(&str, f64)]) -> Model {
    let metrics = metrics
        .iter()
        .map(|(metric, figure)| ((*metric).to_owned(), *figure))
        .collect();
    let evaluation = Some(Evaluation {
        metrics,
        per_label: BTreeMap::new(),
    });
    Model {
        evaluation,
        ..model(name, days)
    }
}

fn listing(models: impl Into<Vec<Model>>) -> Listing {
    let origin = "ModelCatalog c (c.yaml)".to_owned();
    Listing {
        models: models.into(),
        observed_at: None,
        origin,
    }
}

fn gates(text: &str) -> Policy {
    Policy {
        gates: Gate::parse_list(text).unwrap(),
        ..Policy::default()
    }
}

fn choose(models: impl Into<Vec<Model>>, policy: &Policy, current: &[&str]) -> Selection {
    let current: Vec<String> = current.iter().map(|name| (*name).to_owned()).collect();
    select(&listing(models), policy, &current, now()).unwrap()
}

fn refusal(models: impl Into<Vec<Model>>, policy: &Policy) -> String {
    select(&listing(models), policy, &[], now())
        .unwrap_err()
        .to_string()
}

fn reason(selection: &Selection, name: &str) -> String {
    selection.reason_for(name).unwrap().to_string()
}

#[test]
fn chooses_the_newest() {
    let selection = choose(
        [model("b", 2), model("a", 1), model("c", 3)],
        &Policy::default(),
        &["c"],
    );
    assert_eq!(selection.chosen_name(), Some("a"));
    assert_eq!(
        selection.summary(),
        "chose a (created 2020-07-23T12:00:00Z), newest of 3 models"
    );
    let rejected: Vec<&str> = selection
        .rejected
        .iter()
        .map(|rejected| rejected.model.name.as_str())
        .collect();
    assert_eq!(rejected, ["b", "c"]);
    assert_eq!(reason(&selection, "b"), "older than the chosen model");
    assert_eq!(selection.reason_for("a"), None);
    assert_eq!(selection.warnings, [] as [&str; 0]);
}

#[test]
fn the_model_in_git_may_stay() {
    let selection = choose([model("a", 1)], &Policy::default(), &["a"]);
    assert_eq!(selection.chosen_name(), Some("a"));
    assert_eq!(
        selection.summary(),
        "chose a (created 2020-07-23T12:00:00Z), newest of 1 model"
    );
}

#[test]
fn display_name_and_labels_must_match() {
    let labels = BTreeMap::from([("team".to_owned(), "triage".to_owned())]);
    let policy = Policy {
        display_name: Some("issues".to_owned()),
        match_labels: labels.clone(),
        ..Policy::default()
    };
    let other = BTreeMap::from([("team".to_owned(), "docs".to_owned())]);
    let selection = choose(
        [
            Model {
                display_name: "pulls".to_owned(),
                ..model("a", 1)
            },
            Model {
                labels: other,
                ..model("b", 2)
            },
            model("c", 3),
            Model {
                labels,
                ..model("d", 4)
            },
        ],
        &policy,
        &[],
    );
    assert_eq!(selection.chosen_name(), Some("d"));
    assert_eq!(
        reason(&selection, "a"),
        r#"display name is "pulls"; wanted "issues""#
    );
    assert_eq!(
        reason(&selection, "b"),
        r#"label "team" is "docs"; wanted "triage""#
    );
    assert_eq!(
        reason(&selection, "c"),
        r#"label "team" is missing; wanted "triage""#
    );
    assert_eq!(
        selection.summary(),
        "chose d (created 2020-07-20T12:00:00Z), newest eligible of 4 models"
    );
}

#[test]
fn excludes_by_full_name_or_last_segment() {
    let exclude = vec!["projects/p/locations/l/models/a".to_owned(), "b".to_owned()];
    let policy = Policy {
        exclude,
        ..Policy::default()
    };
    let selection = choose(
        [
            model("projects/p/locations/l/models/a", 1),
            model("projects/p/locations/l/models/b", 2),
            model("projects/p/locations/l/models/ab", 3),
        ],
        &policy,
        &[],
    );
    assert_eq!(
        selection.chosen_name(),
        Some("projects/p/locations/l/models/ab")
    );
    assert_eq!(
        reason(&selection, "projects/p/locations/l/models/a"),
        "excluded by the policy"
    );
    assert_eq!(
        reason(&selection, "projects/p/locations/l/models/b"),
        "excluded by the policy"
    );
}

#[test]
fn states_must_be_wanted() {
    let selection = choose(
        [
            Model {
                state: State::Training,
                ..model("a", 1)
            },
            Model {
                state: State::Failed,
                ..model("b", 2)
            },
            Model {
                state: State::Trained,
                ..model("c", 3)
            },
        ],
        &Policy::default(),
        &[],
    );
    assert_eq!(selection.chosen_name(), Some("c"));
    assert_eq!(
        reason(&selection, "a"),
        "state is Training; wanted Trained or Deployed"
    );
}

#[test]
fn models_must_be_old_enough() {
    let policy = Policy {
        min_age: Duration::from_secs(86_400),
        ..Policy::default()
    };
    let models = [
        Model {
            create_time: now() + SignedDuration::from_mins(5),
            ..model("future", 0)
        },
        Model {
            create_time: now() - SignedDuration::from_mins(2),
            ..model("young", 0)
        },
        model("old", 1),
    ];
    let selection = choose(models.clone(), &policy, &[]);
    assert_eq!(selection.chosen_name(), Some("old"));
    assert_eq!(
        reason(&selection, "young"),
        "created 2m ago; the minimum age is 1d"
    );
    assert_eq!(
        reason(&selection, "future"),
        "created 5m in the future; the minimum age is 1d"
    );

    // Without a minimum nobody asks for the age.
    assert_eq!(
        choose(models, &Policy::default(), &[]).chosen_name(),
        Some("future")
    );
}

#[test]
fn ages_are_measured_when_the_listing_was_observed() {
    let policy = Policy {
        min_age: Duration::from_secs(3_600),
        ..Policy::default()
    };
    let observed_at = Some(now() - SignedDuration::from_hours(24) + SignedDuration::from_mins(1));
    let listing = Listing {
        observed_at,
        ..listing([model("a", 1)])
    };
    let selection = select(&listing, &policy, &[], now()).unwrap();
    assert_eq!(
        reason(&selection, "a"),
        "created 1m ago; the minimum age is 1h"
    );
    assert_eq!(
        selection.summary(),
        "no model of 1 is eligible: 1 too young"
    );
}

#[test]
fn gates_judge_figures() {
    let models = [
        evaluated("low", 1, &[("precision", 0.58), ("recall", 0.5)]),
        evaluated("high", 2, &[("precision", 0.7), ("recall", 0.95)]),
        evaluated("half", 3, &[("precision", 0.7)]),
        model("none", 4),
        evaluated("broken", 5, &[("precision", f64::NAN)]),
        evaluated("good", 6, &[("precision", 0.6), ("recall", 0.9)]),
    ];
    let selection = choose(models, &gates("precision>=0.6,recall<=0.9"), &[]);
    assert_eq!(selection.chosen_name(), Some("good"));
    assert_eq!(
        reason(&selection, "low"),
        "precision 0.58 is below the minimum 0.6"
    );
    assert_eq!(
        reason(&selection, "high"),
        "recall 0.95 is above the maximum 0.9"
    );
    assert_eq!(
        reason(&selection, "half"),
        "no evaluation for metric \"recall\""
    );
    assert_eq!(
        reason(&selection, "none"),
        "no evaluation for metric \"precision\""
    );
    assert_eq!(
        reason(&selection, "broken"),
        "no evaluation for metric \"precision\""
    );
}

#[test]
fn gates_judge_figures_of_one_label() {
    let per_label = |figure: f64| {
        let figures = BTreeMap::from([("precision".to_owned(), figure)]);
        let per_label = BTreeMap::from([("area-docs".to_owned(), figures)]);
        Some(Evaluation {
            metrics: BTreeMap::new(),
            per_label,
        })
    };
    let models = [
        Model {
            evaluation: per_label(0.4),
            ..model("a", 1)
        },
        evaluated("b", 2, &[("precision", 0.9)]),
        Model {
            evaluation: per_label(0.5),
            ..model("c", 3)
        },
    ];
    let selection = choose(models, &gates("precision[area-docs]>=0.5"), &[]);
    assert_eq!(selection.chosen_name(), Some("c"));
    assert_eq!(
        reason(&selection, "a"),
        "precision[area-docs] 0.4 is below the minimum 0.5"
    );
    assert_eq!(
        reason(&selection, "b"),
        "no evaluation for metric \"precision[area-docs]\""
    );
}

#[test]
fn regression_is_measured_against_the_model_in_git() {
    let policy = gates("recall~0.05");
    let models = [
        evaluated("worse", 1, &[("recall", 0.4)]),
        evaluated("edge", 2, &[("recall", 0.6)]),
        model("silent", 3),
        evaluated("git", 4, &[("recall", 0.65)]),
    ];
    let selection = choose(models.clone(), &policy, &["git"]);
    // 0.65 - 0.6 is a little more than 0.05 in binary.
    assert_eq!(selection.chosen_name(), Some("edge"));
    assert_eq!(
        reason(&selection, "worse"),
        "recall 0.4 is 0.25 below 0.65 of the model in Git (git); at most 0.05 is allowed"
    );
    assert_eq!(
        reason(&selection, "silent"),
        "no evaluation for metric \"recall\""
    );

    // The newest model in Git that has the figure.
    let selection = choose(models.clone(), &policy, &["silent", "git"]);
    assert_eq!(selection.chosen_name(), Some("edge"));

    let selection = choose(models, &policy, &[]);
    assert_eq!(selection.chosen_name(), None);
    assert_eq!(
        reason(&selection, "edge"),
        "no evaluation of the model in Git for metric \"recall\", so a regression cannot be ruled \
         out"
    );
    assert_eq!(
        selection.summary(),
        "no model of 4 is eligible: 4 failed a gate"
    );
}

#[test]
fn the_model_in_git_never_regresses_from_itself() {
    let models = [evaluated("git", 1, &[("recall", 0.3)])];
    assert_eq!(
        choose(models, &gates("recall~0"), &["git"]).chosen_name(),
        Some("git")
    );
}

#[test]
fn missing_figures_may_warn_or_be_ignored() {
    let mut policy = gates("recall~0.05,precision>=0.6");
    policy
        .gates
        .iter_mut()
        .for_each(|gate| gate.missing = Missing::Warn);
    let models = [evaluated("a", 1, &[("recall", 0.4)]), model("b", 2)];
    let selection = choose(models.clone(), &policy, &[]);
    assert_eq!(selection.chosen_name(), Some("a"));
    assert_eq!(
        selection.warnings,
        [
            "the gate on recall was not judged for a: no evaluation of the model in Git for metric \
             \"recall\", so a regression cannot be ruled out",
            "the gate on precision was not judged for a: no evaluation for metric \"precision\"",
        ]
    );
    policy
        .gates
        .iter_mut()
        .for_each(|gate| gate.missing = Missing::Ignore);
    let selection = choose(models, &policy, &[]);
    assert_eq!(selection.chosen_name(), Some("a"));
    assert_eq!(selection.warnings, [] as [&str; 0]);
}

#[test]
fn never_goes_back_unless_allowed() {
    let models = [
        Model {
            state: State::Failed,
            ..model("git", 1)
        },
        model("older", 2),
        model("oldest", 3),
    ];
    let selection = choose(models.clone(), &Policy::default(), &["oldest", "git"]);
    assert_eq!(selection.chosen_name(), None);
    assert_eq!(
        reason(&selection, "older"),
        "older than the model in Git (git); downgrade is forbidden"
    );
    assert!(selection.reason_for("older").unwrap().is_downgrade());
    assert_eq!(
        selection.summary(),
        "no model of 3 is eligible: 1 not in a wanted state, 2 older than the model in Git"
    );

    let policy = Policy {
        downgrade: Downgrade::Allow,
        ..Policy::default()
    };
    assert_eq!(
        choose(models, &policy, &["git"]).chosen_name(),
        Some("older")
    );
}

#[test]
fn a_tie_with_the_model_in_git_is_no_downgrade() {
    let models = [
        Model {
            state: State::Failed,
            ..model("z", 1)
        },
        model("a", 1),
    ];
    assert_eq!(
        choose(models, &Policy::default(), &["z"]).chosen_name(),
        Some("a")
    );
}

#[test]
fn a_tie_is_broken_by_version_then_name_with_a_warning() {
    let versioned = |name: &str, version: &str| Model {
        version: Some(version.to_owned()),
        ..model(name, 1)
    };
    let selection = choose(
        [versioned("a", "9"), versioned("b", "10"), model("c", 1)],
        &Policy::default(),
        &[],
    );
    assert_eq!(selection.chosen_name(), Some("b"));
    assert_eq!(
        selection.warnings,
        [
            "b and a were both created 2020-07-23T12:00:00Z; chose b by version and name",
            "b and c were both created 2020-07-23T12:00:00Z; chose b by version and name",
        ]
    );
    let selection = choose([model("a", 1), model("b", 1)], &Policy::default(), &[]);
    assert_eq!(selection.chosen_name(), Some("b"));
}

#[test]
fn warns_when_the_model_in_git_is_unknown() {
    let selection = choose([model("a", 1)], &Policy::default(), &["gone", "a", "gone"]);
    assert_eq!(selection.chosen_name(), Some("a"));
    assert_eq!(
        selection.warnings,
        [
            "the model in Git (gone) is not in ModelCatalog c (c.yaml), so neither its age nor its \
          metrics could be compared"
        ]
    );
}

#[test]
fn every_rule_holds_for_the_pinned_model_too() {
    let pinned = |pin: &str| Policy {
        pin: Some(pin.to_owned()),
        ..Policy::default()
    };
    let models = [
        model("a", 1),
        model("b", 2),
        Model {
            state: State::Failed,
            ..model("c", 3)
        },
        Model {
            display_name: "other".to_owned(),
            ..model("d", 4)
        },
    ];
    let selection = choose(models.clone(), &pinned("b"), &[]);
    assert_eq!(selection.chosen_name(), Some("b"));
    assert_eq!(reason(&selection, "a"), "not the pinned model");
    assert_eq!(
        selection.summary(),
        "chose b (created 2020-07-22T12:00:00Z), pinned among 4 models"
    );

    let selection = choose(models.clone(), &pinned("c"), &[]);
    assert_eq!(
        selection.summary(),
        "no model of 4 is eligible: 3 not pinned, 1 not in a wanted state"
    );
    let selection = choose(models.clone(), &pinned("b"), &["a"]);
    assert_eq!(
        reason(&selection, "b"),
        "older than the model in Git (a); downgrade is forbidden"
    );

    let both = Policy {
        display_name: Some("issues".to_owned()),
        ..pinned("d")
    };
    let selection = choose(models, &both, &[]);
    assert_eq!(
        reason(&selection, "d"),
        r#"display name is "other"; wanted "issues""#
    );
}

#[test]
fn gives_the_first_reason_in_the_order_of_the_rules() {
    let mut candidate = Model {
        state: State::Failed,
        ..evaluated("a", 0, &[("recall", 0.1)])
    };
    candidate.display_name = "other".to_owned();
    let mut policy = Policy {
        display_name: Some("issues".to_owned()),
        match_labels: [("k".to_owned(), "v".to_owned())].into(),
        pin: Some("git".to_owned()),
        exclude: vec!["a".to_owned()],
        min_age: Duration::from_secs(3_600),
        ..gates("precision>=0.1,recall>=0.2")
    };
    let mut seen = Vec::new();
    let git = evaluated("git", -1, &[]);
    for step in 0..9 {
        let models = [candidate.clone(), git.clone()];
        let selection = choose(models, &policy, &["git"]);
        seen.push(reason(&selection, "a"));
        match step {
            0 => candidate.display_name = "issues".to_owned(),
            1 => policy.match_labels.clear(),
            2 => policy.pin = None,
            3 => policy.exclude.clear(),
            4 => candidate.state = State::Trained,
            5 => policy.min_age = Duration::ZERO,
            6 => drop(policy.gates.remove(0)),
            _ => policy.gates.clear(),
        }
    }
    assert_eq!(
        seen,
        [
            r#"display name is "other"; wanted "issues""#,
            r#"label "k" is missing; wanted "v""#,
            "not the pinned model",
            "excluded by the policy",
            "state is Failed; wanted Trained or Deployed",
            "created 0s ago; the minimum age is 1h",
            "no evaluation for metric \"precision\"",
            "recall 0.1 is below the minimum 0.2",
            "older than the model in Git (git); downgrade is forbidden",
        ]
    );
}

#[test]
fn refuses_what_cannot_be_decided() {
    let display = |name: &str| Policy {
        display_name: Some(name.to_owned()),
        ..Policy::default()
    };
    let pin = |name: &str| Policy {
        pin: Some(name.to_owned()),
        ..Policy::default()
    };
    let other = Model {
        display_name: "pulls".to_owned(),
        ..model("TCN12346", 2)
    };
    let two = vec![model("TCN12345", 1), other];
    assert_eq!(
        refusal([], &Policy::default()),
        "ModelCatalog c (c.yaml) lists no models"
    );
    assert_eq!(
        refusal([model("a", 1), model("a", 2)], &Policy::default()),
        "ModelCatalog c (c.yaml) lists the model a twice; names must be unique"
    );
    assert_eq!(
        refusal(two.clone(), &display("isues")),
        "no model in ModelCatalog c (c.yaml) has the display name \"isues\"; did you mean \
         \"issues\"?"
    );
    assert_eq!(
        refusal(two.clone(), &display("something")),
        "no model in ModelCatalog c (c.yaml) has the display name \"something\"; known are issues \
         and pulls"
    );
    assert_eq!(
        refusal(two.clone(), &Policy::default()),
        "ModelCatalog c (c.yaml) lists models of several display names (issues and pulls); set \
         displayName to one of them"
    );
    assert_eq!(
        refusal(two.clone(), &pin("TCN1234")),
        "the pinned model TCN1234 is not in ModelCatalog c (c.yaml); did you mean TCN12345?"
    );
    assert_eq!(
        refusal(two, &pin("x")),
        "the pinned model x is not in ModelCatalog c (c.yaml); refresh the catalog or change the \
         pin"
    );
}

#[test]
fn takes_an_unlisted_model_unless_a_gate_forbids() {
    let selection = select_unlisted("TCN1", &Policy::default()).unwrap();
    assert_eq!(
        selection.chosen,
        Some(Chosen {
            name: "TCN1".to_owned(),
            model: None
        })
    );
    assert_eq!(
        selection.warnings,
        ["the model TCN1 was not checked against any catalog"]
    );
    assert_eq!(
        selection.summary(),
        "chose TCN1, not checked against any catalog"
    );

    let mut policy = gates("precision[area-docs]>=0.5");
    assert_eq!(
        select_unlisted("TCN1", &policy).unwrap_err().to_string(),
        "the model TCN1 is in no catalog, so the gate on precision[area-docs] cannot be judged; add \
         a catalog, or set the gate's missing to warn or ignore"
    );
    policy.gates[0].missing = Missing::Warn;
    assert_eq!(
        select_unlisted("TCN1", &policy).unwrap().chosen_name(),
        Some("TCN1")
    );
    policy.exclude = vec!["TCN1".to_owned()];
    assert_eq!(
        select_unlisted("TCN1", &policy).unwrap_err().to_string(),
        "the model TCN1 is excluded by the policy; take it out of exclude or choose another"
    );
    assert_eq!(
        select_unlisted("", &policy).unwrap_err().to_string(),
        "the model name is empty; give the name that the registry reports"
    );
}

fn any_model() -> impl Strategy<Value = Model> {
    let figure = prop_oneof![
        4 => (0..=10_i32).prop_map(|tenths| f64::from(tenths) / 10.0),
        1 => Just(f64::NAN),
        1 => Just(f64::MAX),
        1 => Just(f64::MIN),
        1 => Just(f64::NEG_INFINITY),
    ];
    let create_time = prop_oneof![
        8 => (0..4_i64).prop_map(|days| now() - SignedDuration::from_hours(24 * days)),
        1 => Just(Timestamp::MIN),
        1 => Just(Timestamp::MAX),
    ];
    let metrics = prop::collection::btree_map("[pr]", figure, 0..3);
    (
        "[ab]",
        prop::option::of("[0-9]{1,2}"),
        create_time,
        prop::sample::select(&State::ALL),
        prop::collection::btree_map("[k]", "[vw]", 0..2),
        prop::option::of(metrics),
    )
        .prop_map(
            |(display_name, version, create_time, state, labels, metrics)| Model {
                display_name,
                version,
                create_time,
                state,
                labels,
                evaluation: metrics.map(|metrics| Evaluation {
                    metrics,
                    per_label: BTreeMap::new(),
                }),
                ..model("", 0)
            },
        )
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let durations = vec![Duration::ZERO, Duration::from_secs(100_000), Duration::MAX];
    let gate_lists = vec!["", "p>=0.5", "r~0.1,p<=0.9"];
    (
        prop::option::of("[abc]"),
        prop::collection::btree_map("[k]", "[vw]", 0..2),
        prop::sample::select(durations),
        prop::option::weighted(0.2, "m[0-9]"),
        prop::collection::vec("m[0-9]", 0..2),
        prop::bool::ANY,
        prop::sample::select(gate_lists),
        prop::sample::select(vec![Missing::Fail, Missing::Warn, Missing::Ignore]),
    )
        .prop_map(
            |(display_name, match_labels, min_age, pin, exclude, allow, list, missing)| {
                let mut policy = gates(list);
                policy
                    .gates
                    .iter_mut()
                    .for_each(|gate| gate.missing = missing);
                Policy {
                    display_name,
                    match_labels,
                    min_age,
                    exclude,
                    pin,
                    downgrade: if allow {
                        Downgrade::Allow
                    } else {
                        Downgrade::Forbid
                    },
                    ..policy
                }
            },
        )
}

/// Models with the names m0, m1, …, and the same ones shuffled.
fn any_models() -> impl Strategy<Value = (Vec<Model>, Vec<Model>)> {
    prop::collection::vec(any_model(), 0..8)
        .prop_map(|models| {
            let named = models.into_iter().enumerate();
            named
                .map(|(index, model)| Model {
                    name: format!("m{index}"),
                    ..model
                })
                .collect()
        })
        .prop_flat_map(|models: Vec<Model>| (Just(models.clone()), Just(models).prop_shuffle()))
}

/// NaN is not equal to itself, so values are compared by how they print.
fn printed(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

proptest! {
    #[test]
    fn select_is_total_and_does_not_depend_on_the_order(
        (models, shuffled) in any_models(),
        policy in any_policy(),
        current in prop::collection::vec("m[0-9]", 0..3),
    ) {
        let result = select(&listing(models.clone()), &policy, &current, now());
        let again = select(&listing(shuffled), &policy, &current, now());
        prop_assert_eq!(printed(&result), printed(&again));
        let Ok(selection) = result else { return Ok(()) };

        let mut names: Vec<&str> = selection
            .rejected
            .iter()
            .map(|rejected| rejected.model.name.as_str())
            .chain(selection.chosen_name())
            .collect();
        names.sort_unstable();
        let all: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        prop_assert_eq!(names, all);
        let is_newest_first = selection
            .rejected
            .is_sorted_by(|newer, older| order::compare(&newer.model, &older.model).is_gt());
        prop_assert!(is_newest_first);
        prop_assert_eq!(selection.summary().lines().count(), 1);

        // What was chosen is chosen again when it is in Git.
        if let Some(name) = selection.chosen_name() && policy.gates.is_empty() {
            let current = vec![name.to_owned()];
            let next = select(&listing(models.clone()), &policy, &current, now()).unwrap();
            prop_assert_eq!(next.chosen_name(), Some(name));
        }
    }
}
