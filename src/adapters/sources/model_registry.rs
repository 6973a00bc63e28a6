//! The Kubeflow Model Registry: its REST interface `v1alpha3`.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow, bail};
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::super::http::{Limits, Method, Url};
use super::super::secret::Secret;
use super::api::{Api, Hints, Purpose};
use super::credentials::Credentials;
use super::endpoint::{allow_secret, base_url, below, variable};
use super::paging::Paging;
use super::{Progress, Source, for_each, whole};
use crate::core::config::ModelRegistrySource;
use crate::core::model::{Listing, Model, State};
use crate::core::registry::model_registry::{
    Artifact, InferenceService, PAGE, Property, RegisteredModel, Version, model, model_name, served,
};

const PAGING: Paging = Paging {
    size: ("pageSize", 100),
    token: "nextPageToken",
};
const HINTS: Hints = Hints {
    unauthorized: "set MODEL_REGISTRY_TOKEN to a token that the registry accepts, or \
                   MODEL_REGISTRY_TOKEN_FILE to a file that holds one",
    not_found: "check source.modelRegistry.url: it is the registry's URL without /api, or, for \
                another version of the interface, with /api/model_registry/VERSION",
    not_found_in_words: false,
    url_field: "source.modelRegistry.url",
};
const READ: Purpose = Purpose {
    forbidden: "the account needs to get the registry's Service (role registry-user-…)",
};
const LABEL: Purpose = READ;

/// A Kubeflow Model Registry, and the registered model of interest.
pub(super) struct ModelRegistry {
    api: Api,
    /// `None` for all.
    model: Option<String>,
}

impl ModelRegistry {
    pub(super) fn new(
        source: &ModelRegistrySource,
        display_name: Option<String>,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        let base = base_url(HINTS.url_field, &source.url)?;
        let credentials = credentials(&base)?;
        let base = if base.path().contains("/api/model_registry/") {
            base
        } else {
            below(&base, ["api", "model_registry", "v1alpha3"])
        };
        Ok(Self {
            api: Api::new(base, credentials, HINTS, limits)?,
            model: source.model.clone().or(display_name),
        })
    }

    fn url(&self, segments: &[&str]) -> Url {
        below(&self.api.base, segments.iter().copied())
    }

    /// The registered models of interest, each with its versions; what is archived is left out.
    async fn versions(&self) -> anyhow::Result<Vec<(RegisteredModel, Vec<Version>)>> {
        let url = self.url(&["registered_models"]);
        let mut models: Vec<RegisteredModel> = self
            .api
            .all("registered models", &url, PAGING, PAGE, READ)
            .await?;
        models.retain(|model| {
            let is_wanted = self.model.as_ref().is_none_or(|name| *name == model.name);
            is_wanted && !model.is_archived()
        });
        let versions = for_each(&models, |model| self.versions_of(model)).await?;
        Ok(models.into_iter().zip(versions).collect())
    }

    async fn versions_of(&self, model: &RegisteredModel) -> anyhow::Result<Vec<Version>> {
        if model.id.is_empty() {
            bail!("the registered model {:?} has no id", model.name);
        }
        let url = self.url(&["registered_models", &model.id, "versions"]);
        let what = format!("versions of {}", model.name);
        let mut versions: Vec<Version> = self.api.all(&what, &url, PAGING, PAGE, READ).await?;
        versions.retain(|version| !version.is_archived());
        Ok(versions)
    }

    async fn models(&self) -> anyhow::Result<Vec<Model>> {
        let models = self.versions().await?;
        let url = self.url(&["inference_services"]);
        let services: Vec<InferenceService> = self
            .api
            .all("inference services", &url, PAGING, PAGE, READ)
            .await?;
        let mut entries = Vec::new();
        for (registered, versions) in &models {
            let served = served(registered, versions, &services);
            for version in versions {
                let id = version.id.as_deref().unwrap_or_default();
                entries.push((registered, version, served.contains(&id)));
            }
        }
        for_each(&entries, |(registered, version, is_served)| async move {
            let artifacts = self.artifacts(registered, version).await?;
            Ok(model(registered, version, &artifacts, *is_served)?)
        })
        .await
    }

    async fn artifacts(
        &self,
        registered: &RegisteredModel,
        version: &Version,
    ) -> anyhow::Result<Vec<Artifact>> {
        let name = version.name.as_deref().unwrap_or_default();
        let what = format!("artifacts of {} {name}", registered.name);
        let id = version.id.as_deref().filter(|id| !id.is_empty());
        let id =
            id.ok_or_else(|| anyhow!("the version {name:?} of {} has no id", registered.name))?;
        let url = self.url(&["model_versions", id, "artifacts"]);
        self.api.all(&what, &url, PAGING, PAGE, READ).await
    }

    /// What is asked, for messages.
    fn origin(&self) -> String {
        let url = self.api.base.as_str();
        let server = url.split("/api/model_registry/").next().unwrap_or(url);
        match &self.model {
            Some(model) => format!("{server} (model {model})"),
            None => server.to_owned(),
        }
    }
}

impl Source for ModelRegistry {
    fn list(&self) -> BoxFuture<'_, anyhow::Result<Listing>> {
        let origin = format!("Model Registry {}", self.origin());
        async move { whole(&origin, &self.api.limits, self.models()).await }.boxed()
    }

    /// Versions whose files are still being written.
    fn training(&self) -> BoxFuture<'_, anyhow::Result<Vec<String>>> {
        async {
            let models = self.models().await.with_context(|| {
                format!(
                    "cannot list what Model Registry {} is training",
                    self.origin()
                )
            })?;
            let training = models
                .into_iter()
                .filter(|model| model.state == State::Training);
            Ok(training.map(|model| model.name).collect())
        }
        .boxed()
    }

    fn label<'a>(
        &'a self,
        model: &'a str,
        labels: &'a BTreeMap<String, Option<String>>,
    ) -> BoxFuture<'a, anyhow::Result<()>> {
        async move {
            let what = || format!("cannot label {model}");
            let found = self.versions().await.with_context(what)?;
            let version = found
                .into_iter()
                .flat_map(|(registered, versions)| {
                    let name = registered.name;
                    versions
                        .into_iter()
                        .map(move |version| (name.clone(), version))
                })
                .find(|(registered, version)| {
                    let version = version.name.as_deref().unwrap_or_default();
                    model_name(registered, version) == model
                });
            let Some((_, version)) = version else {
                bail!(
                    "cannot label {model}: Model Registry {} has no such model; give \
                     model-registry://NAME/VERSION",
                    self.origin()
                );
            };
            let mut properties = version.custom_properties;
            for (key, value) in labels {
                match value {
                    Some(value) => properties.insert(
                        key.clone(),
                        Property::String {
                            string_value: value.clone(),
                        },
                    ),
                    None => properties.remove(key),
                };
            }
            let id = version.id.unwrap_or_default();
            let url = self.url(&["model_versions", &id]);
            // The registry replaces all of them at once.
            let body = json!({"customProperties": properties});
            let done = self.api.change(Method::PATCH, url, &body, LABEL).await;
            done.with_context(what)?;
            Ok(())
        }
        .boxed()
    }

    fn deploy<'a>(&'a self, model: &'a str) -> BoxFuture<'a, anyhow::Result<Option<String>>> {
        async move {
            bail!(
                "cannot deploy {model}: the Model Registry deploys nothing; write the model into \
                 an InferenceService, which `modelsync render` can do"
            )
        }
        .boxed()
    }

    fn operation<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<Progress>> {
        async move { bail!("cannot wait for {name}: the Model Registry has no operations") }.boxed()
    }
}

/// A token that was given for the registry, or a file that holds one, such as the pod's own. It goes
/// to the server of `MODEL_REGISTRY_URL` and to nobody else, since a config may name any URL.
fn credentials(base: &Url) -> anyhow::Result<Credentials> {
    let token = Secret::from_environment("MODEL_REGISTRY_TOKEN");
    let (credentials, secret) = match (token, variable("MODEL_REGISTRY_TOKEN_FILE")) {
        (Some(token), _) => (Credentials::Bearer(token), "MODEL_REGISTRY_TOKEN"),
        (None, Some(file)) => (
            Credentials::BearerFile(file.into()),
            "the token of MODEL_REGISTRY_TOKEN_FILE",
        ),
        (None, None) => return Ok(Credentials::None),
    };
    let own = variable("MODEL_REGISTRY_URL");
    let own = ("MODEL_REGISTRY_URL", own.as_deref());
    allow_secret(base, HINTS.url_field, secret, own)?;
    Ok(credentials)
}
