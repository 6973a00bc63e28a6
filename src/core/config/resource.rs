//! What every Kubernetes resource has in common: group, version, kind and metadata.

use serde::de::IgnoredAny;
use serde::{Deserialize, de::DeserializeOwned};
use serde_saphyr::Spanned;

use super::decode::{DecodeError, decode};
use super::nearest;

/// The API version of all kinds of modelsync.
pub const API_VERSION: &str = "automl.cloudai.kubeflow.org/v1alpha1";
/// The API group of our resources.
pub const GROUP: &str = "automl.cloudai.kubeflow.org";

/// The two fields that say what a document is. Everything else is passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    pub(crate) api_version: Option<Spanned<String>>,
    pub(crate) kind: Option<Spanned<String>>,
}

/// A whole resource of modelsync.
#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    deny_unknown_fields,
    bound = "S: Deserialize<'de>"
)]
struct Document<S> {
    #[serde(rename = "apiVersion")]
    _api_version: IgnoredAny,
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    metadata: Option<Metadata>,
    spec: Option<Spanned<S>>,
    #[serde(rename = "status")]
    _status: Option<IgnoredAny>,
}

/// Only the name matters here. Annotations and the rest belong to other tools.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) name: Option<String>,
}

impl Header {
    pub(crate) fn read(text: &str, origin: &str) -> Result<Self, DecodeError> {
        let header: Option<Self> = decode(text, origin)?;
        header.ok_or_else(|| DecodeError::new(origin, "the document is empty"))
    }

    /// Returns the kind when it is one of `kinds`, given as pairs of API version and kind.
    pub(crate) fn expect(
        &self,
        origin: &str,
        kinds: &[(&'static str, &'static str)],
    ) -> Result<&'static str, DecodeError> {
        let names: Vec<&str> = kinds.iter().map(|(_, kind)| *kind).collect();
        let Some(kind) = &self.kind else {
            let message = format!(
                "field \"kind\" is missing; give {}",
                nearest::join(&names, "or")
            );
            return Err(DecodeError::new(origin, message));
        };
        let Some((wanted, name)) = kinds.iter().find(|(_, name)| *name == kind.value) else {
            let message = match nearest::find(&kind.value, &names) {
                Some(name) => format!("kind {:?} is unknown; did you mean {name:?}?", kind.value),
                None => {
                    let names = nearest::join(&names, "or");
                    format!("kind {:?} cannot be used here; give {names}", kind.value)
                }
            };
            return Err(DecodeError::at(origin, kind.referenced, message));
        };
        match &self.api_version {
            Some(version) if version.value == *wanted => Ok(name),
            Some(version) => Err(DecodeError::at(
                origin,
                version.referenced,
                format!(
                    "apiVersion {:?} of {name} is not supported; use {wanted}",
                    version.value
                ),
            )),
            None => Err(DecodeError::new(
                origin,
                format!("field \"apiVersion\" is missing; {name} needs {wanted}"),
            )),
        }
    }
}

/// Decodes a resource whose header was checked into its name and spec.
pub(crate) fn read<S: DeserializeOwned>(
    text: &str,
    origin: &str,
) -> Result<(String, Option<Spanned<S>>), DecodeError> {
    let document: Document<S> = decode(text, origin)?;
    let name = document
        .metadata
        .and_then(|metadata| metadata.name)
        .unwrap_or_default();
    if name.is_empty() {
        return Err(DecodeError::new(
            origin,
            "metadata.name is missing; give the resource a name",
        ));
    }
    Ok((name, document.spec))
}
