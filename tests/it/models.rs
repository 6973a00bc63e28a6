//! The `models` commands: what they print, where models come from, and wrong input.

use std::process::Command;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::cli::{modelsync, package, path};
use crate::harness::registry::{Answer, Registry};

const SET_MODEL: &str = "\
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: SetModel
metadata: {name: bot}
spec:
  policy:
    displayName: bot
    gates: [{metric: precision, min: 0.6}]
  targets:
  - resource: {kind: ConfigMap, name: bot}
    field: data.model
";
const MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: bot}
data: {model: projects/p/locations/l/models/TCN1}
";
const CATALOG: &str = "\
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: ModelCatalog
metadata: {name: models}
spec:
  models:
  - name: projects/p/locations/l/models/TCN1
    displayName: bot
    createTime: 2020-06-01T00:00:00Z
    state: Deployed
    evaluation: {metrics: {precision: 0.7}, perLabel: {docs: {precision: 0.8, recall: 0.5}}}
  - name: projects/p/locations/l/models/TCN2
    displayName: bot
    createTime: 2020-07-01T00:00:00Z
    state: Trained
    labels: {team: \"a\"}
    evaluation: {metrics: {precision: 0.75}, perLabel: {docs: {precision: 0.7, recall: 0.6}}}
  - name: projects/p/locations/l/models/TCN3
    displayName: bot
    createTime: 2020-08-01T00:00:00Z
    state: Trained
";

fn whole() -> tempfile::TempDir {
    package(&[
        ("set.yaml", SET_MODEL),
        ("map.yaml", MAP),
        ("models.yaml", CATALOG),
    ])
}

/// Standard output of a run that must succeed.
fn output(arguments: &[&str]) -> String {
    let run = modelsync(&[&["models"], arguments].concat());
    assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    run.stdout
}

#[test]
fn lists_gets_and_compares() {
    let directory = whole();
    let directory = path(directory.path());
    insta::assert_snapshot!(output(&["list", "-C", directory]), @r#"
       NAME  DISPLAY NAME  CREATED               STATE     PRECISION  CHOSEN
       TCN3  bot           2020-08-01T00:00:00Z  Trained              no: no evaluation for metric "precision"
       TCN2  bot           2020-07-01T00:00:00Z  Trained        0.75  yes
    *  TCN1  bot           2020-06-01T00:00:00Z  Deployed        0.7  no: older than the chosen model
    "#);
    insta::assert_snapshot!(output(&["get", "TCN2", "-C", directory]), @"
    name:          projects/p/locations/l/models/TCN2
    display name:  bot
    created:       2020-07-01T00:00:00Z
    state:         Trained
    labels:        team=a
    now in Git:    no
    chosen:        yes

    LABEL      PRECISION  RECALL
    (overall)       0.75       -
    docs             0.7     0.6
    ");
    insta::assert_snapshot!(output(&["evaluate", "TCN1", "TCN2", "-C", directory]), @"
    A  projects/p/locations/l/models/TCN1
    B  projects/p/locations/l/models/TCN2

    LABEL      PRECISION A     B    B-A  RECALL A    B   B-A
    (overall)          0.7  0.75  +0.05         -    -
    docs               0.8   0.7   -0.1       0.5  0.6  +0.1
    ");
    insta::assert_snapshot!(output(&["get", "TCN2", "-C", directory, "--output", "yaml"]), @r#"
    name: projects/p/locations/l/models/TCN2
    displayName: bot
    createTime: "2020-07-01T00:00:00Z"
    state: Trained
    labels:
      team: a
    evaluation:
      metrics:
        precision: 0.75
      perLabel:
        docs:
          precision: 0.7
          recall: 0.6
    current: false
    chosen: true
    "#);
    let csv = output(&["list", "-C", directory, "--output", "csv"]);
    assert_eq!(csv.matches("\r\n").count(), 4, "{csv}");
    let json: Value =
        serde_json::from_str(&output(&["list", "-C", directory, "--output", "json"])).unwrap();
    assert_eq!(json["chosen"], "projects/p/locations/l/models/TCN2");
    assert_eq!(
        json["current"],
        json!(["projects/p/locations/l/models/TCN1"])
    );
    // What is printed for programs is the same wherever it goes.
    assert!(!output(&["list", "-C", directory]).contains('\u{1b}'));
}

#[test]
fn models_come_from_where_they_are_said_to_be() {
    let directory = package(&[
        ("models.yaml", CATALOG),
        ("other/set.yaml", SET_MODEL),
        (
            "other/set2.yaml",
            &SET_MODEL.replace("bot}\nspec", "bot2}\nspec"),
        ),
    ]);
    let root = path(directory.path());
    let (file, config) = (
        format!("{root}/models.yaml"),
        format!("{root}/other/set.yaml"),
    );
    // Several configs.
    let run = modelsync(&["models", "list", "-C", root]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("holds 2 SetModels (bot and bot2); name the file of one with --config"),
        "{}",
        run.stderr
    );
    // One of them; its target is not there, which does not matter for a list.
    let run = modelsync(&["models", "list", "-C", root, "--config", &config]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("CHOSEN"));
    assert!(
        run.stderr
            .starts_with("warning: cannot tell the model in Git: "),
        "{}",
        run.stderr
    );
    // A catalog alone has no policy, and needs no directory.
    let run = modelsync(&["models", "list", "-C", "/nowhere", "--catalog", &file]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!run.stdout.contains("CHOSEN"));
    let run = modelsync(&[
        "models",
        "list",
        "--catalog",
        &file,
        "--display-name",
        "bto",
    ]);
    assert_eq!(run.code, 0);
    assert!(
        run.stderr.contains("no model in ModelCatalog models"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("did you mean \"bot\"?"),
        "{}",
        run.stderr
    );
    // The only catalog of a directory.
    let only = package(&[("models.yaml", CATALOG)]);
    assert_eq!(
        output(&["list", "-C", path(only.path())]).lines().count(),
        4
    );
}

#[test]
fn wrong_input_is_named() {
    let directory = whole();
    let empty = package(&[]);
    let (root, empty) = (path(directory.path()), path(empty.path()));
    for (arguments, code, message) in [
        (
            &["get", "TCN22", "-C", root][..],
            1,
            "there is no model \"TCN22\" in ModelCatalog models; did you mean TCN2?",
        ),
        (&["get", "s/TCN2", "-C", root], 1, "did you mean"),
        (
            &["evaluate", "TCN3", "-C", root],
            1,
            "has no figures of projects/p/locations/l/models/TCN3",
        ),
        (
            &["list", "-C", empty],
            1,
            "says where models are listed; name a catalog with --catalog",
        ),
        (
            &["list", "-C", "/nowhere"],
            1,
            "cannot read /nowhere: it does not exist",
        ),
        (
            &["list", "--catalog", "/nowhere.yaml"],
            1,
            "cannot read /nowhere.yaml",
        ),
        (
            &["training", "-C", root],
            1,
            "the catalog models names no registry",
        ),
        (
            &["deploy", "TCN2", "-C", empty],
            1,
            "names a registry; set spec.source",
        ),
        (
            &["label", "TCN2", "a=b", "a-", "-C", root],
            1,
            "the label a is given twice",
        ),
        (
            &["label", "TCN2", "ab", "-C", root],
            2,
            "give KEY=VALUE to set it or KEY- to remove it",
        ),
        (&["label", "TCN2"], 2, "<LABEL>"),
        (
            &["list", "--automl", "p"],
            2,
            "give a project and a location",
        ),
        (
            &["list", "--automl", "p/l", "--mlflow", "http://m"],
            2,
            "cannot be used with",
        ),
        (&["list", "--endpoint", "http://m"], 2, "--automl"),
        (
            &["deploy", "TCN2", "--no-wait", "--timeout", "1m"],
            2,
            "cannot be used with",
        ),
        (&["deploy", "TCN2", "--timeout", "1 minute"], 2, "duration"),
        (
            &["list", "--output", "xml"],
            2,
            "possible values: table, json, yaml, csv",
        ),
        (&[], 2, "Usage"),
    ] {
        let run = modelsync(&[&["models"], arguments].concat());
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (code, ""),
            "{arguments:?}: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains(message),
            "{arguments:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let directory = whole();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_modelsync"))
        .args(["models", "list", "-C", path(directory.path())])
        .env_clear()
        .stdout(writer)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

const MODEL: &str = "projects/p/locations/l/models/TCN2";

/// AutoML with one model, whose deployment takes two questions and ends like this.
fn automl(end: Value) -> Registry {
    let asked_for = Mutex::new(0);
    Registry::start(move |asked| {
        let model = json!({
            "name": MODEL, "displayName": "bot", "createTime": "2020-07-01T00:00:00Z",
            "deploymentState": "UNDEPLOYED", "labels": {"old": "x", "team": "a"}, "etag": "e",
        });
        let path = asked.path.trim_start_matches("/v1/");
        match (asked.method.as_str(), path) {
            ("GET", "projects/p/locations/l/models") => {
                Answer::Json(200, json!({"model": [model]}))
            }
            ("GET", MODEL) | ("PATCH", MODEL) => Answer::Json(200, model),
            ("GET", "projects/p/locations/l/operations") => Answer::Json(
                200,
                json!({"operations": [
                    {"name": "projects/p/locations/l/operations/1", "metadata": {"createModelDetails": {}}},
                    {"name": "projects/p/locations/l/operations/2", "metadata": {"createModelDetails": {}}, "done": true},
                ]}),
            ),
            ("POST", path) if path == format!("{MODEL}:deploy") => {
                Answer::Json(200, json!({"name": "projects/p/locations/l/operations/9"}))
            }
            ("GET", "projects/p/locations/l/operations/9") => {
                let mut count = asked_for.lock().unwrap();
                *count += 1;
                let mut operation = json!({"name": "projects/p/locations/l/operations/9", "metadata": {"progressPercent": 40}});
                if *count > 1 {
                    operation = end.clone();
                }
                Answer::Json(200, operation)
            }
            ("GET", path) if path.ends_with("/modelEvaluations") => Answer::Json(200, json!({})),
            _ => Answer::Json(
                404,
                json!({"error": {"code": 404, "status": "NOT_FOUND", "message": path}}),
            ),
        }
    })
}

fn done() -> Value {
    json!({"name": "projects/p/locations/l/operations/9", "done": true, "response": {}})
}

#[test]
fn deploys_and_waits() {
    let registry = automl(done());
    let url = registry.url();
    let source = ["--automl", "p/l", "--endpoint", &url];
    let run = modelsync(&[&["models", "deploy", "TCN2"][..], &source].concat());
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    // No bar: standard error is no terminal.
    assert_eq!(run.stderr, format!("deployed {MODEL}\n"));
    let questions = registry.asked();
    assert!(
        questions
            .iter()
            .filter(|it| it.path.ends_with("operations/9"))
            .count()
            >= 2
    );
    let run = modelsync(
        &[
            &["models", "deploy", MODEL, "--no-wait", "--output", "json"][..],
            &source,
        ]
        .concat(),
    );
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        json,
        json!({"model": MODEL, "operation": "projects/p/locations/l/operations/9", "done": false})
    );
}

#[test]
fn deployments_that_fail_or_take_too_long_are_failures() {
    let failed = json!({"name": "projects/p/locations/l/operations/9", "done": true, "error": {"code": 8, "message": "out of quota"}});
    let registry = automl(failed);
    let url = registry.url();
    let run = modelsync(&[
        "models",
        "deploy",
        "TCN2",
        "--automl",
        "p/l",
        "--endpoint",
        &url,
    ]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr
            .starts_with(&format!("error: cannot deploy {MODEL}: ")),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("out of quota"), "{}", run.stderr);
    let slow = automl(done());
    let url = slow.url();
    let run = modelsync(&[
        "models",
        "deploy",
        "TCN2",
        "--timeout",
        "0s",
        "--automl",
        "p/l",
        "--endpoint",
        &url,
    ]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("has not ended after 0s, and goes on"),
        "{}",
        run.stderr
    );
}

#[test]
fn labels_and_training() {
    let registry = automl(done());
    let url = registry.url();
    let source = ["--automl", "p/l", "--endpoint", &url];
    let run = modelsync(
        &[
            &["models", "label", "TCN2", "stage=live", "old-"][..],
            &source,
        ]
        .concat(),
    );
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    assert_eq!(
        run.stderr,
        format!("labelled {MODEL}: old removed, stage=live\n")
    );
    let patch = registry
        .asked()
        .into_iter()
        .find(|it| it.method == "PATCH")
        .unwrap();
    let body: Value = serde_json::from_str(&patch.body).unwrap();
    assert_eq!(body["labels"], json!({"team": "a", "stage": "live"}));
    let run = modelsync(&[&["models", "training"][..], &source].concat());
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "NAME\nprojects/p/locations/l/operations/1\n")
    );
    // The catalog says which registry.
    let catalog = CATALOG.replace(
        "spec:\n",
        &format!("spec:\n  source: {{automl: {{project: p, location: l, endpoint: \"{url}\"}}}}\n"),
    );
    let directory = package(&[
        ("models.yaml", &catalog),
        ("set.yaml", SET_MODEL),
        ("map.yaml", MAP),
    ]);
    let run = modelsync(&[
        "models",
        "training",
        "-C",
        path(directory.path()),
        "--output",
        "csv",
    ]);
    assert_eq!(
        run.stdout, "name\r\nprojects/p/locations/l/operations/1\r\n",
        "{}",
        run.stderr
    );
}

#[test]
fn registries_that_refuse_are_failures() {
    let registry = Registry::start(|_| {
        Answer::Json(
            403,
            json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}}),
        )
    });
    let url = registry.url();
    for verb in [
        &["list"][..],
        &["get", "x"],
        &["training"],
        &["deploy", MODEL],
        &["label", MODEL, "a=b"],
    ] {
        let run =
            modelsync(&[&["models"], verb, &["--automl", "p/l", "--endpoint", &url]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{verb:?}");
        assert!(
            run.stderr.starts_with("error: cannot "),
            "{verb:?}: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains("403") && run.stderr.contains("automl."),
            "{verb:?}: {}",
            run.stderr
        );
        assert_eq!(run.stderr.lines().count(), 1, "{verb:?}: {}", run.stderr);
    }
}
