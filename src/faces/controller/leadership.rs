//! Works only while this process holds the Lease. What to write into it is decided in
//! `core::leader_election`; that a run is never started twice does not depend on it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use tokio::time::{Instant, sleep, timeout};

use super::metrics::Metrics;
use super::now;
use crate::adapters::clock;
use crate::adapters::kubernetes::{CallError, LeaseClient};
use crate::adapters::signals::Stop;
use crate::core::leader_election::{Candidate, Claim, RENEW_DEADLINE, RETRY_PERIOD};

/// Why the Lease can be neither held nor waited for, when that is so.
#[derive(Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn is(&self, why: Option<String>) {
        // A panic elsewhere leaves a plain value as good as it was.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// The reason in words; none when all is well.
    pub(super) fn why(&self) -> Option<String> {
        let why = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        why.clone()
    }
}

/// Waits for the Lease, works while it can be renewed, and gives it back at the end.
///
/// # Errors
/// The Lease was lost: the work was cut off, and the process should start anew.
pub(super) async fn lead(
    lease: &LeaseClient,
    identity: &str,
    stop: &Stop,
    metrics: &Metrics,
    trouble: &Trouble,
    work: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut candidate = Candidate::new(identity);
    let acquired = tokio::select! {
        acquired = acquire(lease, &mut candidate, trouble) => acquired,
        () = stop.clone().asked() => return Ok(()),
    };
    metrics.leads(true);
    tracing::info!(identity, "leading");
    let lost = tokio::select! {
        () = work => None,
        why = keep(lease, &mut candidate, acquired) => Some(why),
    };
    metrics.leads(false);
    match lost {
        None => {
            release(lease, &candidate).await;
            Ok(())
        }
        Some(why) => bail!("the lead was lost: {why}; start again to wait for it"),
    }
}

/// Waits until this process holds the Lease, and says since when: from before the request, as
/// others count from when they see it. An attempt that takes longer than a leader may take to renew
/// does not count.
async fn acquire(lease: &LeaseClient, candidate: &mut Candidate, trouble: &Trouble) -> Instant {
    let mut told = None;
    loop {
        let begun = Instant::now();
        let attempted = timeout(RENEW_DEADLINE, attempt(lease, candidate)).await;
        let attempted = attempted.unwrap_or_else(|_| Err(lease.timed_out(RENEW_DEADLINE)));
        trouble.is(match &attempted {
            Err(error) if !error.is_conflict() => Some(error.to_string()),
            _ => None,
        });
        match attempted {
            Ok(None) => return begun,
            Ok(Some(holder)) => {
                if told.as_ref() != Some(&holder) {
                    tracing::info!(holder, "waiting to lead");
                    told = Some(holder);
                }
            }
            // Another was faster; the next look sees who.
            Err(error) if error.is_conflict() => {}
            Err(error) => tracing::warn!(%error, "cannot lead yet; trying again"),
        }
        sleep(super::jittered(RETRY_PERIOD)).await;
    }
}

/// Renews for as long as that works, and says why it no longer does.
async fn keep(lease: &LeaseClient, candidate: &mut Candidate, acquired: Instant) -> String {
    let mut renewed = acquired;
    loop {
        let left = (renewed + RENEW_DEADLINE).saturating_duration_since(Instant::now());
        // Half of what is left stays for the request.
        sleep(RETRY_PERIOD.min(left / 2)).await;
        let begun = Instant::now();
        let left = (renewed + RENEW_DEADLINE).saturating_duration_since(begun);
        let why = match timeout(left, attempt(lease, candidate)).await {
            Ok(Ok(None)) => {
                renewed = begun;
                continue;
            }
            Ok(Ok(Some(holder))) => return format!("{holder} holds the Lease"),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        if renewed.elapsed() >= RENEW_DEADLINE {
            return format!("it could not be renewed within {RENEW_DEADLINE:?}: {why}");
        }
        tracing::warn!(error = why, "cannot renew the lead yet; trying again");
    }
}

/// Tries to acquire or renew; `Some` holder when another leads.
async fn attempt(
    lease: &LeaseClient,
    candidate: &mut Candidate,
) -> Result<Option<String>, CallError> {
    let read = lease.read().await?;
    let spec = read
        .as_ref()
        .map(|lease| lease.spec.clone().unwrap_or_default());
    match candidate.look(spec.as_ref(), now(), clock::elapsed()) {
        Claim::Wait { holder } => Ok(Some(holder)),
        Claim::Write(spec) => {
            lease.write(read.as_ref(), spec).await?;
            Ok(None)
        }
    }
}

async fn release(lease: &LeaseClient, candidate: &Candidate) {
    let released = async {
        let Some(read) = lease.read().await? else {
            return Ok(());
        };
        let spec = read.spec.clone().unwrap_or_default();
        match candidate.released(now(), &spec) {
            Some(spec) => lease.write(Some(&read), spec).await,
            None => Ok(()),
        }
    };
    match released.await {
        Ok(()) => tracing::info!("gave back the lead"),
        Err(error) => tracing::warn!(%error, "the next leader has to wait for the Lease to end"),
    }
}
