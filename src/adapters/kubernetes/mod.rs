//! The Kubernetes API, as far as the controller uses it. What is read here is read from the API
//! server and not from a cache: a list without a resourceVersion is the most recent state
//! ("Resource versions" in the Kubernetes API concepts), so that a run just created is in it.

mod cluster;
mod error;
mod lease;

pub(crate) use cluster::{Cluster, Notice};
pub(crate) use error::{CallError, Problem};
pub(crate) use lease::LeaseClient;

use anyhow::{Context, anyhow};
use kube::config::Config;

/// Connects to the cluster of the kubeconfig (`KUBECONFIG`, `~/.kube/config`), or to the one that
/// this process runs in.
///
/// # Errors
/// There is neither, or what they say cannot be used.
pub(crate) async fn connect() -> anyhow::Result<kube::Client> {
    // A second installation does nothing; the first is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = Config::infer().await.map_err(|error| {
        // Its source is what is wrong with the kubeconfig; the first line says it.
        let cause = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string);
        anyhow!(
            "cannot find a Kubernetes cluster: {}; set KUBECONFIG to a kubeconfig, or run in a pod \
             with a service account",
            cause.lines().next().unwrap_or_default()
        )
    })?;
    let server = config.cluster_url.to_string();
    kube::Client::try_from(config)
        .with_context(|| format!("cannot prepare to talk to the Kubernetes API at {server}"))
}

/// The name of the pod or machine that this process runs in.
pub(crate) fn host_name() -> Option<String> {
    let name = std::env::var("HOSTNAME").ok();
    name.or_else(|| std::fs::read_to_string("/etc/hostname").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
}
