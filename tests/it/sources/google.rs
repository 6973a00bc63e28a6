//! AutoML and Vertex AI.

use serde_json::Value;

use super::Package;
use crate::harness::registry::Registry;
use crate::harness::registry::google::{Google, PARENT, automl, vertex_ai};

const NEWEST: &str = "TCN4752636812038504448";
const SECOND: &str = "TCN654213816573231104";

fn serve(google: Google) -> Registry {
    Registry::start(move |asked| google.answer(asked))
}

pub(super) fn source(kind: &str, registry: &Registry) -> String {
    let [_, project, _, location] = PARENT.split('/').collect::<Vec<_>>()[..] else {
        panic!("{PARENT}");
    };
    format!(
        "{kind}: {{project: \"{project}\", location: {location}, endpoint: \"{}\"}}",
        registry.url()
    )
}

fn automl_model(id: &str) -> String {
    format!("{PARENT}/models/{id}")
}

#[test]
fn automl_gives_its_newest_model() {
    let registry = serve(automl());
    let package = Package::new(&source("automl", &registry), "{displayName: label-bot}");
    assert_eq!(package.render(&[]), automl_model(NEWEST));
    let paths: Vec<String> = registry
        .asked()
        .into_iter()
        .map(|asked| asked.path)
        .collect();
    // Three pages of models; the evaluations of the four that have the name, two of them on two
    // pages; nothing about the other one.
    let pages = |end: &str| paths.iter().filter(|path| path.ends_with(end)).count();
    assert_eq!(pages("/models"), 3, "{paths:#?}");
    assert_eq!(pages("/modelEvaluations"), 6, "{paths:#?}");
    assert_eq!(pages("/TCN1111111111111111111/modelEvaluations"), 0);
    // Nobody has said who we are, and this is loopback.
    let asked = registry.asked();
    assert!(
        asked
            .iter()
            .all(|asked| !asked.headers.contains_key("authorization"))
    );
}

#[test]
fn automl_models_are_chosen_by_state_label_and_age() {
    let registry = serve(automl());
    for (policy, chosen) in [
        ("{displayName: label-bot, states: [Deployed]}", SECOND),
        (
            "{displayName: label-bot, matchLabels: {team: docs}}",
            SECOND,
        ),
        ("{displayName: other-bot}", "TCN1111111111111111111"),
    ] {
        let package = Package::new(&source("automl", &registry), policy);
        assert_eq!(package.render(&[]), automl_model(chosen), "{policy}");
    }
}

/// The newest model has precision 0.78125 and recall 0.53125; the one before 0.71875 and 0.5.
#[test]
fn gates_judge_what_automl_evaluated() {
    let registry = serve(automl());
    let cases = [
        ("{metric: precision, min: 0.78}", Some(NEWEST)),
        ("{metric: precision, max: 0.78}", Some(SECOND)),
        ("{metric: f1Score, min: 0.5625, max: 0.5625}", Some(NEWEST)),
        ("{metric: auRoc, min: 0.9}", Some(NEWEST)),
        // Only the newest has it.
        ("{metric: auRoc, max: 0.9, missing: fail}", None),
        ("{metric: auRoc, max: 0.9, missing: ignore}", Some(SECOND)),
        ("{metric: recall, label: area-docs, min: 0.7}", Some(NEWEST)),
        ("{metric: recall, label: area-docs, max: 0.7}", Some(SECOND)),
        // Left out by AutoML because it is zero.
        ("{metric: recall, label: kind-bug, max: 0}", Some(SECOND)),
        ("{metric: recall, label: no-such, min: 0.1}", None),
    ];
    for (gate, chosen) in cases {
        let policy = format!("{{displayName: label-bot, gates: [{gate}]}}");
        let package = Package::new(&source("automl", &registry), &policy);
        let run = package.run("render", &[]);
        match chosen {
            Some(chosen) => {
                assert_eq!(run.code, 0, "{gate}: {}", run.stderr);
                assert_eq!(package.model(), automl_model(chosen), "{gate}");
            }
            None => assert_eq!(package.model(), "none yet", "{gate}: {}", run.stderr),
        }
    }
}

#[test]
fn a_gate_against_the_model_in_git_uses_the_registry_too() {
    let registry = serve(automl());
    // Precision in Git 0.78125, and what is left falls behind it by 0.0625.
    for (allowed, chosen) in [("0.05", NEWEST), ("0.07", SECOND)] {
        let policy = format!(
            "{{displayName: label-bot, downgrade: allow, exclude: [{}], gates: [{{metric: \
             precision, maxRegression: {allowed}}}]}}",
            automl_model(NEWEST)
        );
        let package = Package::new(&source("automl", &registry), &policy);
        package.put(&automl_model(NEWEST));
        let run = package.run("render", &[]);
        assert_eq!(package.model(), automl_model(chosen), "{}", run.stderr);
    }
}

#[test]
fn vertex_ai_gives_its_newest_version() {
    let registry = serve(vertex_ai());
    let package = Package::new(&source("vertexAI", &registry), "{displayName: label-bot}");
    assert_eq!(package.render(&[]), format!("{PARENT}/models/1002@3"));
    // Label and version decide; a model with one version has its plain name.
    let policy = "{displayName: label-bot, matchLabels: {team: docs}}";
    let package = Package::new(&source("vertexAI", &registry), policy);
    assert_eq!(package.render(&[]), format!("{PARENT}/models/1001"));
    let policy = "{displayName: label-bot, states: [Deployed]}";
    let package = Package::new(&source("vertexAI", &registry), policy);
    assert_eq!(package.render(&[]), format!("{PARENT}/models/1002@1"));
}

/// Version 3 has two evaluations: the newer one has precision 0.75, and area-docs 0.8125.
#[test]
fn gates_judge_what_vertex_ai_evaluated() {
    let registry = serve(vertex_ai());
    let third = format!("{PARENT}/models/1002@3");
    let first = format!("{PARENT}/models/1001");
    let cases = [
        ("{metric: precision, min: 0.75, max: 0.75}", third.as_str()),
        ("{metric: precision, max: 0.6}", first.as_str()),
        (
            "{metric: precision, label: area-docs, min: 0.8}",
            third.as_str(),
        ),
        // A slice of another dimension is no label.
        ("{metric: precision, label: en, min: 0}", "none yet"),
    ];
    for (gate, chosen) in cases {
        let policy = format!("{{displayName: label-bot, gates: [{gate}]}}");
        let package = Package::new(&source("vertexAI", &registry), &policy);
        let run = package.run("render", &[]);
        assert_eq!(package.model(), chosen, "{gate}: {}", run.stderr);
    }
}

#[test]
fn ten_thousand_models_are_no_limit() {
    let many = |models: &mut Vec<Value>| {
        let template = models[2].clone();
        for number in 0..9_998 {
            let mut model = template.clone();
            model["name"] = automl_model(&format!("TCN9{number}")).into();
            models.push(model);
        }
    };
    let registry = serve(automl().with_models(many).with_pages_of(100));
    let package = Package::new(&source("automl", &registry), "{displayName: label-bot}");
    let package = package.with(&["-v"]);
    assert_eq!(package.render(&[]), automl_model(NEWEST));
    let pages = registry
        .asked()
        .into_iter()
        .filter(|asked| asked.path.ends_with("/models"));
    assert_eq!(pages.count(), 101);
}

/// A model can be on two pages when another one is created while they are read.
#[test]
fn a_model_on_two_pages_counts_once() {
    let again = |models: &mut Vec<Value>| models.push(models[1].clone());
    let registry = serve(automl().with_models(again));
    let package = Package::new(&source("automl", &registry), "{displayName: label-bot}");
    assert_eq!(package.render(&[]), automl_model(NEWEST));
}

#[test]
fn equal_times_are_decided_and_said() {
    let same = |models: &mut Vec<Value>| {
        models[0]["createTime"] = models[1]["createTime"].clone();
    };
    let registry = serve(automl().with_models(same));
    let package = Package::new(&source("automl", &registry), "{displayName: label-bot}");
    let run = package.run("render", &[]);
    assert_eq!(package.model(), automl_model(SECOND));
    assert!(
        run.stderr
            .contains("were both created 2020-07-14T22:10:11Z"),
        "{}",
        run.stderr
    );
}

/// The registry's clock is ahead of ours: by its own time the model is new, and no age is negative.
#[test]
fn a_model_from_the_future_has_no_age() {
    let registry = serve(automl());
    let before = [("SOURCE_DATE_EPOCH", "1594764000")]; // 2020-07-14T22:00:00Z
    let package = Package::new(&source("automl", &registry), "{displayName: label-bot}");
    assert_eq!(package.render(&before), automl_model(NEWEST));
    let policy = "{displayName: label-bot, minAge: 1h}";
    let package = Package::new(&source("automl", &registry), policy);
    assert_eq!(package.render(&before), automl_model(SECOND));
}
