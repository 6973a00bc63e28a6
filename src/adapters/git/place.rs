//! Where the package is: in a clone that is here, or in a remote repository only.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use super::url::RemoteUrl;
use crate::adapters::forges::PushCredential;

/// A package in a remote repository, and what is here of that repository.
#[derive(Debug)]
pub(crate) struct Place {
    /// The remote.
    pub(crate) url: RemoteUrl,
    /// Where the clone's remote pushes to when that is not `url` (`remote.NAME.pushurl`).
    pub(super) push_url: Option<RemoteUrl>,
    /// The package's directory from the root of the repository; empty for the root.
    pub(crate) prefix: String,
    /// The clone that is here.
    pub(super) clone: Option<Clone>,
}

/// A clone of the user's, of which objects and configuration are read.
#[derive(Debug)]
pub(super) struct Clone {
    /// The repository that all work trees share.
    pub(super) common_directory: PathBuf,
    /// Its own configuration that matters for remotes and identities, as `key`, `value`.
    pub(super) settings: Vec<(String, String)>,
}

impl Place {
    /// Finds the place. `directory` is in a clone; with `repository`, a URL or path, it may also be
    /// a path from the root of that repository. `remote` is the name of the clone's remote.
    ///
    /// # Errors
    /// There is no clone and no URL, or no such remote.
    pub(crate) fn find(
        directory: &Path,
        repository: Option<&str>,
        remote: &str,
    ) -> anyhow::Result<Self> {
        let found = if directory.is_dir() {
            gix::discover(directory).ok()
        } else {
            None
        };
        let Some(text) = repository else {
            let found = found.ok_or_else(|| no_repository(directory))?;
            let url = remote_url(&found, remote).ok_or_else(|| no_remote(&found, remote))?;
            let prefix = prefix(&found, directory)?;
            return Ok(Self {
                push_url: push_url(&found, remote, &url),
                url,
                prefix,
                clone: Some(Clone::of(&found)),
            });
        };
        let url = RemoteUrl::from_here(text)?;
        if let Some(found) = found {
            let mut urls = found
                .remote_names()
                .into_iter()
                .filter_map(|name| remote_url(&found, &name.to_string()));
            if urls.any(|known| known.is_same(&url)) {
                let prefix = prefix(&found, directory)?;
                return Ok(Self {
                    url,
                    push_url: None,
                    prefix,
                    clone: Some(Clone::of(&found)),
                });
            }
        }
        let prefix = inside(directory).ok_or_else(|| {
            anyhow!(
                "cannot take {} for a directory of {}: give it from the repository's root, without \
                 a leading slash and without ..",
                directory.display(),
                url.shown
            )
        })?;
        Ok(Self {
            url,
            push_url: None,
            prefix,
            clone: None,
        })
    }

    /// With a credential for the remote, which goes before one that its URL holds: in CI a clone's
    /// URL often has one that may only read.
    pub(crate) fn with_credential(mut self, credential: Option<PushCredential>) -> Self {
        if credential.is_some() {
            self.url.credential = credential;
        }
        self
    }

    /// Where branches are pushed to when there is no fork; `None` for the same URL as the base's.
    ///
    /// # Errors
    /// It is another repository: a pull request would not find the branch.
    pub(super) fn checked_push_url(&self) -> anyhow::Result<Option<&RemoteUrl>> {
        match &self.push_url {
            Some(push) if !push.is_same(&self.url) => bail!(
                "cannot push to {}: the remote's pushurl names another repository than {}; give it \
                 as --fork if it is a fork, or else name a repository with --repo",
                push.shown,
                self.url.shown
            ),
            push => Ok(push.as_ref()),
        }
    }
}

fn no_repository(directory: &Path) -> anyhow::Error {
    let place = directory.display();
    let (problem, advice) = match gix::discover(directory) {
        _ if !directory.exists() => (
            "there is no such directory".to_owned(),
            "check the path, or name the repository that it is in with --repo",
        ),
        _ if !directory.is_dir() => (
            "it is a file".to_owned(),
            "give the directory that it is in",
        ),
        // Of another format, or broken.
        Err(error) if gix::discover::upwards(directory).is_ok() => (
            format!("its repository cannot be read: {error}"),
            "name it with --repo",
        ),
        _ => (
            "it is in no Git repository".to_owned(),
            "name one with --repo",
        ),
    };
    anyhow!("cannot find the repository of {place}: {problem}; {advice}")
}

fn no_remote(clone: &gix::Repository, remote: &str) -> anyhow::Error {
    let place = clone.workdir().unwrap_or(clone.git_dir()).display();
    let names = clone.remote_names();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let known = match names.as_slice() {
        [] => "it has none; name a repository with --repo".to_owned(),
        names => format!("it has {}; name one with --remote", names.join(", ")),
    };
    anyhow!("cannot find the remote {remote:?} of {place}: {known}")
}

/// The URL as it is configured; git applies `insteadOf` itself.
fn remote_url(clone: &gix::Repository, name: &str) -> Option<RemoteUrl> {
    let config = clone.config_snapshot();
    let url = config.string(format!("remote.{name}.url").as_str())?;
    let directory = clone.workdir().unwrap_or(clone.git_dir());
    Some(RemoteUrl::new(&url.to_string(), directory))
}

/// The URL that a remote pushes to instead, as git-config(1) has it: each is pushed to, and an empty
/// one ends the list before it. One that is another repository, if there is any.
fn push_url(clone: &gix::Repository, name: &str, url: &RemoteUrl) -> Option<RemoteUrl> {
    let config = clone.config_snapshot();
    let values = config
        .plumbing()
        .strings(format!("remote.{name}.pushurl").as_str())?;
    let directory = clone.workdir().unwrap_or(clone.git_dir());
    let values = values.rsplit(|value| value.is_empty()).next()?;
    let urls: Vec<_> = values
        .iter()
        .map(|value| RemoteUrl::new(&value.to_string(), directory))
        .collect();
    let other = urls.iter().find(|push| !push.is_same(url));
    other.or(urls.first()).cloned()
}

/// The directory from the root of the work tree, with slashes.
fn prefix(clone: &gix::Repository, directory: &Path) -> anyhow::Result<String> {
    let problem = || format!("cannot find {} in its repository", directory.display());
    let root = clone
        .workdir()
        .ok_or_else(|| {
            anyhow!("the repository has no work tree; name it with --repo, and DIR from its root")
        })
        .with_context(problem)?
        .canonicalize()
        .with_context(problem)?;
    let absolute = directory.canonicalize().with_context(problem)?;
    let inner = absolute.strip_prefix(&root).with_context(problem)?;
    inside(inner)
        .ok_or_else(|| anyhow!("its name is not UTF-8"))
        .with_context(problem)
}

/// A path from the root of a repository, as trees spell it.
fn inside(path: &Path) -> Option<String> {
    use std::path::Component;
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// Sections of a clone's own configuration that say how remotes are reached, who commits and how
/// commits are signed. Users' and the system's configuration git reads by itself.
const SECTIONS: [&str; 12] = [
    "author",
    "committer",
    "credential",
    "gitcredential",
    "gpg",
    "http",
    "protocol",
    "ssh",
    "ssl",
    "transfer",
    "url",
    "user",
];

impl Clone {
    fn of(repository: &gix::Repository) -> Self {
        let config = repository.config_snapshot();
        let mut settings = Vec::new();
        for section in config.plumbing().sections() {
            let meta = section.meta();
            let is_own = matches!(
                meta.source,
                gix::config::Source::Local | gix::config::Source::Worktree
            );
            // As git does, nothing is taken from a repository that somebody else owns.
            if !is_own || meta.trust != gix::sec::Trust::Full {
                continue;
            }
            let header = section.header();
            let name = header.name().to_string().to_lowercase();
            let is_program = |key: &str| name == "core" && matches!(key, "sshcommand" | "askpass");
            let mut seen = Vec::new();
            for value_name in section.value_names() {
                let value_name = value_name.to_lowercase();
                let is_wanted = SECTIONS.contains(&name.as_str()) || is_program(&value_name);
                if !is_wanted || seen.contains(&value_name) {
                    continue;
                }
                let key = match header.subsection_name() {
                    Some(inner) => format!("{name}.{inner}.{value_name}"),
                    None => format!("{name}.{value_name}"),
                };
                let values = section.values(&value_name);
                settings.extend(
                    values
                        .into_iter()
                        .map(|value| (key.clone(), value.to_string())),
                );
                seen.push(value_name);
            }
        }
        Self {
            common_directory: repository.common_dir().to_owned(),
            settings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_inside_a_repository_are_as_trees_spell_them() {
        assert_eq!(inside(Path::new("./a//b/")).as_deref(), Some("a/b"));
        assert_eq!(inside(Path::new(".")).as_deref(), Some(""));
        assert_eq!(inside(Path::new("../a")), None);
        assert_eq!(inside(Path::new("/a")), None);
    }
}
