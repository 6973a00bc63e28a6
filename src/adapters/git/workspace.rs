//! The temporary bare repository that everything is made in.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use gix::ObjectId;

use super::command::{Git, Programs};
use super::place::Place;
use super::refs::{Heads, WantedHeads};
use super::refusal::{GitError, Refused};
use super::through_api::ApiSource;
use super::url::{RemoteUrl, secrets};
use crate::adapters::forges::{CommitThroughApi, PushCredential};

/// The name of the remote with the base; a fork is another.
const ORIGIN: &str = "origin";
const FORK: &str = "fork";

/// How git is used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// For one run of git.
    pub(crate) limit: Duration,
    /// Further configuration, as `key`, `value`.
    pub(crate) configuration: Vec<(String, String)>,
}

/// A temporary bare repository with the objects of a remote's base that are needed. It borrows the
/// objects of a clone that is here, and ends with the value.
pub(crate) struct Workspace<'r> {
    pub(super) repository: gix::Repository,
    pub(super) git: Git,
    pub(super) prefix: String,
    url: RemoteUrl,
    push_url: Option<RemoteUrl>,
    fork: Option<RemoteUrl>,
    /// Whether a clone lends its objects, so that only what it lacks is fetched, with its history.
    has_clone: bool,
    /// What is read in place of git, which then is never run.
    pub(super) api: Option<ApiSource<'r>>,
    _directory: tempfile::TempDir,
}

impl<'r> Workspace<'r> {
    /// Makes the repository. Nothing is fetched yet. With `api`, objects and branches are read
    /// through it, and git is not needed.
    ///
    /// # Errors
    /// There is no room for it, a configuration cannot be read, or the clone pushes to another
    /// repository.
    pub(crate) fn make(
        place: &Place,
        fork: Option<(RemoteUrl, Option<PushCredential>)>,
        api: Option<&'r dyn CommitThroughApi>,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        let push_url = match &fork {
            Some(_) => None,
            None => place.checked_push_url()?.cloned(),
        };
        let directory = tempfile::Builder::new().prefix("modelsync-").tempdir();
        let directory = directory.map_err(|error| no_room(MAKING, &error))?;
        lay_out(directory.path(), place)?;
        // It takes an open file of the caller's for the repository, and would wait for it.
        let mut configuration = vec![("protocol.fd.allow".to_owned(), "never".to_owned())];
        if let Some(clone) = &place.clone {
            configuration.extend(clone.settings.iter().cloned());
        }
        configuration.extend(settings.configuration);
        let options = gix::open::Options::default()
            .config_overrides(
                configuration
                    .iter()
                    .map(|(key, value)| format!("{key}={value}")),
            )
            .open_path_as_is(true)
            .with(gix::sec::Trust::Full);
        let repository = options
            .open(directory.path())
            .context("cannot open the temporary repository: git's configuration cannot be read")?
            .to_thread_local();
        let programs = {
            // The user's, the system's, the clone's and the environment's, as git merges them.
            let merged = repository.config_snapshot();
            Programs {
                has_ssh_command: merged.string("core.sshCommand").is_some(),
                has_ask_pass: merged.string("core.askPass").is_some(),
            }
        };
        let mut hidden = Vec::new();
        let mut remote = |name: &str, url: &RemoteUrl, credential: Option<&PushCredential>| {
            configuration.push((format!("remote.{name}.url"), url.shown.clone()));
            configuration.extend(url.settings(credential));
            hidden.extend(
                [credential, url.credential.as_ref()]
                    .into_iter()
                    .flatten()
                    .flat_map(secrets),
            );
        };
        remote(ORIGIN, &place.url, None);
        if let Some((url, credential)) = &fork {
            remote(FORK, url, credential.as_ref());
        }
        if let Some(url) = &push_url {
            hidden.extend(url.credential.iter().flat_map(secrets));
            configuration.push((format!("remote.{ORIGIN}.pushurl"), url.shown.clone()));
            configuration.extend(url.settings(place.url.credential.as_ref()));
        }
        Ok(Self {
            repository,
            git: Git {
                directory: directory.path().to_owned(),
                settings: configuration,
                programs,
                secrets: hidden,
                limit: settings.limit,
            },
            prefix: place.prefix.clone(),
            url: place.url.clone(),
            push_url,
            fork: fork.map(|(url, _)| url),
            has_clone: place.clone.is_some(),
            api: api.map(|api| ApiSource::new(api, &place.url.shown)),
            _directory: directory,
        })
    }

    /// The URL of the repository with the base, for people.
    pub(crate) fn url(&self) -> &str {
        &self.url.shown
    }

    /// The URL of the repository that branches are pushed to, for people.
    pub(crate) fn push_url(&self) -> &str {
        let other = self.fork.as_ref().or(self.push_url.as_ref());
        other.map_or(self.url(), |other| &other.shown)
    }

    /// The package's directory from the repository's root; empty for the root.
    pub(crate) fn place(&self) -> &str {
        &self.prefix
    }

    pub(super) fn push_remote(&self) -> &'static str {
        if self.fork.is_some() { FORK } else { ORIGIN }
    }

    /// Asks the remote for its branches: git for all of them, which costs one question, and the API
    /// for those that are wanted.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub(crate) async fn heads(&self, wanted: &WantedHeads<'_>) -> anyhow::Result<Heads> {
        match &self.api {
            Some(api) => api.heads(wanted).await,
            None => Ok(self.ask(ORIGIN, self.url()).await?),
        }
    }

    /// Asks the repository that branches are pushed to for its branches; `None` where that is the
    /// one with the base.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub(crate) async fn fork_heads(&self) -> Result<Option<Heads>, GitError> {
        match &self.fork {
            None => Ok(None),
            Some(fork) => self.ask(FORK, &fork.shown).await.map(Some),
        }
    }

    async fn ask(&self, remote: &str, url: &str) -> Result<Heads, GitError> {
        let doing = format!("read the branches of {url}");
        let arguments = [
            "ls-remote",
            "--symref",
            "--",
            remote,
            "HEAD",
            "refs/heads/*",
        ];
        let said = self.git.run(&doing, &arguments, "").await?;
        if !said.is_success {
            return Err(GitError::of(&doing, url, &said.stderr));
        }
        if Heads::are_sha256(&said.stdout) {
            return Err(GitError::sha256(&doing));
        }
        Ok(Heads::parse(&said.stdout))
    }

    /// Fetches the commits that are not here, each from the remote that has it. From a URL alone, the
    /// commits come without their history, and with the trees on the way to the package where the
    /// server can leave out the rest; where there is a fork, with their history and without trees.
    ///
    /// # Errors
    /// The remote refuses, or no longer has a commit.
    pub(crate) async fn fetch(
        &self,
        base: ObjectId,
        branch: Option<ObjectId>,
    ) -> anyhow::Result<()> {
        let missing = |id: &ObjectId| !self.repository.has_object(id);
        if let Some(api) = &self.api {
            let wanted = [base].into_iter().chain(branch).filter(missing);
            return api.fetch_commits(wanted).await;
        }
        let branch = branch.filter(missing);
        if self.fork.is_none() {
            let wanted: Vec<_> = [base].into_iter().filter(missing).chain(branch).collect();
            return Ok(self.fetch_commits(ORIGIN, &wanted).await?);
        }
        let wanted: Vec<_> = [base].into_iter().filter(missing).collect();
        self.fetch_commits(ORIGIN, &wanted).await?;
        let wanted: Vec<_> = branch.into_iter().collect();
        Ok(self.fetch_commits(FORK, &wanted).await?)
    }

    async fn fetch_commits(&self, remote: &str, ids: &[ObjectId]) -> Result<(), GitError> {
        // A package that is the whole repository needs all of it.
        let flags: &[&str] = match (self.has_clone, self.prefix.is_empty()) {
            (true, _) => &[],
            // A fork that is behind needs the commits in between, and takes nothing whose history
            // is cut off. Trees are fetched when they are looked at, or pushed.
            (false, _) if self.fork.is_some() => &["--filter=tree:0"],
            (false, true) => &["--depth=1", "--filter=blob:limit=1m"],
            // The commits and their root trees.
            (false, false) => &["--depth=1", "--filter=tree:1"],
        };
        self.fetch_objects(remote, flags, ids).await
    }

    /// Fetches objects of any kind by their ids.
    pub(super) async fn fetch_objects(
        &self,
        remote: &str,
        flags: &[&str],
        ids: &[ObjectId],
    ) -> Result<(), GitError> {
        if ids.is_empty() {
            return Ok(());
        }
        let url = if remote == FORK {
            self.push_url()
        } else {
            self.url()
        };
        let doing = format!("fetch from {url}");
        let mut arguments = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
        ];
        arguments.extend(flags);
        arguments.extend(["--stdin", "--", remote]);
        let input: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let said = self.git.run(&doing, &arguments, &input).await?;
        if said.is_success {
            return Ok(());
        }
        let mut error = GitError::of(&doing, url, &said.stderr);
        // upload-pack.c: "not our ref"; fetch-pack.c: "Server does not allow request for
        // unadvertised object"
        if said.stderr.contains("not our ref") || said.stderr.contains("unadvertised object") {
            error.refused = Refused::Outdated;
        }
        Err(error)
    }

    /// Fetches trees and blobs of a commit that are not here.
    pub(super) async fn fetch_missing(
        &self,
        commit_id: ObjectId,
        ids: &[ObjectId],
        flags: &[&str],
    ) -> Result<(), GitError> {
        let fetched = self.fetch_anywhere(ids, flags).await;
        // Before version 2 of git's protocol, which some SSH servers do not speak, a server sends
        // only what its branches point to: then all of the commit.
        match fetched {
            Err(error) if error.refused == Refused::Outdated => {
                // Git remembers the filter of the first fetch.
                let whole = ["--refetch", "--no-filter", "--depth=1"];
                let whole = if self.fork.is_some() {
                    &whole[..2]
                } else {
                    &whole[..]
                };
                self.fetch_anywhere(&[commit_id], whole).await
            }
            fetched => fetched,
        }
    }

    async fn fetch_anywhere(&self, ids: &[ObjectId], flags: &[&str]) -> Result<(), GitError> {
        match self.fetch_objects(ORIGIN, flags, ids).await {
            Err(_) if self.fork.is_some() => self.fetch_objects(FORK, flags, ids).await,
            fetched => fetched,
        }
    }
}

/// A bare repository as gitrepository-layout(5) describes it. `git init` would add templates, and
/// take longer.
fn lay_out(directory: &Path, place: &Place) -> anyhow::Result<()> {
    let write = |inner: &str, text: &str| {
        fs::write(directory.join(inner), text).map_err(|error| no_room(MAKING, &error))
    };
    for inner in ["objects/info", "objects/pack", "refs/heads"] {
        fs::create_dir_all(directory.join(inner)).map_err(|error| no_room(MAKING, &error))?;
    }
    write("HEAD", "ref: refs/heads/main\n")?;
    // What is missing may be fetched from the remote later: partial-clone.txt of git's technical
    // documentation. The extension is read from this file only.
    write(
        "config",
        "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\tpromisor = true\n",
    )?;
    let Some(clone) = &place.clone else {
        return Ok(());
    };
    let objects = clone.common_directory.canonicalize();
    let problem = || format!("cannot read the clone {}", clone.common_directory.display());
    let objects = objects.with_context(problem)?.join("objects");
    let Some(path) = objects.to_str().filter(|path| !path.contains(['\n', '"'])) else {
        bail!(
            "cannot borrow objects from the clone {}: git does not take such a path; move it, or name \
             the repository with --repo",
            objects.display()
        );
    };
    write("objects/info/alternates", &format!("{path}\n"))?;
    let shallow = clone.common_directory.join("shallow");
    if shallow.exists() {
        fs::copy(shallow, directory.join("shallow")).map_err(|error| no_room(MAKING, &error))?;
    }
    Ok(())
}

const MAKING: &str = "make a temporary repository";

fn no_room(doing: &str, error: &std::io::Error) -> anyhow::Error {
    anyhow!(
        "cannot {doing} in {}: {error}; name a directory that can be written to with TMPDIR",
        std::env::temp_dir().display()
    )
}

/// What to tell when an object cannot be written to the temporary repository. `doing` goes on after
/// "cannot".
pub(super) fn not_written(doing: &str, error: &gix::Error) -> anyhow::Error {
    // The innermost: those around it repeat paths that nobody knows.
    let problems = error
        .iter_errors()
        .filter_map(|error| error.downcast_ref::<std::io::Error>());
    match problems.last() {
        Some(problem) => no_room(doing, problem),
        None => anyhow!("cannot {doing}: {error}"),
    }
}
