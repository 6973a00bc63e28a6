//! MLflow's model registry: its REST interface `2.0`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};

use super::super::http::{Limits, Method, Url};
use super::super::secret::Secret;
use super::api::{Api, Hints, Purpose};
use super::credentials::Credentials;
use super::endpoint::{allow_secret, base_url, below, variable};
use super::paging::Paging;
use super::{Progress, Source, for_each, whole};
use crate::core::config::MlflowSource;
use crate::core::model::{Listing, Model, State};
use crate::core::registry::mlflow::{
    ALIAS_PREFIX, REGISTERED_MODELS, RegisteredModel, Run, RunAnswer, RunsAnswer, VERSIONS,
    Version, model, parse_model_name,
};

const PAGING: Paging = Paging {
    size: ("max_results", 500),
    token: "page_token",
};
/// How many runs one search asks for.
const RUNS_AT_ONCE: usize = 100;
const HINTS: Hints = Hints {
    unauthorized: "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or \
                   MLFLOW_TRACKING_TOKEN",
    not_found: "check source.mlflow.trackingURI: it is the server's URL without /api",
    not_found_in_words: false,
    url_field: "source.mlflow.trackingURI",
};
const READ: Purpose = Purpose {
    forbidden: "the user needs the permission READ on the registered model and on the experiment \
                of its runs; a server may also refuse host names that it does not know \
                (--allowed-hosts)",
};
const LABEL: Purpose = Purpose {
    forbidden: "the user needs the permission EDIT on the registered model",
};

/// An MLflow server, and the registered model of interest.
pub(super) struct Mlflow {
    api: Api,
    /// `None` for all.
    model: Option<String>,
}

impl Mlflow {
    pub(super) fn new(
        source: &MlflowSource,
        display_name: Option<String>,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        let base = base_url(HINTS.url_field, &source.tracking_uri)?;
        let credentials = credentials(&base)?;
        let base = below(&base, ["api", "2.0", "mlflow"]);
        Ok(Self {
            api: Api::new(base, credentials, HINTS, limits)?,
            model: source.model.clone().or(display_name),
        })
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = below(&self.api.base, path.split('/'));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// The URL of a search for the registered model, or for all.
    fn search(&self, path: &str) -> anyhow::Result<Url> {
        let Some(model) = &self.model else {
            return Ok(self.url(path, &[]));
        };
        // MLflow's filters know no escapes.
        let quote = match (model.contains('\''), model.contains('"')) {
            (false, _) => '\'',
            (true, false) => '"',
            (true, true) => bail!("MLflow cannot search for {model:?}, which has both quotes"),
        };
        Ok(self.url(path, &[("filter", &format!("name={quote}{model}{quote}"))]))
    }

    /// The versions that are not archived.
    async fn versions(&self) -> anyhow::Result<Vec<Version>> {
        let url = self.search("model-versions/search")?;
        let api = &self.api;
        let mut versions: Vec<Version> = api
            .all("model versions", &url, PAGING, VERSIONS, READ)
            .await?;
        // Some databases compare without regard to case.
        versions.retain(|version| {
            let is_wanted = self.model.is_none() || version.name == self.model;
            is_wanted && !version.is_archived()
        });
        Ok(versions)
    }

    async fn models(&self) -> anyhow::Result<Vec<Model>> {
        let url = self.search("registered-models/search")?;
        let api = &self.api;
        // The versions do not know their aliases.
        let registered: Vec<RegisteredModel> = api
            .all("registered models", &url, PAGING, REGISTERED_MODELS, READ)
            .await?;
        let versions = self.versions().await?;
        let run_ids = versions
            .iter()
            .filter_map(|version| version.run_id.clone())
            .filter(|run_id| !run_id.is_empty());
        let runs = self.runs(run_ids.collect()).await?;
        let mut models = Vec::new();
        for version in &versions {
            let registered = registered.iter().find(|model| model.name == version.name);
            let aliases = registered.map_or(&[][..], |registered| &registered.aliases);
            let run_id = version.run_id.as_deref().unwrap_or_default();
            models.push(model(version, aliases, runs.get(run_id))?);
        }
        Ok(models)
    }

    /// The runs that are there, by id. Mostly all belong to one experiment, which can be searched;
    /// what is not found there is asked for one by one.
    async fn runs(&self, mut wanted: BTreeSet<String>) -> anyhow::Result<BTreeMap<String, Run>> {
        let mut runs = BTreeMap::new();
        let Some(first) = wanted.pop_last() else {
            return Ok(runs);
        };
        if let Some(run) = self.run(&first).await? {
            let ids: Vec<&String> = wanted.iter().filter(|id| is_plain(id)).collect();
            let chunks: Vec<&[&String]> = ids.chunks(RUNS_AT_ONCE).collect();
            let experiment = &run.info.experiment_id;
            let found = for_each(&chunks, |ids| self.search_runs(experiment, ids)).await?;
            for run in found.into_iter().flatten() {
                wanted.remove(&run.info.run_id);
                runs.insert(run.info.run_id.clone(), run);
            }
            runs.insert(first, run);
        }
        let wanted: Vec<String> = wanted.into_iter().collect();
        let found = for_each(&wanted, |run_id| self.run(run_id)).await?;
        let found = wanted.iter().cloned().zip(found);
        runs.extend(found.filter_map(|(run_id, run)| Some((run_id, run?))));
        Ok(runs)
    }

    /// Those of some runs that belong to an experiment.
    async fn search_runs(&self, experiment: &str, ids: &[&String]) -> anyhow::Result<Vec<Run>> {
        let quoted: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
        let body = json!({
            "experiment_ids": [experiment],
            "filter": format!("attributes.run_id IN ({})", quoted.join(",")),
            "max_results": RUNS_AT_ONCE,
        });
        let what = || format!("runs of experiment {experiment}");
        let url = self.url("runs/search", &[]);
        let answer = self.api.search(url, &body, READ).await.with_context(what)?;
        match answer {
            Some(answer) => {
                let answer: RunsAnswer = answer.json().with_context(what)?;
                Ok(answer.runs)
            }
            None => Ok(Vec::new()),
        }
    }

    /// A run; `None` when it was deleted, which its model survives.
    async fn run(&self, run_id: &str) -> anyhow::Result<Option<Run>> {
        let what = || format!("run {run_id}");
        let url = self.url("runs/get", &[("run_id", run_id)]);
        let answer = self.api.find(url, READ).await.with_context(what)?;
        match answer {
            Some(answer) => {
                let answer: RunAnswer = answer.json().with_context(what)?;
                Ok(Some(answer.run))
            }
            None => Ok(None),
        }
    }

    async fn set_label(
        &self,
        (registered_model, version): (&str, &str),
        key: &str,
        value: Option<&str>,
    ) -> anyhow::Result<()> {
        let (path, method, body): (&str, Method, Value) = match (
            key.strip_prefix(ALIAS_PREFIX),
            value,
        ) {
            (Some(alias), Some("true")) => (
                "registered-models/alias",
                Method::POST,
                json!({"name": registered_model, "alias": alias, "version": version}),
            ),
            (Some(_), Some(value)) => {
                bail!("the label {key} stands for an alias; give it the value true, not {value:?}")
            }
            (Some(alias), None) => {
                // An alias that has moved on is not taken away from where it is now.
                let query = [("name", registered_model), ("alias", alias)];
                let url = self.url("registered-models/alias", &query);
                let Some(found) = self.api.find(url, LABEL).await? else {
                    return Ok(());
                };
                let found: Value = found.json()?;
                if found["model_version"]["version"] != version {
                    return Ok(());
                }
                (
                    "registered-models/alias",
                    Method::DELETE,
                    json!({"name": registered_model, "alias": alias}),
                )
            }
            (None, Some(value)) => (
                "model-versions/set-tag",
                Method::POST,
                json!({"name": registered_model, "version": version, "key": key, "value": value}),
            ),
            (None, None) => (
                "model-versions/delete-tag",
                Method::DELETE,
                json!({"name": registered_model, "version": version, "key": key}),
            ),
        };
        let url = self.url(path, &[]);
        self.api.change(method, url, &body, LABEL).await?;
        Ok(())
    }
}

impl Source for Mlflow {
    fn list(&self) -> BoxFuture<'_, anyhow::Result<Listing>> {
        let origin = format!("MLflow {}", self.origin());
        async move { whole(&origin, &self.api.limits, self.models()).await }.boxed()
    }

    /// Versions that are being registered; MLflow does not know what a run is for before it ends.
    fn training(&self) -> BoxFuture<'_, anyhow::Result<Vec<String>>> {
        async {
            let what = || format!("cannot list what MLflow {} is training", self.origin());
            let mut training = Vec::new();
            for version in self.versions().await.with_context(what)? {
                let model = model(&version, &[], None).with_context(what)?;
                if model.state == State::Training {
                    training.push(model.name);
                }
            }
            Ok(training)
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
            let parts = parse_model_name(model)
                .context("it is no model of MLflow; give models:/NAME/VERSION")
                .with_context(what)?;
            for (key, value) in labels {
                self.set_label(parts, key, value.as_deref())
                    .await
                    .with_context(what)?;
            }
            Ok(())
        }
        .boxed()
    }

    fn deploy<'a>(&'a self, model: &'a str) -> BoxFuture<'a, anyhow::Result<Option<String>>> {
        async move {
            bail!(
                "cannot deploy {model}: MLflow's registry deploys nothing; deploy it where it is \
                 served, or set its alias with `modelsync models label`"
            )
        }
        .boxed()
    }

    fn operation<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<Progress>> {
        async move { bail!("cannot wait for {name}: MLflow has no operations") }.boxed()
    }
}

impl Mlflow {
    /// What is asked, for messages.
    fn origin(&self) -> String {
        let mut server = self.api.base.clone();
        let path = server.path().trim_end_matches("/api/2.0/mlflow").to_owned();
        server.set_path(&path);
        let server = server.as_str().trim_end_matches('/');
        match &self.model {
            Some(model) => format!("{server} (model {model})"),
            None => server.to_owned(),
        }
    }
}

/// Whether a run's id can stand in a filter, which knows no escapes.
fn is_plain(id: &str) -> bool {
    id.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The credentials of MLflow's own variables
/// (<https://mlflow.org/docs/latest/api_reference/python_api/mlflow.environment_variables.html>).
/// As there, user and password come before a token. They go to the server of `MLFLOW_TRACKING_URI`
/// and to nobody else, since a config may name any URL.
fn credentials(base: &Url) -> anyhow::Result<Credentials> {
    let user = variable("MLFLOW_TRACKING_USERNAME");
    let password = Secret::from_environment("MLFLOW_TRACKING_PASSWORD");
    let token = Secret::from_environment("MLFLOW_TRACKING_TOKEN");
    let (credentials, secret) = match (user, password, token) {
        (Some(user), Some(password), _) => (
            Credentials::Basic { user, password },
            "MLFLOW_TRACKING_PASSWORD",
        ),
        (_, _, Some(token)) => (Credentials::Bearer(token), "MLFLOW_TRACKING_TOKEN"),
        (Some(_), None, None) => bail!(
            "MLFLOW_TRACKING_USERNAME is set and MLFLOW_TRACKING_PASSWORD is not; set both or \
             neither"
        ),
        (None, Some(_), None) => bail!(
            "MLFLOW_TRACKING_PASSWORD is set and MLFLOW_TRACKING_USERNAME is not; set both or \
             neither"
        ),
        (None, None, None) => return Ok(Credentials::None),
    };
    let own = variable("MLFLOW_TRACKING_URI");
    let own = ("MLFLOW_TRACKING_URI", own.as_deref());
    allow_secret(base, HINTS.url_field, secret, own)?;
    Ok(credentials)
}
