//! A small Kubernetes API server: the kinds that the controller uses, over HTTP, with watches that
//! resume and expire, and faults on request. It knows what a controller relies on and no more.

mod http;
mod schema;
mod store;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) use store::{Kind, Store, is_active_run};

/// How long a condition may take to come true; far more than it does.
const DEADLINE: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct ApiServer {
    pub(crate) state: Arc<State>,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
    directory: tempfile::TempDir,
}

/// What the server and the tests share.
pub(crate) struct State {
    store: Mutex<Store>,
    faults: Mutex<Faults>,
    /// Wakes tests that wait for the store to change.
    changed: Condvar,
    /// Wakes watches: the number of changes, and how often all watches were ended.
    watches: tokio::sync::watch::Sender<(u64, u64)>,
    /// Wakes delayed calls.
    released: tokio::sync::watch::Sender<bool>,
}

/// What to do to which call.
#[derive(Default)]
pub(crate) struct Faults {
    /// The calls so far: watches, leases and what the controller reads for its watches are not
    /// among them.
    pub(crate) calls: Vec<String>,
    /// The call to disturb, counted from 0, and how.
    planned: Option<(usize, Fault)>,
    /// Instead: the first call of this name.
    planned_name: Option<(&'static str, Fault)>,
    /// Whether the planned fault has happened.
    has_happened: bool,
    /// Refuse every call that starts so, with this code.
    refused: Option<(String, u16)>,
}

/// How to disturb a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Answer with this code and do nothing.
    FailBefore(u16),
    /// Do it and answer with this code.
    FailAfter(u16),
    /// Do it and break off in the middle of the answer.
    CutAfter,
    /// Do nothing and never answer, so that the test can kill who asked.
    HoldBefore,
    /// Do it and never answer.
    HoldAfter,
    /// Do it when the test says so.
    Delay,
}

impl ApiServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = Arc::new(State {
            store: Mutex::default(),
            faults: Mutex::default(),
            changed: Condvar::new(),
            watches: tokio::sync::watch::Sender::new((0, 0)),
            released: tokio::sync::watch::Sender::new(false),
        });
        let mut server = Self {
            state,
            address: listener.local_addr().unwrap(),
            runtime: None,
            directory: tempfile::tempdir().unwrap(),
        };
        server.serve(listener);
        server
    }

    fn serve(&mut self, listener: TcpListener) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        listener.set_nonblocking(true).unwrap();
        let router = http::router(self.state.clone());
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        self.runtime = Some(runtime);
    }

    /// Ends the server and all its connections; what it stores stays.
    pub(crate) fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Starts it again at the same address.
    pub(crate) fn start_again(&mut self) {
        let deadline = Instant::now() + DEADLINE;
        let listener = loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
        };
        self.serve(listener);
    }

    /// A kubeconfig for this server.
    pub(crate) fn kubeconfig(&self) -> std::path::PathBuf {
        let path = self.directory.path().join("kubeconfig");
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context":
                {"cluster": "test", "user": "test", "namespace": "modelsync-system"}}],
            "current-context": "test",
        });
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl State {
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    /// Changes the store, and tells whoever waits for it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let outcome = change(&mut self.store());
        self.changed.notify_all();
        self.watches.send_modify(|(changes, _)| *changes += 1);
        outcome
    }

    /// Waits until something is true of the store.
    pub(crate) fn wait<T>(&self, what: &str, mut test: impl FnMut(&Store) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        let mut store = self.store();
        loop {
            if let Some(found) = test(&store) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}");
            store = self.changed.wait_timeout(store, left).unwrap().0;
        }
    }

    /// Ends all watches with 410, as when the API server has forgotten what they have seen.
    pub(crate) fn expire_watches(&self) {
        let mut store = self.store();
        store.compacted = store.resource_version();
        drop(store);
        self.watches.send_modify(|(_, ended)| *ended += 1);
    }

    /// Plans a fault for the call of this number, and counts calls from 0 again.
    pub(crate) fn plan(&self, call: usize, fault: Fault) {
        *self.faults() = Faults {
            planned: Some((call, fault)),
            ..Faults::default()
        };
    }

    /// Plans a fault for the next call of this name.
    pub(crate) fn plan_next(&self, name: &'static str, fault: Fault) {
        self.faults().planned_name = Some((name, fault));
    }

    /// Lets a delayed call go on.
    pub(crate) fn release(&self) {
        self.released.send_replace(true);
    }

    /// Refuses all calls that start so until told otherwise.
    pub(crate) fn refuse(&self, calls: Option<(&str, u16)>) {
        self.faults().refused = calls.map(|(start, code)| (start.to_owned(), code));
        self.changed.notify_all();
    }

    /// The calls since the start or the last plan.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.faults().calls.clone()
    }

    /// Whether the planned fault has happened.
    pub(crate) fn has_happened(&self) -> bool {
        self.faults().has_happened
    }

    /// Notes a call and says how it is to be disturbed.
    fn fault(&self, call: String) -> Option<Fault> {
        let mut faults = self.faults();
        if let Some((start, code)) = &faults.refused
            && call.starts_with(start)
        {
            return Some(Fault::FailBefore(*code));
        }
        let number = faults.calls.len();
        if let Some((name, fault)) = faults.planned_name
            && call == name
        {
            faults.planned_name = None;
            faults.has_happened = true;
            return Some(fault);
        }
        faults.calls.push(call);
        match faults.planned {
            Some((planned, fault)) if planned == number => {
                faults.has_happened = true;
                Some(fault)
            }
            _ => None,
        }
    }

    /// The code with which a call is refused; for those that are not counted.
    fn refusal(&self, call: &str) -> Option<u16> {
        let faults = self.faults();
        let (start, code) = faults.refused.as_ref()?;
        call.starts_with(start).then_some(*code)
    }

    /// Wakes tests that wait, after something that is not in the store.
    fn notify(&self) {
        self.changed.notify_all();
    }
}

/// The ModelSyncs.
pub(crate) fn model_syncs() -> Kind {
    Kind::new("automl.cloudai.kubeflow.org", "v1alpha1", "modelsyncs")
}

/// The PipelineRuns.
pub(crate) fn pipeline_runs() -> Kind {
    Kind::new("tekton.dev", "v1", "pipelineruns")
}

/// The events.
pub(crate) fn events() -> Kind {
    Kind::new("events.k8s.io", "v1", "events")
}

/// The Leases.
pub(crate) fn leases() -> Kind {
    Kind::new("coordination.k8s.io", "v1", "leases")
}

/// Lets a PipelineRun end, as Tekton writes it.
pub(crate) fn end_run(store: &mut Store, namespace: &str, name: &str, succeeded: bool) {
    let (status, reason) = match succeeded {
        true => ("True", "Succeeded"),
        false => ("False", "Failed"),
    };
    let now = store::now();
    let patch: Value = json!({"status": {
        "startTime": now,
        "completionTime": now,
        "conditions": [{"type": "Succeeded", "status": status, "reason": reason,
            "message": "Tasks Completed: 1", "lastTransitionTime": now}],
    }});
    store
        .patch(&pipeline_runs(), namespace, name, true, &patch)
        .unwrap();
}
