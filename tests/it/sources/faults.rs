//! Registries that fail. The package stays as it is, the exit code says so, and one sentence says
//! what was asked, which page failed and what to do.

use serde_json::json;

use super::Package;
use super::google::source;
use crate::harness::registry::google::{automl, refusal};
use crate::harness::registry::mlflow::mlflow;
use crate::harness::registry::{Answer, Asked, Registry};

/// AutoML that does this instead of answering for the third page of models.
fn failing(fault: impl Fn() -> Answer + Send + Sync + 'static) -> Registry {
    let google = automl();
    Registry::start(move |asked| {
        if asked.path.ends_with("/models")
            && asked
                .query
                .get("pageToken")
                .is_some_and(|token| token == "from-4")
        {
            fault()
        } else {
            google.answer(asked)
        }
    })
}

/// Renders with a failing registry and gives what is said, without the port.
fn said(registry: &Registry, source: &str) -> String {
    said_within("10s", registry, source)
}

fn said_within(timeout: &str, registry: &Registry, source: &str) -> String {
    let package = Package::new(source, "{displayName: label-bot}");
    let run = package.run_within(timeout, "render", &[]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    assert_eq!(package.model(), "none yet");
    run.stderr.replace(&registry.url(), "http://REGISTRY")
}

#[test]
fn a_refusal_on_the_third_page_says_what_to_do() {
    let said_about = |code, status| {
        let registry = failing(move || refusal(code, status, "No."));
        said(&registry, &source("automl", &registry))
    };
    insta::assert_snapshot!(said_about(401, "UNAUTHENTICATED"), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 3 of the models: GET http://REGISTRY/v1/projects/976279526634/locations/us-central1/models?pageSize=100&pageToken=from-4 answered 401 Unauthorized: No.; the access token is not accepted: renew the Google credentials, with `gcloud auth application-default login` or a new GOOGLE_APPLICATION_CREDENTIALS");
    insta::assert_snapshot!(said_about(403, "PERMISSION_DENIED"), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 3 of the models: GET http://REGISTRY/v1/projects/976279526634/locations/us-central1/models?pageSize=100&pageToken=from-4 answered 403 Forbidden: No.; the account needs the permission automl.models.list (role roles/automl.viewer)");
    insta::assert_snapshot!(said_about(404, "NOT_FOUND"), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 3 of the models: GET http://REGISTRY/v1/projects/976279526634/locations/us-central1/models?pageSize=100&pageToken=from-4 answered 404 Not Found: No.; check project and location of the source");
    insta::assert_snapshot!(said_about(429, "RESOURCE_EXHAUSTED"), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 3 of the models: GET http://REGISTRY/v1/projects/976279526634/locations/us-central1/models?pageSize=100&pageToken=from-4 answered 429 Too Many Requests: No.; ask less often, or raise the quota");
    insta::assert_snapshot!(said_about(503, "UNAVAILABLE"), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 3 of the models: GET http://REGISTRY/v1/projects/976279526634/locations/us-central1/models?pageSize=100&pageToken=from-4 answered 503 Service Unavailable: No.; try again later");
}

/// A page with a model that has a name only.
fn bare() -> serde_json::Value {
    json!({"model": [{"name": "projects/p/locations/l/models/m"}]})
}

#[test]
fn an_answer_that_is_none_says_so() {
    let said_about = |fault: fn() -> Answer| {
        let registry = failing(fault);
        said(&registry, &source("automl", &registry))
    };
    let registry = failing(|| Answer::Silence);
    let silent = said_within("500ms", &registry, &source("automl", &registry));
    assert!(silent.contains("page 3 of the models"), "{silent}");
    assert!(silent.contains(": no answer within "), "{silent}");
    assert!(
        silent.contains("or raise MODELSYNC_HTTP_TIMEOUT"),
        "{silent}"
    );
    insta::assert_snapshot!(said_about(|| Answer::CutOff(bare())), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 3 of the models: GET http://REGISTRY/v1/projects/976279526634/locations/us-central1/models?pageSize=100&pageToken=from-4: the answer broke off: end of file before message length reached; try again later");
    insta::assert_snapshot!(said_about(|| Answer::Text("<html>proxy login</html>")), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 3 of the models: GET http://REGISTRY/v1/projects/976279526634/locations/us-central1/models?pageSize=100&pageToken=from-4: the answer is not JSON: expected value at line 1 column 1; check project, location and endpoint of the source");
    insta::assert_snapshot!(said_about(|| Answer::Json(200, json!([]))), @r#"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 3 of the models: GET http://REGISTRY/v1/projects/976279526634/locations/us-central1/models?pageSize=100&pageToken=from-4: the answer is not a page: it should be an object with a list "model"; check project, location and endpoint of the source"#);
    // Not a name only: leaving the model out would make another one the newest.
    insta::assert_snapshot!(said_about(|| Answer::Json(200, bare())), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: the model projects/p/locations/l/models/m has no displayName, which every model needs");
    insta::assert_snapshot!(said_about(|| Answer::Json(200, json!({"nextPageToken": "from-2"}))), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 3 of the models: GET http://REGISTRY/v1/projects/976279526634/locations/us-central1/models?pageSize=100&pageToken=from-4: the next page's token is that of an earlier page, so the pages would never end; what answers there does not page correctly");
}

#[test]
fn what_passes_by_itself_is_waited_for() {
    for status in [429, 500, 503] {
        let google = automl();
        let is_first = std::sync::atomic::AtomicBool::new(true);
        let registry = Registry::start(move |asked| {
            if is_first.swap(false, std::sync::atomic::Ordering::Relaxed) {
                return Answer::WithHeader(status, ("retry-after", "0"), json!({}));
            }
            google.answer(asked)
        });
        let package = Package::new(&source("automl", &registry), "{displayName: label-bot}");
        assert!(package.render(&[]).ends_with("/TCN4752636812038504448"));
    }
}

/// The evaluations are part of the listing: without them a gate would judge nothing.
#[test]
fn a_failing_evaluation_fails_the_listing() {
    let google = automl();
    let registry = Registry::start(move |asked: &Asked| {
        if asked
            .path
            .ends_with("/TCN654213816573231104/modelEvaluations")
        {
            return refusal(403, "PERMISSION_DENIED", "No.");
        }
        google.answer(asked)
    });
    insta::assert_snapshot!(said(&registry, &source("automl", &registry)), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 1 of the evaluations of projects/976279526634/locations/us-central1/models/TCN654213816573231104: GET http://REGISTRY/v1/projects/976279526634/locations/us-central1/models/TCN654213816573231104/modelEvaluations?filter=&pageSize=100 answered 403 Forbidden: No.; the account needs the permission automl.modelEvaluations.list (role roles/automl.viewer)");
}

#[test]
fn a_failing_page_of_mlflow_changes_nothing() {
    let answer = mlflow("label-bot", 9);
    let registry = Registry::start(move |asked| {
        if asked.path.ends_with("/model-versions/search")
            && asked
                .query
                .get("page_token")
                .is_some_and(|token| token == "from-4")
        {
            return Answer::Json(
                503,
                json!({"error_code": "TEMPORARILY_UNAVAILABLE", "message": "No."}),
            );
        }
        answer(asked)
    });
    let source = format!("mlflow: {{trackingURI: \"{}\"}}", registry.url());
    insta::assert_snapshot!(said(&registry, &source), @"error: bot: cannot list the models of MLflow http://REGISTRY (model label-bot): page 3 of the model versions: GET http://REGISTRY/api/2.0/mlflow/model-versions/search?filter=name%3D%27label-bot%27&max_results=500&page_token=from-4 answered 503 Service Unavailable: No.; try again later");
    // What decides nothing says so with a code of its own.
    let package = Package::new(&source, "{displayName: label-bot}");
    let run = package.run_within("10s", "check", &[]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(format!("{}{}", run.stdout, run.stderr).contains("page 3 of the model versions"));
}

#[test]
fn nobody_there_is_said_at_once_and_with_code_3_by_check() {
    let registry = failing(|| Answer::Silence);
    let source = source("automl", &registry);
    let url = registry.url();
    drop(registry);
    let package = Package::new(&source, "{displayName: label-bot}");
    let run = package.run_within("10s", "check", &[]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("no connection"), "{said}");
    assert!(said.contains(&url), "{said}");
}

/// A config comes from whoever may propose a change; what it names must not get a token, and must
/// not be able to say otherwise.
#[test]
fn a_config_cannot_send_credentials_astray() {
    let google = |kind: &str, location: &str, endpoint: &str| {
        format!("{kind}: {{project: p, location: \"{location}\", endpoint: \"{endpoint}\"}}")
    };
    let cases = [
        (
            google("automl", "us-central1", "http://automl.googleapis.com"),
            "must not be sent without https",
        ),
        (
            google("vertexAI", "us-central1", "https://example.com"),
            "only to hosts of googleapis.com",
        ),
        (
            google("vertexAI", "us-central1", "https://evilgoogleapis.com"),
            "only to hosts of googleapis.com",
        ),
        (
            google(
                "vertexAI",
                "us-central1",
                "https://googleapis.com.example.com",
            ),
            "only to hosts of googleapis.com",
        ),
        (
            "vertexAI: {project: p, location: example.com/}".to_owned(),
            "is no location id",
        ),
        (
            "vertexAI: {project: p, location: \"example.com:443#\"}".to_owned(),
            "is no location id",
        ),
        (
            "automl: {project: ../x, location: l}".to_owned(),
            "is no project id",
        ),
        (
            "mlflow: {trackingURI: \"http://mlflow.example.com\"}".to_owned(),
            "MLFLOW_TRACKING_TOKEN must not be sent without https",
        ),
        (
            "mlflow: {trackingURI: \"https://mlflow.example.org\"}".to_owned(),
            "MLFLOW_TRACKING_TOKEN is sent only to the server that MLFLOW_TRACKING_URI names, \
             which is https://mlflow.example.com; if it is for this server, set \
             MLFLOW_TRACKING_URI to https://mlflow.example.org",
        ),
        (
            "mlflow: {trackingURI: \"https://u:hidden@mlflow.example.com\"}".to_owned(),
            "holds a user name or password",
        ),
        (
            "mlflow: {trackingURI: \"sqlite:///ml.db\"}".to_owned(),
            "only http:// and https://",
        ),
        ("mlflow: {trackingURI: databricks}".to_owned(), "give a URL"),
        (
            "modelRegistry: {url: \"http://registry.kubeflow.svc:8080\"}".to_owned(),
            "MODEL_REGISTRY_TOKEN must not be sent without https",
        ),
        (
            "modelRegistry: {url: \"https://registry.example.com\"}".to_owned(),
            "MODEL_REGISTRY_TOKEN is sent only to the server that MODEL_REGISTRY_URL names, which \
             is not set; if it is for this server, set MODEL_REGISTRY_URL to \
             https://registry.example.com",
        ),
        (
            "modelRegistry: {url: \"https://registry.example.com?a=b\"}".to_owned(),
            "leave out what follows",
        ),
    ];
    let variables = [
        ("MLFLOW_TRACKING_TOKEN", "s3cret-token"),
        ("MLFLOW_TRACKING_URI", "https://mlflow.example.com"),
        ("MODEL_REGISTRY_TOKEN", "s3cret-token"),
    ];
    for (source, problem) in cases {
        let package = Package::new(&source, "{displayName: label-bot}");
        let run = package.run("render", &variables);
        assert_eq!(run.code, 1, "{source}");
        assert!(run.stderr.contains(problem), "{source}: {}", run.stderr);
        assert!(
            !run.stderr.contains("s3cret") && !run.stderr.contains("hidden"),
            "{}",
            run.stderr
        );
    }
}

/// No variable that names a server: nothing is sent, not even to a name of the cluster.
#[test]
fn credentials_without_a_server_are_sent_nowhere() {
    let token_file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token_file.path(), "s3cret-token").unwrap();
    let token_file = token_file.path().to_str().unwrap();
    let mlflow = "mlflow: {trackingURI: \"https://mlflow.example.com\"}";
    let registry = "modelRegistry: {url: \"https://registry.evil.svc:8443\"}";
    let user = ("MLFLOW_TRACKING_USERNAME", "ada");
    let cases = [
        (
            mlflow,
            "MLFLOW_TRACKING_TOKEN",
            "MLFLOW_TRACKING_URI to https://mlflow.example.com",
        ),
        (
            mlflow,
            "MLFLOW_TRACKING_PASSWORD",
            "MLFLOW_TRACKING_URI to https://mlflow.example.com",
        ),
        (
            registry,
            "MODEL_REGISTRY_TOKEN",
            "MODEL_REGISTRY_URL to https://registry.evil.svc:8443",
        ),
        (
            registry,
            "MODEL_REGISTRY_TOKEN_FILE",
            "MODEL_REGISTRY_URL to https://registry.evil.svc:8443",
        ),
    ];
    for (source, variable, wanted) in cases {
        let package = Package::new(source, "{displayName: label-bot}");
        let is_file = variable == "MODEL_REGISTRY_TOKEN_FILE";
        let value = if is_file { token_file } else { "s3cret-token" };
        // An empty variable, as manifests have them, is one that is not set.
        let mut variables = vec![(variable, value)];
        variables.extend([("MLFLOW_TRACKING_URI", ""), ("MODEL_REGISTRY_URL", "")]);
        if variable == "MLFLOW_TRACKING_PASSWORD" {
            variables.push(user);
        }
        let run = package.run("render", &variables);
        assert_eq!((run.code, run.stderr.lines().count()), (1, 1), "{variable}");
        let wanted = format!("which is not set; if it is for this server, set {wanted}\n");
        assert!(run.stderr.contains(&wanted), "{variable}: {}", run.stderr);
        assert!(!run.stderr.contains("s3cret"), "{}", run.stderr);
    }
}

/// A token for a server on this machine must not pass through a proxy on another one.
#[test]
fn no_proxy_stands_between_us_and_this_machine() {
    let google = automl();
    let registry = Registry::start(move |asked| google.answer(asked));
    let proxy = Registry::start(|_| refusal(502, "UNAVAILABLE", "a proxy"));
    let package = Package::new(&source("automl", &registry), "{displayName: label-bot}");
    package.render(&[("HTTP_PROXY", &proxy.url()), ("http_proxy", &proxy.url())]);
    assert!(proxy.asked().is_empty());
}
