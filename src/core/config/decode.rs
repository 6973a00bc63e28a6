//! YAML text to a typed value, with one kind of error: one line that says where and what to do.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_saphyr::{DefaultMessageFormatter, Error, Location, MessageFormatter};

use super::nearest;

/// A text that is not what it should be. The fault is in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// What was read, for instance a file name. Empty when there is nothing to name.
    pub origin: String,
    /// The line, counted from 1.
    pub line: Option<u64>,
    /// The column in characters, counted from 1.
    pub column: Option<u64>,
    /// What is wrong, on one line.
    pub message: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.origin.is_empty() {
            write!(formatter, "{}:", self.origin)?;
        }
        if let Some(line) = self.line {
            write!(formatter, "{line}:")?;
            if let Some(column) = self.column {
                write!(formatter, "{column}:")?;
            }
        }
        if !self.origin.is_empty() || self.line.is_some() {
            formatter.write_str(" ")?;
        }
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl DecodeError {
    /// Makes an error about `origin` as a whole.
    pub fn new(origin: &str, message: impl Into<String>) -> Self {
        Self {
            origin: origin.to_owned(),
            line: None,
            column: None,
            message: message.into(),
        }
    }

    pub(crate) fn at(origin: &str, location: Location, message: impl Into<String>) -> Self {
        let known = location != Location::UNKNOWN;
        Self {
            origin: origin.to_owned(),
            line: known.then(|| location.line()),
            column: known.then(|| location.column()),
            message: message.into(),
        }
    }
}

/// Decodes one YAML document. JSON is YAML.
///
/// # Errors
///
/// When the text is not one YAML document, or not a `T`.
pub fn decode<T: DeserializeOwned>(text: &str, origin: &str) -> Result<T, DecodeError> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let error = unwrapped(&error);
        let location = error.location().unwrap_or(Location::UNKNOWN);
        DecodeError::at(origin, location, message(error))
    })
}

/// The limits guard a server against strangers. What is read here is the user's own package, whose
/// catalogs grow, so only those stay low that keep a crafted text from exhausting memory or stack.
fn options() -> serde_saphyr::Options {
    const PLENTY: usize = 100_000_000;
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: PLENTY,
            max_nodes: PLENTY,
            max_aliases: PLENTY,
            max_anchors: PLENTY,
            max_merge_keys: PLENTY,
            max_documents: PLENTY,
            max_total_scalar_bytes: 1 << 30,
            simple_key_max_lookahead: 1 << 16,
            max_depth: 128,
            enforce_alias_anchor_ratio: false,
        },
        // Nobody reads them here, and few are allowed between a key and its value.
        emit_comments: false,
        // kubectl and kpt read 0755 as octal.
        legacy_octal_numbers: true,
        with_snippet: false,
    }
}

fn unwrapped(error: &Error) -> &Error {
    match error.without_snippet() {
        Error::AliasError { error, .. } => unwrapped(error),
        other => other,
    }
}

fn message(error: &Error) -> String {
    match error {
        Error::SerdeUnknownField {
            field, expected, ..
        } => {
            format!(
                "unknown field {field:?}; {}",
                nearest::hint(field, expected)
            )
        }
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => {
            format!(
                "unknown value {variant:?}; {}",
                nearest::hint(variant, expected)
            )
        }
        Error::SerdeMissingField { field, .. } => format!("field {field:?} is missing"),
        Error::SerdeInvalidType {
            unexpected,
            expected,
            ..
        } => {
            format!("expected {expected}, found {unexpected}")
        }
        Error::NullIntoString { .. } => "expected text, found null".to_owned(),
        Error::Unexpected { expected, .. } => format!("expected {}", plain_word(expected)),
        Error::InvalidScalar { ty, .. } => format!("expected {}", plain_word(ty)),
        Error::NonFiniteFloat { value, .. } => {
            format!("expected a finite number, found {}", one_line(value))
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("duplicate key {key:?}; keep one")
        }
        Error::Message { msg, .. } => one_line(msg),
        Error::MultipleDocuments { .. } => {
            "expected one YAML document, found several; split them".to_owned()
        }
        Error::Eof { .. } => "the document is empty".to_owned(),
        // The formatter leaves the place out, unlike Display.
        other => one_line(&DefaultMessageFormatter.format_message(other)),
    }
}

/// Translates the parser's words for those who know YAML but not its grammar.
fn plain_word(word: &str) -> &str {
    match word {
        "mapping start" => "a map of fields",
        "sequence start" => "a list",
        "string scalar" => "text",
        "floating point" => "a number",
        "i8" | "i16" | "i32" | "i64" | "i128" | "u8" | "u16" | "u32" | "u64" | "u128" => {
            "a whole number"
        }
        "boolean" => "true or false",
        other => other,
    }
}

/// Messages of others may quote the text, line ends included.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            line.extend(character.escape_debug());
        } else {
            line.push(character);
        }
    }
    line
}

/// Reads null as if the field were left out, as Kubernetes does.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests;
