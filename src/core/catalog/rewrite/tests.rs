use std::collections::BTreeMap;

use super::super::arrange::arrange;
use super::*;
use crate::core::model::State;
use crate::core::yaml::apply;

const HEAD: &str = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: ModelCatalog\n\
                    metadata: {name: c} # id\nspec:\n";
const NOW: &str = "2020-07-20T00:00:00Z";

/// Rewrites the only catalog of a text after `change` was made to its models.
fn refreshed(text: &str, change: impl FnOnce(&mut Vec<Model>)) -> Result<String, String> {
    let part = Part::file("c.yaml", text);
    let parsed = part.parsed().unwrap();
    let number = parsed
        .resources
        .iter()
        .position(|resource| resource.id.kind.as_deref() == Some("ModelCatalog"))
        .unwrap();
    let document = part.document(&parsed.resources[number]);
    let old = ModelCatalog::from_yaml(&document, "").unwrap();
    let mut models = old.listing.models.clone();
    change(&mut models);
    let arrangement = arrange(&old.listing.models, &models);
    let time = (!arrangement.is_unchanged()).then(|| NOW.parse().unwrap());
    let splices =
        rewrite(&part, number, &old, &arrangement, time).map_err(|error| error.to_string())?;
    Ok(apply(text, &splices))
}

/// The same for what stands below `spec:`, without the time.
fn spec(text: &str, change: impl FnOnce(&mut Vec<Model>)) -> String {
    let head = format!("{HEAD}  observedAt: {NOW}\n");
    let output = refreshed(&format!("{head}{text}"), change).unwrap();
    output.strip_prefix(&head).unwrap().to_owned()
}

fn model(name: &str, time: &str) -> Model {
    Model::plain(name, time.parse().unwrap())
}

fn evaluated(name: &str, time: &str) -> Model {
    let metrics: BTreeMap<String, f64> = [("precision".to_owned(), 0.5)].into();
    Model {
        evaluation: Some(crate::core::model::Evaluation {
            metrics: metrics.clone(),
            per_label: [("docs".to_owned(), metrics)].into(),
        }),
        ..model(name, time)
    }
}

const BLOCK: &str = "  models:
  # Newest first.

  # The good one.
  - name: b # keep
    displayName: d
    createTime: 2020-02-01T00:00:00Z
    state: Trained # since June
    labels: {x: '1'}
    evaluation:
      metrics: {precision: 0.5, recall: 1}
      perLabel:
        docs: {precision: 0.25}
  - name: a
    displayName: d
    createTime: 2020-01-01T00:00:00Z
    state: Trained
  # the end
";

#[test]
fn a_changed_field_changes_its_own_bytes() {
    let output = spec(BLOCK, |models| {
        models[0].state = State::Deployed;
        models[0].labels.insert("x".to_owned(), "no".to_owned());
        let evaluation = models[0].evaluation.as_mut().unwrap();
        evaluation.metrics.insert("precision".to_owned(), 0.75);
        evaluation.metrics.remove("recall");
        let docs = evaluation.per_label.get_mut("docs").unwrap();
        docs.insert("recall".to_owned(), 0.1);
    });
    let wanted = BLOCK
        .replace("Trained # since", "Deployed # since")
        .replace("{x: '1'}", "{x: 'no'}")
        .replace("precision: 0.5, recall: 1", "precision: 0.75")
        .replace("{precision: 0.25}", "{precision: 0.25, recall: 0.1}");
    assert_eq!(output, wanted);
}

#[test]
fn fields_come_and_go() {
    let output = spec(BLOCK, |models| {
        models[0].labels.clear();
        models[0].evaluation.as_mut().unwrap().per_label.clear();
        models[1].version = Some("5.10".to_owned());
        models[1].uri = Some("gs://b/m".to_owned());
    });
    let wanted = BLOCK
        .replace("    labels: {x: '1'}\n", "")
        .replace("      perLabel:\n        docs: {precision: 0.25}\n", "")
        .replace(
            "  - name: a\n    displayName: d\n",
            "  - name: a\n    displayName: d\n    version: \"5.10\"\n",
        )
        .replace(
            "    state: Trained\n  # the end",
            "    state: Trained\n    uri: gs://b/m\n  # the end",
        );
    assert_eq!(output, wanted);
    let output = spec(BLOCK, |models| {
        models[1].evaluation = evaluated("", "2020-01-01T00:00:00Z").evaluation;
    });
    let wanted = BLOCK.replace(
        "    state: Trained\n  # the end",
        "    state: Trained\n    evaluation:\n      metrics: {precision: 0.5}\n      perLabel:\n        \
         docs: {precision: 0.5}\n  # the end",
    );
    assert_eq!(output, wanted);
}

#[test]
fn models_come_and_go() {
    let output = spec(BLOCK, |models| {
        models.remove(0);
        models.push(evaluated("m3", "2020-03-01T00:00:00Z"));
        models.push(model("o", "2019-01-01T00:00:00Z"));
    });
    assert_eq!(
        output,
        "  models:
  # Newest first.

  - name: m3
    displayName: d
    createTime: 2020-03-01T00:00:00Z
    state: Trained
    evaluation:
      metrics: {precision: 0.5}
      perLabel:
        docs: {precision: 0.5}
  - name: a
    displayName: d
    createTime: 2020-01-01T00:00:00Z
    state: Trained
  - name: o
    displayName: d
    createTime: 2019-01-01T00:00:00Z
    state: Trained
  # the end
"
    );
}

#[test]
fn new_models_are_written_as_their_neighbours() {
    let add = |models: &mut Vec<Model>| models.push(evaluated("m3", "2020-03-01T00:00:00Z"));
    for (text, wanted) in [
        (
            "  models:\n  - {name: a, displayName: d, createTime: 2020-01-01T00:00:00Z, state: Trained}\n",
            "  models:\n  - {name: m3, displayName: d, createTime: 2020-03-01T00:00:00Z, state: Trained, \
             evaluation: {metrics: {precision: 0.5}, perLabel: {docs: {precision: 0.5}}}}\n",
        ),
        (
            "  models:\n      -   \"state\": 'Trained'\n          \"createTime\": \"2020-01-01T00:00:00Z\"\n          \
             \"name\": a\n          \"displayName\": d\n          \"evaluation\": { metrics: {} }\n",
            "  models:\n      -   \"state\": 'Trained'\n          \"createTime\": \"2020-03-01T00:00:00Z\"\n          \
             \"name\": m3\n          \"displayName\": d\n          \
             \"evaluation\": { metrics: { precision: 0.5 }, perLabel: { docs: { precision: 0.5 } } }\n",
        ),
        (
            "  models: [{name: a, displayName: d, createTime: '2020-01-01T00:00:00Z', state: Trained}]\n",
            "  models: [{name: m3, displayName: d, createTime: '2020-03-01T00:00:00Z', state: Trained, \
             evaluation: {metrics: {precision: 0.5}, perLabel: {docs: {precision: 0.5}}}}, ",
        ),
    ] {
        let output = spec(text, add);
        assert!(output.starts_with(wanted), "{output}\nis not\n{wanted}");
        let old = text
            .trim_start_matches("  models:")
            .trim_start_matches([' ', '[', '\n']);
        assert!(output.ends_with(old), "{output}\nlost\n{old}");
    }
}

#[test]
fn lists_that_have_nothing_are_filled() {
    let add = |models: &mut Vec<Model>| models.push(model("m1", "2020-03-01T00:00:00Z"));
    const ELEMENT: &str = "  - name: m1\n    displayName: d\n    createTime: 2020-03-01T00:00:00Z\n    \
                           state: Trained\n";
    for (text, wanted) in [
        ("  models: []\n", format!("  models:\n{ELEMENT}")),
        (
            "  models: [] # none yet\n",
            format!("  models: # none yet\n{ELEMENT}"),
        ),
        (
            "  models: # none yet\n",
            format!("  models: # none yet\n{ELEMENT}"),
        ),
        (
            "  models: ~\n# end\n",
            format!("  models:\n{ELEMENT}# end\n"),
        ),
        ("  source: {mlflow: {trackingURI: u}}\n", {
            format!("  source: {{mlflow: {{trackingURI: u}}}}\n  models:\n{ELEMENT}")
        }),
        // Without a final line break there is none afterwards.
        ("  models: []", format!("  models:\n{}", ELEMENT.trim_end())),
    ] {
        assert_eq!(spec(text, add), wanted, "{text}");
    }
    assert_eq!(
        spec(BLOCK, Vec::clear),
        "  models: []\n  # Newest first.\n\n  # the end\n"
    );
    assert_eq!(
        spec(
            "  models: [{name: a, displayName: d, createTime: 2020-01-01T00:00:00Z, state: Failed} ] # c\n",
            Vec::clear
        ),
        "  models: [] # c\n"
    );
}

#[test]
fn json_stays_json() {
    let text = r#"{
  "apiVersion": "automl.cloudai.kubeflow.org/v1alpha1",
  "kind": "ModelCatalog",
  "metadata": {"name": "c"},
  "spec": {
    "models": [
      {
        "name": "m1",
        "displayName": "d",
        "createTime": "2020-01-01T00:00:00Z",
        "state": "Trained",
        "labels": {
          "x": "1"
        }
      }
    ]
  }
}
"#;
    let output = refreshed(text, |models| {
        models[0].state = State::Deployed;
        models[0].labels.insert("y".to_owned(), "2".to_owned());
        models.push(evaluated("m2", "2020-03-01T00:00:00Z"));
    })
    .unwrap();
    serde_json::from_str::<Value>(&output).unwrap();
    insta::assert_snapshot!(output, @r#"
    {
      "apiVersion": "automl.cloudai.kubeflow.org/v1alpha1",
      "kind": "ModelCatalog",
      "metadata": {"name": "c"},
      "spec": {
        "observedAt": "2020-07-20T00:00:00Z",
        "models": [
          {
            "name": "m2",
            "displayName": "d",
            "createTime": "2020-03-01T00:00:00Z",
            "state": "Trained",
            "evaluation": {
              "metrics": {
                "precision": 0.5
              },
              "perLabel": {
                "docs": {
                  "precision": 0.5
                }
              }
            }
          },
          {
            "name": "m1",
            "displayName": "d",
            "createTime": "2020-01-01T00:00:00Z",
            "state": "Deployed",
            "labels": {
              "x": "1",
              "y": "2"
            }
          }
        ]
      }
    }
    "#);
    let text = r#"{"apiVersion":"automl.cloudai.kubeflow.org/v1alpha1","kind":"ModelCatalog","metadata":{"name":"c"},"spec":{"source":{"mlflow":{"trackingURI":"u"}}}}"#;
    let output = refreshed(text, |models| {
        models.push(evaluated("m2", "2020-03-01T00:00:00Z"));
    });
    serde_json::from_str::<Value>(&output.unwrap()).unwrap();
}

#[test]
fn line_breaks_byte_order_mark_and_other_documents_stay() {
    let text =
        format!("\u{FEFF}a: 1 # x\n---\n{HEAD}{BLOCK}---\nb: [1,2 ]\n").replace('\n', "\r\n");
    let output = refreshed(&text, |models| {
        models.remove(1);
        models.push(model("m3", "2020-03-01T00:00:00Z"));
    })
    .unwrap();
    assert!(
        output.starts_with("\u{FEFF}a: 1 # x\r\n---\r\n"),
        "{output}"
    );
    assert!(
        output.ends_with("  # the end\r\n---\r\nb: [1,2 ]\r\n"),
        "{output}"
    );
    assert_eq!(output.matches('\n').count(), output.matches("\r\n").count());
    assert!(output.contains("spec:\r\n  observedAt: 2020-07-20T00:00:00Z\r\n  models:\r\n"));
}

#[test]
fn the_time_is_written_in_its_own_style() {
    for (old, new) in [
        (
            "  observedAt: '2020-01-01T00:00:00Z' # c\n",
            "  observedAt: '2020-07-20T00:00:00Z' # c\n",
        ),
        (
            "  observedAt: # never\n",
            "  observedAt: 2020-07-20T00:00:00Z # never\n",
        ),
        ("  # c\n", "  # c\n  observedAt: 2020-07-20T00:00:00Z\n"),
    ] {
        let output = refreshed(&format!("{HEAD}{old}{BLOCK}"), Vec::clear).unwrap();
        assert!(
            output.starts_with(&format!("{HEAD}{new}  models: []")),
            "{output}"
        );
    }
}

#[test]
fn anchors_of_one_model_may_go_and_shared_ones_are_refused() {
    let own = "  models:\n  - &m\n    name: a\n    displayName: &d d\n    createTime: 2020-01-01T00:00:00Z\n    \
               state: Trained\n    labels: {x: *d}\n";
    let output = spec(own, |models| models[0].state = State::Deployed);
    assert!(
        !output.contains('&') && output.contains("labels: {x: d}"),
        "{output}"
    );
    let shared = format!("{own}  - <<: *m\n    name: b\n");
    let head = format!("{HEAD}  observedAt: {NOW}\n");
    let result = refreshed(&format!("{head}{shared}"), |models| {
        models[0].state = State::Deployed;
    });
    let error = result.unwrap_err();
    assert!(error.starts_with("8:"), "{error}");
    assert!(error.contains("without anchors"), "{error}");
}
