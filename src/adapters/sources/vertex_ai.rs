//! Vertex AI's model registry: its REST interface `v1`.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use futures::future::{BoxFuture, FutureExt};

use super::super::http::Limits;
use super::api::Purpose;
use super::google::{Google, PAGING};
use super::{Progress, Source, for_each, whole};
use crate::core::config::GoogleSource;
use crate::core::model::{Listing, Model};
use crate::core::registry::vertex_ai::{
    EVALUATIONS, LABEL_DIMENSION, MODELS, SLICES, TRAINING_PIPELINES, TrainingPipeline,
    VertexEvaluation, VertexModel, VertexSlice, model, version_name,
};

const LIST: Purpose = Purpose {
    forbidden: "the account needs the permission aiplatform.models.list (role \
                roles/aiplatform.viewer)",
};
const EVALUATE: Purpose = Purpose {
    forbidden: "the account needs the permissions aiplatform.modelEvaluations.list and \
                aiplatform.modelEvaluationSlices.list (role roles/aiplatform.viewer)",
};
const TRAINING: Purpose = Purpose {
    forbidden: "the account needs the permission aiplatform.trainingPipelines.list (role \
                roles/aiplatform.viewer)",
};
const LABEL: Purpose = Purpose {
    forbidden: "the account needs the permissions aiplatform.models.get and \
                aiplatform.models.update (role roles/aiplatform.user)",
};
const WAIT: Purpose = Purpose {
    forbidden: "the account needs the permission aiplatform.operations.get (role \
                roles/aiplatform.viewer)",
};

/// Vertex AI in one project and location.
pub(super) struct VertexAi {
    google: Google,
    display_name: Option<String>,
}

impl VertexAi {
    pub(super) fn new(
        source: &GoogleSource,
        display_name: Option<String>,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        // <https://cloud.google.com/vertex-ai/docs/reference/rest#service-endpoint>
        let public = match source.location.as_str() {
            "global" => "aiplatform.googleapis.com".to_owned(),
            location => format!("{location}-aiplatform.googleapis.com"),
        };
        let google = Google::new("vertexAI", source, &public, limits)?;
        Ok(Self {
            google,
            display_name,
        })
    }

    async fn models(&self) -> anyhow::Result<Vec<Model>> {
        let google = &self.google;
        let url = google.url(&google.parent, "models");
        // One entry for each model: its default version.
        let models: Vec<VertexModel> = google.api.all("models", &url, PAGING, MODELS, LIST).await?;
        let versions = for_each(&models, |model| self.versions(model)).await?;
        let versions: Vec<Version> = versions.into_iter().flatten().collect();
        for_each(&versions, |version| self.with_evaluation(version)).await
    }

    /// All versions of a model that matters; otherwise the default version.
    async fn versions(&self, default: &VertexModel) -> anyhow::Result<Vec<Version>> {
        let plain = model(default, true, None, &[])?;
        let matters = self
            .display_name
            .as_ref()
            .is_none_or(|name| *name == plain.display_name);
        let mut versions: Vec<VertexModel> = Vec::new();
        if matters {
            let url = self.google.url(&format!("{}:listVersions", plain.name), "");
            let what = format!("versions of {}", plain.name);
            let api = &self.google.api;
            versions = api.all(&what, &url, PAGING, MODELS, LIST).await?;
        }
        if versions.is_empty() {
            versions.push(default.clone());
        }
        let is_only = versions.len() == 1;
        let versions = versions.into_iter().map(|reported| Version {
            reported,
            is_only,
            matters,
        });
        Ok(versions.collect())
    }

    async fn with_evaluation(&self, version: &Version) -> anyhow::Result<Model> {
        let Version {
            reported, is_only, ..
        } = version;
        let newest = if version.matters {
            self.newest_evaluation(reported).await?
        } else {
            None
        };
        let Some(newest) = newest else {
            return Ok(model(reported, *is_only, None, &[])?);
        };
        let mut url = self.google.url(&newest.name, "slices");
        url.query_pairs_mut()
            .append_pair("filter", &format!("slice.dimension={LABEL_DIMENSION:?}"));
        let what = format!("slices of {}", newest.name);
        let api = &self.google.api;
        let slices: Vec<VertexSlice> = api.all(&what, &url, PAGING, SLICES, EVALUATE).await?;
        Ok(model(reported, *is_only, Some(&newest), &slices)?)
    }

    async fn newest_evaluation(
        &self,
        reported: &VertexModel,
    ) -> anyhow::Result<Option<VertexEvaluation>> {
        let name = version_name(reported)?;
        let what = format!("evaluations of {name}");
        let url = self.google.url(&name, "evaluations");
        let api = &self.google.api;
        let evaluations: Vec<VertexEvaluation> =
            api.all(&what, &url, PAGING, EVALUATIONS, EVALUATE).await?;
        let time_and_name = |evaluation: &VertexEvaluation| {
            (evaluation.create_time.clone(), evaluation.name.clone())
        };
        Ok(evaluations.into_iter().max_by_key(time_and_name))
    }
}

/// A version, and what is to be known of it.
struct Version {
    reported: VertexModel,
    is_only: bool,
    matters: bool,
}

impl Source for VertexAi {
    fn list(&self) -> BoxFuture<'_, anyhow::Result<Listing>> {
        let origin = format!("Vertex AI {}", self.google.parent);
        async move { whole(&origin, &self.google.api.limits, self.models()).await }.boxed()
    }

    fn training(&self) -> BoxFuture<'_, anyhow::Result<Vec<String>>> {
        async {
            let google = &self.google;
            let mut url = google.url(&google.parent, "trainingPipelines");
            // Projects keep every pipeline that ever ran.
            let filter = TrainingPipeline::ACTIVE.map(|state| format!("state={state:?}"));
            url.query_pairs_mut()
                .append_pair("filter", &filter.join(" OR "));
            let pipelines: Vec<TrainingPipeline> = google
                .api
                .all("pipelines", &url, PAGING, TRAINING_PIPELINES, TRAINING)
                .await
                .with_context(|| {
                    format!("cannot list what Vertex AI {} is training", google.parent)
                })?;
            let training = pipelines.into_iter().filter(TrainingPipeline::is_training);
            Ok(training.map(|pipeline| pipeline.name).collect())
        }
        .boxed()
    }

    fn label<'a>(
        &'a self,
        model: &'a str,
        labels: &'a BTreeMap<String, Option<String>>,
    ) -> BoxFuture<'a, anyhow::Result<()>> {
        self.google.label(model, labels, LABEL).boxed()
    }

    fn deploy<'a>(&'a self, model: &'a str) -> BoxFuture<'a, anyhow::Result<Option<String>>> {
        async move {
            bail!(
                "cannot deploy {model}: Vertex AI deploys to an endpoint with machines of a size \
                 that nobody has said here; use `gcloud ai endpoints deploy-model`"
            )
        }
        .boxed()
    }

    fn operation<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<Progress>> {
        self.google.operation(name, WAIT).boxed()
    }
}
