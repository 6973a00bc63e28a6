//! What the branches of a remote point to, in one question.

use std::collections::BTreeMap;

use gix::ObjectId;

/// Branches of a remote, as `git ls-remote` reports them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heads {
    /// The branch that is checked out when a clone names none.
    pub(crate) default: Option<String>,
    /// Branches by name, without `refs/heads/`.
    pub(crate) branches: BTreeMap<String, ObjectId>,
}

/// Which branches of a remote matter, where asking for all would take many questions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WantedHeads<'a> {
    /// The base; the default branch without one.
    pub(crate) base: Option<&'a str>,
    /// The one that the commit is to be on, or with a slash at the end all that begin so. With it go
    /// those that would be in its way, because Git has no branch inside another.
    pub(crate) own: &'a str,
}

/// How long an id of SHA-256 is in hexadecimal digits (git's
/// documentation/technical/hash-function-transition).
const SHA256_DIGITS: usize = 64;

impl Heads {
    /// Whether the remote names its objects with SHA-256.
    pub(super) fn are_sha256(text: &str) -> bool {
        text.lines()
            .filter_map(|line| line.split_once('\t'))
            .any(|(id, _)| id.len() == SHA256_DIGITS && id.bytes().all(|it| it.is_ascii_hexdigit()))
    }

    /// Reads `ref: refs/heads/main<TAB>HEAD` and `OID<TAB>refs/heads/main` (git-ls-remote(1)).
    pub(super) fn parse(text: &str) -> Self {
        let mut heads = Self::default();
        for line in text.lines() {
            let Some((value, name)) = line.split_once('\t') else {
                continue;
            };
            if let Some(target) = value.strip_prefix("ref: refs/heads/") {
                if name == "HEAD" {
                    heads.default = Some(target.to_owned());
                }
            } else if let (Some(branch), Ok(id)) = (
                name.strip_prefix("refs/heads/"),
                ObjectId::from_hex(value.as_bytes()),
            ) {
                heads.branches.insert(branch.to_owned(), id);
            }
        }
        heads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_git_prints() {
        let id = "1234567890123456789012345678901234567890";
        let text = format!(
            "ref: refs/heads/main\tHEAD\n{id}\tHEAD\n{id}\trefs/heads/main\n{id}\trefs/heads/x/y\n{id}\trefs/tags/refs/heads/z\n"
        );
        let heads = Heads::parse(&text);
        assert_eq!(heads.default.as_deref(), Some("main"));
        let names: Vec<_> = heads.branches.keys().collect();
        assert_eq!(names, ["main", "x/y"]);
        assert_eq!(Heads::parse(""), Heads::default());
        assert!(!Heads::are_sha256(&text));
        assert!(Heads::are_sha256(&format!(
            "{}\trefs/heads/main\n",
            "12".repeat(32)
        )));
    }
}
