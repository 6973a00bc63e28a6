use std::time::Duration;

use super::*;
use crate::core::policy::Missing;

/// The data start in line 5.
fn read_data(data: &str) -> Result<SetModel, DecodeError> {
    const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: function-input}\ndata:\n";
    read(&format!("{HEAD}{data}"), "f.yaml")
}

fn error(data: &str) -> String {
    read_data(data).unwrap_err().to_string()
}

fn gate(metric: &str, label: Option<&str>) -> Gate {
    Gate {
        metric: metric.to_owned(),
        label: label.map(str::to_owned),
        min: None,
        max: None,
        max_regression: None,
        missing: Missing::Fail,
    }
}

#[test]
fn reads_every_key() {
    let config = read_data(
        "  catalog: label-bot-models
  displayName: issues
  matchLabels: a=b, c=d=e,f=
  states: Deployed,Trained, Deployed
  minAge: 3d
  exclude: TCN1, TCN2
  model: projects/p/locations/l/models/TCN3
  downgrade: allow
  gates: precision>=0.6,recall <= 0.9,recall~0.05,precision[area, docs]>=0.5
  apiVersion: v1
  kind: ConfigMap
  name: c
  namespace: n
  file: f.yaml
  field: data.model
  create: true
  setter: automl-model
  package: base
",
    )
    .unwrap();
    let owned = |text: &str| Some(text.to_owned());
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        config,
        SetModel {
            name: "function-input".to_owned(),
            source: Some(Source::Catalog(CatalogSource {
                name: "label-bot-models".to_owned()
            })),
            policy: Policy {
                display_name: owned("issues"),
                match_labels: [pair("a", "b"), pair("c", "d=e"), pair("f", "")].into(),
                states: vec![State::Deployed, State::Trained],
                min_age: Duration::from_secs(3 * 86_400),
                exclude: vec!["TCN1".to_owned(), "TCN2".to_owned()],
                pin: owned("projects/p/locations/l/models/TCN3"),
                downgrade: Downgrade::Allow,
                gates: vec![
                    Gate {
                        min: Some(0.6),
                        ..gate("precision", None)
                    },
                    Gate {
                        max: Some(0.9),
                        ..gate("recall", None)
                    },
                    Gate {
                        max_regression: Some(0.05),
                        ..gate("recall", None)
                    },
                    Gate {
                        min: Some(0.5),
                        ..gate("precision", Some("area, docs"))
                    },
                ],
            },
            targets: vec![
                Target::Field {
                    resource: ResourceSelector {
                        api_version: owned("v1"),
                        kind: owned("ConfigMap"),
                        name: owned("c"),
                        namespace: owned("n"),
                        file: owned("f.yaml"),
                    },
                    field: "data.model".to_owned(),
                    create: true,
                },
                Target::Setter {
                    name: "automl-model".to_owned(),
                    package: owned("base")
                },
            ],
        }
    );
}

#[test]
fn blank_values_count_as_not_given() {
    let config = read_data("  setter: s\n  model: ''\n  gates: ' '\n  minAge:\n").unwrap();
    assert_eq!(config.policy, Policy::default());
    assert_eq!(config.source, None);
    assert_eq!(
        config.targets,
        [Target::Setter {
            name: "s".to_owned(),
            package: None
        }]
    );
}

#[test]
fn tolerates_numbers_and_booleans() {
    let config =
        read_data("  name: 12\n  field: data.model\n  create: false\n  model: 7\n").unwrap();
    assert_eq!(config.policy.pin.as_deref(), Some("7"));
    let quoted = read_data("  name: '12'\n  field: data.model\n  create: 'false'\n  model: '7'\n");
    assert_eq!(quoted.unwrap(), config);
}

#[test]
fn lists_the_keys_when_there_is_no_data() {
    for data in ["", "  {}\n", "  setter: ''\n"] {
        assert_eq!(
            error(data),
            "f.yaml: data is empty; the keys are catalog, displayName, matchLabels, states, minAge, \
             exclude, model, downgrade, gates, apiVersion, kind, name, namespace, file, field, \
             create, setter and package"
        );
    }
}

#[test]
fn names_the_place_and_the_remedy() {
    for (data, message) in [
        (
            "  seter: a\n",
            "5:3: unknown field \"seter\"; did you mean \"setter\"?",
        ),
        (
            "  setter: a\n  minAge: soon\n",
            "6:11: \"soon\" is not a duration; write for instance 90s, 1h30m or 3d",
        ),
        (
            "  states: Deploy\n",
            "5:11: state \"Deploy\" is unknown; did you mean \"Deployed\"?",
        ),
        (
            "  states: ','\n",
            "5:11: states names no state; give some of Training, Trained, Deployed and Failed",
        ),
        (
            "  downgrade: no\n",
            "5:14: downgrade \"no\" is unknown; known are forbid and allow",
        ),
        (
            "  setter: a\n  create: yep\n",
            "6:11: create \"yep\" is unknown; known are true and false",
        ),
        (
            "  matchLabels: a\n",
            "5:16: label \"a\" is not a pair; write key=value,key=value",
        ),
        (
            "  matchLabels: a=b,a=c\n",
            "5:16: label \"a\" is given twice; keep one",
        ),
        (
            "  model: 'a '\n",
            "5:10: the model name \"a \" starts or ends with white space; remove it",
        ),
        (
            "  gates: precision>0.6\n",
            "5:10: \"precision>0.6\" is not a gate; write precision>=0.6, recall<=0.9, recall~0.05 or precision[area-docs]>=0.5",
        ),
        (
            "  model: a\n",
            " no target; give field with at least one of kind, name and file, or give setter (the \
             typed form is {resource: {kind: ConfigMap, name: NAME}, field: data.model} or \
             {setter: NAME})",
        ),
        (
            "  field: a\n",
            " field \"a\" is in no resource; give at least one of kind, name and file",
        ),
        (
            "  kind: a\n",
            " field is missing; give the path of the field that holds the model",
        ),
        (
            "  package: a\n",
            " setter is missing; give the setter's name",
        ),
        ("  - a\n", "5:3: expected a map of fields"),
    ] {
        assert_eq!(error(data), format!("f.yaml:{message}"), "{data}");
    }
}
