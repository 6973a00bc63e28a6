//! `modelsync controller`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::failure::Outcome;
use super::logging::LogArgs;
use crate::adapters::runtime;
use crate::core::policy::duration;
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
        default_value = "0.0.0.0:8080"
    )]
    listen: SocketAddr,
    /// How long one question to a needsSyncUrl may take [default: 20s]
    #[arg(long, value_name = "DURATION", env = "MODELSYNC_LAMBDA_TIMEOUT", value_parser = positive)]
    lambda_timeout: Option<Duration>,
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
    // A variable that a manifest leaves empty is not set.
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let request = Request {
        namespace: filled(&arguments.namespace),
        listen: arguments.listen,
        lambda_timeout: arguments.lambda_timeout,
        lease: (!arguments.no_leader_elect).then(|| LeaseRequest {
            namespace: filled(&arguments.lease_namespace),
            name: filled(&arguments.lease_name),
            identity: filled(&arguments.identity),
        }),
    };
    runtime::serve(controller::run(request))??;
    Ok(Outcome::Done)
}

fn positive(text: &str) -> Result<Duration, String> {
    let duration = duration::parse(text).map_err(|error| error.to_string())?;
    if duration.is_zero() {
        return Err("give a duration above zero, such as 20s".to_owned());
    }
    Ok(duration)
}
