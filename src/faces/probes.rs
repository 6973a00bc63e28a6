//! What a long-running process says about itself: `/healthz`, `/readyz` and `/metrics`, for the
//! server and the controller alike.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::future::BoxFuture;
use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::adapters::signals::Stop;

/// Says whether requests make sense now, and if not why.
pub(crate) type Readiness = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// A registry of metrics, all named `modelsync_…`, with the version among them.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::with_prefix("modelsync");
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The program", version);
    registry
}

/// The routes. `/healthz` is about the process alone. `/readyz` is also false once the process was
/// asked to end, so that no new requests are sent to it.
pub(crate) fn routes(metrics: Arc<Registry>, ready: Readiness, stop: Stop) -> Router {
    let readyz = move || {
        let (ready, stop) = (ready.clone(), stop.clone());
        async move {
            if stop.is_asked() {
                return unready("stopping");
            }
            match ready().await {
                Ok(()) => "ok\n".into_response(),
                Err(reason) => unready(&reason),
            }
        }
    };
    let metrics = move || {
        let metrics = metrics.clone();
        async move { exposition(&metrics) }
    };
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
}

fn unready(reason: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response()
}

/// The OpenMetrics text format, version 1.0.0, which Prometheus has read since 2.5.
fn exposition(registry: &Registry) -> Response {
    let mut body = String::new();
    match text::encode(&mut body, registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
