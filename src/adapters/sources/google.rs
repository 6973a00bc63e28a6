//! What the registries of Google share: where they are, who may be sent a token, labels and
//! long-running operations.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow, bail};
use serde_json::json;

use super::super::http::{Limits, Method, Url, is_loopback};
use super::Progress;
use super::api::{Api, Hints, Purpose};
use super::credentials::Credentials;
use super::endpoint::{base_url, below, is_below};
use super::google_auth::GoogleCredentials;
use super::paging::Paging;
use crate::core::config::GoogleSource;
use crate::core::registry::automl::Operation;

/// How Google's interfaces page (<https://google.aip.dev/158>).
pub(super) const PAGING: Paging = Paging {
    size: ("pageSize", 100),
    token: "pageToken",
};

const HINTS: Hints = Hints {
    unauthorized: "the access token is not accepted: renew the Google credentials, with `gcloud \
                   auth application-default login` or a new GOOGLE_APPLICATION_CREDENTIALS",
    not_found: "check project and location of the source",
    not_found_in_words: true,
    url_field: "project, location and endpoint of the source",
};

/// One of Google's registries in one project and location.
pub(super) struct Google {
    pub(super) api: Api,
    /// `projects/P/locations/L`.
    pub(super) parent: String,
}

impl Google {
    /// Prepares to ask. `public` is the host when the source names none.
    ///
    /// # Errors
    /// Project, location or endpoint cannot be used.
    pub(super) fn new(
        kind: &str,
        source: &GoogleSource,
        public: &str,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        for (field, value) in [("project", &source.project), ("location", &source.location)] {
            // Both become a part of URLs, and the location even of a host name.
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
            if value.is_empty() || !value.bytes().all(is_plain) {
                bail!("cannot use the {field} {value:?} of source {kind}: it is no {field} id");
            }
        }
        let field = format!("the endpoint of source {kind}");
        let base = match &source.endpoint {
            Some(endpoint) => base_url(&field, endpoint)?,
            None => base_url(&field, &format!("https://{public}"))?,
        };
        let credentials = credentials(&field, &base)?;
        Ok(Self {
            api: Api::new(below(&base, ["v1"]), credentials, HINTS, limits)?,
            parent: format!("projects/{}/locations/{}", source.project, source.location),
        })
    }

    /// The URL of a resource, or of a collection below it.
    pub(super) fn url(&self, name: &str, collection: &str) -> Url {
        let segments = name.split('/').chain(collection.split('/'));
        below(&self.api.base, segments.filter(|part| !part.is_empty()))
    }

    /// Sets labels of a model, or removes those without a value. Others stay, also those that
    /// someone else sets at the same time, because a change with an old etag is refused.
    ///
    /// # Errors
    /// The model is none of this registry, or the registry refuses.
    pub(super) async fn label(
        &self,
        model: &str,
        labels: &BTreeMap<String, Option<String>>,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<()> {
        self.expect_model(model)?;
        let done = self.change_labels(model, labels, purpose).await;
        done.with_context(|| format!("cannot label {model}"))
    }

    async fn change_labels(
        &self,
        model: &str,
        labels: &BTreeMap<String, Option<String>>,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<()> {
        let mut url = self.url(model, "");
        let found: serde_json::Value = self.api.get(url.clone(), purpose).await?.json()?;
        let mut wanted: BTreeMap<String, String> =
            serde_json::from_value(found["labels"].clone()).unwrap_or_default();
        for (key, value) in labels {
            match value {
                Some(value) => wanted.insert(key.clone(), value.clone()),
                None => wanted.remove(key),
            };
        }
        url.query_pairs_mut().append_pair("updateMask", "labels");
        let mut body = json!({"name": model, "labels": wanted});
        if found["etag"].is_string() {
            body["etag"] = found["etag"].clone();
        }
        self.api.change(Method::PATCH, url, &body, purpose).await?;
        Ok(())
    }

    /// How far a long-running operation is (<https://google.aip.dev/151>).
    ///
    /// # Errors
    /// It failed, or the registry does not say.
    pub(super) async fn operation(
        &self,
        name: &str,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<Progress> {
        let progress = self.progress(name, purpose).await;
        progress.with_context(|| format!("cannot wait for {name}"))
    }

    async fn progress(&self, name: &str, purpose: Purpose<'_>) -> anyhow::Result<Progress> {
        let url = self.url(name, "");
        let operation: Operation = self.api.get(url, purpose).await?.json()?;
        match operation.error {
            Some(error) => Err(anyhow!("the operation {name} failed: {}", error.message)),
            None if operation.done => Ok(Progress::Done),
            None => Ok(Progress::Running(operation.percent())),
        }
    }

    /// Refuses a model of another project, location or registry.
    pub(super) fn expect_model(&self, model: &str) -> anyhow::Result<()> {
        if crate::core::model::name::is_google_resource_name(model) {
            return Ok(());
        }
        bail!(
            "{model:?} is no model of {}; give {}/models/…",
            self.parent,
            self.parent
        )
    }
}

/// The credentials for a base URL. A token goes to Google and nobody else: a config may come from
/// someone who should not have it. A server on this machine gets one when someone said which.
fn credentials(field: &str, base: &Url) -> anyhow::Result<Credentials> {
    let google = || Credentials::Google(GoogleCredentials::new());
    if is_loopback(base) {
        return Ok(if GoogleCredentials::are_named() {
            google()
        } else {
            Credentials::None
        });
    }
    let universe = std::env::var("GOOGLE_CLOUD_UNIVERSE_DOMAIN").unwrap_or_default();
    let domains = ["googleapis.com", universe.trim()];
    let is_google = domains
        .iter()
        .any(|domain| !domain.is_empty() && is_below(base, domain));
    if base.scheme() != "https" {
        bail!("cannot use {field} {base}: an access token must not be sent without https");
    }
    if !is_google {
        bail!(
            "cannot use {field} {base}: an access token is sent only to hosts of googleapis.com; \
             set GOOGLE_CLOUD_UNIVERSE_DOMAIN when Google Cloud has another domain here"
        );
    }
    Ok(google())
}

/// Reads a start of an operation.
pub(super) fn started(operation: serde_json::Value) -> anyhow::Result<Option<String>> {
    let operation: Operation =
        serde_json::from_value(operation).context("the answer is no operation")?;
    if let Some(error) = operation.error {
        bail!("the operation {} failed: {}", operation.name, error.message);
    }
    Ok((!operation.done && !operation.name.is_empty()).then_some(operation.name))
}
