//! `modelsync controller`: reconciles ModelSyncs while this process leads.
//!
//! ```text
//! watch ModelSyncs and PipelineRuns ─► reconcile: observe (ModelSync, runs, lambda)
//!                                                 ─► core::model_sync::decide
//!                                                 ─► act (delete, create, status, events)
//! ```
//!
//! The watches only say when to look; what is decided on is read afresh each time. So a watch that
//! lags, or a second process that also believes to lead, cannot start a run too many.

mod events;
mod leadership;
mod metrics;
mod reconcile;
mod runs;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use kube::api::{ApiResource, DynamicObject};
use kube::core::PartialObjectMeta;
use kube::core::gvk::GroupVersionKind;
use kube::runtime::controller::{Config, Controller, Error};
use kube::runtime::watcher;
use kube::{Api, Client};

use crate::adapters::kubernetes::{self, Cluster, LeaseClient};
use crate::adapters::needs_sync::NeedsSyncClient;
use crate::adapters::signals::Stop;
use crate::adapters::{clock, listener};
use crate::core::model_sync::{MANAGED_BY, ModelSync};
use crate::faces::{probes, shutdown};

/// How many ModelSyncs are reconciled at once: one that waits for its lambda holds up no other.
const CONCURRENCY: u16 = 32;
/// How long a look may still take after a signal to stop; it can be cut off at any time.
const LOOK_GRACE: Duration = Duration::from_secs(20);
/// How long a request for metrics may still take after a signal to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What the user asked for.
pub(crate) struct Request {
    /// The namespace to look after; all of them when there is none.
    pub(crate) namespace: Option<String>,
    /// Where probes and metrics are served.
    pub(crate) listen: SocketAddr,
    /// How long one question to a lambda may take, when not the default.
    pub(crate) lambda_timeout: Option<Duration>,
    /// The Lease to hold; none means to act without one.
    pub(crate) lease: Option<LeaseRequest>,
}

/// Which Lease to hold, and as whom.
pub(crate) struct LeaseRequest {
    /// Its namespace; the one of the pod or kubeconfig when there is none.
    pub(crate) namespace: Option<String>,
    /// Its name; one for what is looked after when there is none.
    pub(crate) name: Option<String>,
    /// The name of this process, which no other must have; one is made when there is none.
    pub(crate) identity: Option<String>,
}

/// Runs until the process is asked to end.
///
/// # Errors
/// There is no cluster to talk to, the address cannot be listened on, or the lead was lost.
pub(crate) async fn run(request: Request) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let client = kubernetes::connect().await?;
    let listener = listener::listen(request.listen).await?;
    let identity = identity(&request);
    tracing::info!(
        address = %listener.local_addr()?,
        namespace = request.namespace.as_deref().unwrap_or("(all)"),
        identity,
        "started"
    );

    let mut registry = probes::registry();
    let metrics = metrics::Metrics::new(&mut registry);
    // Whether it leads or waits for another, it does what it has to; only when it cannot lead at all
    // it does not.
    let trouble = leadership::Trouble::default();
    let seen = trouble.clone();
    let ready: probes::Readiness = Arc::new(move || {
        let ready = seen
            .why()
            .map_or(Ok(()), |why| Err(format!("cannot lead: {why}")));
        std::future::ready(ready).boxed()
    });
    let routes = probes::routes(Arc::new(registry), ready, stop.clone());
    let probes = shutdown::serve_until(listener, routes, &stop, GRACE);

    let context = Arc::new(reconcile::Context::new(
        Cluster::new(client.clone(), &identity),
        NeedsSyncClient::new(request.lambda_timeout)?,
        metrics.clone(),
    ));
    let work = reconcile_until(
        client.clone(),
        request.namespace.clone(),
        context,
        stop.clone(),
    );
    let controller = async {
        match &request.lease {
            None => {
                metrics.leads(true);
                work.await;
                Ok(())
            }
            Some(lease) => {
                let default = client.default_namespace();
                let namespace = lease.namespace.as_deref().unwrap_or(default);
                let name = lease_name(lease, request.namespace.as_deref());
                let lease = LeaseClient::new(client.clone(), namespace, &name);
                leadership::lead(&lease, &identity, &stop, &metrics, &trouble, work).await
            }
        }
    };
    tokio::pin!(controller, probes);
    tokio::select! {
        ended = &mut controller => ended?,
        // It ends on its own only when it fails.
        served = &mut probes => {
            served?;
            return controller.await;
        }
    }
    probes.await
}

/// Reconciles until `stop` is asked, and then finishes what is under way.
async fn reconcile_until(
    client: Client,
    namespace: Option<String>,
    context: Arc<reconcile::Context>,
    stop: Stop,
) {
    let runs = ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk("tekton.dev", "v1", "PipelineRun"),
        "pipelineruns",
    );
    // Only the metadata is kept: an object that no longer fits the schema does not stop the watch,
    // and reconciling reads the rest itself.
    type Owner = PartialObjectMeta<ModelSync>;
    type Owned = PartialObjectMeta<DynamicObject>;
    let (owners, owned): (Api<Owner>, Api<Owned>) = match &namespace {
        Some(namespace) => (
            Api::namespaced(client.clone(), namespace),
            Api::namespaced_with(client, namespace, &runs),
        ),
        None => (Api::all(client.clone()), Api::all_with(client, &runs)),
    };
    let (label, value) = MANAGED_BY;
    let ours = watcher::Config::default().labels(&format!("{label}={value}"));
    // The controller ends by itself only when it has seen the ModelSyncs.
    let stopped = async {
        stop.clone().asked().await;
        tokio::select! {
            () = context.idle() => {}
            () = tokio::time::sleep(LOOK_GRACE) => tracing::warn!("stopped: some looks took too long"),
            () = stop.clone().insisted() => {}
        }
    };
    let controller = Controller::new(owners, watcher::Config::default())
        .owns_with(owned, runs, ours)
        .with_config(Config::default().concurrency(CONCURRENCY))
        .graceful_shutdown_on(stop.clone().asked())
        .run(
            reconcile::reconcile,
            reconcile::after_error,
            context.clone(),
        )
        .for_each(|outcome| {
            match outcome {
                // Told where they happen.
                Ok(_) | Err(Error::ReconcilerFailed(..)) => {}
                // A ModelSync that was deleted meanwhile.
                Err(Error::ObjectNotFound(object)) => context.forget(&object),
                Err(Error::QueueError(error)) => {
                    context.metrics().watch_failed();
                    tracing::warn!(
                        error = %Watching(&error),
                        "cannot watch; trying again, and looking at the ModelSyncs known so far \
                         when they are due"
                    );
                }
                Err(Error::RunnerError(error)) => tracing::error!(%error, "cannot reconcile"),
            }
            std::future::ready(())
        });
    tokio::select! {
        () = controller => {}
        () = stopped => {}
    }
}

/// The innermost cause of a watch's error, which says most.
struct Watching<'a>(&'a watcher::Error);

impl std::fmt::Display for Watching<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut error: &dyn std::error::Error = self.0;
        while let Some(source) = error.source() {
            error = source;
        }
        write!(formatter, "{error}")
    }
}

/// A name that no other process has: pods have one, and elsewhere a random part makes it so.
fn identity(request: &Request) -> String {
    let given = request
        .lease
        .as_ref()
        .and_then(|lease| lease.identity.clone());
    given.unwrap_or_else(|| {
        let host = kubernetes::host_name().unwrap_or_else(|| "modelsync".to_owned());
        format!("{host}_{:016x}", fastrand::u64(..))
    })
}

/// Controllers that look after different namespaces do not compete.
fn lease_name(lease: &LeaseRequest, namespace: Option<&str>) -> String {
    match (&lease.name, namespace) {
        (Some(name), _) => name.clone(),
        (None, None) => "modelsync-controller".to_owned(),
        (None, Some(namespace)) => format!("modelsync-controller-{namespace}"),
    }
}

/// A wait with up to a tenth more, so that many do not come at once.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + fastrand::f64() / 10.0)
}

/// The time of this moment.
fn now() -> jiff::Timestamp {
    clock::current()
}
