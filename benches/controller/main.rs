//! The controller's memory: idle, and with many ModelSyncs that it asks for all the time. The API
//! server and the lambda are those of the tests, in this process.
//!
//! `cargo bench --bench controller [-- NUMBER]`; `MODELSYNC_BINARY` names another program to measure.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reaches outside, and a panic is how it fails"
)]
#![expect(dead_code, reason = "the tests use the rest")]

#[path = "../../tests/it/harness/api_server/mod.rs"]
mod api_server;
#[path = "../../tests/it/harness/controller.rs"]
mod controller;
#[path = "../../tests/it/harness/lambda.rs"]
mod lambda;
#[path = "../../tests/it/harness/process.rs"]
mod process;

use serde_json::{Value, json};

use api_server::{ApiServer, end_run, is_active_run, model_syncs, pipeline_runs};
use controller::{Controller, NAMESPACE, create_model_sync, ready};
use lambda::{Lambda, Reply};

/// How many finished runs each second ModelSync has.
const HISTORY: usize = 5;
/// How often each is asked for while it is measured.
const ROUNDS: u64 = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = arguments.iter().find_map(|argument| argument.parse().ok());
    let number: u64 = number.unwrap_or(500);
    let server = ApiServer::start();
    let state = &server.state;
    let controller = Controller::start(&server);
    controller.address();
    let idle = memory(controller.process.id());
    print("idle", &idle);

    let lambdas = [
        Lambda::start(Reply::No),
        Lambda::start(Reply::Yes("m0".to_owned())),
    ];
    for index in 0..number {
        let lambda = &lambdas[usize::try_from(index % 2).unwrap()];
        let spec = json!({"interval": "5s", "successfulPipelineRunsHistoryLimit": HISTORY});
        create_model_sync(state, lambda, &format!("sync-{index}"), &spec);
    }
    for round in 0..HISTORY {
        let reply = Reply::Yes(format!("m{}", round + 1));
        let active: Vec<String> = state.wait("a run for every second ModelSync", |store| {
            let runs = store.list(&pipeline_runs(), None, "");
            let active = runs.iter().filter(|run| is_active_run(run));
            let names = active.filter_map(|run| Some(run["metadata"]["name"].as_str()?.to_owned()));
            let active: Vec<String> = names.collect();
            (active.len() as u64 == number / 2).then_some(active)
        });
        lambdas[1].reply(reply);
        for name in active {
            state.change(|store| end_run(store, NAMESPACE, &name, true));
        }
    }
    state.wait("every ModelSync to be decided", |store| {
        let objects = store.list(&model_syncs(), None, "");
        let is_decided = |object: &Value| !ready(object).contains('-');
        objects.iter().all(is_decided).then_some(())
    });
    let asked = lambdas[0].asked();
    state.wait("more questions", |_| {
        (lambdas[0].asked() >= asked + ROUNDS * number / 2).then_some(())
    });
    let runs = state.store().list(&pipeline_runs(), None, "").len();
    let loaded = memory(controller.process.id());
    print(
        &format!("{number} ModelSyncs, {runs} PipelineRuns"),
        &loaded,
    );
    let each = loaded.0.saturating_sub(idle.0) as f64 / number as f64;
    println!(
        "{each:.1} KiB for each ModelSync, {:.2} times idle",
        loaded.0 as f64 / idle.0 as f64
    );
}

fn print(what: &str, (resident, peak): &(u64, u64)) {
    println!(
        "{what}: {:.1} MiB resident, {:.1} MiB at most",
        *resident as f64 / 1024.0,
        *peak as f64 / 1024.0
    );
}

/// Resident memory of a process, now and at most, in KiB.
fn memory(process: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let field = |name: &str| {
        let mut lines = status.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)).unwrap();
        value.trim_end_matches("kB").trim().parse().unwrap()
    };
    (field("VmRSS:"), field("VmHWM:"))
}
