//! `modelsync render` and `diff`: a directory's files, without kpt.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::adapters::{clock, files, runtime, sources};
use crate::core::change::{Batch, Models, OwnConfig, Question, Task, configs_in, run};
use crate::core::config::{DecodeError, SetModel};
use crate::core::model::{ModelCatalog, name};

/// What the user asked for.
pub(crate) struct Request {
    /// The directory.
    pub(crate) directory: PathBuf,
    /// Files with a SetModel each; none means every SetModel in the directory.
    pub(crate) configs: Vec<PathBuf>,
    /// A file with a ModelCatalog, instead of the directory's.
    pub(crate) catalog: Option<PathBuf>,
    /// A model to pin.
    pub(crate) model: Option<String>,
}

/// Computes what is to be changed.
///
/// # Errors
/// Something cannot be read, or the request makes no sense. What is wrong with the package itself
/// is in the batch.
pub(crate) fn plan(request: &Request) -> anyhow::Result<Batch> {
    let package = files::read_directory(&request.directory)?;
    let mut configs = Vec::new();
    for path in &request.configs {
        configs.push(read(path)??);
    }
    if configs.is_empty() {
        match configs_in(&package, &[]) {
            Ok(found) => configs = found,
            Err(error) => return Ok(Batch::failure(*error)),
        }
    }
    if configs.is_empty() {
        bail!(
            "{} holds no SetModel; add one, or name one with --config",
            request.directory.display()
        );
    }
    request.pin(&mut configs)?;
    let own = OwnConfig::default();
    let models = runtime::block_on(request.models(&configs))??;
    Ok(run(
        &package,
        &configs,
        &own,
        &models,
        clock::now()?,
        Task::Set,
    ))
}

/// Writes what was planned: all files or none.
///
/// # Errors
/// A file cannot be written; then none is changed.
pub(crate) fn write(request: &Request, batch: &Batch) -> anyhow::Result<()> {
    files::write(&request.directory, &batch.files)
}

impl Request {
    /// Pins the model that was named on the command line, if any, in every config.
    ///
    /// # Errors
    /// It cannot be the name of a model.
    pub(super) fn pin(&self, configs: &mut [SetModel]) -> anyhow::Result<()> {
        if let Some(model) = &self.model {
            name::validate(model)?;
            for config in configs {
                config.policy.pin = Some(model.clone());
            }
        }
        Ok(())
    }

    /// The listings that `configs` need beside the package's own catalogs: the catalog that was
    /// named on the command line, or else what their registries answer.
    ///
    /// # Errors
    /// The catalog cannot be read. What a registry refuses is told by whoever needs its listing.
    pub(super) async fn models(&self, configs: &[SetModel]) -> anyhow::Result<Models> {
        if let Some(path) = &self.catalog {
            return Ok(Models::given(read_catalog(path)?.listing));
        }
        Ok(Models {
            given: None,
            asked: sources::ask(Question::all(configs)).await,
        })
    }
}

/// Reads a config; the inner error is what is wrong with it.
pub(super) fn read(path: &Path) -> anyhow::Result<Result<SetModel, DecodeError>> {
    let text = files::read_file(path)?;
    Ok(SetModel::from_yaml(&text, &path.display().to_string()))
}

pub(super) fn read_catalog(path: &Path) -> anyhow::Result<ModelCatalog> {
    let text = files::read_file(path)?;
    Ok(ModelCatalog::from_yaml(&text, &path.display().to_string())?)
}
