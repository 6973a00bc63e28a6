//! MLflow: the real server, and what is sent to it.

use serde_json::{Value, json};

use super::Package;
use crate::harness::mlflow_server::MlflowServer;
use crate::harness::registry::Registry;
use crate::harness::registry::mlflow::mlflow;

/// A run with these metrics, tagged as MLflow itself tags one.
fn run(server: &MlflowServer, experiment: &str, metrics: &[(&str, f64)]) -> String {
    let run = server.post("runs/create", &json!({"experiment_id": experiment}));
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let metrics: Vec<Value> = metrics
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value, "timestamp": 1, "step": 0}))
        .collect();
    let tags = [json!({"key": "mlflow.source.git.commit", "value": "0123456789abcdef"})];
    let body = json!({"run_id": run, "metrics": metrics, "tags": tags});
    server.post("runs/log-batch", &body);
    run
}

fn version(server: &MlflowServer, run: &str, tags: &[(&str, &str)]) {
    let tags: Vec<Value> = tags
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    let body = json!({
        "name": "label-bot", "source": "s3://models/label-bot", "run_id": run, "tags": tags,
    });
    server.post("model-versions/create", &body);
}

/// One server for all that is asked of it: it takes seconds to start. Versions 1 to 1,050 are bare;
/// the further ones have runs, tags and aliases.
#[test]
fn a_real_server_gives_what_the_policy_asks_for() {
    let Some(server) = MlflowServer::start(1_050) else {
        return;
    };
    let experiment = |name: &str| {
        let answer = server.post("experiments/create", &json!({"name": name}));
        answer["experiment_id"].as_str().unwrap().to_owned()
    };
    // Runs of one experiment are asked for together, those of another one by one.
    let (first, second) = (experiment("first"), experiment("second"));
    let good = run(
        &server,
        &first,
        &[
            ("precision", 0.75),
            ("recall", 0.5),
            ("label/area-docs/recall", 0.625),
        ],
    );
    let better = run(&server, &second, &[("precision", 0.875), ("recall", 0.25)]);
    let weak = run(&server, &first, &[("precision", 0.125)]);
    version(&server, &good, &[("team", "docs")]); // 1051
    version(&server, &better, &[("team", "search")]); // 1052
    version(&server, "", &[]); // 1053
    version(&server, &weak, &[]); // 1054
    version(&server, &better, &[]); // 1055, to be archived
    let stage = |version: &str, stage: &str| {
        let body = json!({
            "name": "label-bot", "version": version, "stage": stage,
            "archive_existing_versions": false,
        });
        server.post("model-versions/transition-stage", &body);
    };
    stage("1055", "Archived");
    stage("7", "Production");
    for (alias, version) in [("champion", "1051"), ("production", "900")] {
        let body = json!({"name": "label-bot", "alias": alias, "version": version});
        server.post("registered-models/alias", &body);
    }
    // Another model, newer than all, which nobody asked for.
    server.post("registered-models/create", &json!({"name": "label-bot-2"}));
    let body = json!({"name": "label-bot-2", "source": "s3://models/other"});
    server.post("model-versions/create", &body);

    let by_model = "mlflow: {trackingURI: \"URL\", model: label-bot}";
    let by_name = "mlflow: {trackingURI: \"URL\"}";
    let cases = [
        (by_name, "{displayName: label-bot}", "1054"),
        (by_model, "{}", "1054"),
        (
            by_model,
            "{gates: [{metric: precision, max: 0.125}]}",
            "1054",
        ),
        (
            by_name,
            "{displayName: label-bot, matchLabels: {team: docs}}",
            "1051",
        ),
        (
            by_name,
            "{displayName: label-bot, matchLabels: {alias.champion: \"true\"}}",
            "1051",
        ),
        (
            by_name,
            "{displayName: label-bot, states: [Deployed]}",
            "900",
        ),
        (
            by_name,
            "{displayName: label-bot, exclude: [\"models:/label-bot/900\"], states: [Deployed]}",
            "7",
        ),
        (
            by_name,
            "{displayName: label-bot, gates: [{metric: precision, min: 0.8}]}",
            "1052",
        ),
        (
            by_name,
            "{displayName: label-bot, gates: [{metric: recall, min: 0.4}]}",
            "1051",
        ),
        (
            by_name,
            "{displayName: label-bot, gates: [{metric: recall, label: area-docs, min: 0.6}]}",
            "1051",
        ),
        (
            by_name,
            "{displayName: label-bot, pin: \"models:/label-bot/3\"}",
            "3",
        ),
    ];
    for (source, policy, chosen) in cases {
        let package = Package::new(&source.replace("URL", &server.url()), policy);
        assert_eq!(
            package.render(&[]),
            format!("models:/label-bot/{chosen}"),
            "{policy}"
        );
    }

    // Labels are tags and aliases, and are there for the next run.
    let package = Package::new(
        &by_name.replace("URL", &server.url()),
        "{displayName: label-bot, matchLabels: {stage: live, alias.next: \"true\"}}",
    );
    let label = |model: &str, labels: &[&str]| {
        let source = ["--mlflow", &server.url(), model];
        let arguments = [&["models", "label"], &source[..], labels].concat();
        crate::cli::modelsync(&arguments)
    };
    for model in ["models:/label-bot/500", "models:/label-bot/501"] {
        let run = label(model, &["stage=live", "alias.next=true"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(package.render(&[]), model);
    }
    // The alias has moved on from 500 to 501.
    let run = label("models:/label-bot/501", &["stage-", "alias.next-"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    package.put("unchanged");
    let run = package.run("render", &[]);
    assert_eq!(package.model(), "unchanged", "{}", run.stderr);
    let run = label("models:/label-bot/9999", &["stage=live"]);
    let said = run.stderr.replace(&server.url(), "http://SERVER");
    insta::assert_snapshot!(said, @"error: cannot label models:/label-bot/9999: POST http://SERVER/api/2.0/mlflow/model-versions/set-tag answered 404 Not Found: Model Version (name=label-bot, version=9999) not found");

    // All pages: every version but the archived one.
    let package = Package::new(
        &by_name.replace("URL", &server.url()),
        "{displayName: label-bot}",
    );
    let run = package.with(&["-v"]).run("render", &[]);
    assert!(
        run.stderr.contains("newest of 1054 models"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_is_not_there_is_no_model() {
    let registry = Registry::start(mlflow("label-bot", 0));
    let source = format!("mlflow: {{trackingURI: \"{}\"}}", registry.url());
    let package = Package::new(&source, "{displayName: label-bot}");
    let run = package.run("render", &[]);
    assert_eq!(package.model(), "none yet");
    insta::assert_snapshot!(run.stderr.replace(&registry.url(), "http://REGISTRY"), @"error: bot: MLflow http://REGISTRY (model label-bot) lists no models");
}

#[test]
fn credentials_are_those_of_mlflow() {
    let registry = Registry::start(mlflow("label-bot", 3));
    let source = format!("mlflow: {{trackingURI: \"{}/\"}}", registry.url());
    let package = Package::new(&source, "{displayName: label-bot}");
    let user = ("MLFLOW_TRACKING_USERNAME", "ada");
    let password = ("MLFLOW_TRACKING_PASSWORD", "pw");
    let token = ("MLFLOW_TRACKING_TOKEN", "s3cret-token");
    let own = ("MLFLOW_TRACKING_URI", &*registry.url());
    type Variables<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Variables<'_>, Option<&str>); 4] = [
        (&[], None),
        (&[token], Some("Bearer s3cret-token")),
        // ada:pw
        (&[user, password, own], Some("Basic YWRhOnB3")),
        // As in MLflow's own client.
        (&[user, password, token], Some("Basic YWRhOnB3")),
    ];
    for (variables, wanted) in cases {
        package.render(variables);
        let asked = registry.asked();
        let last = asked.last().unwrap();
        assert_eq!(
            last.headers.get("authorization").map(String::as_str),
            wanted
        );
    }
    let run = package.run("render", &[user]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("set both or neither"), "{}", run.stderr);
}
