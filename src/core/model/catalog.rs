//! The ModelCatalog resource: a lock file for models, kept in the package.

use jiff::Timestamp;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::{Listing, Model, name};
use crate::core::config::resource::{self, Header};
use crate::core::config::{API_VERSION, DecodeError, Source};

/// Models as they were observed at some time, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCatalog {
    /// The resource's name.
    pub name: String,
    /// Whom `catalog refresh` asks.
    pub source: Option<Source>,
    /// The models.
    pub listing: Listing,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    source: Option<Source>,
    observed_at: Option<Time>,
    models: Option<Vec<Spanned<Model>>>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Time(#[serde(deserialize_with = "super::record::time")] Timestamp);

impl ModelCatalog {
    /// The kind of the resource.
    pub const KIND: &'static str = "ModelCatalog";

    /// Reads a ModelCatalog.
    ///
    /// # Errors
    ///
    /// When the text is not a valid ModelCatalog, a model name cannot be written into a file, or
    /// two models have the same name.
    pub fn from_yaml(text: &str, origin: &str) -> Result<Self, DecodeError> {
        Header::read(text, origin)?.expect(origin, &[(API_VERSION, Self::KIND)])?;
        let (name, spec) = resource::read::<Spec>(text, origin)?;
        let Some(spec) = spec.map(|spec| spec.value) else {
            return Err(DecodeError::new(
                origin,
                "spec is missing; give spec.models",
            ));
        };
        let models = checked(spec.models.unwrap_or_default(), origin)?;
        let listing = Listing {
            models,
            observed_at: spec.observed_at.map(|Time(time)| time),
            origin: match origin {
                "" => format!("{} {name}", Self::KIND),
                _ => format!("{} {name} ({origin})", Self::KIND),
            },
        };
        Ok(Self {
            name,
            source: spec.source,
            listing,
        })
    }
}

fn checked(models: Vec<Spanned<Model>>, origin: &str) -> Result<Vec<Model>, DecodeError> {
    let mut places = std::collections::BTreeMap::<String, Location>::new();
    for Spanned {
        value: model,
        referenced,
        ..
    } in &models
    {
        if let Err(error) = name::validate(&model.name) {
            return Err(DecodeError::at(origin, *referenced, error.to_string()));
        }
        if let Some(first) = places.insert(model.name.clone(), *referenced) {
            let message = format!(
                "the model {} is listed twice, first in line {}; keep one",
                model.name,
                first.line()
            );
            return Err(DecodeError::at(origin, *referenced, message));
        }
    }
    Ok(models.into_iter().map(|model| model.value).collect())
}

#[cfg(test)]
mod tests;
