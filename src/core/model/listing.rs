//! The models that one source reported, and when.

use jiff::Timestamp;

use super::Model;
use crate::core::config::nearest;

/// All models of one source. A source that could not read every page gives no listing at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The models, in the source's order, which means nothing.
    pub models: Vec<Model>,
    /// When the source was read. Ages are measured at this time, so that a catalog gives the same
    /// answer whenever it is read.
    pub observed_at: Option<Timestamp>,
    /// Where the models come from, for messages: `ModelCatalog label-bot-models (models.yaml)`.
    pub origin: String,
}

impl Listing {
    /// Finds the model with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    /// The names of all models, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let names = self.models.iter().map(|model| model.name.as_str());
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names
    }

    /// A name that several models have, which no source should report.
    #[must_use]
    pub fn repeated_name(&self) -> Option<&str> {
        let names = self.names();
        let pair = names.windows(2).find(|pair| pair[0] == pair[1])?;
        Some(pair[0])
    }

    /// Finds the model that somebody means: by its full name, or by the end of it after a slash.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn resolve(&self, word: &str) -> Result<&Model, ResolveError> {
        if let Some(model) = self.find(word) {
            return Ok(model);
        }
        let is_end = |model: &&Model| {
            let start = model.name.strip_suffix(word);
            !word.is_empty() && start.is_some_and(|start| start.ends_with('/'))
        };
        let found: Vec<&Model> = self.models.iter().filter(is_end).collect();
        match found.as_slice() {
            [model] => Ok(model),
            [] => {
                let names = self.models.iter().map(|model| model.name.as_str());
                let mut known: Vec<&str> = names.clone().map(last_segment).chain(names).collect();
                known.sort_unstable();
                let nearest = nearest::find(word, &known).filter(|_| !word.is_empty());
                Err(ResolveError::Unknown {
                    origin: self.origin.clone(),
                    word: word.to_owned(),
                    nearest: nearest.map(str::to_owned),
                })
            }
            several => {
                let mut names: Vec<String> =
                    several.iter().map(|model| model.name.clone()).collect();
                names.sort();
                Err(ResolveError::Ambiguous {
                    origin: self.origin.clone(),
                    word: word.to_owned(),
                    names,
                })
            }
        }
    }
}

/// The part of a name behind its last slash, by which people tell models of one registry apart.
#[must_use]
pub fn last_segment(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A word that does not name one model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No model has this name.
    #[error(
        "there is no model {word:?} in {origin}; {}",
        nearest.as_ref().map_or_else(
            || "`modelsync models list` shows all".to_owned(),
            |nearest| format!("did you mean {nearest}?"),
        )
    )]
    Unknown {
        /// Where the models come from.
        origin: String,
        /// What was asked for.
        word: String,
        /// The nearest name, or end of one.
        nearest: Option<String>,
    },
    /// Several names end so.
    #[error(
        "{word:?} may be {} in {origin}; give the full name",
        nearest::join(names, "or")
    )]
    Ambiguous {
        /// Where the models come from.
        origin: String,
        /// What was asked for.
        word: String,
        /// The full names.
        names: Vec<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[&str]) -> Listing {
        let model = |name: &&str| Model::plain(name, Timestamp::UNIX_EPOCH);
        Listing {
            models: names.iter().map(model).collect(),
            observed_at: None,
            origin: "r".to_owned(),
        }
    }

    #[test]
    fn ends_of_names_are_enough() {
        let listing = listing(&[
            "p/models/TCN1",
            "p/models/TCN12",
            "q/models/TCN12",
            "models:/bot/1",
        ]);
        for (word, answer) in [
            ("TCN1", "p/models/TCN1"),
            ("models/TCN1", "p/models/TCN1"),
            ("bot/1", "models:/bot/1"),
            ("q/models/TCN12", "q/models/TCN12"),
            (
                "TCN12",
                "\"TCN12\" may be p/models/TCN12 or q/models/TCN12 in r; give the full name",
            ),
            (
                "TNC1",
                "there is no model \"TNC1\" in r; did you mean TCN1?",
            ),
            ("CN1", "there is no model \"CN1\" in r; did you mean TCN1?"),
            (
                "",
                "there is no model \"\" in r; `modelsync models list` shows all",
            ),
            (
                "other",
                "there is no model \"other\" in r; `modelsync models list` shows all",
            ),
        ] {
            let found = match listing.resolve(word) {
                Ok(model) => model.name.clone(),
                Err(error) => error.to_string(),
            };
            assert_eq!(found, answer);
        }
    }
}
