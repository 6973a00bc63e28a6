use super::*;
use crate::core::config::GoogleSource;
use crate::core::model::{Evaluation, Lineage, State};

const HEAD: &str = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: ModelCatalog\n\
                    metadata: {name: label-bot-models}\nspec:\n  models:\n";

/// The models start in line 6.
fn read(models: &str) -> Result<ModelCatalog, DecodeError> {
    ModelCatalog::from_yaml(&format!("{HEAD}{models}"), "models.yaml")
}

fn error(models: &str) -> String {
    read(models).unwrap_err().to_string()
}

#[test]
fn reads_the_whole_spec() {
    let catalog = ModelCatalog::from_yaml(
        r#"apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: ModelCatalog
metadata:
  name: label-bot-models
  annotations: {config.kubernetes.io/local-config: "true"}
spec:
  source:
    automl: {project: issue-label-bot-dev, location: us-central1}
  observedAt: 2020-06-04T00:00:00Z
  models:
  - name: projects/976279526634/locations/us-central1/models/TCN654213816573231104
    displayName: kubeflow_issues_with_repo
    version: 5.10
    createTime: 2020-06-03T01:02:03.5Z
    state: Deployed
    labels: {a: 1}
    uri: gs://b/m
    evaluation:
      metrics: {precision: 0.72, recall: 1}
      perLabel:
        area-docs: {precision: 0.8}
    lineage: {dataset: d, notebookRun: n, sourceCommit: 0123456}
"#,
        "",
    )
    .unwrap();
    let owned = |text: &str| text.to_owned();
    assert_eq!(
        catalog,
        ModelCatalog {
            name: owned("label-bot-models"),
            source: Some(Source::AutoMl(GoogleSource {
                project: owned("issue-label-bot-dev"),
                location: owned("us-central1"),
                endpoint: None,
            })),
            listing: Listing {
                models: vec![Model {
                    name: owned(
                        "projects/976279526634/locations/us-central1/models/TCN654213816573231104"
                    ),
                    display_name: owned("kubeflow_issues_with_repo"),
                    version: Some(owned("5.10")),
                    create_time: "2020-06-03T01:02:03.5Z".parse().unwrap(),
                    state: State::Deployed,
                    labels: [(owned("a"), owned("1"))].into(),
                    uri: Some(owned("gs://b/m")),
                    evaluation: Some(Evaluation {
                        metrics: [(owned("precision"), 0.72), (owned("recall"), 1.0)].into(),
                        per_label: [(owned("area-docs"), [(owned("precision"), 0.8)].into())]
                            .into(),
                    }),
                    lineage: Some(Lineage {
                        dataset: Some(owned("d")),
                        notebook_run: Some(owned("n")),
                        source_commit: Some(owned("0123456")),
                    }),
                }],
                observed_at: Some("2020-06-04T00:00:00Z".parse().unwrap()),
                origin: owned("ModelCatalog label-bot-models"),
            },
        }
    );
}

#[test]
fn only_five_fields_are_needed() {
    let catalog = read("  - {name: a, displayName: d, createTime: 2020-06-03T01:02:03Z, state: Trained, labels: , evaluation: {metrics: }}\n").unwrap();
    assert_eq!(
        catalog.listing.origin,
        "ModelCatalog label-bot-models (models.yaml)"
    );
    assert_eq!(catalog.listing.models[0].version, None);
    assert_eq!(catalog.listing.observed_at, None);
    assert_eq!(read("").unwrap().listing.models, []);
}

#[test]
fn names_the_place_and_the_remedy() {
    const GOOD: &str = "displayName: d, createTime: 2020-06-03T01:02:03Z, state: Trained";
    for (models, message) in [
        (
            format!("  - {{name: a, {GOOD}}}\n  - {{name: b, {GOOD}}}\n  - {{name: a, {GOOD}}}\n"),
            "8:5: the model a is listed twice, first in line 6; keep one",
        ),
        (
            format!("  - {{name: \"a\\nb\", {GOOD}}}\n"),
            "6:5: the model name \"a\\nb\" contains the control character '\\n'; remove it",
        ),
        (
            format!("  - {{name: '', {GOOD}}}\n"),
            "6:5: the model name is empty; give the name that the registry reports",
        ),
        (
            format!("  - {{name: a, {GOOD}, evaluaton: {{}}}}\n"),
            "6:81: unknown field \"evaluaton\"; did you mean \"evaluation\"?",
        ),
        (
            "  - name: a\n    displayName: d\n    createTime: yesterday\n    state: Trained\n"
                .to_owned(),
            "8:17: \"yesterday\" is not a time; write for instance 2020-06-03T01:02:03Z",
        ),
        (
            "  - name: a\n    displayName: d\n    state: trained\n".to_owned(),
            "8:12: unknown value \"trained\"; did you mean \"Trained\"?",
        ),
        (
            "  - name: a\n    displayName: d\n    state: Trained\n".to_owned(),
            "8:5: field \"createTime\" is missing",
        ),
        (
            format!("  - {{name: a, {GOOD},\n     evaluation: {{metrics: {{p: .nan}}}}}}\n"),
            "7:32: expected a finite number, found .nan",
        ),
        (
            format!(
                "  - {{name: a, {GOOD},\n     evaluation: {{perLabel: {{l: {{p: -.inf}}}}}}}}\n"
            ),
            "7:37: expected a finite number, found -.inf",
        ),
    ] {
        assert_eq!(error(&models), format!("models.yaml:{message}"), "{models}");
    }
}

#[test]
fn refuses_other_versions_and_kinds() {
    for (text, message) in [
        (
            "apiVersion: automl.cloudai.kubeflow.org/v1beta1\nkind: ModelCatalog\n",
            "m.yaml:1:13: apiVersion \"automl.cloudai.kubeflow.org/v1beta1\" of ModelCatalog is not \
             supported; use automl.cloudai.kubeflow.org/v1alpha1",
        ),
        (
            "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: SetModel\n",
            "m.yaml:2:7: kind \"SetModel\" cannot be used here; give ModelCatalog",
        ),
        (
            "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: ModelCatalog\nmetadata: {name: a}\n",
            "m.yaml: spec is missing; give spec.models",
        ),
    ] {
        let error = ModelCatalog::from_yaml(text, "m.yaml").unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}
