//! Asks a lambda whether anything needs to be done.

use std::time::Duration;

use anyhow::Context;

use super::http::{Http, HttpError, Limits, Request, Url};
use crate::core::needs_sync::NeedsSync;

/// A lambda may have to ask a registry first; its answer is small.
const LIMITS: Limits = Limits {
    attempt: Duration::from_secs(20),
    total: Duration::from_secs(45),
    attempts: 2,
    first_wait: Duration::from_millis(500),
    body: 1 << 20,
};

/// Asks lambdas.
#[derive(Clone, Debug)]
pub(crate) struct NeedsSyncClient {
    http: Http,
}

impl NeedsSyncClient {
    /// A client; `timeout` is for one attempt to ask.
    ///
    /// # Errors
    /// The system's certificates cannot be read.
    pub(crate) fn new(timeout: Option<Duration>) -> anyhow::Result<Self> {
        let limits = match timeout {
            Some(attempt) => Limits {
                attempt,
                total: attempt.saturating_mul(2),
                ..LIMITS
            },
            None => LIMITS,
        };
        Ok(Self {
            http: Http::new(limits)?,
        })
    }

    /// Asks. An answer that has errors is none.
    ///
    /// # Errors
    /// There is no answer that says whether anything needs to be done.
    pub(crate) async fn ask(&self, url: &str) -> anyhow::Result<NeedsSync> {
        let url = Url::parse(url)
            .with_context(|| format!("spec.needsSyncUrl {url:?} is not a URL; correct it"))?;
        let request = Request::get(url).header("accept", "application/json");
        let response = match self.http.send(&request).await {
            Ok(response) => response,
            Err(error) => return Err(with_reasons(error)),
        };
        let answer: NeedsSync = response.json()?;
        if !answer.kind.is_empty() && answer.kind != "NeedsSync" {
            anyhow::bail!(
                "{request} answered with the kind {:?} instead of NeedsSync; check \
                 spec.needsSyncUrl",
                answer.kind
            );
        }
        match reasons(&answer) {
            Some(reasons) => anyhow::bail!("{request} answered with errors: {reasons}"),
            None => Ok(answer),
        }
    }
}

/// A lambda that cannot say answers 500 and why.
fn with_reasons(error: HttpError) -> anyhow::Error {
    let answer = error
        .refusal()
        .and_then(|refusal| serde_json::from_slice::<NeedsSync>(&refusal.body).ok());
    let status = error.status();
    match (answer.as_ref().and_then(reasons), status) {
        (Some(reasons), Some(status)) => {
            anyhow::anyhow!("the lambda answered {status}: {reasons}")
        }
        _ => error.into(),
    }
}

fn reasons(answer: &NeedsSync) -> Option<String> {
    let messages: Vec<&str> = answer
        .errors
        .iter()
        .map(|error| error.message.as_str())
        .collect();
    (!messages.is_empty()).then(|| messages.join("; "))
}
