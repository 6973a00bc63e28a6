//! Where a remote is: its URL without the credentials that may be in it.

use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::adapters::forges::PushCredential;
use crate::adapters::secret::Secret;
use crate::core::proposal::Remote;

/// A remote's URL, in two parts: what can be shown, and what cannot.
#[derive(Clone, Debug)]
pub(crate) struct RemoteUrl {
    /// The URL without password; for people, and for git.
    pub(crate) shown: String,
    /// The user and password that were in it.
    pub(crate) credential: Option<PushCredential>,
}

impl RemoteUrl {
    /// Reads a URL or path; a relative path counts from `directory`.
    pub(crate) fn new(text: &str, directory: &Path) -> Self {
        if is_path(text) {
            let path = directory.join(text);
            let path = path.canonicalize().unwrap_or(path);
            return Self {
                shown: path.to_string_lossy().into_owned(),
                credential: None,
            };
        }
        let (shown, credential) = split(text);
        Self { shown, credential }
    }

    /// The same; a relative path counts from the current directory.
    ///
    /// # Errors
    /// There is no current directory.
    pub(crate) fn from_here(text: &str) -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("cannot find the current directory")?;
        Ok(Self::new(text, &here))
    }

    /// Whether another URL means the same repository.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let plain = |url: &Self| {
            let url = url.shown.trim_end_matches('/');
            url.strip_suffix(".git").unwrap_or(url).to_owned()
        };
        plain(self) == plain(other)
            || match (Remote::parse(&self.shown), Remote::parse(&other.shown)) {
                (Ok(one), Ok(other)) => one == other,
                _ => false,
            }
    }

    /// Git's settings that send a user and password to this repository and to no other: a fork on the
    /// same server has its own. None where
    /// neither HTTP nor a password is used.
    pub(super) fn settings(&self, credential: Option<&PushCredential>) -> Vec<(String, String)> {
        let Some(credential) = credential.or(self.credential.as_ref()) else {
            return Vec::new();
        };
        let Some(repository) = without_user(&self.shown) else {
            return Vec::new();
        };
        // git-config(1), `http.<url>.*`: of URLs that match, the one with the longest path counts.
        let key = format!("http.{repository}.extraHeader");
        let text = format!("{}:{}", credential.user, credential.password.expose());
        let header = format!("Authorization: Basic {}", BASE64_STANDARD.encode(text));
        // The empty one ends the list that other configuration began: a second `Authorization`
        // makes servers answer 400.
        vec![(key.clone(), String::new()), (key, header)]
    }
}

/// What must not be shown of a credential: the password as it is, and as it is sent.
pub(super) fn secrets(credential: &PushCredential) -> Vec<Secret> {
    let password = credential.password.expose();
    let sent = BASE64_STANDARD.encode(format!("{}:{password}", credential.user));
    let mut secrets = vec![credential.password.clone(), Secret::new(&sent)];
    // Tokens are given as user names as well.
    if password.is_empty() {
        secrets.push(Secret::new(&credential.user));
    }
    secrets
}

/// As git decides it (gitremote-helpers(7), `url_is_local_not_ssh`): no scheme, and no colon before
/// the first slash.
fn is_path(text: &str) -> bool {
    if text.contains("://") {
        return false;
    }
    match (text.find(':'), text.find('/')) {
        (None, _) => true,
        (Some(colon), Some(slash)) => slash < colon,
        (Some(_), None) => false,
    }
}

/// An HTTP URL without its user, who need not be the one of a setting.
fn without_user(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next()?;
    Some(format!("{scheme}://{host}{path}"))
}

/// Takes what is secret out of a URL's user part.
fn split(url: &str) -> (String, Option<PushCredential>) {
    let plain = || (url.to_owned(), None);
    let Some((scheme, rest)) = url.split_once("://") else {
        return plain();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let Some((user_info, host)) = authority.rsplit_once('@') else {
        return plain();
    };
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let is_http = matches!(scheme, "http" | "https");
    // GitHub takes a token for a user name; people's names are shorter.
    let is_token = is_http && password.is_empty() && user.len() >= 20;
    if password.is_empty() && !is_token {
        return plain();
    }
    let credential = PushCredential {
        user: decoded(user),
        password: Secret::new(&decoded(password)),
    };
    let shown = if is_http {
        format!("{scheme}://{host}{path}")
    } else {
        format!("{scheme}://{user}@{host}{path}")
    };
    (shown, Some(credential))
}

/// A user part with its percent signs resolved (RFC 3986, section 2.1).
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = text
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> RemoteUrl {
        RemoteUrl::new(text, Path::new("/nowhere"))
    }

    #[test]
    fn takes_passwords_out() {
        let url = read("https://bot:s3cr%40et@github.com/a/b.git");
        assert_eq!(url.shown, "https://github.com/a/b.git");
        let credential = url.credential.clone().unwrap();
        assert_eq!(credential.user, "bot");
        assert_eq!(credential.password.expose(), "s3cr@et");
        let url = read("https://ghp_0123456789abcdefghij@github.com/a/b");
        assert_eq!(url.shown, "https://github.com/a/b");
        assert!(!format!("{url:?}").contains("s3cr"));
        for plain in [
            "https://alice@github.com/a/b",
            "git@github.com:a/b",
            "ssh://git@h:2/a/b",
            "/srv/a",
        ] {
            assert_eq!(read(plain).shown, plain);
            assert!(read(plain).credential.is_none(), "{plain}");
        }
    }

    #[test]
    fn sends_credentials_to_their_repository_only() {
        let credential = PushCredential {
            user: "bot".to_owned(),
            password: Secret::new("s3cret"),
        };
        let settings = read("http://127.0.0.1:80/a/b").settings(Some(&credential));
        assert_eq!(settings[0].0, "http.http://127.0.0.1:80/a/b.extraHeader");
        assert_eq!(settings[0].1, "");
        assert_eq!(settings[1].1, "Authorization: Basic Ym90OnMzY3JldA==");
        let other = read("http://bot@127.0.0.1:80/c/b.git").settings(Some(&credential));
        assert_eq!(other[0].0, "http.http://127.0.0.1:80/c/b.git.extraHeader");
        assert!(read("git@h:a/b").settings(Some(&credential)).is_empty());
        assert!(read("/srv/a").settings(Some(&credential)).is_empty());
    }

    #[test]
    fn knows_the_same_repository_in_other_spellings() {
        let url = read("https://github.com/a/b");
        assert!(url.is_same(&read("https://github.com/a/b.git/")));
        assert!(url.is_same(&read("git@github.com:a/b.git")));
        assert!(!url.is_same(&read("https://github.com/a/c")));
    }
}
