//! `modelsync serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::failure::Outcome;
use super::logging::LogArgs;
use super::options::{LISTEN, filled, given_path, given_paths, listen, path_or_blank};
use crate::core::policy::duration;
use crate::faces::serve::{self, Options};

const RETRAIN_INTERVAL: &str = "24h";
const CACHE_FOR: &str = "30s";
const REQUEST_TIMEOUT: &str = "15s";
const GRACE_PERIOD: &str = "25s";

/// Answer over HTTP whether the model in Git needs an update, or a new one should be trained
///
/// GET /needsSync and /needsTrain answer what the ModelSync controller asks; with several configs
/// ?config=NAME says about which. /healthz, /readyz and /metrics are for the cluster. DIR may be
/// replaced as a whole while it is served, as git-sync does it.
#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Directory with the package
    #[arg(long = "dir", value_name = "DIR", env = "MODELSYNC_DIR")]
    directory: PathBuf,
    /// File with a SetModel, relative to DIR (can be repeated) [default: every SetModel in DIR]
    #[arg(long = "config", value_name = "FILE", env = "MODELSYNC_CONFIG", value_parser = path_or_blank())]
    configs: Vec<PathBuf>,
    /// File with a ModelCatalog, relative to DIR, instead of asking any source
    #[arg(long, value_name = "FILE", env = "MODELSYNC_CATALOG", value_parser = path_or_blank())]
    catalog: Option<PathBuf>,
    /// Address and port to listen on
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "MODELSYNC_LISTEN",
        default_value = LISTEN,
        value_parser = listen
    )]
    listen: SocketAddr,
    /// Age of the newest model from which on another should be trained, such as 24h or 7d
    #[arg(long, value_name = "DURATION", env = "MODELSYNC_RETRAIN_INTERVAL", default_value = RETRAIN_INTERVAL, value_parser = |text: &str| duration::parse(filled(text, RETRAIN_INTERVAL)))]
    retrain_interval: Duration,
    /// How long a registry's answer is used before it is asked again
    #[arg(long, value_name = "DURATION", env = "MODELSYNC_CACHE_FOR", default_value = CACHE_FOR, value_parser = |text: &str| duration::parse(filled(text, CACHE_FOR)))]
    cache_for: Duration,
    /// How long a request may take; less than the controller waits, so that it hears why
    #[arg(long, value_name = "DURATION", env = "MODELSYNC_REQUEST_TIMEOUT", default_value = REQUEST_TIMEOUT, value_parser = |text: &str| duration::parse(filled(text, REQUEST_TIMEOUT)))]
    request_timeout: Duration,
    /// How long requests under way may take after SIGTERM or SIGINT
    #[arg(long, value_name = "DURATION", env = "MODELSYNC_GRACE_PERIOD", default_value = GRACE_PERIOD, value_parser = |text: &str| duration::parse(filled(text, GRACE_PERIOD)))]
    grace_period: Duration,
    #[command(flatten)]
    log: LogArgs,
}

pub(super) fn run(arguments: &ServeArgs) -> anyhow::Result<Outcome> {
    arguments.log.start()?;
    serve::run(&Options {
        directory: arguments.directory.clone(),
        configs: given_paths(&arguments.configs),
        catalog: given_path(arguments.catalog.as_ref()),
        listen: arguments.listen,
        retrain_interval: arguments.retrain_interval,
        cache_for: arguments.cache_for,
        request_timeout: arguments.request_timeout,
        grace_period: arguments.grace_period,
    })?;
    Ok(Outcome::Done)
}
