use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::core::config::{GoogleSource, MlflowSource, ModelRegistrySource};

const QUICK: Limits = Limits {
    attempt: Duration::from_secs(10),
    total: Duration::from_secs(40),
    attempts: 2,
    first_wait: Duration::from_millis(1),
    body: 1 << 20,
};
const MODEL: &str = "projects/p/locations/l/models/m";

/// A registry that gives one request after the other the next of these answers, and then says what
/// it was asked: method, path and body.
async fn serve(answers: Vec<(u16, Value)>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut requests = Vec::new();
        for (status, answer) in answers {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            loop {
                let mut part = [0; 4096];
                let length = connection.read(&mut part).await.unwrap();
                text.push_str(std::str::from_utf8(&part[..length]).unwrap());
                let Some((head, body)) = text.split_once("\r\n\r\n") else {
                    continue;
                };
                let wanted = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= wanted.map_or(0, |wanted| wanted.parse().unwrap()) {
                    let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1");
                    requests.push(format!("{line} {body}").trim_end().to_owned());
                    break;
                }
            }
            let body = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status} S\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            connection
                .write_all((head + &body).as_bytes())
                .await
                .unwrap();
            connection.shutdown().await.unwrap();
        }
        requests
    });
    (url, server)
}

fn google(url: &str) -> GoogleSource {
    GoogleSource {
        project: "p".to_owned(),
        location: "l".to_owned(),
        endpoint: Some(url.to_owned()),
    }
}

fn automl(url: &str) -> Box<dyn Source> {
    connect_within(&config::Source::AutoMl(google(url)), None, QUICK).unwrap()
}

fn vertex_ai(url: &str) -> Box<dyn Source> {
    connect_within(&config::Source::VertexAi(google(url)), None, QUICK).unwrap()
}

fn mlflow(url: &str) -> Box<dyn Source> {
    let source = config::Source::Mlflow(MlflowSource {
        tracking_uri: url.to_owned(),
        model: Some("bot".to_owned()),
    });
    connect_within(&source, None, QUICK).unwrap()
}

fn model_registry(url: &str) -> Box<dyn Source> {
    let source = config::Source::ModelRegistry(ModelRegistrySource {
        url: url.to_owned(),
        model: Some("bot".to_owned()),
    });
    connect_within(&source, None, QUICK).unwrap()
}

/// One label to set and one to remove.
fn labels() -> BTreeMap<String, Option<String>> {
    BTreeMap::from([
        ("stage".to_owned(), Some("live".to_owned())),
        ("team".to_owned(), None),
    ])
}

#[tokio::test]
async fn labels_of_google_are_merged_with_those_that_are_there() {
    for connect in [automl, vertex_ai] {
        let there = json!({"name": MODEL, "etag": "e1", "labels": {"team": "docs", "kept": "yes"}});
        let (url, server) = serve(vec![(200, there), (200, json!({}))]).await;
        connect(&url).label(MODEL, &labels()).await.unwrap();
        assert_eq!(
            server.await.unwrap(),
            [
                format!("GET /v1/{MODEL}"),
                format!(
                    "PATCH /v1/{MODEL}?updateMask=labels {}",
                    json!({"name": MODEL, "labels": {"kept": "yes", "stage": "live"}, "etag": "e1"})
                ),
            ]
        );
    }
}

#[tokio::test]
async fn a_refused_label_says_which_permission() {
    let refusal = json!({"error": {"code": 403, "message": "No."}});
    let (url, _server) = serve(vec![(200, json!({"name": MODEL})), (403, refusal)]).await;
    let error = automl(&url).label(MODEL, &labels()).await.unwrap_err();
    let said = format!("{error:#}").replace(&url, "http://REGISTRY");
    insta::assert_snapshot!(said, @"cannot label projects/p/locations/l/models/m: PATCH http://REGISTRY/v1/projects/p/locations/l/models/m?updateMask=labels answered 403 Forbidden: No.; the account needs the permissions automl.models.get and automl.models.update (role roles/automl.editor)");
    // Nothing is asked about what cannot be a model there.
    for model in [
        "models:/bot/3",
        "projects/p/locations/l/datasets/d",
        "../../x",
    ] {
        let error = automl(&url).label(model, &labels()).await.unwrap_err();
        assert!(format!("{error:#}").contains("is no model of"), "{error:#}");
    }
}

#[tokio::test]
async fn labels_of_mlflow_are_tags_and_aliases() {
    // The alias to remove points at another version by now.
    let (url, server) = serve(vec![(200, json!({})); 4]).await;
    let mut wanted = labels();
    wanted.insert("alias.champion".to_owned(), Some("true".to_owned()));
    wanted.insert("alias.old".to_owned(), None);
    mlflow(&url).label("models:/bot/3", &wanted).await.unwrap();
    let tag = |value: Value| value.to_string();
    assert_eq!(
        server.await.unwrap(),
        [
            format!(
                "POST /api/2.0/mlflow/registered-models/alias {}",
                tag(json!({"name": "bot", "alias": "champion", "version": "3"}))
            ),
            "GET /api/2.0/mlflow/registered-models/alias?name=bot&alias=old".to_owned(),
            format!(
                "POST /api/2.0/mlflow/model-versions/set-tag {}",
                tag(json!({"name": "bot", "version": "3", "key": "stage", "value": "live"}))
            ),
            format!(
                "DELETE /api/2.0/mlflow/model-versions/delete-tag {}",
                tag(json!({"name": "bot", "version": "3", "key": "team"}))
            ),
        ]
    );
}

#[tokio::test]
async fn an_alias_is_taken_from_its_own_version_only() {
    let remove = BTreeMap::from([("alias.live".to_owned(), None)]);
    let found = |version: &str| json!({"model_version": {"version": version}});
    let (url, server) = serve(vec![(200, found("3")), (200, json!({}))]).await;
    mlflow(&url).label("models:/bot/3", &remove).await.unwrap();
    let asked = server.await.unwrap();
    assert_eq!(
        asked[1],
        r#"DELETE /api/2.0/mlflow/registered-models/alias {"name":"bot","alias":"live"}"#
    );
    // It has moved on to version 4, or is not there at all.
    for (status, answer) in [(200, found("4")), (404, json!({}))] {
        let (url, server) = serve(vec![(status, answer)]).await;
        mlflow(&url).label("models:/bot/3", &remove).await.unwrap();
        assert_eq!(server.await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn labels_of_the_model_registry_keep_the_other_properties() {
    let page =
        |items: Value| json!({"items": items, "nextPageToken": "", "size": 1, "pageSize": 1});
    let figure = json!({"metadataType": "MetadataDoubleValue", "double_value": 0.5});
    let text = |text: &str| json!({"metadataType": "MetadataStringValue", "string_value": text});
    let version = json!({
        "id": "11", "name": "v1", "createTimeSinceEpoch": "1",
        "customProperties": {"precision": figure, "team": text("docs")},
    });
    let (url, server) = serve(vec![
        (200, page(json!([{"id": "1", "name": "bot"}]))),
        (200, page(json!([version]))),
        (200, json!({})),
    ])
    .await;
    let registry = model_registry(&url);
    registry
        .label("model-registry://bot/v1", &labels())
        .await
        .unwrap();
    let asked = server.await.unwrap();
    let properties = json!({"customProperties": {"precision": figure, "stage": text("live")}});
    let path = "/api/model_registry/v1alpha3/model_versions/11";
    assert_eq!(asked[2], format!("PATCH {path} {properties}"));
}

#[tokio::test]
async fn automl_deploys_what_is_not_deployed() {
    let model = |state: &str| json!({"name": MODEL, "deploymentState": state});
    let operation = json!({"name": "projects/p/locations/l/operations/o", "metadata": {}});
    let (url, server) = serve(vec![(200, model("UNDEPLOYED")), (200, operation)]).await;
    let started = automl(&url).deploy(MODEL).await.unwrap();
    assert_eq!(
        started.as_deref(),
        Some("projects/p/locations/l/operations/o")
    );
    assert_eq!(
        server.await.unwrap()[1],
        format!("POST /v1/{MODEL}:deploy {{}}")
    );
    let (url, server) = serve(vec![(200, model("DEPLOYED"))]).await;
    assert_eq!(automl(&url).deploy(MODEL).await.unwrap(), None);
    assert_eq!(server.await.unwrap().len(), 1);
    // The others say why not, and ask nobody.
    let cannot = [
        vertex_ai(&url).deploy(MODEL).await,
        mlflow(&url).deploy("models:/bot/3").await,
        model_registry(&url).deploy("model-registry://bot/v1").await,
    ];
    for refused in cannot {
        let error = refused.unwrap_err().to_string();
        assert!(error.starts_with("cannot deploy m") || error.starts_with("cannot deploy p"));
    }
}

/// A start that may have had an effect is not repeated: two could be under way.
#[tokio::test]
async fn a_deployment_that_may_have_started_is_not_started_again() {
    let model = json!({"name": MODEL, "deploymentState": "UNDEPLOYED"});
    let (url, server) = serve(vec![(200, model), (500, json!({}))]).await;
    assert!(automl(&url).deploy(MODEL).await.is_err());
    assert_eq!(server.await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_operation_goes_on_ends_or_fails() {
    let name = "projects/p/locations/l/operations/o";
    let cases = [
        (
            json!({"name": name, "metadata": {"progressPercent": 42}}),
            Ok(Progress::Running(Some(42))),
        ),
        (json!({"name": name}), Ok(Progress::Running(None))),
        (
            json!({"name": name, "done": true, "response": {}}),
            Ok(Progress::Done),
        ),
        (
            json!({"name": name, "done": true, "error": {"code": 8, "message": "no quota"}}),
            Err(format!(
                "cannot wait for {name}: the operation {name} failed: no quota"
            )),
        ),
    ];
    for (answer, wanted) in cases {
        for connect in [automl, vertex_ai] {
            let (url, server) = serve(vec![(200, answer.clone())]).await;
            let progress = connect(&url).operation(name).await;
            assert_eq!(progress.map_err(|error| format!("{error:#}")), wanted);
            assert_eq!(server.await.unwrap(), [format!("GET /v1/{name}")]);
        }
    }
}

#[tokio::test]
async fn what_is_being_trained_is_named() {
    let operations = json!({"operations": [
        {"name": "o1", "metadata": {"createModelDetails": {}}},
        {"name": "o2", "metadata": {"createModelDetails": {}}, "done": true},
        {"name": "o3", "metadata": {"deployModelDetails": {}}},
    ]});
    let (url, _server) = serve(vec![(200, operations)]).await;
    assert_eq!(automl(&url).training().await.unwrap(), ["o1"]);

    let pipelines = json!({"trainingPipelines": [
        {"name": "t1", "state": "PIPELINE_STATE_RUNNING"},
        {"name": "t2", "state": "PIPELINE_STATE_SUCCEEDED"},
    ]});
    let (url, server) = serve(vec![(200, pipelines)]).await;
    assert_eq!(vertex_ai(&url).training().await.unwrap(), ["t1"]);
    let asked = server.await.unwrap().remove(0);
    assert!(
        asked.contains("state%3D%22PIPELINE_STATE_QUEUED%22+OR+state"),
        "{asked}"
    );

    let version = |version: &str, status: &str| json!({"name": "bot", "version": version, "creation_timestamp": 1, "status": status});
    let versions = json!({"model_versions": [
        version("1", "READY"), version("2", "PENDING_REGISTRATION"),
    ]});
    let (url, _server) = serve(vec![(200, versions)]).await;
    assert_eq!(mlflow(&url).training().await.unwrap(), ["models:/bot/2"]);
}

#[tokio::test]
async fn a_listing_that_takes_too_long_does_not_count() {
    let limits = Limits {
        total: Duration::from_millis(2),
        ..QUICK
    };
    let never = std::future::pending::<anyhow::Result<Vec<Model>>>();
    let error = whole("AutoML p", &limits, never).await.unwrap_err();
    insta::assert_snapshot!(format!("{error:#}"), @"cannot list the models of AutoML p: not all pages arrived within 10ms; raise MODELSYNC_HTTP_TIMEOUT, or ask for fewer models");
}

/// The slow one does not keep the quick one waiting, and neither its failure.
#[tokio::test]
async fn registries_are_asked_at_once() {
    let question = |url: &str| Question {
        source: config::Source::Mlflow(MlflowSource {
            tracking_uri: url.to_owned(),
            model: None,
        }),
        display_name: Some("bot".to_owned()),
    };
    // Each answers only when both have been asked.
    let both = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    let mut questions = Vec::new();
    for status in ["200 OK", "401 Unauthorized"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        questions.push(question(&format!(
            "http://{}",
            listener.local_addr().unwrap()
        )));
        let both = both.clone();
        tokio::spawn(async move {
            let mut is_first = true;
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                if std::mem::take(&mut is_first) {
                    both.wait().await;
                }
                let _ = connection.read(&mut [0; 4096]).await.unwrap();
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
                );
                connection.write_all(answer.as_bytes()).await.unwrap();
                connection.shutdown().await.unwrap();
            }
        });
    }
    let answers = ask(questions.clone()).await;
    assert_eq!(answers[0].0, questions[0]);
    assert!(answers[0].1.as_ref().unwrap().models.is_empty());
    let error = answers[1].1.as_ref().unwrap_err();
    assert!(
        error.contains("answered 401") && error.contains("MLFLOW_TRACKING_TOKEN"),
        "{error}"
    );
}

fn precisions(listing: &Listing) -> Vec<Option<f64>> {
    let precision = |model: &Model| Some(model.evaluation.as_ref()?.metrics["precision"]);
    listing.models.iter().map(precision).collect()
}

/// Runs are asked for together where that works, and one by one where it does not.
#[tokio::test]
async fn every_run_of_mlflow_is_found() {
    let version = |version: &str, run: &str| json!({"name": "bot", "version": version, "creation_timestamp": 1, "run_id": run});
    let registered = json!({"registered_models": [{"name": "bot"}]});
    let versions = json!({"model_versions": [
        version("1", "a"), version("2", "b"), version("3", "c"),
    ]});
    let run = |id: &str, experiment: &str, precision: f64| {
        json!({
            "info": {"run_id": id, "experiment_id": experiment},
            "data": {"metrics": [{"key": "precision", "value": precision}]},
        })
    };
    let single = |run: Value| (200, json!({"run": run}));
    let (a, b, c) = (run("a", "1", 0.25), run("b", "2", 0.5), run("c", "1", 0.75));
    let gone = || {
        (
            404,
            json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}),
        )
    };
    let all = [Some(0.25), Some(0.5), Some(0.75)];
    let cases = [
        // Two of one experiment, and one of another.
        (
            vec![
                single(c.clone()),
                (200, json!({"runs": [a]})),
                single(b.clone()),
            ],
            all,
        ),
        // Together, and one is gone.
        (
            vec![single(c.clone()), (200, json!({"runs": [a]})), gone()],
            [Some(0.25), None, Some(0.75)],
        ),
    ];
    for (of_runs, wanted) in cases {
        let mut answers = vec![(200, registered.clone()), (200, versions.clone())];
        answers.extend(of_runs);
        let (url, server) = serve(answers).await;
        let listing = mlflow(&url).list().await.unwrap();
        assert_eq!(precisions(&listing), wanted);
        let asked = server.await.unwrap();
        assert!(
            asked[3].contains("runs/search") && asked[3].contains("attributes.run_id IN ('a','b')"),
            "{asked:?}"
        );
    }
    // A server that knows no such filter, and a last run that is gone.
    let two = json!({"model_versions": [version("1", "a"), version("2", "c")]});
    for (of_runs, wanted) in [
        (
            vec![
                single(c),
                (400, json!({"message": "no IN"})),
                single(a.clone()),
            ],
            [Some(0.25), Some(0.75)],
        ),
        (vec![gone(), single(a)], [Some(0.25), None]),
    ] {
        let mut answers = vec![(200, registered.clone()), (200, two.clone())];
        answers.extend(of_runs);
        let (url, _server) = serve(answers).await;
        let listing = mlflow(&url).list().await.unwrap();
        assert_eq!(precisions(&listing), wanted);
    }
}
