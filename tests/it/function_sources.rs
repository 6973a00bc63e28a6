//! The function when its config names a registry: it asks, and whatever the answer is, the items come
//! out.

use std::process::Command;

use serde_json::json;

use crate::cli::{modelsync_with, package, path};
use crate::harness::is_there;
use crate::harness::registry::{Answer, Asked, Registry};

const ITEMS: &str = "\
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: bot
    annotations:
      internal.config.kubernetes.io/path: 'map.yaml'
      internal.config.kubernetes.io/index: '0'
  data:
    model: models:/bot/1 # keep
";

fn config(url: &str) -> String {
    format!(
        "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: SetModel\nmetadata:\n  name: bot\n  \
         annotations: {{config.kubernetes.io/local-config: \"true\"}}\nspec:\n  source:\n    mlflow: \
         {{trackingURI: \"{url}\", model: bot}}\n  targets:\n  - resource: {{kind: ConfigMap, name: \
         bot}}\n    field: data.model\n"
    )
}

fn list(url: &str) -> String {
    let config = config(url).replace('\n', "\n  ");
    format!(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n{ITEMS}functionConfig:\n  {}\n",
        config.trim_end()
    )
}

/// MLflow with two versions of `bot`, on two pages.
fn answer(asked: &Asked) -> Answer {
    let version = |number: u64| {
        json!({
            "name": "bot", "version": number.to_string(), "status": "READY",
            "creation_timestamp": 1_590_969_600_000 + number,
        })
    };
    match (asked.path.as_str(), asked.query.contains_key("page_token")) {
        ("/api/2.0/mlflow/registered-models/search", _) => {
            Answer::Json(200, json!({"registered_models": [{"name": "bot"}]}))
        }
        (_, false) => Answer::Json(
            200,
            json!({"model_versions": [version(1)], "next_page_token": "2"}),
        ),
        (_, true) => Answer::Json(200, json!({"model_versions": [version(2)]})),
    }
}

fn torn(asked: &Asked) -> Answer {
    if asked.query.contains_key("page_token") {
        return Answer::Json(
            401,
            json!({"error_code": "UNAUTHENTICATED", "message": "who?"}),
        );
    }
    answer(asked)
}

#[test]
fn the_newest_model_of_the_registry_is_written() {
    let registry = Registry::start(answer);
    let input = list(&registry.url());
    let run = modelsync_with(&["fn"], input.as_bytes());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("    model: models:/bot/2 # keep\n"),
        "{}",
        run.stdout
    );
    assert_eq!(registry.asked().len(), 3, "each page once");
    let check = modelsync_with(&["fn", "check-model"], input.as_bytes());
    assert_eq!(check.code, 1);
    assert!(check.stdout.contains("MS001"), "{}", check.stdout);
}

#[test]
fn a_registry_that_does_not_answer_in_full_changes_no_item() {
    let registry = Registry::start(torn);
    let url = registry.url();
    let gone = Registry::start(answer).url();
    for url in [url, gone] {
        let run = modelsync_with(&["fn"], list(&url).as_bytes());
        assert_eq!(run.code, 1, "{}", run.stdout);
        assert!(run.stdout.contains(ITEMS), "{}", run.stdout);
        assert!(run.stdout.contains("severity: error"), "{}", run.stdout);
        assert!(
            run.stderr.contains("cannot list the models of MLflow"),
            "{}",
            run.stderr
        );
    }
    let run = modelsync_with(&["fn"], list(&registry.url()).as_bytes());
    assert!(
        run.stderr.contains("page 2") && run.stderr.contains("401"),
        "{}",
        run.stderr
    );
}

#[test]
fn kpt_renders_from_a_registry() {
    if !is_there("kpt") {
        return;
    }
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bot\ndata:\n  model: models:/bot/1 # keep\n";
    let kptfile = format!(
        "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: bot\npipeline:\n  mutators:\n  - exec: \
         {} fn\n    configPath: set-model.yaml\n",
        env!("CARGO_BIN_EXE_modelsync")
    );
    let render = |url: &str| {
        let directory = package(&[
            ("Kptfile", &kptfile),
            ("set-model.yaml", &config(url)),
            ("map.yaml", map),
        ]);
        let output = Command::new("kpt")
            .args(["fn", "render", "--allow-exec", path(directory.path())])
            .output()
            .unwrap();
        let after = std::fs::read_to_string(directory.path().join("map.yaml")).unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
            after,
        )
    };
    let (whole, torn) = (Registry::start(answer), Registry::start(torn));
    let (is_success, errors, after) = render(&whole.url());
    assert!(is_success, "{errors}");
    assert_eq!(after, map.replace("bot/1", "bot/2"));
    let (is_success, errors, after) = render(&torn.url());
    assert!(!is_success && errors.contains("page 2"), "{errors}");
    assert_eq!(after, map);
}
