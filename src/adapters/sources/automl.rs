//! AutoML, as it was before Vertex AI: its REST interface `v1`.

use std::collections::BTreeMap;

use anyhow::Context;
use futures::future::{BoxFuture, FutureExt};

use super::super::http::{Limits, Method};
use super::api::Purpose;
use super::google::{Google, PAGING, started};
use super::{Progress, Source, for_each, whole};
use crate::core::config::GoogleSource;
use crate::core::model::{Listing, Model};
use crate::core::registry::automl::{
    AutoMlEvaluation, AutoMlModel, EVALUATIONS, MODELS, OPERATIONS, Operation, model,
};

const LIST: Purpose = Purpose {
    forbidden: "the account needs the permission automl.models.list (role roles/automl.viewer)",
};
const EVALUATE: Purpose = Purpose {
    forbidden: "the account needs the permission automl.modelEvaluations.list (role \
                roles/automl.viewer)",
};
const TRAINING: Purpose = Purpose {
    forbidden: "the account needs the permission automl.operations.list (role roles/automl.viewer)",
};
const LABEL: Purpose = Purpose {
    forbidden: "the account needs the permissions automl.models.get and automl.models.update \
                (role roles/automl.editor)",
};
const DEPLOY: Purpose = Purpose {
    forbidden: "the account needs the permission automl.models.deploy (role roles/automl.editor)",
};
const WAIT: Purpose = Purpose {
    forbidden: "the account needs the permission automl.operations.get (role roles/automl.viewer)",
};

/// AutoML in one project and location.
pub(super) struct AutoMl {
    google: Google,
    display_name: Option<String>,
}

impl AutoMl {
    pub(super) fn new(
        source: &GoogleSource,
        display_name: Option<String>,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        // AutoML serves `eu` from a host of its own, and all else from one
        // (<https://cloud.google.com/automl/docs/locations>).
        let public = match source.location.as_str() {
            "eu" => "eu-automl.googleapis.com",
            _ => "automl.googleapis.com",
        };
        let google = Google::new("automl", source, public, limits)?;
        Ok(Self {
            google,
            display_name,
        })
    }

    async fn models(&self) -> anyhow::Result<Vec<Model>> {
        let google = &self.google;
        let url = google.url(&google.parent, "models");
        let models: Vec<AutoMlModel> = google.api.all("models", &url, PAGING, MODELS, LIST).await?;
        for_each(&models, |reported| self.with_evaluation(reported)).await
    }

    async fn with_evaluation(&self, reported: &AutoMlModel) -> anyhow::Result<Model> {
        let plain = model(reported, &[])?;
        let matters = self
            .display_name
            .as_ref()
            .is_none_or(|name| *name == plain.display_name);
        if !matters {
            return Ok(plain);
        }
        let mut url = self.google.url(&plain.name, "modelEvaluations");
        // Required, and empty for all of them.
        url.query_pairs_mut().append_pair("filter", "");
        let what = format!("evaluations of {}", plain.name);
        let evaluations: Vec<AutoMlEvaluation> = self
            .google
            .api
            .all(&what, &url, PAGING, EVALUATIONS, EVALUATE)
            .await?;
        Ok(model(reported, &evaluations)?)
    }
}

impl Source for AutoMl {
    fn list(&self) -> BoxFuture<'_, anyhow::Result<Listing>> {
        let origin = format!("AutoML {}", self.google.parent);
        async move { whole(&origin, &self.google.api.limits, self.models()).await }.boxed()
    }

    fn training(&self) -> BoxFuture<'_, anyhow::Result<Vec<String>>> {
        async {
            let google = &self.google;
            let url = google.url(&google.parent, "operations");
            let operations: Vec<Operation> = google
                .api
                .all("operations", &url, PAGING, OPERATIONS, TRAINING)
                .await
                .with_context(|| {
                    format!("cannot list what AutoML {} is training", google.parent)
                })?;
            let training = operations.into_iter().filter(Operation::is_training);
            Ok(training.map(|operation| operation.name).collect())
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
            let google = &self.google;
            google.expect_model(model)?;
            let what = || format!("cannot deploy {model}");
            let url = google.url(model, "");
            let found = google.api.get(url, DEPLOY).await.with_context(what)?;
            let found: AutoMlModel = found.json().with_context(what)?;
            if found.deployment_state.as_deref() == Some("DEPLOYED") {
                return Ok(None);
            }
            let url = google.url(&format!("{model}:deploy"), "");
            let body = serde_json::json!({});
            let answer = google.api.change(Method::POST, url, &body, DEPLOY).await;
            let answer = answer.with_context(what)?;
            started(answer.json().with_context(what)?).with_context(what)
        }
        .boxed()
    }

    fn operation<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<Progress>> {
        self.google.operation(name, WAIT).boxed()
    }
}
