//! Function results (KRM Functions Specification v1, "ResourceList", field `results`).
//!
//! kpt prints a missing severity as `info`, turns line breaks in messages into spaces and takes
//! only strings as values, so every result here has a severity, one line and strings.

use std::fmt;

use super::resource_id::{Resource, ResourceId};
use crate::core::yaml::Position;
use crate::core::yaml::encode::{self, Context};

/// How bad it is. kpt fails on the exit code only, never on a severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The run failed, or would be wrong to merge.
    Error,
    /// The run went on, and someone should look.
    Warning,
    /// What was done.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

/// The field a result is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its path, as kpt prints paths.
    pub path: String,
    /// The value it had.
    pub current_value: Option<String>,
    /// The value it has now, or should have.
    pub proposed_value: Option<String>,
}

/// One result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultItem {
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub message: String,
    /// The resource it is about.
    pub resource: Option<ResourceId>,
    /// The field it is about.
    pub field: Option<Field>,
    /// The file, relative to its package, and the number of the document in it.
    pub file: Option<(String, Option<usize>)>,
    /// Where in the file, or in the item; not part of the results that kpt reads.
    pub position: Option<Position>,
    /// The stable id of the rule that found it.
    pub rule: Option<&'static str>,
    /// Whether it is about the run as a whole, and is always shown.
    pub is_summary: bool,
}

impl ResultItem {
    /// A result that is about nothing in particular.
    #[must_use]
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            severity,
            message,
            resource: None,
            field: None,
            file: None,
            position: None,
            rule: None,
            is_summary: false,
        }
    }

    /// A result about the run as a whole.
    #[must_use]
    pub fn summary(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            is_summary: true,
            ..Self::new(severity, message)
        }
    }

    /// Says which document it is about.
    #[must_use]
    pub fn about(mut self, resource: &Resource) -> Self {
        if resource.id != ResourceId::default() {
            self.resource = Some(resource.id.clone());
        }
        if !resource.path.is_empty() {
            self.file = Some((resource.path.clone(), resource.index));
        }
        self
    }

    /// Says where in its text.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// Says which field it is about, with its value and the one it gets or should get.
    #[must_use]
    pub fn on_field(mut self, path: &str, current: Option<&str>, proposed: Option<&str>) -> Self {
        self.field = Some(Field {
            path: path.to_owned(),
            current_value: current.map(str::to_owned),
            proposed_value: proposed.map(str::to_owned),
        });
        self
    }

    /// The message with its place before it, `FILE:LINE:COLUMN`, unless it says that itself.
    #[must_use]
    pub fn located_message(&self) -> String {
        let place = match (&self.file, self.position) {
            (Some((path, _)), Some(position)) => format!("{path}:{position}"),
            (Some((path, _)), None) => path.clone(),
            (None, _) => return self.message.clone(),
        };
        if says(&self.message, &place) {
            self.message.clone()
        } else {
            format!("{place}: {}", self.message)
        }
    }

    /// The result as entries of a map, in the order of the specification.
    fn entries(&self) -> Vec<(&'static str, Value)> {
        let mut entries = vec![
            ("message", Value::Text(one_line(&self.message))),
            ("severity", Value::Text(self.severity.to_string())),
        ];
        let some = |name, value: &Option<String>| Some((name, Value::Text(value.clone()?)));
        if let Some(id) = &self.resource {
            let parts = [
                some("apiVersion", &id.api_version),
                some("kind", &id.kind),
                some("name", &id.name),
                some("namespace", &id.namespace),
            ];
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            if !parts.is_empty() {
                entries.push(("resourceRef", Value::Map(parts)));
            }
        }
        if let Some(field) = &self.field {
            let parts = [
                Some(("path", Value::Text(field.path.clone()))),
                some("currentValue", &field.current_value),
                some("proposedValue", &field.proposed_value),
            ];
            entries.push(("field", Value::Map(parts.into_iter().flatten().collect())));
        }
        if let Some((path, index)) = &self.file {
            let mut parts = vec![("path", Value::Text(path.clone()))];
            parts.extend(index.map(|index| ("index", Value::Number(index))));
            entries.push(("file", Value::Map(parts)));
        }
        if let Some(rule) = self.rule {
            let rule = vec![("rule", Value::Text(rule.to_owned()))];
            entries.push(("tags", Value::Map(rule)));
        }
        entries
    }
}

/// Whether a message has a place, with a colon after it, as a word of its own.
fn says(message: &str, place: &str) -> bool {
    let mut words = message.match_indices(place);
    words.any(|(start, _)| {
        let (before, after) = (&message[..start], &message[start + place.len()..]);
        (before.is_empty() || before.ends_with(' ')) && after.starts_with(':')
    })
}

enum Value {
    Text(String),
    Number(usize),
    Map(Vec<(&'static str, Self)>),
}

fn one_line(message: &str) -> String {
    message
        .split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Results as a block list whose dashes stand after `indent`.
#[must_use]
pub fn to_block(results: &[ResultItem], indent: &str, line_break: &str) -> String {
    let mut text = String::new();
    for result in results {
        let mut lead = format!("{indent}- ");
        for (key, value) in result.entries() {
            block_entry(key, &value, &lead, &mut text, line_break);
            lead = format!("{indent}  ");
        }
    }
    text
}

fn block_entry(key: &str, value: &Value, lead: &str, text: &mut String, line_break: &str) {
    text.push_str(lead);
    text.push_str(key);
    text.push(':');
    match value {
        Value::Text(value) => {
            text.push(' ');
            text.push_str(&encode::scalar(value, encode::PLAIN, Context::Block));
        }
        Value::Number(number) => text.push_str(&format!(" {number}")),
        Value::Map(entries) => {
            let inner = format!("{}  ", " ".repeat(lead.len()));
            text.push_str(line_break);
            for (key, value) in entries {
                block_entry(key, value, &inner, text, line_break);
            }
            return;
        }
    }
    text.push_str(line_break);
}

/// Results as the elements of a flow list, in JSON.
#[must_use]
pub fn to_flow(results: &[ResultItem]) -> String {
    let results: Vec<_> = results
        .iter()
        .map(|result| flow_value(&Value::Map(result.entries())))
        .collect();
    results.join(", ")
}

fn flow_value(value: &Value) -> String {
    match value {
        Value::Text(text) => encode::double_quoted(text),
        Value::Number(number) => number.to_string(),
        Value::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("\"{key}\": {}", flow_value(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_blocks_and_json() {
        let result = ResultItem {
            resource: Some(ResourceId {
                kind: Some("ConfigMap".to_owned()),
                ..Default::default()
            }),
            field: Some(Field {
                path: "data.a".to_owned(),
                proposed_value: Some("yes".to_owned()),
                ..Default::default()
            }),
            file: Some(("cm.yaml".to_owned(), Some(0))),
            ..ResultItem::new(Severity::Info, "two\n  lines: here")
        };
        insta::assert_snapshot!(to_block(std::slice::from_ref(&result), "", "\n"), @r#"
        - message: "two lines: here"
          severity: info
          resourceRef:
            kind: ConfigMap
          field:
            path: data.a
            proposedValue: "yes"
          file:
            path: cm.yaml
            index: 0
        "#);
        let json: serde_json::Value = serde_json::from_str(&to_flow(&[result])).unwrap();
        assert_eq!(json["field"]["proposedValue"], "yes");
    }

    #[test]
    fn says_its_place_once() {
        let item = |message: &str| ResultItem {
            file: Some(("a.yaml".to_owned(), None)),
            position: Some(Position { line: 2, column: 3 }),
            ..ResultItem::new(Severity::Error, message)
        };
        for (message, expected) in [
            ("wrong", "a.yaml:2:3: wrong"),
            (
                "bot: cannot read a.yaml:2:3: wrong",
                "bot: cannot read a.yaml:2:3: wrong",
            ),
            ("a.yaml:2:3: wrong", "a.yaml:2:3: wrong"),
            (
                "as in a.yaml:2:31: wrong",
                "a.yaml:2:3: as in a.yaml:2:31: wrong",
            ),
            (
                "as in aa.yaml:2:3: wrong",
                "a.yaml:2:3: as in aa.yaml:2:3: wrong",
            ),
        ] {
            assert_eq!(item(message).located_message(), expected);
        }
    }
}
