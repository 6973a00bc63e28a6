//! A place that holds the model id, as the user names it.

use serde::Deserialize;

/// A place that holds the model id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Parts")]
pub enum Target {
    /// A field of one or more resources.
    Field {
        /// Which resources.
        resource: ResourceSelector,
        /// The path of the field, which may go on inside a string that holds YAML.
        field: String,
        /// Whether the field is made when it is missing.
        create: bool,
    },
    /// Every place that a setter marks, and the setter's stored value.
    Setter {
        /// The setter's name.
        name: String,
        /// The directory of the package that defines the setter. Without it, the whole input.
        package: Option<String>,
    },
}

/// Which resources a target means. What is not given matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceSelector {
    /// The API version.
    #[serde(default)]
    pub api_version: Option<String>,
    /// The kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// The name, with or without a hash suffix.
    #[serde(default)]
    pub name: Option<String>,
    /// The namespace.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The path of the file, relative to the package.
    #[serde(default)]
    pub file: Option<String>,
}

/// Both forms of a target as one struct, so that a mixture can be told from a slip.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Parts {
    pub(super) resource: Option<ResourceSelector>,
    pub(super) field: Option<String>,
    pub(super) create: Option<bool>,
    pub(super) setter: Option<String>,
    pub(super) package: Option<String>,
}

/// What a target looks like, for errors.
pub(super) const EXAMPLE: &str =
    "{resource: {kind: ConfigMap, name: NAME}, field: data.model} or {setter: NAME}";

impl TryFrom<Parts> for Target {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        let has_field_form =
            parts.resource.is_some() || parts.field.is_some() || parts.create.is_some();
        let has_setter_form = parts.setter.is_some() || parts.package.is_some();
        match (has_field_form, has_setter_form) {
            (true, true) => Err(format!(
                "the target mixes a field and a setter; split it in two, each like {EXAMPLE}"
            )),
            (false, false) => Err(format!("the target is empty; give {EXAMPLE}")),
            (true, false) => field_target(parts),
            (false, true) => match parts.setter.filter(|name| !name.is_empty()) {
                Some(name) => Ok(Self::Setter {
                    name,
                    package: parts.package,
                }),
                None => Err("setter is missing; give the setter's name".to_owned()),
            },
        }
    }
}

fn field_target(parts: Parts) -> Result<Target, String> {
    let Some(field) = parts.field.filter(|field| !field.is_empty()) else {
        return Err("field is missing; give the path of the field that holds the model".to_owned());
    };
    let Some(resource) = parts.resource.filter(ResourceSelector::is_narrow) else {
        return Err(format!(
            "field {field:?} is in no resource; give at least one of kind, name and file"
        ));
    };
    Ok(Target::Field {
        resource,
        field,
        create: parts.create.unwrap_or(false),
    })
}

impl ResourceSelector {
    fn is_narrow(&self) -> bool {
        self.kind.is_some() || self.name.is_some() || self.file.is_some()
    }
}
