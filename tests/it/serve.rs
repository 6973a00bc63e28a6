//! `modelsync serve`: the wire form, many callers, a directory that is swapped, and the end.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::extract::State;
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::cli::modelsync;
use crate::harness::server::{Answer, Server, request};

const HEAD: &str = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\n";

fn config(name: &str, source: &str) -> String {
    format!(
        "{HEAD}kind: SetModel\nmetadata: {{name: {name}}}\nspec:\n  {source}\n  policy: \
         {{displayName: d}}\n  targets:\n  - resource: {{kind: ConfigMap, name: bot}}\n    field: \
         data.model\n"
    )
}

fn catalog(models: &[&str]) -> String {
    let mut text =
        format!("{HEAD}kind: ModelCatalog\nmetadata: {{name: models}}\nspec:\n  models:");
    for (number, name) in models.iter().enumerate() {
        let time = format!("2020-{:02}-01T00:00:00Z", number + 1);
        text +=
            &format!("\n  - {{name: {name}, displayName: d, createTime: {time}, state: Trained}}");
    }
    text + if models.is_empty() { " []\n" } else { "\n" }
}

fn map(model: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: bot}}\ndata: {{model: {model}}}\n")
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn package(models: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (config, catalog) = (config("bot", ""), catalog(models));
    write(
        directory.path(),
        &[
            ("set-model.yaml", &config),
            ("models.yaml", &catalog),
            ("map.yaml", &map("m1")),
        ],
    );
    directory
}

fn messages(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let errors = json["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn answers_have_the_first_versions_field_names() {
    let directory = package(&["m1", "m2"]);
    let server = Server::start(directory.path(), &[]);
    let answer = server.get("/needsSync");
    assert_eq!(answer.code, 200);
    assert!(
        answer.head.contains("content-type: application/json"),
        "{}",
        answer.head
    );
    insta::assert_snapshot!(answer.body, @r#"{"kind":"NeedsSync","apiVersion":"v1alpha1","metadata":{"creationTimestamp":null,"annotations":{"automl.cloudai.kubeflow.org/config":"bot","automl.cloudai.kubeflow.org/reason":"bot: chose m2 (created 2020-02-01T00:00:00Z), newest of 2 models; in Git is m1"}},"needsSync":true,"parameters":{"name":"m2"},"errors":[]}"#);
    let train = server.get("/needsTrain");
    assert_eq!(train.code, 200);
    insta::assert_snapshot!(train.body, @r#"{"kind":"NeedsSync","apiVersion":"v1alpha1","metadata":{"creationTimestamp":null,"annotations":{"automl.cloudai.kubeflow.org/config":"bot","automl.cloudai.kubeflow.org/reason":"bot: the newest model m2 was created 2020-02-01T00:00:00Z, at least 1d ago"}},"needsSync":true,"parameters":{},"errors":[]}"#);

    // The files are read for each request.
    write(directory.path(), &[("map.yaml", &map("m2"))]);
    let answer = server.get("/needsSync").json();
    assert_eq!(
        (&answer["needsSync"], &answer["parameters"]["name"]),
        (&json!(false), &json!("m2"))
    );

    // What the controller needs to know before anything was trained.
    write(directory.path(), &[("models.yaml", &catalog(&[]))]);
    let answer = server.get("/needsSync");
    assert_eq!(
        (answer.code, &answer.json()["needsSync"]),
        (200, &json!(false))
    );
    assert!(answer.body.contains("lists no model"), "{}", answer.body);
    assert_eq!(server.get("/needsTrain").json()["needsSync"], json!(true));

    write(
        directory.path(),
        &[("map.yaml", "a: 1\n"), ("models.yaml", &catalog(&["m1"]))],
    );
    let answer = server.get("/needsSync");
    assert_eq!(answer.code, 500);
    let message = &messages(&answer)[0];
    assert!(message.contains("no document matches"), "{message}");
    assert_eq!(answer.json()["needsSync"], json!(false));
}

#[test]
fn a_young_model_needs_no_training() {
    let directory = package(&["m1"]);
    let server = Server::start(directory.path(), &["--retrain-interval", "100000d"]);
    let answer = server.get("/needsTrain");
    assert_eq!(
        (answer.code, &answer.json()["needsSync"]),
        (200, &json!(false))
    );
    assert!(
        answer.body.contains("less than 100000d ago"),
        "{}",
        answer.body
    );
}

#[test]
fn several_configs_are_told_apart_by_name() {
    let directory = package(&["m1", "m2"]);
    write(directory.path(), &[("other.yaml", &config("other", ""))]);
    let server = Server::start(
        directory.path(),
        &["--config", "set-model.yaml", "--config", "other.yaml"],
    );
    let answer = server.get("/needsSync");
    assert_eq!(answer.code, 400);
    assert_eq!(
        messages(&answer),
        ["there are several configs; add ?config= with one of bot, other"]
    );
    let answer = server.get("/needsSync?config=other").json();
    assert_eq!(answer["needsSync"], json!(true));
    assert_eq!(
        answer["metadata"]["annotations"]["automl.cloudai.kubeflow.org/config"],
        json!("other")
    );
    let answer = server.get("/needsTrain?config=third");
    assert_eq!(answer.code, 404);
    assert_eq!(
        messages(&answer),
        ["there is no config \"third\"; there is bot, other"]
    );
}

#[test]
fn probes_metrics_and_wrong_requests() {
    let directory = package(&["m1", "m2"]);
    let server = Server::start(directory.path(), &[]);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            (server.get(path).code, server.get(path).body.as_str()),
            (200, "ok\n")
        );
    }
    let head = server.send("HEAD", "/needsSync", "");
    assert_eq!((head.code, head.body.as_str()), (200, ""));
    let post = server.send("POST", "/needsSync", "Content-Length: 0\r\n");
    assert_eq!(post.code, 405);
    assert!(post.head.contains("allow: GET, HEAD"), "{}", post.head);
    assert_eq!(server.get("/needssync").code, 404);
    let large = server.send("GET", "/needsSync", "Content-Length: 65537\r\n");
    assert_eq!(large.code, 413);

    let metrics = server.get("/metrics").body;
    for line in [
        "modelsync_http_requests_total{path=\"/needsSync\",code=\"200\"} 1",
        "modelsync_http_requests_total{path=\"/needsSync\",code=\"405\"} 1",
        "modelsync_http_requests_total{path=\"other\",code=\"404\"} 1",
        "modelsync_needs_sync{path=\"/needsSync\",config=\"bot\"} 1",
        "modelsync_http_request_duration_seconds_count{path=\"/healthz\"} 2",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} in {metrics}"
        );
    }

    // Not ready, and says why; well again without a restart.
    write(
        directory.path(),
        &[(
            "set-model.yaml",
            "kind: SetModel\napiVersion: automl.cloudai.kubeflow.org/v1alpha1\n",
        )],
    );
    let unready = server.get("/readyz");
    assert_eq!(unready.code, 503);
    assert!(unready.body.contains("set-model.yaml"), "{}", unready.body);
    assert_eq!(server.get("/needsSync").code, 500);
    assert_eq!(server.get("/healthz").code, 200);
    write(directory.path(), &[("set-model.yaml", &config("bot", ""))]);
    assert_eq!(server.get("/readyz").code, 200);
}

#[test]
fn a_directory_that_comes_later_is_waited_for() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("current");
    let server = Server::start(&directory, &[]);
    let unready = server.get("/readyz");
    assert_eq!(unready.code, 503);
    assert!(
        unready.body.contains("current: No such file"),
        "{}",
        unready.body
    );
    let ready = package(&["m1", "m2"]);
    symlink(ready.path(), &directory).unwrap();
    assert_eq!(server.get("/readyz").code, 200);
    assert_eq!(server.get("/needsSync").json()["needsSync"], json!(true));
}

#[test]
fn wrong_arguments_are_one_sentence() {
    let directory = package(&["m1"]);
    let server = Server::start(directory.path(), &[]);
    let path = directory.path().to_str().unwrap();
    let run = modelsync(&["serve", "--dir", path, "--listen", &server.address]);
    let wanted = format!(
        "cannot listen on {}; choose another address or port with --listen",
        server.address
    );
    assert_eq!(
        (run.code, run.stderr.lines().count()),
        (1, 1),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains(&wanted), "{}", run.stderr);
    for wrong in [
        ["--listen", "8080"],
        ["--retrain-interval", "24"],
        ["--cache-for", "soon"],
    ] {
        let run = modelsync(&[&["serve", "--dir", path][..], &wrong].concat());
        assert_eq!(run.code, 2, "{wrong:?}");
        assert!(run.stderr.contains(wrong[0]), "{}", run.stderr);
    }
    let run = modelsync(&["serve"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("--dir <DIR>"), "{}", run.stderr);
}

/// Kubernetes and Tekton pass on what a manifest leaves empty.
#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let directory = package(&["m1"]);
    let server = Server::start(directory.path(), &[]);
    let output = Command::new(env!("CARGO_BIN_EXE_modelsync"))
        .args(["serve", "--listen", &server.address, "--dir"])
        .arg(directory.path())
        .env("MODELSYNC_RETRAIN_INTERVAL", "")
        .env("MODELSYNC_CACHE_FOR", "")
        .env("MODELSYNC_REQUEST_TIMEOUT", "")
        .env("MODELSYNC_GRACE_PERIOD", "")
        .env("MODELSYNC_LOG_FORMAT", "")
        .env("MODELSYNC_LOG", "")
        .env("MODELSYNC_CONFIG", "")
        .env("MODELSYNC_CATALOG", "")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    // All of them were read; the address is taken.
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot listen on"), "{said}");

    // The address alone, without listening on the default one: nothing but the directory is missing.
    let output = Command::new(env!("CARGO_BIN_EXE_modelsync"))
        .arg("serve")
        .env("MODELSYNC_LISTEN", "")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--dir <DIR>"), "{said}");
    assert!(!said.contains("invalid value"), "{said}");
}

/// An MLflow that counts how often its models are listed, and answers when it is let.
struct Registry {
    listed: AtomicUsize,
    let_go: Semaphore,
    connections: Arc<AtomicUsize>,
}

impl Registry {
    /// Starts one on this runtime.
    async fn start() -> (Arc<Self>, SocketAddr) {
        let registry = Arc::new(Self {
            listed: AtomicUsize::new(0),
            let_go: Semaphore::new(0),
            connections: Arc::default(),
        });
        let router = Router::new()
            .route("/api/2.0/mlflow/model-versions/search", get(versions))
            .route(
                "/api/2.0/mlflow/registered-models/search",
                get(|| async { Json(json!({"registered_models": [{"name": "d"}]})) }),
            )
            .with_state(registry.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = registry.connections.clone();
        let listener = listener.tap_io(move |_| {
            connections.fetch_add(1, Ordering::SeqCst);
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (registry, address)
    }

    async fn is_asked(&self) {
        while self.listed.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

async fn versions(State(registry): State<Arc<Registry>>) -> Json<Value> {
    registry.listed.fetch_add(1, Ordering::SeqCst);
    registry.let_go.acquire().await.unwrap().forget();
    Json(json!({"model_versions": [{
        "name": "d", "version": "2", "creation_timestamp": 1_590_000_000_000_i64,
        "last_updated_timestamp": 1_590_000_000_000_i64, "current_stage": "None",
        "source": "s3://m/2", "status": "READY",
    }]}))
}

fn asking(registry: SocketAddr) -> tempfile::TempDir {
    let directory = package(&[]);
    let source = format!("source: {{mlflow: {{trackingURI: \"http://{registry}\"}}}}");
    write(
        directory.path(),
        &[("set-model.yaml", &config("bot", &source))],
    );
    directory
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_registry_is_asked_again_over_the_same_connection() {
    runtime().block_on(async {
        let (registry, address) = Registry::start().await;
        let directory = asking(address);
        let server = Server::start(directory.path(), &["--cache-for", "0s"]);
        registry.let_go.add_permits(3);
        for number in 1..=3 {
            let answer = request(&server.address, "GET", "/needsSync", "").await;
            assert_eq!(answer.unwrap().code, 200);
            assert_eq!(registry.listed.load(Ordering::SeqCst), number);
        }
        // One is enough, and each listing would need its own if nothing were kept.
        assert!(registry.connections.load(Ordering::SeqCst) < 3);
    });
}

/// Asked less often than answers are kept, and answered later than callers wait.
#[test]
fn a_slow_registry_is_answered_in_the_end() {
    runtime().block_on(async {
        let (registry, address) = Registry::start().await;
        let directory = asking(address);
        let arguments = ["--cache-for", "0s", "--request-timeout", "300ms"];
        let server = Server::start(directory.path(), &arguments);
        let ask = || async {
            let answer = request(&server.address, "GET", "/needsSync", "").await;
            answer.unwrap()
        };
        assert_eq!(ask().await.code, 504);
        // One listing is answered, and no other: a second one would never be.
        registry.let_go.add_permits(1);
        while registry.let_go.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let mut answer = ask().await;
        for _ in 0..20 {
            if answer.code == 200 {
                break;
            }
            answer = ask().await;
        }
        assert_eq!(answer.code, 200, "{answer:?}");
        assert_eq!(answer.json()["parameters"]["name"], json!("models:/d/2"));
        assert_eq!(registry.listed.load(Ordering::SeqCst), 1);
        // It was told; the next question is a new one.
        assert_eq!(ask().await.code, 504);
        assert_eq!(registry.listed.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn a_thousand_callers_cause_one_registry_call() {
    runtime().block_on(async {
        let (registry, address) = Registry::start().await;
        let directory = asking(address);
        let server = Server::start(directory.path(), &["--cache-for", "1h"]);
        let callers: Vec<_> = (0..1000)
            .map(|_| {
                let address = server.address.clone();
                tokio::spawn(
                    async move { request(&address, "GET", "/needsSync", "").await.unwrap() },
                )
            })
            .collect();
        registry.is_asked().await;
        // More than one call would be answered too, and counted.
        registry.let_go.add_permits(1000);
        for caller in callers {
            let answer = caller.await.unwrap();
            assert_eq!(answer.code, 200, "{answer:?}");
            assert_eq!(answer.json()["parameters"]["name"], json!("models:/d/2"));
        }
        assert_eq!(registry.listed.load(Ordering::SeqCst), 1);
        let metrics = request(&server.address, "GET", "/metrics", "")
            .await
            .unwrap()
            .body;
        let count = |outcome: &str| {
            let name = format!(
                "modelsync_registry_answers_total{{what=\"models\",outcome=\"{outcome}\"}} "
            );
            let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
            line.map_or(0, |count| count.parse::<u32>().unwrap())
        };
        assert_eq!(count("answered"), 1, "{metrics}");
        assert_eq!(count("joined") + count("kept"), 999, "{metrics}");
    });
}

#[test]
fn a_request_that_takes_too_long_is_answered_all_the_same() {
    runtime().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let directory = asking(address);
        let server = Server::start(
            directory.path(),
            &["--cache-for", "0s", "--request-timeout", "1ms"],
        );
        let answer = request(&server.address, "GET", "/needsSync", "")
            .await
            .unwrap();
        assert_eq!(answer.code, 504, "{answer:?}");
        assert_eq!(
            messages(&answer),
            ["there was no answer within 1ms; ask again"]
        );
    });
}

#[test]
fn a_request_under_way_is_finished_before_the_end() {
    runtime().block_on(async {
        let (registry, address) = Registry::start().await;
        let directory = asking(address);
        let mut server = Server::start(directory.path(), &[]);
        let at = server.address.clone();
        let under_way = tokio::spawn(async move { request(&at, "GET", "/needsSync", "").await });
        registry.is_asked().await;
        server.signal("TERM");
        server.wait_for_line("finishing the requests under way");
        // Nobody new gets in.
        while request(&server.address, "GET", "/healthz", "")
            .await
            .is_ok()
        {}
        registry.let_go.add_permits(1);
        let answer = under_way.await.unwrap().unwrap();
        assert_eq!(
            (answer.code, &answer.json()["needsSync"]),
            (200, &json!(true))
        );
        assert_eq!(server.wait().code(), Some(0));
    });
}

#[test]
fn what_takes_longer_than_the_grace_period_is_cut_off() {
    runtime().block_on(async {
        for (arguments, signals) in [
            (["--grace-period", "10ms"], 1),
            (["--grace-period", "1h"], 2),
        ] {
            let (registry, address) = Registry::start().await;
            let directory = asking(address);
            let mut server = Server::start(directory.path(), &arguments);
            let at = server.address.clone();
            let under_way =
                tokio::spawn(async move { request(&at, "GET", "/needsSync", "").await });
            registry.is_asked().await;
            for _ in 0..signals {
                server.signal("INT");
                server.wait_for_line("finishing the requests under way");
            }
            assert!(under_way.await.unwrap().is_err());
            assert_eq!(server.wait().code(), Some(0));
        }
    });
}

/// Git-sync's layout: `current` leads to `.worktrees/COMMIT`. Tree number N has model N in Git and
/// model N + 1 as the newest, so that an answer made of two trees is seen.
fn swap(root: &Path, number: u64, is_commit: bool) -> PathBuf {
    let name = if is_commit {
        format!("{number:040x}")
    } else {
        format!("tree-{number}")
    };
    let name = Path::new(".worktrees").join(name);
    let tree = root.join(&name);
    let models = catalog(&[&format!("m{number}"), &format!("m{}", number + 1)]);
    write(
        &tree,
        &[
            ("p/models.yaml", &models),
            ("p/map.yaml", &map(&format!("m{number}"))),
            ("p/set-model.yaml", &config("bot", "")),
        ],
    );
    symlink(&name, root.join("new")).unwrap();
    fs::rename(root.join("new"), root.join("current")).unwrap();
    tree
}

/// A ConfigMap that is mounted beside git-sync's tree, for instance.
#[test]
fn files_that_are_named_outside_of_the_tree_are_read_each_time() {
    let scratch = tempfile::tempdir().unwrap();
    swap(scratch.path(), 0, true);
    let other = tempfile::tempdir().unwrap();
    let (given, listed) = (
        other.path().join("config.yaml"),
        other.path().join("c.yaml"),
    );
    let (given, listed) = (given.to_str().unwrap(), listed.to_str().unwrap());
    fs::write(given, config("first", "")).unwrap();
    fs::write(listed, catalog(&["m0"])).unwrap();
    let arguments = ["--config", given, "--catalog", listed];
    let server = Server::start(&scratch.path().join("current/p"), &arguments);
    let reason = || {
        let answer = server.get("/needsSync").json();
        let reason = &answer["metadata"]["annotations"]["automl.cloudai.kubeflow.org/reason"];
        reason.as_str().unwrap().to_owned()
    };
    assert!(reason().starts_with("first: "), "{}", reason());
    fs::write(given, config("second", "")).unwrap();
    assert!(reason().starts_with("second: "), "{}", reason());
    fs::write(listed, catalog(&["m0", "m1", "m7"])).unwrap();
    assert!(reason().contains("chose m7"), "{}", reason());
}

/// The number of the tree that an answer comes from; panics when it comes from none.
fn tree_of(answer: &Answer) -> u64 {
    assert_eq!(answer.code, 200, "{answer:?}");
    let json = answer.json();
    let reason = json["metadata"]["annotations"]["automl.cloudai.kubeflow.org/reason"]
        .as_str()
        .unwrap();
    let number: u64 = reason
        .rsplit_once("in Git is m")
        .unwrap()
        .1
        .parse()
        .unwrap();
    assert_eq!(json["needsSync"], json!(true));
    assert_eq!(
        json["parameters"]["name"],
        json!(format!("m{}", number + 1))
    );
    number
}

fn swapped_under_load(swaps: u64, is_commit: bool) {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().to_owned();
    let mut old = swap(&root, 0, is_commit);
    let server = Server::start(&root.join("current/p"), &["--config", "set-model.yaml"]);
    let is_over = AtomicBool::new(false);
    let (address, is_over) = (server.address.as_str(), &is_over);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(move || {
                    runtime().block_on(async {
                        let (mut last, mut seen) = (0, 0);
                        while !is_over.load(Ordering::SeqCst) {
                            let answer = request(address, "GET", "/needsSync", "").await.unwrap();
                            let number = tree_of(&answer);
                            assert!(number >= last, "{number} after {last}");
                            last = number;
                            seen += 1;
                        }
                        seen
                    })
                })
            })
            .collect();
        for number in 1..=swaps {
            let new = swap(&root, number, is_commit);
            fs::remove_dir_all(&old).unwrap();
            old = new;
            if number % 16 == 0 {
                // Whoever asks after a swap hears of the new tree.
                assert_eq!(tree_of(&server.get("/needsSync")), number);
            }
        }
        is_over.store(true, Ordering::SeqCst);
        for caller in callers {
            assert!(caller.join().unwrap() > 0);
        }
    });
}

#[test]
fn ten_thousand_swaps_under_load_and_no_wrong_answer() {
    swapped_under_load(10_000, true);
}

#[test]
fn trees_that_are_not_named_by_a_commit_are_read_each_time() {
    swapped_under_load(500, false);
}
