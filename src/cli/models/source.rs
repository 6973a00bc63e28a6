//! Where models are, on the command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::cli::options::{given, given_path, path_or_blank};
use crate::core::config::{GoogleSource, MlflowSource, ModelRegistrySource, Source};
use crate::faces::models::Request;

/// Where models are.
#[derive(Args, Debug)]
#[command(next_help_heading = "Where models are")]
pub(super) struct SourceArgs {
    /// Directory with the package
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// File with a SetModel, whose source and policy count [default: the only one in DIR]
    #[arg(long, value_name = "FILE", env = "MODELSYNC_CONFIG", value_parser = path_or_blank())]
    config: Option<PathBuf>,
    /// File with a ModelCatalog
    #[arg(long, value_name = "FILE", group = "source")]
    catalog: Option<PathBuf>,
    /// Vertex AI in a project and location
    #[arg(long, value_name = "PROJECT/LOCATION", groups = ["source", "google"])]
    vertex_ai: Option<ProjectLocation>,
    /// AutoML in a project and location
    #[arg(long, value_name = "PROJECT/LOCATION", groups = ["source", "google"])]
    automl: Option<ProjectLocation>,
    /// MLflow at a tracking URI
    #[arg(long, value_name = "URL", groups = ["source", "registered"])]
    mlflow: Option<String>,
    /// Kubeflow Model Registry at a URL
    #[arg(long, value_name = "URL", groups = ["source", "registered"])]
    model_registry: Option<String>,
    /// Registered model in MLflow or the Model Registry [default: the display name]
    #[arg(long, value_name = "NAME", requires = "registered")]
    registered_model: Option<String>,
    /// Base URL of Vertex AI or AutoML, when it is not the public one
    #[arg(long, value_name = "URL", requires = "google")]
    endpoint: Option<String>,
    /// Display name of the models that matter [default: the policy's]
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
}

/// `PROJECT/LOCATION`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ProjectLocation {
    project: String,
    location: String,
}

impl FromStr for ProjectLocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split('/').collect::<Vec<_>>()[..] {
            [project, location] if !project.is_empty() && !location.is_empty() => Ok(Self {
                project: project.to_owned(),
                location: location.to_owned(),
            }),
            _ => Err("give a project and a location, such as my-project/us-central1".to_owned()),
        }
    }
}

impl SourceArgs {
    pub(super) fn request(&self) -> Request {
        let google = |place: &ProjectLocation| GoogleSource {
            project: place.project.clone(),
            location: place.location.clone(),
            endpoint: self.endpoint.clone(),
        };
        let model = &self.registered_model;
        let source = if let Some(place) = &self.vertex_ai {
            Some(Source::VertexAi(google(place)))
        } else if let Some(place) = &self.automl {
            Some(Source::AutoMl(google(place)))
        } else if let Some(url) = &self.mlflow {
            Some(Source::Mlflow(MlflowSource {
                tracking_uri: url.clone(),
                model: model.clone(),
            }))
        } else {
            self.model_registry.as_ref().map(|url| {
                Source::ModelRegistry(ModelRegistrySource {
                    url: url.clone(),
                    model: model.clone(),
                })
            })
        };
        Request {
            directory: self.directory.clone(),
            config: given_path(self.config.as_ref()),
            catalog: self.catalog.clone(),
            source,
            display_name: given(self.display_name.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_and_locations_are_two_words() {
        let place: ProjectLocation = "example.com:p/us-central1".parse().unwrap();
        assert_eq!(
            (place.project.as_str(), place.location.as_str()),
            ("example.com:p", "us-central1")
        );
        for text in ["", "p", "p/", "/l", "p/l/m"] {
            text.parse::<ProjectLocation>().unwrap_err();
        }
    }
}
