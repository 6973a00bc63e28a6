//! Kustomize's name suffix hash of a ConfigMap: verify which rule made it, then follow that rule.
//!
//! The suffix is the first ten hexadecimal digits of a SHA-256 over the ConfigMap's JSON, with
//! some digits replaced (kustomize `api/hasher/hasher.go`). Two rules have been in use: up to
//! kustomize 3.8.1 the JSON holds the name, from 3.8.2 on an empty string. A name whose suffix
//! fits neither is left alone: never guess.

use sha2::{Digest, Sha256};

use crate::core::yaml::{Content, NodeId, Stream};

/// Which kustomize made a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Up to 3.8.1: the name is part of what is hashed.
    WithName,
    /// From 3.8.2 on: it is not.
    WithoutName,
}

/// Number of characters of a suffix, without its dash.
const LENGTH: usize = 10;

/// Splits `name` at its hash, when what follows the last dash can be one.
#[must_use]
pub fn split(name: &str) -> Option<(&str, &str)> {
    let (base, suffix) = name.rsplit_once('-')?;
    let is_hash = suffix.len() == LENGTH
        && suffix
            .bytes()
            .all(|byte| b"2456789bcdfghkmt".contains(&byte));
    (is_hash && !base.is_empty()).then_some((base, suffix))
}

/// What a ConfigMap says, as the hash takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// `data`; `None` when absent.
    data: Option<Vec<(String, String)>>,
    /// `binaryData`, when it is a map.
    binary: Option<Vec<(String, String)>>,
}

impl Contents {
    /// Reads the ConfigMap at `root`; `None` when its data are not a map of strings.
    #[must_use]
    pub fn of(stream: &Stream, root: NodeId) -> Option<Self> {
        let map = |key: &str| -> Option<Option<Vec<(String, String)>>> {
            let Some(id) = stream
                .get(root, key)
                .filter(|id| !stream.node(*id).is_null())
            else {
                return Some(None);
            };
            if !matches!(stream.node(id).content, Content::Mapping { .. }) {
                return None;
            }
            let entries = stream.entries(id).iter();
            let entries = entries.map(|(key, value)| {
                let key = stream.node(*key).scalar()?;
                Some((key.to_owned(), stream.node(*value).scalar()?.to_owned()))
            });
            let mut entries = entries.collect::<Option<Vec<_>>>()?;
            entries.sort();
            Some(Some(entries))
        };
        Some(Self {
            data: map("data")?,
            binary: map("binaryData")?,
        })
    }

    /// The suffix for a ConfigMap whose name without suffix is `base`.
    #[must_use]
    pub fn suffix(&self, scheme: Scheme, base: &str) -> String {
        let name = match scheme {
            Scheme::WithName => base,
            Scheme::WithoutName => "",
        };
        let data = match (&self.data, scheme) {
            (Some(data), _) => json_object(data),
            (None, Scheme::WithName) => "null".to_owned(),
            (None, Scheme::WithoutName) => "\"\"".to_owned(),
        };
        let binary = self.binary.as_ref();
        let binary = binary.map_or(String::new(), |binary| {
            format!("\"binaryData\":{},", json_object(binary))
        });
        let json = format!(
            "{{{binary}\"data\":{data},\"kind\":\"ConfigMap\",\"name\":{}}}",
            json_string(name)
        );
        let digest = Sha256::digest(json.as_bytes());
        let hex = digest
            .iter()
            .take(LENGTH / 2)
            .map(|byte| format!("{byte:02x}"));
        hex.collect::<String>()
            .chars()
            .map(|digit| match digit {
                '0' => 'g',
                '1' => 'h',
                '3' => 'k',
                'a' => 'm',
                'e' => 't',
                other => other,
            })
            .collect()
    }

    /// The scheme under which `suffix` is right; none when it is wrong under both.
    #[must_use]
    pub fn scheme(&self, base: &str, suffix: &str) -> Option<Scheme> {
        [Scheme::WithName, Scheme::WithoutName]
            .into_iter()
            .find(|scheme| self.suffix(*scheme, base) == suffix)
    }
}

fn json_object(entries: &[(String, String)]) -> String {
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| format!("{}:{}", json_string(key), json_string(value)))
        .collect();
    format!("{{{}}}", entries.join(","))
}

/// A string as Go's `json.Marshal` writes it.
fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{C}' => json.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1F}' => {
                json.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(text: &str) -> Contents {
        let stream = Stream::parse(text).unwrap();
        Contents::of(&stream, stream.roots()[0]).unwrap()
    }

    /// The suffixes are what `kubectl kustomize` (kustomize 5.5) gave these data, and the one of
    /// the label bot's own history, made by an older kustomize.
    #[test]
    fn agrees_with_kustomize() {
        for (text, base, scheme, wanted) in [
            (
                "data: {one: \"\"}\n",
                "plain",
                Scheme::WithoutName,
                "9g67k2htb6",
            ),
            (
                "data: {two: '2', one: '', three: '3'}\n",
                "many",
                Scheme::WithoutName,
                "f5h7t85m9b",
            ),
            (
                "data: {a: '<b>&''\"c\\', u: é😁}\n",
                "html",
                Scheme::WithoutName,
                "c8bf98cfbk",
            ),
        ] {
            let contents = contents(text);
            assert_eq!(contents.suffix(scheme, base), wanted, "{text:?}");
            assert_eq!(contents.scheme(base, wanted), Some(scheme));
            assert_eq!(contents.scheme(base, "7777777777"), None);
        }
    }

    #[test]
    fn splits_at_a_hash_only() {
        assert_eq!(split("config-gbgchmftdh"), Some(("config", "gbgchmftdh")));
        assert_eq!(split("config-deployment"), None);
        assert_eq!(split("-gbgchmftdh"), None);
        assert_eq!(split("config"), None);
    }
}
