//! The Kubeflow Model Registry.

use super::Package;
use crate::harness::registry::Registry;
use crate::harness::registry::model_registry::model_registry;

fn package(registry: &Registry, policy: &str) -> Package {
    let source = format!("modelRegistry: {{url: \"{}\"}}", registry.url());
    Package::new(&source, policy)
}

/// The newest version is still being written, the one before it is archived.
#[test]
fn gives_its_newest_version() {
    let registry = Registry::start(model_registry());
    let cases = [
        ("{displayName: label-bot}", "model-registry://label-bot/v2"),
        (
            "{displayName: label-bot, states: [Training]}",
            "model-registry://label-bot/v4",
        ),
        (
            "{displayName: label-bot, states: [Deployed]}",
            "model-registry://label-bot/v2",
        ),
        (
            "{displayName: label-bot, states: [Trained]}",
            "model-registry://label-bot/v1",
        ),
        // Served by a service that names no version: the newest.
        (
            "{displayName: other-bot, states: [Deployed]}",
            "model-registry://other-bot/v1",
        ),
        (
            "{displayName: label-bot, matchLabels: {team: docs, reviewed: \"true\"}}",
            "model-registry://label-bot/v1",
        ),
        (
            "{displayName: label-bot, gates: [{metric: precision, min: 0.7}]}",
            "model-registry://label-bot/v1",
        ),
        (
            "{displayName: label-bot, gates: [{metric: recall, min: 0.6}]}",
            "model-registry://label-bot/v2",
        ),
        (
            "{displayName: label-bot, gates: [{metric: recall, label: area-docs, min: 0.6}]}",
            "model-registry://label-bot/v1",
        ),
    ];
    for (policy, chosen) in cases {
        assert_eq!(package(&registry, policy).render(&[]), chosen, "{policy}");
    }
}

#[test]
fn another_version_of_the_interface_can_be_named() {
    let answer = model_registry();
    let registry = Registry::start(move |asked| {
        let mut asked = asked.clone();
        assert!(
            asked.path.starts_with("/proxy/api/model_registry/v1/"),
            "{}",
            asked.path
        );
        asked.path = asked.path.replace(
            "/proxy/api/model_registry/v1/",
            "/api/model_registry/v1alpha3/",
        );
        answer(&asked)
    });
    let source = format!(
        "modelRegistry: {{url: \"{}/proxy/api/model_registry/v1/\"}}",
        registry.url()
    );
    let package = Package::new(&source, "{displayName: label-bot}");
    assert_eq!(package.render(&[]), "model-registry://label-bot/v2");
}

#[test]
fn a_token_is_sent() {
    let registry = Registry::start(model_registry());
    let package = package(&registry, "{displayName: label-bot}");
    package.render(&[("MODEL_REGISTRY_TOKEN", "s3cret-token\n")]);
    for asked in registry.asked() {
        assert_eq!(asked.headers["authorization"], "Bearer s3cret-token");
    }
}

/// The pod's own token is in such a file, and is sent when the user says so.
#[test]
fn a_token_in_a_file_is_sent_where_the_environment_says() {
    let registry = Registry::start(model_registry());
    let package = package(&registry, "{displayName: label-bot}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s3cret-token\n").unwrap();
    let path = file.path().to_str().unwrap();
    let url = registry.url();
    let named = ("MODEL_REGISTRY_URL", url.as_str());
    package.render(&[("MODEL_REGISTRY_TOKEN_FILE", path), named]);
    assert!(!registry.asked().is_empty());
    for asked in registry.asked() {
        assert_eq!(asked.headers["authorization"], "Bearer s3cret-token");
    }
    // Kubeflow's variable for pipelines is not meant for this registry.
    package.render(&[("KF_PIPELINES_SA_TOKEN_PATH", path), named]);
    let last = registry.asked().pop().unwrap();
    assert!(!last.headers.contains_key("authorization"));
    // A file that is not there is no reason to ask as nobody.
    let missing = ("MODEL_REGISTRY_TOKEN_FILE", "/nowhere/token");
    let run = package.run("render", &[missing, named]);
    assert_eq!(run.code, 1);
    let wanted = "cannot read the token file /nowhere/token: No such file";
    assert!(run.stderr.contains(wanted), "{}", run.stderr);
}
