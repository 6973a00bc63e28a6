//! The typed function configs.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::decode::DecodeError;
use super::resource::{self, API_VERSION, Header};
use super::source::Source;
use super::target::{self, Target};
use crate::core::policy::Policy;

/// Which model is wanted, and where its id is written.
#[derive(Debug, Clone, PartialEq)]
pub struct SetModel {
    /// The resource's name.
    pub name: String,
    /// Where models are listed. Without it, the only catalog of the package.
    pub source: Option<Source>,
    /// Which models may be chosen.
    pub policy: Policy,
    /// The places that hold the model id; at least one.
    pub targets: Vec<Target>,
}

/// Which SetModels are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckModel {
    /// The resource's name.
    pub name: String,
    /// The names of the SetModels. Empty means all.
    pub set_models: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetModelSpec {
    source: Option<Source>,
    policy: Option<Policy>,
    targets: Option<Spanned<Vec<Target>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CheckModelSpec {
    set_models: Option<Vec<String>>,
}

impl SetModel {
    /// The kind of the resource.
    pub const KIND: &'static str = "SetModel";

    /// Reads a SetModel.
    ///
    /// # Errors
    ///
    /// When the text is not a valid SetModel.
    pub fn from_yaml(text: &str, origin: &str) -> Result<Self, DecodeError> {
        Header::read(text, origin)?.expect(origin, &[(API_VERSION, Self::KIND)])?;
        let (name, spec) = resource::read::<SetModelSpec>(text, origin)?;
        let Some(spec) = spec else {
            let message = format!(
                "spec is missing; give spec.targets, each {}",
                target::EXAMPLE
            );
            return Err(DecodeError::new(origin, message));
        };
        let place = spec
            .value
            .targets
            .as_ref()
            .map_or(spec.referenced, |list| list.referenced);
        let targets = spec
            .value
            .targets
            .map(|list| list.value)
            .unwrap_or_default();
        if targets.is_empty() {
            let message = format!("spec.targets is empty; a target is {}", target::EXAMPLE);
            return Err(DecodeError::at(origin, place, message));
        }
        Ok(Self {
            name,
            source: spec.value.source,
            policy: spec.value.policy.unwrap_or_default(),
            targets,
        })
    }
}

impl CheckModel {
    /// The kind of the resource.
    pub const KIND: &'static str = "CheckModel";

    /// Reads a CheckModel.
    ///
    /// # Errors
    ///
    /// When the text is not a valid CheckModel.
    pub fn from_yaml(text: &str, origin: &str) -> Result<Self, DecodeError> {
        Header::read(text, origin)?.expect(origin, &[(API_VERSION, Self::KIND)])?;
        let (name, spec) = resource::read::<CheckModelSpec>(text, origin)?;
        let set_models = spec
            .and_then(|spec| spec.value.set_models)
            .unwrap_or_default();
        Ok(Self { name, set_models })
    }
}

#[cfg(test)]
mod tests;
