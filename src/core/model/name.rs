//! What a model name may look like. The name is written into other people's files, so what cannot
//! stand on one line of YAML is refused before it gets there.

use thiserror::Error;

/// The longest model name, in bytes.
pub const MAX_BYTES: usize = 2048;

/// A model name that cannot be written into a file. The fault is the registry's or the catalog's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// The name has no characters.
    #[error("the model name is empty; give the name that the registry reports")]
    Empty,
    /// The name has a character that does not print, or that ends a line.
    #[error("the model name {name:?} contains the control character {character:?}; remove it")]
    ControlCharacter {
        /// The name.
        name: String,
        /// The first such character.
        character: char,
    },
    /// The name starts or ends with white space.
    #[error("the model name {name:?} starts or ends with white space; remove it")]
    SurroundingSpace {
        /// The name.
        name: String,
    },
    /// The name is too long.
    #[error("the model name has {bytes} bytes; at most {MAX_BYTES} are allowed")]
    TooLong {
        /// The length of the name in bytes.
        bytes: usize,
    },
}

/// Checks that a name can be written into a file on one line.
///
/// # Errors
///
/// When the name is empty, longer than [`MAX_BYTES`], has white space around it, or contains a
/// control character, a Unicode line end or a byte order mark.
pub fn validate(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > MAX_BYTES {
        return Err(NameError::TooLong { bytes: name.len() });
    }
    let is_forbidden = |character: &char| {
        character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    if let Some(character) = name.chars().find(is_forbidden) {
        return Err(NameError::ControlCharacter {
            name: name.to_owned(),
            character,
        });
    }
    if name.trim() != name {
        return Err(NameError::SurroundingSpace {
            name: name.to_owned(),
        });
    }
    Ok(())
}

/// Tells whether a name is a full Google Cloud resource name,
/// `projects/P/locations/L/models/M` with an optional `@version`.
#[must_use]
pub fn is_google_resource_name(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-')
            })
    };
    let parts: Vec<&str> = name.split('/').collect();
    let ["projects", project, "locations", location, "models", model] = parts[..] else {
        return false;
    };
    let (model, version) = match model.split_once('@') {
        Some((model, version)) => (model, Some(version)),
        None => (model, None),
    };
    is_part(project) && is_part(location) && is_part(model) && version.is_none_or(is_part)
}

/// The part of a name by which people tell models of one registry apart: of Google's names that
/// behind the last slash, of others all.
#[must_use]
pub fn short(name: &str) -> &str {
    if is_google_resource_name(name) {
        super::last_segment(name)
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_of_all_registries() {
        for name in [
            "projects/976279526634/locations/us-central1/models/TCN654213816573231104",
            "models:/issue-label-bot/12",
            "org model",
            "модель",
        ] {
            assert_eq!(validate(name), Ok(()), "{name}");
        }
        assert_eq!(validate(&"x".repeat(MAX_BYTES)), Ok(()));
    }

    #[test]
    fn refuses_names_that_cannot_stand_on_one_line() {
        assert_eq!(validate(""), Err(NameError::Empty));
        assert_eq!(
            validate(&"x".repeat(2049)),
            Err(NameError::TooLong { bytes: 2049 })
        );
        for character in [
            '\n', '\t', '\r', '\0', '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}',
        ] {
            let name = format!("a{character}b");
            assert_eq!(
                validate(&name),
                Err(NameError::ControlCharacter {
                    name: name.clone(),
                    character
                })
            );
        }
        for name in [" a", "a ", "\u{a0}a", "a\u{3000}"] {
            assert_eq!(
                validate(name),
                Err(NameError::SurroundingSpace {
                    name: name.to_owned()
                })
            );
        }
    }

    #[test]
    fn name_errors_say_what_to_do() {
        assert_eq!(
            NameError::ControlCharacter {
                name: "a\nb".to_owned(),
                character: '\n'
            }
            .to_string(),
            r#"the model name "a\nb" contains the control character '\n'; remove it"#
        );
        assert_eq!(
            NameError::TooLong { bytes: 3000 }.to_string(),
            "the model name has 3000 bytes; at most 2048 are allowed"
        );
    }

    #[test]
    fn knows_google_resource_names() {
        for name in [
            "projects/p/locations/l/models/m",
            "projects/example.com:p/locations/us-central1/models/TCN1@3",
            "projects/p/locations/l/models/m@default",
        ] {
            assert!(is_google_resource_name(name), "{name}");
        }
        for name in [
            "",
            "m",
            "projects/p/locations/l/models/",
            "projects//locations/l/models/m",
            "projects/p/locations/l/models/m@",
            "projects/p/locations/l/models/@1",
            "projects/p/locations/l/models/m/versions/1",
            "/projects/p/locations/l/models/m",
            "projects/p/locations/l/models/m n",
            "projects/p/locations/l/models/m@1@2",
            "projects/p/locations/l/endpoints/m",
        ] {
            assert!(!is_google_resource_name(name), "{name}");
        }
    }
}
