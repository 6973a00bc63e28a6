//! The server around the endpoints: routes, limits, counting, and its beginning and end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::FutureExt;
use serde::Deserialize;

use super::endpoints::{Endpoint, Lambda};
use super::metrics::Metrics;
use super::package::{Loader, Place};
use super::registries::Registries;
use crate::adapters::signals::Stop;
use crate::adapters::{clock, listener, runtime};
use crate::core::needs_sync::NeedsSync;
use crate::core::policy::duration;
use crate::faces::{probes, shutdown};

/// What the user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The package's directory.
    pub(crate) directory: PathBuf,
    /// Files with a SetModel each; none means every SetModel in the directory.
    pub(crate) configs: Vec<PathBuf>,
    /// A file with a ModelCatalog that stands for every source.
    pub(crate) catalog: Option<PathBuf>,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// From what age of the newest model on another should be trained.
    pub(crate) retrain_interval: Duration,
    /// How long a registry's answer is used.
    pub(crate) cache_for: Duration,
    /// How long a request may take.
    pub(crate) request_timeout: Duration,
    /// How long requests under way may take when the process is asked to end.
    pub(crate) grace_period: Duration,
}

/// A body is of no use here; more than this is refused.
const MAX_BODY: u64 = 64 << 10;

/// Serves until a signal asks to end.
///
/// # Errors
/// It cannot listen, or the operating system refuses what a server needs.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    runtime::serve(serve(options))?
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let listener = listener::listen(options.listen).await?;
    let (router, lambda) = build(options, stop.clone());
    let address = listener.local_addr().unwrap_or(options.listen);
    let directory = options.directory.display();
    tracing::info!(%address, %directory, version = env!("CARGO_PKG_VERSION"), "listening");
    if let Err(reason) = lambda.ready().await {
        // With git-sync the directory comes later.
        tracing::warn!(reason, "not ready yet");
    }
    shutdown::serve_until(listener, router, &stop, options.grace_period).await
}

/// The routes, and what answers them.
fn build(options: &Options, stop: Stop) -> (Router, Arc<Lambda>) {
    let mut registry = probes::registry();
    let metrics = Arc::new(Metrics::new(&mut registry));
    let clock = Arc::new(clock::elapsed);
    let place = Place {
        directory: options.directory.clone(),
        configs: options.configs.clone(),
        catalog: options.catalog.clone(),
    };
    let lambda = Arc::new(Lambda {
        loader: Loader::new(place),
        registries: Registries::new(options.cache_for, clock, metrics.clone()),
        metrics: metrics.clone(),
        retrain_interval: options.retrain_interval,
        last: Default::default(),
    });
    let ready: probes::Readiness = {
        let lambda = lambda.clone();
        Arc::new(move || {
            let lambda = lambda.clone();
            async move { lambda.ready().await }.boxed()
        })
    };
    let limits = Arc::new(Limits {
        metrics,
        timeout: options.request_timeout,
    });
    let router = Router::new()
        .route(Endpoint::NeedsSync.path(), get(needs_sync))
        .route(Endpoint::NeedsTrain.path(), get(needs_train))
        .with_state(lambda.clone())
        .merge(probes::routes(Arc::new(registry), ready, stop))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(limits, limit));
    (router, lambda)
}

/// `?config=NAME`.
#[derive(Deserialize)]
struct Parameters {
    config: Option<String>,
}

async fn needs_sync(lambda: State<Arc<Lambda>>, parameters: Query<Parameters>) -> Response {
    answer(lambda, parameters, Endpoint::NeedsSync).await
}

async fn needs_train(lambda: State<Arc<Lambda>>, parameters: Query<Parameters>) -> Response {
    answer(lambda, parameters, Endpoint::NeedsTrain).await
}

async fn answer(
    State(lambda): State<Arc<Lambda>>,
    Query(parameters): Query<Parameters>,
    endpoint: Endpoint,
) -> Response {
    let (code, body) = lambda.answer(endpoint, parameters.config.as_deref()).await;
    (code, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn not_found() -> Response {
    let paths = "/needsSync, /needsTrain, /healthz, /readyz and /metrics";
    let message = format!("there is nothing here; there is {paths}\n");
    (StatusCode::NOT_FOUND, message).into_response()
}

async fn not_allowed() -> Response {
    let message = "this path answers GET and HEAD\n";
    let allow = [(header::ALLOW, "GET, HEAD")];
    (StatusCode::METHOD_NOT_ALLOWED, allow, message).into_response()
}

struct Limits {
    metrics: Arc<Metrics>,
    timeout: Duration,
}

/// Bounds the time and the body of a request, and counts it.
async fn limit(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let start = clock::elapsed();
    let _under_way = limits.metrics.begin();
    let path = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        None => "other".to_owned(),
    };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let response = if length.is_some_and(|length| length > MAX_BODY) {
        let message = format!("the body is larger than {MAX_BODY} bytes; none is needed\n");
        (StatusCode::PAYLOAD_TOO_LARGE, message).into_response()
    } else {
        match tokio::time::timeout(limits.timeout, next.run(request)).await {
            Ok(response) => response,
            Err(_) => {
                let limit = duration::format(limits.timeout);
                let message = format!("there was no answer within {limit}; ask again");
                let body = Json(NeedsSync::failed(&[message]));
                (StatusCode::GATEWAY_TIMEOUT, body).into_response()
            }
        }
    };
    let took = clock::elapsed().saturating_sub(start);
    let code = response.status().as_u16();
    limits.metrics.request(&path, code, took);
    response
}
