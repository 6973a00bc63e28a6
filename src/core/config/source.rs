//! Where models are listed.

use serde::Deserialize;

use super::nearest;

/// Where models are listed. Exactly one is given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Choices")]
pub enum Source {
    /// A ModelCatalog in the package.
    Catalog(CatalogSource),
    /// The model registry of Vertex AI.
    VertexAi(GoogleSource),
    /// AutoML, as it was before Vertex AI.
    AutoMl(GoogleSource),
    /// The model registry of MLflow.
    Mlflow(MlflowSource),
    /// The Kubeflow Model Registry.
    ModelRegistry(ModelRegistrySource),
}

/// A ModelCatalog in the package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogSource {
    /// The catalog's `metadata.name`.
    pub name: String,
}

/// A registry of Google Cloud.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GoogleSource {
    /// The project, as id or number.
    pub project: String,
    /// The region, for instance `us-central1`.
    pub location: String,
    /// The base URL when it is not the public one.
    #[serde(default)]
    pub endpoint: Option<String>,
}

/// An MLflow server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MlflowSource {
    /// The server's URL.
    #[serde(rename = "trackingURI")]
    pub tracking_uri: String,
    /// The registered model. Without it the policy's display name is used.
    #[serde(default)]
    pub model: Option<String>,
}

/// A Kubeflow Model Registry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelRegistrySource {
    /// The registry's URL.
    pub url: String,
    /// The registered model. Without it the policy's display name is used.
    #[serde(default)]
    pub model: Option<String>,
}

/// A struct, not an enum with serde's tagging: so that an unknown field keeps its place, and an
/// error can name everything that was given.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Choices {
    catalog: Option<CatalogSource>,
    #[serde(rename = "vertexAI")]
    vertex_ai: Option<GoogleSource>,
    automl: Option<GoogleSource>,
    mlflow: Option<MlflowSource>,
    model_registry: Option<ModelRegistrySource>,
}

impl TryFrom<Choices> for Source {
    type Error = String;

    fn try_from(choices: Choices) -> Result<Self, String> {
        let mut given: Vec<(&str, Self)> = [
            choices
                .catalog
                .map(|source| ("catalog", Self::Catalog(source))),
            choices
                .vertex_ai
                .map(|source| ("vertexAI", Self::VertexAi(source))),
            choices
                .automl
                .map(|source| ("automl", Self::AutoMl(source))),
            choices
                .mlflow
                .map(|source| ("mlflow", Self::Mlflow(source))),
            choices
                .model_registry
                .map(|source| ("modelRegistry", Self::ModelRegistry(source))),
        ]
        .into_iter()
        .flatten()
        .collect();
        match (given.pop(), given.is_empty()) {
            (Some((_, source)), true) => Ok(source),
            (None, _) => Err(
                "source is empty; give one of catalog, vertexAI, automl, mlflow and \
                              modelRegistry"
                    .to_owned(),
            ),
            (Some((last, _)), false) => {
                let names: Vec<&str> = given.iter().map(|(name, _)| *name).chain([last]).collect();
                Err(format!(
                    "source names {}; keep one",
                    nearest::join(&names, "and")
                ))
            }
        }
    }
}

impl Source {
    /// The source's name as it is written in YAML.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Catalog(_) => "catalog",
            Self::VertexAi(_) => "vertexAI",
            Self::AutoMl(_) => "automl",
            Self::Mlflow(_) => "mlflow",
            Self::ModelRegistry(_) => "modelRegistry",
        }
    }
}
