//! The runtimes that wait for the network: one thread for commands that do one thing and end, several
//! for servers.

use std::time::Duration;

use anyhow::Context;

/// Runs a future to its end on this thread.
///
/// # Errors
/// The operating system refuses what a runtime needs.
pub(crate) fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start waiting for the network")?;
    Ok(runtime.block_on(future))
}

/// Waits for a future so long and no longer; `None` when it is not there then.
pub(crate) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(limit, future).await.ok()
}

/// Runs a server to its end, on as many threads as there are processors.
///
/// # Errors
/// The operating system refuses what a runtime needs.
pub(crate) fn serve<F: Future>(future: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start waiting for the network")?;
    let output = runtime.block_on(future);
    // Threads that still read files of requests that were cut off are not waited for.
    runtime.shutdown_background();
    Ok(output)
}
