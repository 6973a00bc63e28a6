//! One outside thing each: the clock, files, Git, HTTP, listeners, signals, forges, registries,
//! Kubernetes, lambdas. No policy and no printing.

#![expect(
    clippy::disallowed_methods,
    reason = "adapters are where reaching outside happens"
)]

pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod forges;
pub(crate) mod git;
pub(crate) mod http;
pub(crate) mod kubernetes;
pub(crate) mod listener;
pub(crate) mod needs_sync;
pub(crate) mod operation;
pub(crate) mod runtime;
pub(crate) mod secret;
pub(crate) mod signals;
pub(crate) mod sources;
