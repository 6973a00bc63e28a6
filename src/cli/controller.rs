//! `modelsync controller`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::failure::Outcome;
use super::logging::LogArgs;
use super::options::{Blank, LISTEN, given, listen, positive};
use crate::adapters::runtime;
use crate::faces::controller::{self, LeaseRequest, Request};

/// Reconcile ModelSyncs: ask their needsSyncUrl and start Tekton PipelineRuns, never two at once
///
/// Talks to the cluster of the kubeconfig, or to the one that it runs in. Several replicas can run:
/// one leads and the others wait.
#[derive(Args, Debug)]
pub(super) struct ControllerArgs {
    /// Namespace whose ModelSyncs to reconcile [default: all]
    #[arg(long, value_name = "NAMESPACE", env = "MODELSYNC_NAMESPACE")]
    namespace: Option<String>,
    /// Address and port for /healthz, /readyz and /metrics
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "MODELSYNC_LISTEN",
        default_value = LISTEN,
        value_parser = listen
    )]
    listen: SocketAddr,
    /// How long one question to a needsSyncUrl may take [default: 20s]
    #[arg(long, value_name = "DURATION", env = "MODELSYNC_LAMBDA_TIMEOUT", value_parser = |text: &str| Blank::or(text, positive))]
    lambda_timeout: Option<Blank<Duration>>,
    /// Reconcile only while holding the Lease; the default
    #[arg(long, overrides_with = "no_leader_elect")]
    leader_elect: bool,
    /// Reconcile without a Lease, for a single replica
    #[arg(long, overrides_with = "leader_elect")]
    no_leader_elect: bool,
    /// Namespace of the Lease [default: the pod's or the kubeconfig's]
    #[arg(long, value_name = "NAMESPACE", env = "MODELSYNC_LEASE_NAMESPACE")]
    lease_namespace: Option<String>,
    /// Name of the Lease [default: modelsync-controller, with the namespace when one is set]
    #[arg(long, value_name = "NAME", env = "MODELSYNC_LEASE_NAME")]
    lease_name: Option<String>,
    /// Name of this process in the Lease and in events [default: one that is made up]
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    identity: Option<String>,
    #[command(flatten)]
    log: LogArgs,
}

pub(super) fn run(arguments: &ControllerArgs) -> anyhow::Result<Outcome> {
    arguments.log.start()?;
    let request = Request {
        namespace: given(arguments.namespace.as_ref()),
        listen: arguments.listen,
        lambda_timeout: arguments.lambda_timeout.as_ref().and_then(|it| it.0),
        lease: (!arguments.no_leader_elect).then(|| LeaseRequest {
            namespace: given(arguments.lease_namespace.as_ref()),
            name: given(arguments.lease_name.as_ref()),
            identity: given(arguments.identity.as_ref()),
        }),
    };
    runtime::serve(controller::run(request))??;
    Ok(Outcome::Done)
}
