//! `modelsync models`: what a registry or a catalog lists, what the policy says of it, and what can be
//! done to a model where it is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

use super::directory::{read, read_catalog};
use crate::adapters::{clock, files, operation, runtime, sources};
use crate::core::change::{Models, OwnConfig, Question, configs_in, locate};
use crate::core::config::{GROUP, SetModel, Source, nearest};
use crate::core::model::{Listing, ModelCatalog, name};
use crate::core::package::Package;
use crate::core::policy::{Policy, select};
use crate::core::report::models::Survey;

/// What the user asked for.
#[derive(Debug)]
pub(crate) struct Request {
    /// The directory with the package.
    pub(crate) directory: PathBuf,
    /// A file with a SetModel.
    pub(crate) config: Option<PathBuf>,
    /// A file with a ModelCatalog.
    pub(crate) catalog: Option<PathBuf>,
    /// A registry.
    pub(crate) source: Option<Source>,
    /// A display name, instead of the policy's.
    pub(crate) display_name: Option<String>,
}

/// What was found for a request before anybody is asked.
struct Scene {
    config: Option<SetModel>,
    package: Option<Package<'static>>,
}

/// Lists the models, and what the policy says of each.
///
/// # Errors
/// It is not clear where models are listed, or there is no whole listing.
pub(crate) fn survey(request: &Request) -> anyhow::Result<Survey> {
    let scene = request.scene()?;
    let now = clock::now()?;
    let listing = request.listing(&scene)?;
    let mut warnings = Vec::new();
    let mut current = Vec::new();
    if let (Some(config), Some(package)) = (&scene.config, &scene.package) {
        let places = locate(package, &config.targets, &OwnConfig::default());
        warnings.extend(
            places
                .refusals
                .iter()
                .map(|refusal| format!("cannot tell the model in Git: {}", refusal.item.message)),
        );
        current = places.current();
    }
    let policy = request.policy(scene.config.as_ref());
    let selection = policy.as_ref().and_then(|policy| {
        let selection = select(&listing, policy, &current, now);
        let selection = selection.map_err(|error| warnings.push(error.to_string()));
        selection.ok()
    });
    if let Some(selection) = &selection {
        warnings.extend(selection.warnings.iter().cloned());
    }
    Ok(Survey {
        gated: policy.as_ref().map(Survey::gated).unwrap_or_default(),
        listing,
        selection,
        current,
        warnings,
    })
}

/// Names what is being trained now.
///
/// # Errors
/// It is not clear which registry is meant, or it does not answer.
pub(crate) fn training(request: &Request) -> anyhow::Result<Vec<String>> {
    let registry = request.connect()?;
    runtime::block_on(async { registry.training().await })?
}

/// Sets labels of a model, or removes those without a value; returns the model's full name.
///
/// # Errors
/// It is not clear which registry or model is meant, or the registry refuses.
pub(crate) fn label(
    request: &Request,
    word: &str,
    labels: &BTreeMap<String, Option<String>>,
) -> anyhow::Result<String> {
    let registry = request.connect()?;
    runtime::block_on(async {
        let model = full_name(registry.as_ref(), word).await?;
        registry.label(&model, labels).await?;
        Ok(model)
    })?
}

/// What became of a deployment.
#[derive(Debug)]
pub(crate) struct Deployment {
    /// The model's full name.
    pub(crate) model: String,
    /// What the registry calls it; `None` when the model was deployed before.
    pub(crate) operation: Option<String>,
    /// Whether it has ended.
    pub(crate) is_done: bool,
}

/// Deploys a model, and waits for the end of it no longer than `limit`; without one, not at all.
/// `report` is told the model, how far it is in percent, and since when it is waited for.
///
/// # Errors
/// It is not clear which registry or model is meant, the registry refuses, or the time is over.
pub(crate) fn deploy(
    request: &Request,
    word: &str,
    limit: Option<Duration>,
    report: &mut dyn FnMut(&str, Option<u8>, Duration),
) -> anyhow::Result<Deployment> {
    let registry = request.connect()?;
    runtime::block_on(async {
        let model = full_name(registry.as_ref(), word).await?;
        let operation = registry.deploy(&model).await?;
        let is_done = match (&operation, limit) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(operation), Some(limit)) => {
                let report = &mut |percent, elapsed| report(&model, percent, elapsed);
                operation::wait(
                    registry.as_ref(),
                    operation,
                    limit,
                    operation::WAITS,
                    report,
                )
                .await
                .with_context(|| format!("cannot deploy {model}"))?;
                true
            }
        };
        Ok(Deployment {
            model,
            operation,
            is_done,
        })
    })?
}

/// The full name of the model that somebody means. Only what is no full name costs a listing.
async fn full_name(registry: &dyn sources::Source, word: &str) -> anyhow::Result<String> {
    if name::is_google_resource_name(word) || word.starts_with("models:/") {
        return Ok(word.to_owned());
    }
    Ok(registry.list().await?.resolve(word)?.name.clone())
}

impl Request {
    /// Reads config and package, as far as they matter: a registry or catalog that was named stands
    /// alone unless a config was named too.
    fn scene(&self) -> anyhow::Result<Scene> {
        let is_alone = self.source.is_some() || self.catalog.is_some();
        let config = match &self.config {
            Some(path) => Some(read(path)??),
            None => None,
        };
        if config.is_none() && is_alone {
            return Ok(Scene {
                config: None,
                package: None,
            });
        }
        let package = files::read_directory(&self.directory)?;
        if config.is_some() {
            return Ok(Scene {
                config,
                package: Some(package),
            });
        }
        let mut configs = configs_in(&package, &[]).map_err(|error| {
            anyhow::anyhow!(
                "cannot read {}: {}",
                self.directory.display(),
                error.message
            )
        })?;
        if configs.len() > 1 {
            let names: Vec<&str> = configs.iter().map(|config| config.name.as_str()).collect();
            bail!(
                "{} holds {} SetModels ({}); name the file of one with --config",
                self.directory.display(),
                configs.len(),
                nearest::join(&names, "and")
            );
        }
        Ok(Scene {
            config: configs.pop(),
            package: Some(package),
        })
    }

    /// The policy by which models are judged, if there is one.
    fn policy(&self, config: Option<&SetModel>) -> Option<Policy> {
        let policy = config.map(|config| config.policy.clone());
        match &self.display_name {
            None => policy,
            Some(name) => Some(Policy {
                display_name: Some(name.clone()),
                ..policy.unwrap_or_default()
            }),
        }
    }

    fn listing(&self, scene: &Scene) -> anyhow::Result<Listing> {
        if let Some(path) = &self.catalog {
            return Ok(read_catalog(path)?.listing);
        }
        let named = scene
            .config
            .as_ref()
            .and_then(|config| config.source.as_ref());
        let registry = self
            .source
            .as_ref()
            .or(named.filter(|source| !matches!(source, Source::Catalog(_))));
        if let Some(source) = registry {
            let policy = self.policy(scene.config.as_ref());
            let question = Question {
                source: source.clone(),
                display_name: policy.and_then(|policy| policy.display_name),
            };
            let answers = runtime::block_on(sources::ask(vec![question]))?;
            let answer = answers.into_iter().next().context("there was no answer")?.1;
            return answer.map_err(anyhow::Error::msg);
        }
        let nowhere = || {
            format!(
                "nothing in {} says where models are listed; name a catalog with --catalog, a \
                 SetModel with --config, or a registry, for example with --automl PROJECT/LOCATION",
                self.directory.display()
            )
        };
        let package = scene.package.as_ref().with_context(nowhere)?;
        let Some(config) = &scene.config else {
            return Ok(self.only_catalog(package)?.with_context(nowhere)?.listing);
        };
        match Models::default().listing(package, config) {
            Ok(Some(listing)) => Ok(listing.into_owned()),
            Ok(None) => bail!(nowhere()),
            Err(error) => bail!("{}: {}", config.name, error.into_item().message),
        }
    }

    /// The catalog of a package that has one.
    fn only_catalog(&self, package: &Package<'_>) -> anyhow::Result<Option<ModelCatalog>> {
        let found: Vec<_> = package.of_kind(GROUP, ModelCatalog::KIND).collect();
        match found.as_slice() {
            [] => Ok(None),
            [(_, part, resource)] => {
                let text = part.document(resource);
                Ok(Some(ModelCatalog::from_yaml(&text, &resource.path)?))
            }
            several => {
                let files: Vec<&str> = several
                    .iter()
                    .map(|(_, _, resource)| resource.path.as_str())
                    .collect();
                bail!(
                    "{} holds {} ModelCatalogs ({}); name one with --catalog",
                    self.directory.display(),
                    several.len(),
                    nearest::join(&files, "and")
                )
            }
        }
    }

    /// The registry to act on: the one that was named, that of the config, or the one that the
    /// catalog was made from.
    fn connect(&self) -> anyhow::Result<Box<dyn sources::Source>> {
        let scene = self.scene()?;
        let display_name = self
            .policy(scene.config.as_ref())
            .and_then(|policy| policy.display_name);
        let source = match (
            &self.source,
            scene.config.as_ref().and_then(|it| it.source.clone()),
        ) {
            (Some(source), _) => source.clone(),
            (None, Some(source)) if !matches!(source, Source::Catalog(_)) => source,
            (None, named) => self.source_of_catalog(&scene, named.as_ref())?,
        };
        sources::connect(&source, display_name.as_deref())
    }

    fn source_of_catalog(&self, scene: &Scene, named: Option<&Source>) -> anyhow::Result<Source> {
        let catalog = match (&self.catalog, &scene.package, named) {
            (Some(path), _, _) => Some(read_catalog(path)?),
            (None, Some(package), Some(Source::Catalog(wanted))) => {
                let mut found = package.of_kind(GROUP, ModelCatalog::KIND);
                let found = found
                    .find(|(_, _, resource)| resource.id.name.as_deref() == Some(&wanted.name));
                found
                    .map(|(_, part, resource)| {
                        ModelCatalog::from_yaml(&part.document(resource), &resource.path)
                    })
                    .transpose()?
            }
            (None, Some(package), _) => self.only_catalog(package)?,
            (None, None, _) => None,
        };
        let problem = match &catalog {
            None => format!("nothing in {} names a registry", self.directory.display()),
            Some(catalog) => format!("the catalog {} names no registry", catalog.name),
        };
        catalog.and_then(|catalog| catalog.source).with_context(|| {
            format!(
                "{problem}; set spec.source, or name one, for example with --automl PROJECT/LOCATION"
            )
        })
    }
}
