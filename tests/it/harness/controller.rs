//! `modelsync controller` as a process, and what tests say to its cluster.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::api_server::{ApiServer, State, events, is_active_run, model_syncs, pipeline_runs};
use super::lambda::Lambda;
use super::process::Process;

pub(crate) const NAMESPACE: &str = "prod";

/// A running controller; it is killed at the end.
pub(crate) struct Controller {
    pub(crate) process: Process,
}

impl Controller {
    /// One that acts without a Lease.
    pub(crate) fn start(server: &ApiServer) -> Self {
        Self::start_with(&server.kubeconfig(), &["--no-leader-elect"])
    }

    pub(crate) fn start_with(kubeconfig: &Path, arguments: &[&str]) -> Self {
        let program = std::env::var_os("MODELSYNC_BINARY");
        let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_modelsync").into());
        let process = Process::start(
            Command::new(program)
                .args([
                    "controller",
                    "--listen",
                    "127.0.0.1:0",
                    "--lambda-timeout",
                    "1s",
                ])
                .args(arguments)
                .env_clear()
                .env("KUBECONFIG", kubeconfig)
                .env("MODELSYNC_LOG", "info,modelsync=debug"),
        );
        Self { process }
    }

    /// Waits for a line with this in it, and gives it back.
    pub(crate) fn wait_for_line(&self, text: &str) -> String {
        self.process.wait_for_line(text)
    }

    /// Everything it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// The address of its probes.
    pub(crate) fn address(&self) -> String {
        let line: Value = serde_json::from_str(&self.wait_for_line("\"started\"")).unwrap();
        line["address"].as_str().unwrap().to_owned()
    }

    /// Ends it at once, as the kernel does.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to end, as Kubernetes does, and gives back its exit code.
    pub(crate) fn terminate(mut self) -> i32 {
        self.process.signal("TERM");
        self.exit_code()
    }

    /// Waits for its end.
    pub(crate) fn exit_code(&mut self) -> i32 {
        self.process.wait().code().unwrap()
    }
}

/// A ModelSync that asks this lambda every second; `spec` is laid over it.
pub(crate) fn create_model_sync(state: &State, lambda: &Lambda, name: &str, spec: &Value) {
    let mut object = json!({
        "apiVersion": "automl.cloudai.kubeflow.org/v1alpha1",
        "kind": "ModelSync",
        "metadata": {"name": name},
        "spec": {
            "needsSyncUrl": lambda.url(),
            "interval": "1s",
            "parameters": [{"needsSyncName": "name", "pipelineName": "automl-model"}],
            "pipelineRunTemplate": {"spec": {
                "pipelineRef": {"name": "update-model-pr"},
                "params": [
                    {"name": "automl-model", "value": "notavlidmodel"},
                    {"name": "branchName", "value": "auto-update"},
                ],
            }},
        },
    });
    for (field, value) in spec.as_object().unwrap() {
        object["spec"][field] = value.clone();
    }
    let created = state.change(|store| store.create(&model_syncs(), NAMESPACE, object));
    created.unwrap_or_else(|refusal| panic!("{refusal:?}"));
}

/// Changes a ModelSync's spec as a person does.
pub(crate) fn edit_model_sync(state: &State, name: &str, spec: &Value) {
    let patch = json!({"spec": spec});
    let patched = state.change(|store| store.patch(&model_syncs(), NAMESPACE, name, false, &patch));
    patched.unwrap_or_else(|refusal| panic!("{refusal:?}"));
}

/// The condition `Ready`, as `STATUS REASON`.
pub(crate) fn ready(model_sync: &Value) -> String {
    let ready = condition(model_sync, "Ready");
    let text = |field: &str| ready[field].as_str().unwrap_or("-").to_owned();
    format!("{} {}", text("status"), text("reason"))
}

pub(crate) fn condition(model_sync: &Value, kind: &str) -> Value {
    let conditions = model_sync["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let found = conditions.find(|condition| condition["type"] == kind);
    found.cloned().unwrap_or_default()
}

/// Waits until the condition `Ready` of a ModelSync is so, and gives back the ModelSync.
pub(crate) fn wait_ready(state: &State, name: &str, expected: &str) -> Value {
    state.wait(&format!("{name} to be {expected}"), |store| {
        let model_sync = store.get(&model_syncs(), NAMESPACE, name).ok()?;
        (ready(&model_sync) == expected).then_some(model_sync)
    })
}

/// All PipelineRuns, the oldest first.
pub(crate) fn runs(state: &State) -> Vec<Value> {
    let mut runs = state.store().list(&pipeline_runs(), None, "");
    runs.sort_by_key(run_number);
    runs
}

fn run_number(run: &Value) -> i64 {
    let number = &run["metadata"]["annotations"]["automl.cloudai.kubeflow.org/run-number"];
    number
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// Waits for an active run whose parameter `automl-model` is this, and gives back its name.
pub(crate) fn wait_active(state: &State, model: &str) -> String {
    state.wait(&format!("an active run for {model}"), |store| {
        let runs = store.list(&pipeline_runs(), None, "");
        let run = runs.iter().find(|run| {
            let parameters = run["spec"]["params"].as_array();
            is_active_run(run)
                && parameters
                    .into_iter()
                    .flatten()
                    .any(|parameter| parameter["value"] == model)
        })?;
        run["metadata"]["name"].as_str().map(str::to_owned)
    })
}

/// Waits until an event of this reason is there, and gives back its note.
pub(crate) fn wait_event(state: &State, reason: &str) -> String {
    state.wait(&format!("an event {reason}"), |store| {
        let events = store.list(&events(), None, "");
        let event = events.iter().find(|event| event["reason"] == reason)?;
        event["note"].as_str().map(str::to_owned)
    })
}

/// What no controller may ever do.
pub(crate) fn assert_never_two_active(state: &State) {
    assert_eq!(state.store().violations, Vec::<String>::new());
}

/// A GET of a probe or the metrics: the answer's head and body.
pub(crate) fn get(address: &str, path: &str) -> (String, String) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}
