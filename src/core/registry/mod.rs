//! What registries say on the wire, and how it becomes a [`Model`]: one file for each registry.
//! Who is asked, and how often, is not decided here.
//!
//! Unknown fields are tolerated, since registries grow. A field that a [`Model`] cannot do without
//! is an error that names the model and the field: leaving such a model out would make another one
//! the newest.

pub mod automl;
mod figures;
pub mod mlflow;
pub mod model_registry;
mod page;
pub mod vertex_ai;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::model::{Model, NameError, name};
pub use page::{Page, PageError, PageShape};

/// Something in a registry's answer that cannot become a [`Model`]. The fault is the registry's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MappingError {
    /// A field is missing or empty.
    #[error("{what} has no {field}, which every model needs")]
    Missing {
        /// What it should be a field of, by name.
        what: String,
        /// The field as the registry spells it.
        field: &'static str,
    },
    /// A field has a value that it cannot have.
    #[error("{what} has the {field} {value:?}, which is not {expected}")]
    Invalid {
        /// What it is a field of, by name.
        what: String,
        /// The field as the registry spells it.
        field: &'static str,
        /// The value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The model's name cannot be written into a file.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// The field of a thing that must have it.
fn required<'a>(
    what: &str,
    field: &'static str,
    value: Option<&'a str>,
) -> Result<&'a str, MappingError> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| MappingError::Missing {
            what: what.to_owned(),
            field,
        })
}

/// A time in RFC 3339, as protocol buffers write it in JSON.
fn time(what: &str, field: &'static str, value: Option<&str>) -> Result<Timestamp, MappingError> {
    let text = required(what, field, value)?;
    text.parse().map_err(|_| MappingError::Invalid {
        what: what.to_owned(),
        field,
        value: text.to_owned(),
        expected: "a time",
    })
}

/// A time in milliseconds since 1970, which JSON holds as a number or as a string.
fn time_of_milliseconds(
    what: &str,
    field: &'static str,
    value: Option<&Text>,
) -> Result<Timestamp, MappingError> {
    let text = required(what, field, value.map(Text::as_str))?;
    let time = text.parse().ok().map(Timestamp::from_millisecond);
    time.and_then(Result::ok)
        .ok_or_else(|| MappingError::Invalid {
            what: what.to_owned(),
            field,
            value: text.to_owned(),
            expected: "a time in milliseconds",
        })
}

/// A string, or a number where a registry's versions differ in how they write 64-bit integers
/// (protocol buffers write them as strings).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "serde_json::Value")]
pub struct Text(String);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<serde_json::Value> for Text {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self(String::new()),
            serde_json::Value::String(text) => Self(text),
            other => Self(other.to_string()),
        }
    }
}

/// The models of all pages in a fixed order, each once. A model that was created while the pages
/// were read can stand on two of them; the later one counts.
///
/// # Errors
/// A model's name cannot be written into a file.
pub fn distinct(models: Vec<Model>) -> Result<Vec<Model>, MappingError> {
    let mut by_name = BTreeMap::new();
    for model in models {
        name::validate(&model.name)?;
        by_name.insert(model.name.clone(), model);
    }
    Ok(by_name.into_values().collect())
}

#[cfg(test)]
mod tests;
