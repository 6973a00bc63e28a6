//! An HTTP server that ends well: no new connections, and the requests under way are finished.

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;

use crate::adapters::signals::Stop;

/// Serves until `stop` asks to end, then finishes the requests under way; those that take longer
/// than `grace` are cut off, and all of them at once when `stop` is asked a second time.
///
/// # Errors
/// The listener fails.
pub(crate) async fn serve_until(
    listener: TcpListener,
    router: Router,
    stop: &Stop,
    grace: Duration,
) -> anyhow::Result<()> {
    let server = axum::serve(listener, router).with_graceful_shutdown(stop.clone().asked());
    let cut_off = async {
        stop.clone().asked().await;
        tracing::info!("stopping: finishing the requests under way");
        tokio::select! {
            () = tokio::time::sleep(grace) => "took too long",
            () = stop.clone().insisted() => "were cut off by a second signal",
        }
    };
    tokio::select! {
        ended = async { server.await } => {
            ended.context("cannot accept connections")?;
            tracing::info!("stopped");
        }
        why = cut_off => tracing::warn!("stopped: some requests {why}"),
    }
    Ok(())
}
