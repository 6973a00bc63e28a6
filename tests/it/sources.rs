//! Registries as sources, through the program: what is chosen from them, and that a listing which
//! is not whole changes nothing.

mod faults;
mod google;
mod google_auth;
mod judges;
mod mlflow;
mod model_registry;

use std::path::Path;
use std::process::Command;

use crate::cli::Run;

/// A package with one model id in it, whose config asks a registry.
pub(crate) struct Package {
    directory: tempfile::TempDir,
    extra: &'static [&'static str],
}

impl Package {
    /// With this source, and this policy in flow style.
    pub(crate) fn new(source: &str, policy: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = format!(
            "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: SetModel\nmetadata:\n  \
             name: bot\nspec:\n  source:\n    {source}\n  policy: {policy}\n  targets:\n  \
             - resource: {{kind: ConfigMap, name: bot}}\n    field: data.model\n"
        );
        std::fs::write(directory.path().join("set-model.yaml"), config).unwrap();
        let package = Self {
            directory,
            extra: &[],
        };
        package.put("none yet");
        package
    }

    /// With these arguments after the subcommand.
    pub(crate) fn with(self, extra: &'static [&'static str]) -> Self {
        Self { extra, ..self }
    }

    /// Writes the model in Git.
    pub(crate) fn put(&self, model: &str) {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: bot}}\ndata:\n  model: {model} # keep\n"
        );
        std::fs::write(self.path().join("map.yaml"), text).unwrap();
    }

    /// The model in Git.
    pub(crate) fn model(&self) -> String {
        let text = std::fs::read_to_string(self.path().join("map.yaml")).unwrap();
        let model = text.split("model: ").nth(1).unwrap();
        model.split(" # keep").next().unwrap().to_owned()
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a subcommand on it. The first attempt of a request is given up after `timeout`.
    pub(crate) fn run_within(
        &self,
        timeout: &str,
        subcommand: &str,
        variables: &[(&str, &str)],
    ) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_modelsync"))
            .arg(subcommand)
            .args(self.extra)
            .arg(self.path())
            .env_clear()
            .env("MODELSYNC_HTTP_TIMEOUT", timeout)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a subcommand on it, with time enough.
    pub(crate) fn run(&self, subcommand: &str, variables: &[(&str, &str)]) -> Run {
        self.run_within("60s", subcommand, variables)
    }

    /// Renders it, which must go well, and gives the model that was chosen.
    pub(crate) fn render(&self, variables: &[(&str, &str)]) -> String {
        let run = self.run("render", variables);
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
        self.model()
    }
}
