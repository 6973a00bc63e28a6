//! The answers of the Kubeflow Model Registry: its REST interface `v1alpha3`
//! (<https://www.kubeflow.org/docs/components/model-registry/reference/rest-api/>).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::figures::named;
use super::{MappingError, PageShape, Text, required, time_of_milliseconds};
use crate::core::config::decode::null_as_default;
use crate::core::model::{Lineage, Model, State};

/// A page of any of its lists.
pub const PAGE: PageShape = PageShape {
    items: "items",
    next: "nextPageToken",
};

/// A registered model.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RegisteredModel {
    /// The registry's own id.
    #[serde(default)]
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// `LIVE` or `ARCHIVED`.
    pub state: Option<String>,
}

/// A version of a registered model.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// The registry's own id.
    pub id: Option<String>,
    /// The version's name, which is unique within its registered model.
    pub name: Option<String>,
    /// `LIVE` or `ARCHIVED`.
    pub state: Option<String>,
    /// When it was created, in milliseconds since 1970.
    pub create_time_since_epoch: Option<Text>,
    /// What people wrote about it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub custom_properties: BTreeMap<String, Property>,
}

/// The value of a custom property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "metadataType")]
pub enum Property {
    /// A string: a label.
    #[serde(rename = "MetadataStringValue")]
    String {
        /// The string.
        #[serde(default)]
        string_value: String,
    },
    /// A number: a figure.
    #[serde(rename = "MetadataDoubleValue")]
    Double {
        /// The number.
        #[serde(default)]
        double_value: f64,
    },
    /// A whole number, written as a string.
    #[serde(rename = "MetadataIntValue")]
    Int {
        /// The number.
        int_value: Text,
    },
    /// True or false.
    #[serde(rename = "MetadataBoolValue")]
    Bool {
        /// Which.
        #[serde(default)]
        bool_value: bool,
    },
    /// A structure, which is no label.
    #[serde(rename = "MetadataStructValue")]
    Struct {
        /// JSON, as base64.
        #[serde(default)]
        struct_value: String,
    },
    /// A message, which is no label.
    #[serde(rename = "MetadataProtoValue")]
    Proto {
        /// The message's type.
        #[serde(default, rename = "type")]
        kind: String,
        /// The message, as base64.
        #[serde(default)]
        proto_value: String,
    },
}

/// Something that belongs to a version: its files, a metric, its data set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// `model-artifact`, `metric`, `dataset-artifact`, `doc-artifact` or `parameter`.
    #[serde(default)]
    artifact_type: String,
    /// The name: a metric's is what it measures.
    #[serde(default, deserialize_with = "null_as_default")]
    name: String,
    /// `PENDING`, `LIVE`, `ABANDONED` and others.
    state: Option<String>,
    /// Where it is.
    uri: Option<String>,
    /// A metric's figure.
    #[serde(default)]
    value: Value,
    /// When it was created, in milliseconds since 1970.
    create_time_since_epoch: Option<Text>,
}

/// Something that serves a version.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InferenceService {
    /// The registered model.
    #[serde(default)]
    registered_model_id: String,
    /// The version; left out for the newest.
    model_version_id: Option<String>,
    /// `DEPLOYED` or `UNDEPLOYED`.
    desired_state: Option<String>,
}

impl RegisteredModel {
    /// Whether it was put away.
    #[must_use]
    pub fn is_archived(&self) -> bool {
        self.state.as_deref() == Some("ARCHIVED")
    }
}

impl Version {
    /// Whether it was put away. Such a version cannot be chosen, and no state of a model says so.
    #[must_use]
    pub fn is_archived(&self) -> bool {
        self.state.as_deref() == Some("ARCHIVED")
    }
}

/// The value that goes into Git: the URI by which KServe's storage initializer loads a version from
/// the registry, `model-registry://NAME/VERSION`
/// (<https://github.com/kubeflow/model-registry/tree/main/cmd/csi>).
#[must_use]
pub fn model_name(registered_model: &str, version: &str) -> String {
    format!("model-registry://{registered_model}/{version}")
}

/// The ids of the versions of a registered model that are served.
#[must_use]
pub fn served<'a>(
    registered_model: &RegisteredModel,
    versions: &'a [Version],
    services: &'a [InferenceService],
) -> Vec<&'a str> {
    let newest = || {
        let time = |version: &&Version| {
            let time = version.create_time_since_epoch.as_ref()?;
            time.as_str().parse::<i64>().ok()
        };
        versions.iter().max_by_key(time)?.id.as_deref()
    };
    services
        .iter()
        .filter(|service| service.registered_model_id == registered_model.id)
        .filter(|service| service.desired_state.as_deref() != Some("UNDEPLOYED"))
        .filter_map(|service| match service.model_version_id.as_deref() {
            None | Some("") => newest(),
            version => version,
        })
        .collect()
}

/// Makes a [`Model`] of a version and what belongs to it.
///
/// # Errors
/// A field is missing that every model needs.
pub fn model(
    registered_model: &RegisteredModel,
    reported: &Version,
    artifacts: &[Artifact],
    is_served: bool,
) -> Result<Model, MappingError> {
    let display_name = required("a registered model", "name", Some(&registered_model.name))?;
    let what = format!("a version of the model {display_name}");
    let version = required(&what, "name", reported.name.as_deref())?;
    let name = model_name(display_name, version);
    let what = format!("the model {name}");
    let create_time = time_of_milliseconds(
        &what,
        "createTimeSinceEpoch",
        reported.create_time_since_epoch.as_ref(),
    )?;
    let of_type = |wanted: &'static str| {
        let mut found: Vec<&Artifact> = artifacts
            .iter()
            .filter(|artifact| artifact.artifact_type == wanted)
            .collect();
        found.sort_by_key(|artifact| {
            let time = artifact.create_time_since_epoch.as_ref();
            time.and_then(|time| time.as_str().parse::<i64>().ok())
        });
        found
    };
    let files = of_type("model-artifact").pop();
    let state = match files.and_then(|files| files.state.as_deref()) {
        Some("PENDING") => State::Training,
        Some("ABANDONED" | "MARKED_FOR_DELETION" | "DELETED") => State::Failed,
        _ if is_served => State::Deployed,
        _ => State::Trained,
    };
    let properties = reported.custom_properties.iter();
    let in_properties =
        properties.filter_map(|(key, property)| Some((key.clone(), property.figure()?)));
    let in_artifacts = of_type("metric")
        .into_iter()
        .filter_map(|metric| Some((metric.name.clone(), metric.value.as_f64()?)));
    let non_empty = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let dataset = of_type("dataset-artifact").pop();
    let dataset = dataset.map(|dataset| non_empty(&dataset.uri).unwrap_or(dataset.name.clone()));
    let properties = reported.custom_properties.iter();
    Ok(Model {
        display_name: display_name.to_owned(),
        version: Some(version.to_owned()),
        create_time,
        state,
        labels: properties
            .filter_map(|(key, property)| Some((key.clone(), property.label()?)))
            .collect(),
        uri: files.and_then(|files| non_empty(&files.uri)),
        evaluation: named(in_properties.chain(in_artifacts)),
        lineage: dataset
            .filter(|dataset| !dataset.is_empty())
            .map(|dataset| Lineage {
                dataset: Some(dataset),
                ..Lineage::default()
            }),
        name,
    })
}

impl Property {
    fn figure(&self) -> Option<f64> {
        match self {
            Self::Double { double_value } => Some(*double_value),
            Self::Int { int_value } => int_value.as_str().parse().ok(),
            _ => None,
        }
    }

    fn label(&self) -> Option<String> {
        match self {
            Self::String { string_value } => Some(string_value.clone()),
            Self::Bool { bool_value } => Some(bool_value.to_string()),
            _ => None,
        }
    }
}
