//! The address that a server listens on.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

/// Starts to listen.
///
/// # Errors
/// The address is not ours, not free or not allowed.
pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; choose another address or port with --listen")
    })
}
