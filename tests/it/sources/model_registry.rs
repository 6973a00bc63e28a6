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
