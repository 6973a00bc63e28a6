//! Field paths, in kustomize's syntax: `data.[model_config.yaml].orgs.[name=kubeflow].automl_model`.
//!
//! Steps are separated by dots. `[key=value]` chooses list elements by a field, `[=value]` by
//! their own value, `*` all elements, a number one element; `[a.b]` and `a\.b` are keys that
//! contain dots, and a backslash makes `.[]*\` ordinary (kyaml `utils.SmarterPathSplitter` and
//! `yaml.Lookup`).

use std::fmt;
use std::str::FromStr;

/// One step of a [`FieldPath`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key of a map, or an index when it is a number and the node is a list.
    Key(String),
    /// `[key=value]`: the list elements with that field; an empty key means the element itself.
    Match {
        /// Name of the field.
        key: String,
        /// Its value.
        value: String,
    },
    /// `*`: all elements of a list, or all values of a map.
    All,
}

/// A way through maps and lists, and through strings that hold documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    steps: Vec<Step>,
}

/// A field path that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field path {path:?}: {problem}")]
pub struct FieldPathError {
    path: String,
    problem: &'static str,
}

impl FieldPath {
    /// The steps; at least one.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl FromStr for FieldPath {
    type Err = FieldPathError;

    fn from_str(path: &str) -> Result<Self, FieldPathError> {
        let fail = |problem| FieldPathError {
            path: path.to_owned(),
            problem,
        };
        let mut steps = Vec::new();
        let mut characters = path.chars().peekable();
        loop {
            if characters.next_if_eq(&'[').is_some() {
                steps.push(bracket(&mut characters).map_err(fail)?);
            } else {
                let mut key = String::new();
                let mut escaped = false;
                while let Some(character) = characters.next_if(|next| *next != '.') {
                    let is_escape = character == '\\'
                        && characters
                            .next_if(|next| matches!(next, '.' | '\\' | '[' | ']' | '*'))
                            .is_some_and(|next| {
                                key.push(next);
                                true
                            });
                    if is_escape {
                        escaped = true;
                    } else if character == '[' {
                        return Err(fail("a `[` starts a step of its own: put a dot before it"));
                    } else {
                        key.push(character);
                    }
                }
                match key.as_str() {
                    "" => return Err(fail("an empty step: dots stand between steps only")),
                    "*" if !escaped => steps.push(Step::All),
                    _ => steps.push(Step::Key(key)),
                }
            }
            match characters.next() {
                None => return Ok(Self { steps }),
                Some('.') => {}
                Some(_) => return Err(fail("after `]` comes a dot or the end")),
            }
        }
    }
}

/// Reads a step in brackets, whose `[` is read.
fn bracket(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<Step, &'static str> {
    let mut text = String::new();
    let mut depth = 0_usize;
    loop {
        match characters.next() {
            None => return Err("a `[` is not closed"),
            Some(']') if depth == 0 => break,
            Some(character) => {
                match character {
                    '[' => depth += 1,
                    ']' => depth -= 1,
                    _ => {}
                }
                text.push(character);
            }
        }
    }
    if text.is_empty() {
        return Err("empty brackets");
    }
    Ok(match text.split_once('=') {
        Some((key, value)) => Step::Match {
            key: key.to_owned(),
            value: value.to_owned(),
        },
        None => Step::Key(text),
    })
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) if key.contains('.') && !key.contains(['[', ']', '=', '\\']) => {
                write!(formatter, "[{key}]")
            }
            Self::Key(key) if key == "*" => write!(formatter, "\\*"),
            Self::Key(key) => {
                for character in key.chars() {
                    if matches!(character, '.' | '\\' | '[' | ']') {
                        write!(formatter, "\\")?;
                    }
                    write!(formatter, "{character}")?;
                }
                Ok(())
            }
            Self::Match { key, value } => write!(formatter, "[{key}={value}]"),
            Self::All => write!(formatter, "*"),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            if number > 0 {
                write!(formatter, ".")?;
            }
            write!(formatter, "{step}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_kustomize_syntax() {
        let path: FieldPath = r"data.[model_config.yaml].orgs.[name=kubeflow].a\.b.*.0.[=x]"
            .parse()
            .unwrap();
        let key = |text: &str| Step::Key(text.to_owned());
        let matching = |key: &str, value: &str| Step::Match {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        assert_eq!(
            path.steps(),
            [
                key("data"),
                key("model_config.yaml"),
                key("orgs"),
                matching("name", "kubeflow"),
                key("a.b"),
                Step::All,
                key("0"),
                matching("", "x"),
            ]
        );
        assert_eq!(path.to_string().parse::<FieldPath>().unwrap(), path);
    }

    #[test]
    fn prints_what_it_reads_as_the_same_steps() {
        for key in ["\\", "a\\", "\\\\", "*", "[a]", "a.b", "a=b.c", ".a"] {
            let step = Step::Key(key.to_owned());
            let path: FieldPath = format!("{step}.b").parse().unwrap();
            assert_eq!(path.steps(), [step, Step::Key("b".to_owned())]);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for bad in ["", ".", "a.", "a..b", "a[b]", "[", "[]", "[a]b"] {
            let error = bad.parse::<FieldPath>().unwrap_err();
            assert!(error.to_string().starts_with("field path"), "{error}");
        }
    }
}
