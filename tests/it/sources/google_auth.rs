//! Application Default Credentials, each kind once: who we say we are, and to whom.

use std::process::Command;

use serde_json::{Value, json};

use super::Package;
use super::google::source;
use crate::harness::is_there;
use crate::harness::registry::google::{automl, refusal};
use crate::harness::registry::{Answer, Asked, Registry};

/// AutoML, and beside it whatever gives tokens: the OAuth server, the security token service and a
/// machine's metadata server. Each gives a token of its own.
fn automl_with_tokens() -> Registry {
    let google = automl();
    let token = |name: &str| {
        let lasting = json!({
            "access_token": name, "expires_in": 3600, "token_type": "Bearer",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        });
        Answer::Json(200, lasting)
    };
    Registry::start(move |asked| match asked.path.as_str() {
        "/oauth" if asked.body.contains("a-refresh-token") => token("user-token"),
        "/sts" if asked.body.contains("a-subject-token") => token("federated-token"),
        path if path.ends_with("/service-accounts/default/token") => token("machine-token"),
        path if path.starts_with("/computeMetadata/") => Answer::Json(404, json!({})),
        path if path.starts_with("/v1/") => google.answer(asked),
        _ => refusal(400, "INVALID_ARGUMENT", "no such credentials"),
    })
}

/// Renders with a credentials file, and gives what the registry was asked.
fn asked_with(registry: &Registry, credentials: &Value) -> Vec<Asked> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("credentials.json");
    std::fs::write(&path, credentials.to_string()).unwrap();
    let package = Package::new(&source("automl", registry), "{displayName: label-bot}");
    package.render(&[("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap())]);
    let asked = registry.asked().into_iter();
    let asked: Vec<Asked> = asked
        .filter(|asked| asked.path.starts_with("/v1/"))
        .collect();
    assert!(!asked.is_empty());
    asked
}

#[test]
fn a_user_who_logged_in() {
    let registry = automl_with_tokens();
    let credentials = json!({
        "type": "authorized_user", "client_id": "c", "client_secret": "s",
        "refresh_token": "a-refresh-token", "quota_project_id": "pays",
        "token_uri": format!("{}/oauth", registry.url()),
    });
    for asked in asked_with(&registry, &credentials) {
        assert_eq!(asked.headers["authorization"], "Bearer user-token");
        assert_eq!(asked.headers["x-goog-user-project"], "pays");
    }
    // One token for all requests.
    let tokens = registry
        .asked()
        .into_iter()
        .filter(|asked| asked.path == "/oauth");
    assert_eq!(tokens.count(), 1);
}

#[test]
fn workload_identity_federation() {
    let registry = automl_with_tokens();
    let directory = tempfile::tempdir().unwrap();
    let subject = directory.path().join("token");
    std::fs::write(&subject, "a-subject-token").unwrap();
    let credentials = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{}/sts", registry.url()),
        "credential_source": {"file": subject},
    });
    for asked in asked_with(&registry, &credentials) {
        assert_eq!(asked.headers["authorization"], "Bearer federated-token");
    }
}

/// A machine, or a pod with workload identity.
#[test]
fn the_metadata_server() {
    let registry = automl_with_tokens();
    let host = registry.url().replace("http://", "");
    let package = Package::new(&source("automl", &registry), "{displayName: label-bot}");
    package.render(&[("GCE_METADATA_HOST", &host)]);
    for asked in registry.asked() {
        if asked.path.starts_with("/v1/") {
            assert_eq!(asked.headers["authorization"], "Bearer machine-token");
        } else {
            assert_eq!(asked.headers["metadata-flavor"], "Google");
        }
    }
}

#[test]
fn the_key_of_a_service_account() {
    if !is_there("openssl") {
        return;
    }
    let key = Command::new("openssl")
        .args([
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
        ])
        .output()
        .unwrap();
    let registry = automl_with_tokens();
    let credentials = json!({
        "type": "service_account", "client_email": "bot@p.iam.gserviceaccount.com",
        "private_key_id": "1", "private_key": String::from_utf8(key.stdout).unwrap(),
        "project_id": "p", "token_uri": format!("{}/oauth", registry.url()),
    });
    for asked in asked_with(&registry, &credentials) {
        // It signs its own token (<https://google.aip.dev/auth/4111>).
        let token = asked.headers["authorization"]
            .strip_prefix("Bearer ")
            .unwrap();
        assert_eq!(token.split('.').count(), 3, "{token}");
    }
}

/// What is wrong with the credentials is said, and no part of them.
#[test]
fn credentials_that_are_none() {
    let registry = automl_with_tokens();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("credentials.json");
    let package = Package::new(&source("automl", &registry), "{displayName: label-bot}");
    let said = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let variables = [("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap())];
        let run = package.run_within("2s", "render", &variables);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        assert_eq!(package.model(), "none yet");
        let said = run.stderr.replace(&registry.url(), "http://REGISTRY");
        said.replace(path.to_str().unwrap(), "FILE")
    };
    let refused = json!({
        "type": "authorized_user", "client_id": "c", "client_secret": "s",
        "refresh_token": "old-refresh-token", "token_uri": format!("{}/oauth", registry.url()),
    });
    insta::assert_snapshot!(said(&refused.to_string()), @r#"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 1 of the models: cannot log in to http://REGISTRY/v1: Google gave no access token: cannot create the authentication headers failed to refresh user access token, body=<{"error":{"code":400,"message":"no such credentials","status":"INVALID_ARGUMENT"}}> and future attempts will not succeed: HTTP status client error (400 Status) for url (http://REGISTRY/oauth); set GOOGLE_APPLICATION_CREDENTIALS to a credentials file, log in with `gcloud auth application-default login`, or run where a service account is attached"#);
    insta::assert_snapshot!(said("{}"), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 1 of the models: cannot log in to http://REGISTRY/v1: cannot read the Google credentials: cannot parse the credentials file no `type` field found.; set GOOGLE_APPLICATION_CREDENTIALS to a credentials file, log in with `gcloud auth application-default login`, or run where a service account is attached");
    insta::assert_snapshot!(said("s3cret"), @"error: bot: cannot list the models of AutoML projects/976279526634/locations/us-central1: page 1 of the models: cannot log in to http://REGISTRY/v1: cannot read the Google credentials: cannot parse the credentials file expected value at line 1 column 1; set GOOGLE_APPLICATION_CREDENTIALS to a credentials file, log in with `gcloud auth application-default login`, or run where a service account is attached");
    std::fs::remove_file(&path).unwrap();
    let variables = [("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap())];
    let run = package.run("render", &variables);
    assert!(
        run.stderr.contains("GOOGLE_APPLICATION_CREDENTIALS"),
        "{}",
        run.stderr
    );
}
