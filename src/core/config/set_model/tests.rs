use std::time::Duration;

use super::*;
use crate::core::config::{
    CatalogSource, GoogleSource, MlflowSource, ModelRegistrySource, ResourceSelector,
};
use crate::core::model::State;
use crate::core::policy::{Downgrade, Gate, Missing};

const HEAD: &str = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: SetModel\nmetadata:\n  \
                    name: label-bot\nspec:\n";

/// The lines of `HEAD` come first, so that a spec starts in line 6.
fn read(spec: &str) -> Result<SetModel, DecodeError> {
    SetModel::from_yaml(&format!("{HEAD}{spec}"), "f.yaml")
}

fn error(spec: &str) -> String {
    read(spec).unwrap_err().to_string()
}

fn gate(metric: &str) -> Gate {
    Gate {
        metric: metric.to_owned(),
        label: None,
        min: None,
        max: None,
        max_regression: None,
        missing: Missing::Fail,
    }
}

#[test]
fn reads_the_whole_spec() {
    let config = SetModel::from_yaml(
        r#"
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: SetModel
metadata:
  name: label-bot
  labels: {a: b}
  annotations: {config.kubernetes.io/local-config: "true"}
spec:
  source:
    catalog: {name: label-bot-models}
  policy:
    displayName: kubeflow_issues_with_repo
    matchLabels: {team: triage}
    states: [Deployed]
    minAge: 1h30m
    exclude: [TCN1]
    pin: projects/p/locations/l/models/TCN2
    downgrade: allow
    gates:
    - {metric: precision, min: 0.6}
    - {metric: recall, maxRegression: 0.05, missing: warn}
    - {metric: f1, label: area-docs, max: 1, missing: ignore}
  targets:
  - resource: {apiVersion: v1, kind: ConfigMap, name: c, namespace: n, file: f.yaml}
    field: data.[model_config.yaml].orgs.[name=kubeflow].automl_model
    create: true
  - resource: {kind: ConfigMap}
    field: data.model
  - setter: automl-model
    package: base
status: {}
"#,
        "",
    )
    .unwrap();
    assert_eq!(config.name, "label-bot");
    let name = "label-bot-models".to_owned();
    assert_eq!(config.source, Some(Source::Catalog(CatalogSource { name })));
    assert_eq!(
        config.policy,
        Policy {
            display_name: Some("kubeflow_issues_with_repo".to_owned()),
            match_labels: [("team".to_owned(), "triage".to_owned())].into(),
            states: vec![State::Deployed],
            min_age: Duration::from_secs(5400),
            exclude: vec!["TCN1".to_owned()],
            pin: Some("projects/p/locations/l/models/TCN2".to_owned()),
            downgrade: Downgrade::Allow,
            gates: vec![
                Gate {
                    min: Some(0.6),
                    ..gate("precision")
                },
                Gate {
                    max_regression: Some(0.05),
                    missing: Missing::Warn,
                    ..gate("recall")
                },
                Gate {
                    label: Some("area-docs".to_owned()),
                    max: Some(1.0),
                    missing: Missing::Ignore,
                    ..gate("f1")
                },
            ],
        }
    );
    let owned = |text: &str| Some(text.to_owned());
    assert_eq!(
        config.targets,
        [
            Target::Field {
                resource: ResourceSelector {
                    api_version: owned("v1"),
                    kind: owned("ConfigMap"),
                    name: owned("c"),
                    namespace: owned("n"),
                    file: owned("f.yaml"),
                },
                field: "data.[model_config.yaml].orgs.[name=kubeflow].automl_model".to_owned(),
                create: true,
            },
            Target::Field {
                resource: ResourceSelector {
                    kind: owned("ConfigMap"),
                    ..ResourceSelector::default()
                },
                field: "data.model".to_owned(),
                create: false,
            },
            Target::Setter {
                name: "automl-model".to_owned(),
                package: owned("base")
            },
        ]
    );
}

#[test]
fn everything_but_targets_has_a_default() {
    let config = read("  targets: [{setter: a}]\n").unwrap();
    assert_eq!(config.source, None);
    assert_eq!(config.policy, Policy::default());
    assert_eq!(config.policy.states, [State::Trained, State::Deployed]);
    assert_eq!(config.policy.downgrade, Downgrade::Forbid);

    let nulls = "  source:\n  policy:\n    displayName:\n    matchLabels:\n    states:\n    minAge:\n    \
                 exclude:\n    pin:\n    downgrade:\n    gates:\n  targets: [{setter: a}]\n";
    assert_eq!(read(nulls).unwrap(), config);
}

#[test]
fn reads_every_source() {
    let owned = str::to_owned;
    let google = |endpoint: Option<&str>| GoogleSource {
        project: owned("p"),
        location: owned("l"),
        endpoint: endpoint.map(owned),
    };
    for (text, source) in [
        (
            "vertexAI: {project: p, location: l}",
            Source::VertexAi(google(None)),
        ),
        (
            "automl: {project: p, location: l, endpoint: 'http://x'}",
            Source::AutoMl(google(Some("http://x"))),
        ),
        (
            "mlflow: {trackingURI: 'http://x', model: m}",
            Source::Mlflow(MlflowSource {
                tracking_uri: owned("http://x"),
                model: Some(owned("m")),
            }),
        ),
        (
            "modelRegistry: {url: 'http://x'}",
            Source::ModelRegistry(ModelRegistrySource {
                url: owned("http://x"),
                model: None,
            }),
        ),
    ] {
        let config = read(&format!(
            "  source:\n    {text}\n  targets: [{{setter: a}}]\n"
        ))
        .unwrap();
        let kind = text.split(':').next().unwrap();
        assert_eq!(source.kind(), kind);
        assert_eq!(config.source, Some(source));
    }
}

#[test]
fn names_the_place_and_the_remedy() {
    const EXAMPLE: &str =
        "{resource: {kind: ConfigMap, name: NAME}, field: data.model} or {setter: NAME}";
    for (spec, message) in [
        ("  polcy: {}\n", "6:3: unknown field \"polcy\"; did you mean \"policy\"?".to_owned()),
        (
            "  policy:\n    displayNme: x\n",
            "7:5: unknown field \"displayNme\"; did you mean \"displayName\"?".to_owned(),
        ),
        (
            "  policy:\n    gates:\n    - {metric: a, min: 1}\n    - metric: b\n      maxx: 2\n",
            "10:7: unknown field \"maxx\"; did you mean \"max\"?".to_owned(),
        ),
        (
            "  policy:\n    gates:\n    - metric: b\n      missing: fial\n",
            "9:16: unknown value \"fial\"; did you mean \"fail\"?".to_owned(),
        ),
        (
            "  policy:\n    gates:\n    - {metric: a, min: 1}\n    - metric: b\n",
            "9:7: the gate on b has no limit; give min, max or maxRegression".to_owned(),
        ),
        (
            "  policy:\n    gates:\n    - {metric: b, min: 2, max: 1}\n",
            "8:7: the gate on b has min 2 above max 1, so that nothing passes".to_owned(),
        ),
        (
            "  policy:\n    gates:\n    - {metric: b, maxRegression: -0.1}\n",
            "8:7: the gate on b has maxRegression -0.1; use 0 or more".to_owned(),
        ),
        (
            "  policy:\n    gates:\n    - {metric: b, min: .nan}\n",
            "8:24: expected a finite number, found .nan".to_owned(),
        ),
        (
            "  policy:\n    gates:\n    - {min: 1}\n",
            "8:7: the gate names no metric; give for instance metric: precision".to_owned(),
        ),
        ("  policy:\n    gates:\n    - {metric: b, min: a}\n", "8:24: expected a number".to_owned()),
        (
            "  policy:\n    minAge: 30\n",
            "7:13: the duration \"30\" has no unit; write for instance 30s or 30h".to_owned(),
        ),
        (
            "  policy:\n    states: []\n",
            "7:13: states is empty, so no model could be chosen; leave it out for Trained and Deployed"
                .to_owned(),
        ),
        (
            "  policy:\n    states: [trained]\n",
            "7:14: unknown value \"trained\"; did you mean \"Trained\"?".to_owned(),
        ),
        (
            "  policy:\n    pin: 'a '\n",
            "7:10: the model name \"a \" starts or ends with white space; remove it".to_owned(),
        ),
        (
            "  policy:\n    downgrade: never\n",
            "7:16: unknown value \"never\"; known are forbid and allow".to_owned(),
        ),
        (
            "  source: {}\n",
            "6:11: source is empty; give one of catalog, vertexAI, automl, mlflow and modelRegistry"
                .to_owned(),
        ),
        (
            "  source:\n    catalog: {name: a}\n    mlflow: {trackingURI: b}\n",
            "7:5: source names catalog and mlflow; keep one".to_owned(),
        ),
        ("  source:\n    catalog: {}\n", "7:14: field \"name\" is missing".to_owned()),
        ("  targets: []\n", format!("6:12: spec.targets is empty; a target is {EXAMPLE}")),
        ("  policy: {}\n", format!("6:3: spec.targets is empty; a target is {EXAMPLE}")),
        ("", format!(" spec is missing; give spec.targets, each {EXAMPLE}")),
        (
            "  targets:\n  - setter: a\n    field: b\n",
            format!("7:5: the target mixes a field and a setter; split it in two, each like {EXAMPLE}"),
        ),
        ("  targets: [{}]\n", format!("6:13: the target is empty; give {EXAMPLE}")),
        (
            "  targets: [{package: a}]\n",
            "6:13: setter is missing; give the setter's name".to_owned(),
        ),
        (
            "  targets: [{resource: {kind: a}}]\n",
            "6:13: field is missing; give the path of the field that holds the model".to_owned(),
        ),
        (
            "  targets: [{resource: {namespace: a}, field: b}]\n",
            "6:13: field \"b\" is in no resource; give at least one of kind, name and file".to_owned(),
        ),
    ] {
        assert_eq!(error(spec), format!("f.yaml:{message}"), "{spec}");
    }
}

#[test]
fn a_resource_needs_a_name() {
    for metadata in ["", "metadata:\n", "metadata: {annotations: {a: b}}\n"] {
        let text = format!(
            "apiVersion: {API_VERSION}\nkind: SetModel\n{metadata}spec: {{targets: [{{setter: a}}]}}\n"
        );
        assert_eq!(
            SetModel::from_yaml(&text, "f.yaml")
                .unwrap_err()
                .to_string(),
            "f.yaml: metadata.name is missing; give the resource a name"
        );
    }
}

#[test]
fn check_model_needs_no_spec() {
    let head = format!("apiVersion: {API_VERSION}\nkind: CheckModel\nmetadata: {{name: 12}}\n");
    let all = CheckModel {
        name: "12".to_owned(),
        set_models: Vec::new(),
    };
    for spec in ["", "spec:\n", "spec: {}\n", "spec: {setModels: []}\n"] {
        assert_eq!(
            CheckModel::from_yaml(&format!("{head}{spec}"), "").unwrap(),
            all
        );
    }
    let some = CheckModel::from_yaml(&format!("{head}spec: {{setModels: [a, b]}}\n"), "").unwrap();
    assert_eq!(some.set_models, ["a", "b"]);
    assert_eq!(
        CheckModel::from_yaml(&format!("{head}spec: {{setModel: [a, b]}}\n"), "c")
            .unwrap_err()
            .to_string(),
        "c:4:8: unknown field \"setModel\"; did you mean \"setModels\"?"
    );
}
