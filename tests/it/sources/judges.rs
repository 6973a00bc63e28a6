//! The fakes speak the wire format: clients that others wrote read them, and see what we see.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::Package;
use super::google::source;
use crate::harness::registry::Registry;
use crate::harness::registry::google::{PARENT, automl, vertex_ai};
use crate::harness::registry::model_registry::model_registry;
use crate::harness::skipped;

/// What a judge saw; `None`, said loudly, where its clients are not installed.
fn judge(script: &str, arguments: &[&str]) -> Option<Value> {
    let Some(python) = std::env::var_os("MODELSYNC_REGISTRY_CLIENTS") else {
        skipped("python with registry clients (MODELSYNC_REGISTRY_CLIENTS)");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/judges")
        .join(script);
    let judged = Command::new(python)
        .arg(script)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{said}");
    Some(serde_json::from_slice(&judged.stdout).unwrap())
}

/// Pins every model that the judge saw, and demands all of it that the judge saw: another display
/// name, state, label or figure, and it would not be chosen.
fn agree(source: &str, seen: &Value, listed: Listed) {
    let seen = seen.as_object().unwrap();
    assert!(seen.len() > 2, "{seen:?}");
    for (name, model) in seen {
        let display_name = &model["displayName"];
        let labels = &model["labels"];
        let state = &model["state"];
        let mut gates = Vec::new();
        for (metric, figure) in model["metrics"].as_object().unwrap() {
            gates.push(json!({"metric": metric, "min": figure, "max": figure}));
        }
        for (label, metrics) in model["perLabel"].as_object().unwrap() {
            for (metric, figure) in metrics.as_object().unwrap() {
                let gate = json!({"metric": metric, "label": label, "min": figure, "max": figure});
                gates.push(gate);
            }
        }
        let policy = json!({
            "pin": name, "displayName": display_name, "matchLabels": labels, "states": [state],
            "gates": gates,
        });
        let package = Package::new(source, &policy.to_string());
        assert_eq!(package.render(&[]), *name, "{policy}");
    }
    // A model more would be one that the judge did not see.
    let of_name = seen
        .values()
        .filter(|model| model["displayName"] == "label-bot");
    let count = match listed {
        Listed::All => seen.len(),
        Listed::OfOneName => of_name.count(),
    };
    let package = Package::new(source, "{displayName: label-bot}");
    let run = package.run("render", &[]);
    let count = format!("of {count} models");
    assert!(run.stderr.contains(&count), "{count}: {}", run.stderr);
}

/// Which models a registry lists when asked for one display name.
#[derive(Clone, Copy)]
enum Listed {
    All,
    OfOneName,
}

#[test]
fn googles_client_reads_the_fake_of_automl() {
    let google = automl();
    let registry = Registry::start(move |asked| google.answer(asked));
    if let Some(seen) = judge("google_clients.py", &["automl", &registry.url(), PARENT]) {
        agree(&source("automl", &registry), &seen, Listed::All);
    }
}

#[test]
fn googles_client_reads_the_fake_of_vertex_ai() {
    let google = vertex_ai();
    let registry = Registry::start(move |asked| google.answer(asked));
    if let Some(seen) = judge("google_clients.py", &["vertex_ai", &registry.url(), PARENT]) {
        agree(&source("vertexAI", &registry), &seen, Listed::All);
    }
}

#[test]
fn the_generated_client_reads_the_fake_of_the_model_registry() {
    let registry = Registry::start(model_registry());
    if let Some(seen) = judge("model_registry_client.py", &[&registry.url()]) {
        let source = format!("modelRegistry: {{url: \"{}\"}}", registry.url());
        agree(&source, &seen, Listed::OfOneName);
    }
}
