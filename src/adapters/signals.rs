//! The signals that ask the process to end.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells whoever holds a copy when the process is asked to end.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<u32>);

impl Stop {
    /// Listens to SIGTERM, which Kubernetes sends, and SIGINT, which Ctrl-C sends.
    ///
    /// # Errors
    /// The operating system refuses.
    pub(crate) fn on_signals() -> anyhow::Result<Self> {
        let problem = "cannot listen to the signals SIGTERM and SIGINT";
        let mut terminate = signal(SignalKind::terminate()).context(problem)?;
        let mut interrupt = signal(SignalKind::interrupt()).context(problem)?;
        let (sender, receiver) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                sender.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(receiver))
    }

    /// Whether the process was asked to end.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Waits until the process is asked to end.
    pub(crate) async fn asked(self) {
        self.count(1).await;
    }

    /// Waits until the process is asked to end a second time, by someone who does not want to wait.
    pub(crate) async fn insisted(self) {
        self.count(2).await;
    }

    async fn count(mut self, least: u32) {
        if self.0.wait_for(|count| *count >= least).await.is_err() {
            // Nobody is left who could ask.
            std::future::pending::<()>().await;
        }
    }
}
