//! Application Default Credentials: who we are to Google
//! (<https://google.aip.dev/auth/4110>). A service account's key, a user's login, workload identity
//! federation, or the metadata server of the machine or pod.

use anyhow::{Context, anyhow};
use google_cloud_auth::credentials::{Builder, CacheableResource, Credentials};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use tokio::sync::OnceCell;

use super::super::http::{Limits, Request};
use super::super::secret::Secret;

/// What both registries of Google ask for; roles narrow it down.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Which project pays, when it is not the one that is asked
/// (<https://cloud.google.com/docs/quotas/set-quota-project>).
const QUOTA_PROJECT: &str = "x-goog-user-project";
const HINT: &str = "set GOOGLE_APPLICATION_CREDENTIALS to a credentials file, log in with `gcloud \
                    auth application-default login`, or run where a service account is attached";

/// Application Default Credentials, found when the first request needs them.
pub(super) struct GoogleCredentials {
    found: OnceCell<Credentials>,
}

impl GoogleCredentials {
    pub(super) fn new() -> Self {
        Self {
            found: OnceCell::new(),
        }
    }

    /// Whether someone has said which credentials to use; otherwise they would be looked for.
    pub(super) fn are_named() -> bool {
        ["GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST"]
            .iter()
            .any(|variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty()))
    }

    /// Puts a token on a request, and the quota project where there is one.
    ///
    /// # Errors
    /// There are no credentials, or no token is given for them in time.
    pub(super) async fn authorize(
        &self,
        request: Request,
        limits: &Limits,
    ) -> anyhow::Result<Request> {
        // The library tries again by itself, and for longer than anyone waits.
        let headers = tokio::time::timeout(limits.attempt, self.headers())
            .await
            .map_err(|_| {
                anyhow!(
                    "Google gave no access token within {:?}; {HINT}",
                    limits.attempt
                )
            })??;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = text(AUTHORIZATION.as_str())
            .with_context(|| format!("the Google credentials give no access token; {HINT}"))?;
        let token = authorization
            .strip_prefix("Bearer ")
            .unwrap_or(authorization);
        let token = Secret::new(token);
        let request = request.bearer(&token);
        Ok(match text(QUOTA_PROJECT) {
            Some(project) => request.header(QUOTA_PROJECT, project),
            None => request,
        })
    }

    async fn headers(&self) -> anyhow::Result<HeaderMap> {
        let credentials = self
            .found
            .get_or_try_init(|| async {
                // A second installation does nothing; the first is as good.
                let _ = rustls::crypto::ring::default_provider().install_default();
                Builder::default().with_scopes([SCOPE]).build()
            })
            .await
            .map_err(|error| anyhow!("cannot read the Google credentials: {error}; {HINT}"))?;
        let headers = credentials
            .headers(Default::default())
            .await
            .map_err(|error| anyhow!("Google gave no access token: {}; {HINT}", chain(&error)))?;
        match headers {
            CacheableResource::New { data, .. } => Ok(data),
            CacheableResource::NotModified => Err(anyhow!(
                "the Google credentials give no access token; {HINT}"
            )),
        }
    }
}

/// The causes of an error on one line. The error itself only says that there was one, and how often
/// it was tried; some repeat their cause.
fn chain(error: &dyn std::error::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = error.source().or(Some(error));
    while let Some(error) = next {
        let text = error.to_string();
        if !texts.iter().any(|earlier| earlier.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    let words = texts.join(": ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
