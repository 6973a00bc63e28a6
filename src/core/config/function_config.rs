//! The function config, whichever kind it is.

use super::decode::DecodeError;
use super::flat;
use super::resource::{API_VERSION, Header};
use super::set_model::{CheckModel, SetModel};

/// What kpt or kustomize passes as `functionConfig`.
#[derive(Debug, Clone, PartialEq)]
pub enum FunctionConfig {
    /// A typed SetModel.
    SetModel(SetModel),
    /// A typed CheckModel.
    CheckModel(CheckModel),
    /// A ConfigMap of `key: value`, as `kpt fn eval … -- key=value` makes it. It serves both
    /// functions.
    Flat(SetModel),
}

impl FunctionConfig {
    /// Reads a function config and chooses by its kind.
    ///
    /// # Errors
    ///
    /// When the text is none of the kinds, or not a valid one.
    pub fn from_yaml(text: &str, origin: &str) -> Result<Self, DecodeError> {
        let kinds = [
            (API_VERSION, SetModel::KIND),
            (API_VERSION, CheckModel::KIND),
            (flat::API_VERSION, flat::KIND),
        ];
        match Header::read(text, origin)?.expect(origin, &kinds)? {
            SetModel::KIND => SetModel::from_yaml(text, origin).map(Self::SetModel),
            CheckModel::KIND => CheckModel::from_yaml(text, origin).map(Self::CheckModel),
            _ => flat::read(text, origin).map(Self::Flat),
        }
    }
}

#[cfg(test)]
mod tests;
