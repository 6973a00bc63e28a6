//! Secrets as a type: they can be used, and not be printed by accident.

use std::fmt;

/// A token, password or key. `Debug` shows `***`; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Takes a secret; white space around it, such as the line end of a file, is no part of it.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The secret of an environment variable; `None` when it is not set or blank.
    pub(crate) fn from_environment(variable: &str) -> Option<Self> {
        let secret = Self::new(&std::env::var(variable).ok()?);
        (!secret.0.is_empty()).then_some(secret)
    }

    /// The secret itself, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// A text with every occurrence of the secret replaced by `***`.
    pub(crate) fn redact(&self, text: &str) -> String {
        // What is shorter than this is no secret, and would make every text unreadable.
        if self.0.len() < 4 {
            return text.to_owned();
        }
        text.replace(&self.0, "***")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn does_not_show_itself() {
        let secret = Secret::new(" s3cret-token\n");
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.expose(), "s3cret-token");
        assert_eq!(secret.redact("a s3cret-token b"), "a *** b");
        assert_eq!(Secret::new("").redact("abc"), "abc");
    }
}
