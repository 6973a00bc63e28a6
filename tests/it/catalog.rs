//! `catalog refresh`: what it writes, and that it writes nothing when an answer is not whole.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::cli::{modelsync, package, path};
use crate::harness::is_there;
use crate::harness::registry::{Answer, Asked, Registry};

const SET_MODEL: &str = "\
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: SetModel
metadata: {name: bot}
spec:
  policy: {displayName: bot}
  targets:
  - resource: {kind: ConfigMap, name: bot}
    field: data.model
";
const MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bot}\ndata:\n  model: models:/bot/1\n";

/// A catalog that people have worked on.
const CATALOG: &str = "\
# Who owns this: the label team.
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: ModelCatalog
metadata:
  name: NAME
  annotations: {config.kubernetes.io/local-config: \"true\"}
spec:
  source:
    mlflow: {trackingURI: \"URL\"} # asked every night
  observedAt: 2020-06-10T00:00:00Z
  models:
  # Good enough since March.
  - name: models:/bot/2
    displayName: bot
    version: \"2\"
    createTime: 2020-06-02T00:00:00Z
    state: Trained # not serving
    uri: s3://models/2

  # The first one.
  - name: models:/bot/1
    displayName: bot
    version: '1'
    createTime: 2020-06-01T00:00:00Z
    state: Trained
    uri: s3://models/1
";

fn catalog(name: &str, url: &str) -> String {
    CATALOG.replace("NAME", name).replace("URL", url)
}

fn version(number: u64) -> Value {
    json!({
        "name": "bot",
        "version": number.to_string(),
        "creation_timestamp": 1_590_969_600_000_u64 + (number - 1) * 86_400_000,
        "status": "READY",
        "source": format!("s3://models/{number}"),
    })
}

type Versions = Arc<Mutex<Vec<Value>>>;

/// MLflow with these versions of one registered model, on pages of one.
fn mlflow(versions: &Versions) -> Registry {
    let versions = versions.clone();
    Registry::start(move |asked| match asked.path.as_str() {
        "/api/2.0/mlflow/registered-models/search" => {
            Answer::Json(200, json!({"registered_models": [{"name": "bot"}]}))
        }
        "/api/2.0/mlflow/model-versions/search" => {
            let versions = versions.lock().unwrap();
            let number: usize = asked
                .query
                .get("page_token")
                .map_or(0, |it| it.parse().unwrap());
            let mut page = json!({"model_versions": versions.get(number..=number)});
            if number + 1 < versions.len() {
                page["next_page_token"] = (number + 1).to_string().into();
            }
            Answer::Json(200, page)
        }
        _ => not_found(asked),
    })
}

fn not_found(asked: &Asked) -> Answer {
    Answer::Json(
        404,
        json!({"error_code": "ENDPOINT_NOT_FOUND", "message": asked.path}),
    )
}

fn read(directory: &tempfile::TempDir, file: &str) -> String {
    std::fs::read_to_string(directory.path().join(file)).unwrap()
}

#[test]
fn writes_what_the_registry_reports_and_nothing_else() {
    let versions: Versions = Arc::new(Mutex::new(vec![version(1), version(2)]));
    let registry = mlflow(&versions);
    let text = catalog("models", &registry.url());
    let directory = package(&[
        ("set.yaml", SET_MODEL),
        ("map.yaml", MAP),
        ("models.yaml", &text),
    ]);
    let refresh = |arguments: &[&str]| {
        let mut all = vec!["catalog", "refresh", path(directory.path())];
        all.extend(arguments);
        modelsync(&all)
    };
    // The same models: not a byte.
    let run = refresh(&[]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    insta::assert_snapshot!(run.stderr, @"models (models.yaml): 2 models, unchanged");
    assert_eq!(read(&directory, "models.yaml"), text);

    // One is gone, one changed, one new.
    let mut changed = version(2);
    changed["tags"] = json!([{"key": "stage", "value": "no"}]);
    *versions.lock().unwrap() = vec![changed, version(3)];
    let dry = refresh(&["--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.stderr);
    let observed = dry
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("+  observedAt: "))
        .unwrap();
    observed.parse::<jiff::Timestamp>().unwrap();
    insta::assert_snapshot!(dry.stdout.replace(observed, "NOW").replace(&registry.url(), "URL"), @r#"
    diff --git a/models.yaml b/models.yaml
    --- a/models.yaml
    +++ b/models.yaml
    @@ -7,20 +7,20 @@
     spec:
       source:
         mlflow: {trackingURI: "URL"} # asked every night
    -  observedAt: 2020-06-10T00:00:00Z
    +  observedAt: NOW
       models:
    +  - name: models:/bot/3
    +    displayName: bot
    +    version: "3"
    +    createTime: 2020-06-03T00:00:00Z
    +    state: Trained
    +    uri: s3://models/3
    +
       # Good enough since March.
       - name: models:/bot/2
         displayName: bot
         version: "2"
         createTime: 2020-06-02T00:00:00Z
         state: Trained # not serving
    +    labels: {stage: "no"}
         uri: s3://models/2
    -
    -  # The first one.
    -  - name: models:/bot/1
    -    displayName: bot
    -    version: '1'
    -    createTime: 2020-06-01T00:00:00Z
    -    state: Trained
    -    uri: s3://models/1
    "#);
    assert_eq!(read(&directory, "models.yaml"), text, "a dry run wrote");

    let run = refresh(&["--output", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["outcome"], "changed");
    assert_eq!(json["files"], json!(["models.yaml"]));
    assert_eq!(json["catalogs"][0]["added"], json!(["models:/bot/3"]));
    assert_eq!(
        json["catalogs"][0]["changed"][0]["fields"],
        json!(["labels"])
    );
    assert_eq!(json["catalogs"][0]["removed"], json!(["models:/bot/1"]));
    assert_eq!(
        json["catalogs"][0]["warnings"][0]
            .as_str()
            .unwrap()
            .replace(&registry.url(), "URL"),
        "the model in Git (models:/bot/1) is gone from MLflow URL (model bot)"
    );
    let after = read(&directory, "models.yaml");
    assert!(
        after.contains("    state: Trained # not serving\n"),
        "{after}"
    );

    // A second time: not a byte, whatever the time is.
    let again = refresh(&[]);
    assert_eq!(again.code, 0);
    assert!(
        again.stderr.ends_with("2 models, unchanged\n"),
        "{}",
        again.stderr
    );
    assert_eq!(read(&directory, "models.yaml"), after);

    // And the package renders from it without a network.
    drop(registry);
    let render = modelsync(&["render", path(directory.path())]);
    assert_eq!(render.code, 0, "{}", render.stderr);
    assert_eq!(read(&directory, "map.yaml"), MAP.replace("bot/1", "bot/3"));
}

#[test]
fn an_answer_that_is_not_whole_changes_no_catalog() {
    let versions: Versions = Arc::new(Mutex::new(vec![version(1), version(2), version(3)]));
    let whole = mlflow(&versions);
    let torn = Registry::start(|asked| match asked.path.as_str() {
        "/api/2.0/mlflow/registered-models/search" => Answer::Json(200, json!({})),
        _ if asked.query.contains_key("page_token") => Answer::Json(
            403,
            json!({"error_code": "PERMISSION_DENIED", "message": "no"}),
        ),
        _ => Answer::Json(
            200,
            json!({"model_versions": [version(1)], "next_page_token": "x"}),
        ),
    });
    let (one, two) = (catalog("one", &whole.url()), catalog("two", &torn.url()));
    let directory = package(&[
        (
            "set.yaml",
            &SET_MODEL.replace("spec:", "spec:\n  source: {catalog: {name: two}}"),
        ),
        ("map.yaml", MAP),
        ("a/one.yaml", &one),
        ("two.yaml", &two),
    ]);
    let run = modelsync(&["catalog", "refresh", path(directory.path())]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr
            .starts_with("error: cannot refresh two (two.yaml): "),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("page 2") && run.stderr.contains("403"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.ends_with("no catalog was changed\n"),
        "{}",
        run.stderr
    );
    assert_eq!(
        (read(&directory, "a/one.yaml"), read(&directory, "two.yaml")),
        (one, two.clone())
    );
    let json = modelsync(&[
        "catalog",
        "refresh",
        "--output",
        "json",
        path(directory.path()),
    ]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["outcome"], &json["files"]),
        (&json!("failed"), &json!([]))
    );
    // The one that answers can be refreshed alone.
    let run = modelsync(&[
        "catalog",
        "refresh",
        "--catalog",
        "one",
        path(directory.path()),
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(read(&directory, "a/one.yaml").contains("models:/bot/3"));
    assert_eq!(read(&directory, "two.yaml"), two);
}

#[test]
fn wrong_input_is_named_and_nothing_is_written() {
    let registry = mlflow(&Arc::default());
    let text = catalog("models", &registry.url());
    let silent = text
        .replace("source:", "# source:")
        .replace("    mlflow", "    # mlflow");
    for (text, arguments, message) in [
        (
            &text,
            &["--catalog", "model"][..],
            "there is no ModelCatalog \"model\"; did you mean \"models\"?",
        ),
        (
            &silent,
            &[],
            "no ModelCatalog says whom to ask; set spec.source of models",
        ),
        (
            &text,
            &[],
            "lists no models, and the catalog has 2; check the source, or take them all out with --allow-empty",
        ),
        (&text.replace("http://", "http//"), &[], "trackingURI"),
        (
            &text.replace("state: Trained", "state: trained"),
            &[],
            "models.yaml:17:12: unknown value \"trained\"",
        ),
    ] {
        let directory = package(&[
            ("set.yaml", SET_MODEL),
            ("map.yaml", MAP),
            ("models.yaml", text),
        ]);
        let mut all = vec!["catalog", "refresh", path(directory.path())];
        all.extend(arguments);
        let run = modelsync(&all);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
        assert!(run.stderr.contains(message), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        assert_eq!(read(&directory, "models.yaml"), **text);
    }
    let run = modelsync(&["catalog", "refresh", "/nowhere"]);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (1, "error: cannot read /nowhere: it does not exist\n")
    );
    assert_eq!(modelsync(&["catalog"]).code, 2);
    assert_eq!(
        modelsync(&["catalog", "refresh", "--output", "xml"]).code,
        2
    );
}

#[test]
fn a_catalog_that_cannot_be_written_is_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let versions: Versions = Arc::new(Mutex::new(vec![version(1)]));
    let registry = mlflow(&versions);
    let text = catalog("models", &registry.url());
    let directory = package(&[
        ("set.yaml", SET_MODEL),
        ("map.yaml", MAP),
        ("c/models.yaml", &text),
    ]);
    let folder = directory.path().join("c");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    // The superuser writes anyway, unless the file system itself does not let him.
    let is_superuser = std::fs::write(folder.join("probe"), "").is_ok();
    let run = modelsync(&["catalog", "refresh", path(directory.path())]);
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    if is_superuser {
        assert_eq!(run.code, 0, "{}", run.stderr);
        return;
    }
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("cannot write"), "{}", run.stderr);
    assert_eq!(read(&directory, "c/models.yaml"), text);
}

/// Texts that Go YAML would take for something else, written by a refresh and read by kubectl.
#[test]
fn kubectl_reads_what_was_reported() {
    if !is_there("kubectl") {
        return;
    }
    const AWKWARD: [&str; 16] = [
        "yes",
        "~",
        "null",
        "1e3",
        "0x10",
        "012",
        "1_000",
        "2020-07-24",
        "12:30",
        "a: b",
        "a #b",
        "- a",
        "\"'",
        "é😁",
        "line\nbreak\t",
        "",
    ];
    let mut reported = version(2);
    let tags = AWKWARD.iter().enumerate();
    reported["tags"] = tags
        .map(|(number, text)| json!({"key": format!("k{number}"), "value": text}))
        .collect();
    reported["tags"]
        .as_array_mut()
        .unwrap()
        .push(json!({"key": "on", "value": "off"}));
    let versions: Versions = Arc::new(Mutex::new(vec![version(1), reported]));
    let registry = mlflow(&versions);
    let flow = "  - {name: 'models:/bot/1', displayName: bot, createTime: 2020-06-01T00:00:00Z, state: Trained, labels: {a: b}}\n";
    let start = CATALOG.find("  # Good enough").unwrap();
    for models in [&CATALOG[start..], flow] {
        let text = format!("{}{models}", &CATALOG[..start])
            .replace("NAME", "c")
            .replace("URL", &registry.url());
        let directory = package(&[
            ("models.yaml", &text),
            ("set.yaml", SET_MODEL),
            ("map.yaml", MAP),
        ]);
        let run = modelsync(&["catalog", "refresh", path(directory.path())]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let output = std::process::Command::new("kubectl")
            .args([
                "patch",
                "--local",
                "--type=merge",
                "-p",
                "{}",
                "-o",
                "json",
                "-f",
            ])
            .arg(directory.path().join("models.yaml"))
            .env("KUBECONFIG", "/dev/null")
            .env("HOME", directory.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{errors}\n{}",
            read(&directory, "models.yaml")
        );
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        let models = value["spec"]["models"].as_array().unwrap();
        let model = models
            .iter()
            .find(|it| it["name"] == "models:/bot/2")
            .unwrap();
        for (number, text) in AWKWARD.iter().enumerate() {
            assert_eq!(model["labels"][format!("k{number}")], *text);
        }
        assert_eq!(model["labels"]["on"], "off");
        assert_eq!(model["createTime"], "2020-06-02T00:00:00Z");
        assert_eq!(model["version"], "2");
    }
}
