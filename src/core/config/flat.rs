//! The flat form of a SetModel: a ConfigMap of `key: value`, for `kpt fn eval … -- key=value`.
//! An empty value counts as not given, so that a pipeline can pass a parameter that is not set.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::decode::{DecodeError, decode};
use super::nearest;
use super::resource::Metadata;
use super::set_model::SetModel;
use super::source::{CatalogSource, Source};
use super::target::{EXAMPLE, Parts, ResourceSelector, Target};
use crate::core::model::{State, name};
use crate::core::policy::{Downgrade, Gate, Policy, duration};

/// The API version of a ConfigMap.
pub(super) const API_VERSION: &str = "v1";
/// The kind of the flat form.
pub(super) const KIND: &str = "ConfigMap";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    #[serde(rename = "apiVersion")]
    _api_version: IgnoredAny,
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    metadata: Option<Metadata>,
    data: Option<Values>,
    #[serde(rename = "immutable")]
    _immutable: Option<IgnoredAny>,
}

/// A value of a ConfigMap is text. Numbers and booleans arrive here as they are spelled.
type Value = Option<Spanned<String>>;

macro_rules! values {
    ($($field:ident = $key:literal,)*) => {
        #[derive(Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct Values {
            $(#[serde(rename = $key)] $field: Value,)*
        }

        /// Every key, for errors.
        const KEYS: &[&str] = &[$($key),*];

        impl Values {
            fn without_blanks(self) -> Self {
                Self { $($field: self.$field.filter(|value| !value.value.trim().is_empty()),)* }
            }

            fn is_empty(&self) -> bool {
                $(self.$field.is_none())&&*
            }
        }
    };
}

values! {
    catalog = "catalog",
    display_name = "displayName",
    match_labels = "matchLabels",
    states = "states",
    min_age = "minAge",
    exclude = "exclude",
    model = "model",
    downgrade = "downgrade",
    gates = "gates",
    api_version = "apiVersion",
    kind = "kind",
    name = "name",
    namespace = "namespace",
    file = "file",
    field = "field",
    create = "create",
    setter = "setter",
    package = "package",
}

/// Reads a ConfigMap whose header was checked.
pub(super) fn read(text: &str, origin: &str) -> Result<SetModel, DecodeError> {
    let document: Document = decode(text, origin)?;
    let values = document.data.unwrap_or_default().without_blanks();
    if values.is_empty() {
        let message = format!("data is empty; the keys are {}", nearest::join(KEYS, "and"));
        return Err(DecodeError::new(origin, message));
    }
    let name = document
        .metadata
        .and_then(|metadata| metadata.name)
        .unwrap_or_default();
    let reader = Reader { origin };
    Ok(SetModel {
        name,
        source: plain(&values.catalog).map(|name| Source::Catalog(CatalogSource { name })),
        policy: reader.policy(&values)?,
        targets: reader.targets(&values)?,
    })
}

struct Reader<'a> {
    origin: &'a str,
}

impl Reader<'_> {
    fn policy(&self, values: &Values) -> Result<Policy, DecodeError> {
        let default = Policy::default();
        let downgrade = |text: &str| match text.trim() {
            "forbid" => Ok(Downgrade::Forbid),
            "allow" => Ok(Downgrade::Allow),
            other => Err(unknown("downgrade", other, &["forbid", "allow"])),
        };
        let model = |text: &str| match name::validate(text) {
            Ok(()) => Ok(text.to_owned()),
            Err(error) => Err(error.to_string()),
        };
        Ok(Policy {
            display_name: plain(&values.display_name),
            match_labels: self
                .value(&values.match_labels, labels)?
                .unwrap_or_default(),
            states: self
                .value(&values.states, states)?
                .unwrap_or(default.states),
            min_age: self
                .value(&values.min_age, |text| {
                    duration::parse(text).map_err(|error| error.to_string())
                })?
                .unwrap_or_default(),
            exclude: plain(&values.exclude)
                .map(|text| list(&text))
                .unwrap_or_default(),
            pin: self.value(&values.model, model)?,
            downgrade: self
                .value(&values.downgrade, downgrade)?
                .unwrap_or_default(),
            gates: self
                .value(&values.gates, |text| {
                    Gate::parse_list(text).map_err(|error| error.to_string())
                })?
                .unwrap_or_default(),
        })
    }

    fn targets(&self, values: &Values) -> Result<Vec<Target>, DecodeError> {
        let create = self.value(&values.create, |text| match text.trim() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(unknown("create", other, &["true", "false"])),
        })?;
        let resource = ResourceSelector {
            api_version: plain(&values.api_version),
            kind: plain(&values.kind),
            name: plain(&values.name),
            namespace: plain(&values.namespace),
            file: plain(&values.file),
        };
        let resource = Some(resource).filter(|resource| *resource != ResourceSelector::default());
        let field = Parts {
            resource,
            field: plain(&values.field),
            create,
            ..Parts::default()
        };
        let setter = Parts {
            setter: plain(&values.setter),
            package: plain(&values.package),
            ..Parts::default()
        };
        let is_field = field.resource.is_some() || field.field.is_some() || field.create.is_some();
        let is_setter = setter.setter.is_some() || setter.package.is_some();
        if !is_field && !is_setter {
            let message = format!(
                "no target; give field with at least one of kind, name and file, or give setter \
                 (the typed form is {EXAMPLE})"
            );
            return Err(DecodeError::new(self.origin, message));
        }
        [is_field.then_some(field), is_setter.then_some(setter)]
            .into_iter()
            .flatten()
            .map(|parts| {
                Target::try_from(parts).map_err(|message| DecodeError::new(self.origin, message))
            })
            .collect()
    }

    fn value<T>(
        &self,
        value: &Value,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, DecodeError> {
        let parse = |spanned: &Spanned<String>| {
            parse(&spanned.value)
                .map_err(|message| DecodeError::at(self.origin, spanned.referenced, message))
        };
        value.as_ref().map(parse).transpose()
    }
}

fn plain(value: &Value) -> Option<String> {
    value.as_ref().map(|spanned| spanned.value.clone())
}

fn unknown(key: &str, word: &str, known: &[&str]) -> String {
    format!("{key} {word:?} is unknown; {}", nearest::hint(word, known))
}

fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn states(text: &str) -> Result<Vec<State>, String> {
    let known = State::ALL.map(State::as_str);
    let mut states = Vec::new();
    for word in list(text) {
        let state = State::ALL.into_iter().find(|state| state.as_str() == word);
        let state = state.ok_or_else(|| unknown("state", &word, &known))?;
        if !states.contains(&state) {
            states.push(state);
        }
    }
    if states.is_empty() {
        return Err(format!(
            "states names no state; give some of {}",
            nearest::join(&known, "and")
        ));
    }
    Ok(states)
}

fn labels(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut labels = BTreeMap::new();
    for entry in list(text) {
        let Some((key, value)) = entry
            .split_once('=')
            .filter(|(key, _)| !key.trim().is_empty())
        else {
            return Err(format!(
                "label {entry:?} is not a pair; write key=value,key=value"
            ));
        };
        let key = key.trim().to_owned();
        if labels.contains_key(&key) {
            return Err(format!("label {key:?} is given twice; keep one"));
        }
        labels.insert(key, value.trim().to_owned());
    }
    Ok(labels)
}

#[cfg(test)]
mod tests;
