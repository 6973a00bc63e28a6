use serde_json::{Value, json};

use super::*;
use crate::core::model::State;

const NAME: &str = "projects/p/locations/l/models/m";

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Takes one field after the other out of an answer; what `needed` names must be missed by name,
/// and without the rest there is still a model.
fn misses<T: serde::de::DeserializeOwned>(
    whole: &Value,
    needed: &[&str],
    map: impl Fn(&T) -> Result<Model, MappingError>,
) {
    map(&read(whole.clone())).unwrap();
    for field in whole.as_object().unwrap().keys() {
        for replacement in [None, Some(Value::Null), Some(json!(""))] {
            let mut part = whole.clone();
            let fields = part.as_object_mut().unwrap();
            match &replacement {
                None => fields.remove(field),
                Some(Value::String(_)) if !whole[field].is_string() => continue,
                Some(value) => fields.insert(field.clone(), value.clone()),
            };
            let mapped = map(&read(part));
            if needed.contains(&field.as_str()) {
                let error = mapped.unwrap_err().to_string();
                assert!(error.contains(&format!("has no {field}")), "{error}");
            } else {
                mapped.unwrap();
            }
        }
    }
}

#[test]
fn a_model_of_automl_needs_name_display_name_and_time() {
    let whole = json!({
        "name": NAME, "displayName": "bot", "datasetId": "d", "etag": "e",
        "createTime": "2020-06-03T01:02:03Z", "deploymentState": "DEPLOYED",
        "labels": {"team": "docs"}, "somethingNew": {"a": 1},
    });
    let map = |model: &automl::AutoMlModel| automl::model(model, &[]);
    misses(&whole, &["name", "displayName", "createTime"], map);
    let model = map(&read(whole.clone())).unwrap();
    assert_eq!(model.state, State::Deployed);
    assert_eq!(model.labels["team"], "docs");
    assert_eq!(model.lineage.unwrap().dataset.as_deref(), Some("d"));
    let mut odd = whole;
    odd["createTime"] = json!("yesterday");
    let error = map(&read(odd)).unwrap_err();
    insta::assert_snapshot!(error, @r#"the model projects/p/locations/l/models/m has the createTime "yesterday", which is not a time"#);
}

#[test]
fn automl_keeps_the_newest_evaluation_of_each_label() {
    let evaluation =
        |time: &str, label: Option<&str>, precision: Value| -> automl::AutoMlEvaluation {
            read(json!({
                "createTime": time, "annotationSpecId": label, "displayName": "",
                "classificationEvaluationMetrics": {
                    "auPrc": 0.5, "logLoss": "NaN",
                    "confidenceMetricsEntry": [
                        {"confidenceThreshold": 0.45, "precision": 0.1, "recall": 0.1},
                        {"confidenceThreshold": 0.5, "precision": precision, "recall": 0.25},
                    ],
                },
            }))
        };
    let model: automl::AutoMlModel = read(json!({
        "name": NAME, "displayName": "bot", "createTime": "2020-06-03T01:02:03Z",
    }));
    let evaluations = [
        evaluation("2020-06-05T00:00:00Z", None, json!(0.75)),
        evaluation("2020-06-04T00:00:00Z", None, json!(0.5)),
        evaluation("2020-06-04T00:00:00Z", Some("17"), json!("NaN")),
    ];
    let mapped = automl::model(&model, &evaluations).unwrap();
    let evaluation = mapped.evaluation.unwrap();
    assert_eq!(evaluation.metrics["precision"], 0.75);
    // What is no number is no figure; what is left out is zero.
    assert!(!evaluation.metrics.contains_key("logLoss"));
    assert_eq!(evaluation.metrics["f1Score"], 0.0);
    // A label without a display name is known by its id.
    assert!(!evaluation.per_label["17"].contains_key("precision"));
    assert_eq!(evaluation.per_label["17"]["recall"], 0.25);
}

#[test]
fn figures_of_another_threshold_are_not_taken() {
    let evaluation: automl::AutoMlEvaluation = read(json!({
        "classificationEvaluationMetrics": {
            "auPrc": 0.5,
            "confidenceMetricsEntry": [{"confidenceThreshold": 0.55, "precision": 0.9}],
        },
    }));
    let model: automl::AutoMlModel = read(json!({
        "name": NAME, "displayName": "bot", "createTime": "2020-06-03T01:02:03Z",
    }));
    let mapped = automl::model(&model, &[evaluation]).unwrap();
    let metrics = mapped.evaluation.unwrap().metrics;
    assert_eq!(metrics.keys().collect::<Vec<_>>(), ["auPrc"]);
}

#[test]
fn an_operation_trains_when_it_makes_something_a_model_needs() {
    let operation = |details: &str, done: bool| -> automl::Operation {
        read(json!({"name": "o", "done": done, "metadata": {details: {}, "progressPercent": 40}}))
    };
    for details in [
        "createDatasetDetails",
        "importDataDetails",
        "createModelDetails",
    ] {
        assert!(operation(details, false).is_training());
        assert!(!operation(details, true).is_training());
    }
    for details in ["deployModelDetails", "deleteDetails", "exportDataDetails"] {
        assert!(!operation(details, false).is_training());
    }
    assert_eq!(operation("createModelDetails", false).percent(), Some(40));
}

#[test]
fn a_version_of_vertex_ai_needs_name_display_name_and_time() {
    let whole = json!({
        "name": NAME, "versionId": "3", "displayName": "bot", "versionAliases": ["default"],
        "versionCreateTime": "2024-06-03T01:02:03Z", "createTime": "2024-01-01T00:00:00Z",
        "artifactUri": "gs://m", "deployedModels": [{}], "labels": {"team": "docs"}, "etag": "e",
        "somethingNew": [1],
    });
    let map = |model: &vertex_ai::VertexModel| vertex_ai::model(model, false, None, &[]);
    misses(&whole, &["name", "displayName"], map);
    let model = map(&read(whole.clone())).unwrap();
    assert_eq!(model.name, format!("{NAME}@3"));
    assert_eq!(model.create_time.to_string(), "2024-06-03T01:02:03Z");
    assert_eq!(model.state, State::Deployed);
    let only = vertex_ai::model(&read(whole.clone()), true, None, &[]).unwrap();
    assert_eq!(only.name, NAME);
    // Where versions have no time, the model's own is its only version's.
    let mut old = whole;
    old.as_object_mut().unwrap().remove("versionCreateTime");
    misses(&old, &["name", "displayName", "createTime"], map);
}

#[test]
fn a_version_of_mlflow_needs_name_version_and_time() {
    let whole = json!({
        "name": "bot", "version": "3", "creation_timestamp": 1_591_146_123_000_i64,
        "current_stage": "None", "status": "READY", "source": "s3://m", "run_id": "r",
        "tags": [{"key": "team", "value": "docs"}], "something_new": {},
    });
    let map = |version: &mlflow::Version| mlflow::model(version, &[], None);
    misses(&whole, &["name", "version", "creation_timestamp"], map);
    let with = |field: &str, value: Value| {
        let mut version = whole.clone();
        version[field] = value;
        map(&read(version))
    };
    // Older servers write both as numbers, or as strings.
    assert_eq!(with("version", json!(3)).unwrap().name, "models:/bot/3");
    let time = with("creation_timestamp", json!("1591146123000"))
        .unwrap()
        .create_time;
    assert_eq!(time.to_string(), "2020-06-03T01:02:03Z");
    for (field, value, state) in [
        ("status", "PENDING_REGISTRATION", State::Training),
        ("status", "FAILED_REGISTRATION", State::Failed),
        ("status", "READY", State::Trained),
        ("current_stage", "Staging", State::Trained),
        ("current_stage", "Production", State::Deployed),
    ] {
        assert_eq!(with(field, json!(value)).unwrap().state, state, "{value}");
    }
    let error = with("status", json!("LOST")).unwrap_err();
    insta::assert_snapshot!(error, @r#"the model models:/bot/3 has the status "LOST", which is not one of PENDING_REGISTRATION, READY and FAILED_REGISTRATION"#);
    let error = with("creation_timestamp", json!(9e30)).unwrap_err();
    assert!(
        error.to_string().contains("is not a time in milliseconds"),
        "{error}"
    );
}

#[test]
fn aliases_and_runs_of_mlflow_are_labels_figures_and_lineage() {
    let version = read(json!({"name": "bot", "version": "3", "creation_timestamp": 1}));
    let registered: mlflow::RegisteredModel = read(json!({"name": "bot", "aliases": [
        {"alias": "champion", "version": "3"}, {"alias": "production", "version": 3},
        {"alias": "other", "version": "4"},
    ]}));
    let answer: mlflow::RunAnswer = read(json!({"run": {
        "data": {
            "metrics": [
                {"key": "precision", "value": 0.5, "step": 3},
                {"key": "loss", "value": "NaN"},
                {"key": "label/area/docs/recall", "value": 0.25},
                {"key": "val/loss", "value": 2},
            ],
            "tags": [
                {"key": "mlflow.source.git.commit", "value": "abc"},
                {"key": "mlflow.source.type", "value": "NOTEBOOK"},
                {"key": "mlflow.source.name", "value": "train.ipynb"},
            ],
        },
        "inputs": {"dataset_inputs": [{"dataset": {"name": "issues"}}]},
    }}));
    let model = mlflow::model(&version, &registered.aliases, Some(&answer.run)).unwrap();
    assert_eq!(model.state, State::Deployed);
    let labels: Vec<&str> = model.labels.keys().map(String::as_str).collect();
    assert_eq!(labels, ["alias.champion", "alias.production"]);
    let evaluation = model.evaluation.unwrap();
    assert_eq!(evaluation.metrics.len(), 2);
    assert_eq!(evaluation.metrics["val/loss"], 2.0);
    assert_eq!(evaluation.per_label["area/docs"]["recall"], 0.25);
    let lineage = model.lineage.unwrap();
    assert_eq!(lineage.source_commit.as_deref(), Some("abc"));
    assert_eq!(lineage.notebook_run.as_deref(), Some("train.ipynb"));
    assert_eq!(lineage.dataset.as_deref(), Some("issues"));
    assert_eq!(
        mlflow::parse_model_name("models:/a/b/3"),
        Some(("a/b", "3"))
    );
    assert_eq!(mlflow::parse_model_name("models:/3"), None);
}

#[test]
fn a_version_of_the_model_registry_needs_name_and_time() {
    let registered: model_registry::RegisteredModel = read(json!({"id": "1", "name": "bot"}));
    let whole = json!({
        "id": "11", "name": "v1", "state": "LIVE", "createTimeSinceEpoch": "1591146123000",
        "customProperties": {}, "somethingNew": 1,
    });
    let map =
        |version: &model_registry::Version| model_registry::model(&registered, version, &[], false);
    misses(&whole, &["name", "createTimeSinceEpoch"], map);
    // The newest files count, whatever the order.
    let artifacts: Vec<model_registry::Artifact> = read(json!([
        {"artifactType": "model-artifact", "uri": "s3://2", "createTimeSinceEpoch": "2"},
        {"artifactType": "model-artifact", "uri": "s3://10", "createTimeSinceEpoch": "10"},
        {"artifactType": "doc-artifact", "uri": "s3://doc", "createTimeSinceEpoch": "20"},
    ]));
    let model = model_registry::model(&registered, &read(whole), &artifacts, true).unwrap();
    assert_eq!(model.uri.as_deref(), Some("s3://10"));
    assert_eq!(
        (model.name.as_str(), model.state),
        ("model-registry://bot/v1", State::Deployed)
    );
}

/// Writing labels back must not lose what is no label.
#[test]
fn custom_properties_are_written_as_they_were_read() {
    let properties = json!({
        "a": {"metadataType": "MetadataStringValue", "string_value": "x"},
        "b": {"metadataType": "MetadataDoubleValue", "double_value": 0.5},
        "c": {"metadataType": "MetadataIntValue", "int_value": "7"},
        "d": {"metadataType": "MetadataBoolValue", "bool_value": true},
        "e": {"metadataType": "MetadataStructValue", "struct_value": "e30="},
        "f": {"metadataType": "MetadataProtoValue", "type": "t", "proto_value": "AA=="},
    });
    let read: BTreeMap<String, model_registry::Property> = read(properties.clone());
    assert_eq!(serde_json::to_value(read).unwrap(), properties);
}

#[test]
fn a_page_is_an_object_with_a_list() {
    let shape = automl::MODELS;
    let page = |text: &str| shape.read::<automl::AutoMlModel>(text.as_bytes());
    let empty = page("{}").unwrap();
    assert!(empty.items.is_empty() && empty.next.is_none());
    let last = page(r#"{"model": [{"name": "m"}], "nextPageToken": ""}"#).unwrap();
    assert_eq!((last.items.len(), last.next), (1, None));
    let next = page(r#"{"model": null, "nextPageToken": "t"}"#).unwrap();
    assert_eq!(next.next.as_deref(), Some("t"));
    let said = |text: &str| page(text).unwrap_err().to_string();
    insta::assert_snapshot!(said("<html>"), @"the answer is not JSON: expected value at line 1 column 1");
    insta::assert_snapshot!(said(r#"{"model": {}}"#), @r#"the answer is not a page: it should be an object with a list "model""#);
    insta::assert_snapshot!(said(r#"{"nextPageToken": 7}"#), @r#"the answer is not a page: it should be an object with a list "model""#);
    insta::assert_snapshot!(said(r#"{"model": [{}, {"name": "m", "labels": 7}]}"#), @r#"model 2 "m" cannot be read: invalid type: integer `7`, expected a map"#);
}

#[test]
fn models_count_once_and_have_names_that_can_be_written() {
    let model = |name: &str, state: &str| -> Model {
        read(
            json!({"name": name, "displayName": "d", "createTime": "2020-01-01T00:00:00Z", "state": state}),
        )
    };
    let models = vec![
        model("b", "Trained"),
        model("a", "Trained"),
        model("b", "Deployed"),
    ];
    let models = distinct(models).unwrap();
    let names: Vec<_> = models
        .iter()
        .map(|model| (model.name.as_str(), model.state))
        .collect();
    assert_eq!(names, [("a", State::Trained), ("b", State::Deployed)]);
    assert!(distinct(vec![model("a\nb", "Trained")]).is_err());
}
