//! `modelsync pr`: a branch, a commit and a pull request for what is to be changed.
//!
//! ```text
//! look: the remote's branches ─► the base's package ─► Change ─► tree
//!       the branch's tip, the open pull request ─┐
//!                                                ▼
//!                              core::proposal::decide ─► one step ─► act ─► decide …
//! ```
//!
//! A step that finds the world changed, or may have been done although it failed, leads to another
//! look, a few times at most. Nothing is remembered between runs: what is there is the state.

mod act;
mod look;
mod observe;
mod prepare;
mod progress;
mod retire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::directory;
use crate::adapters::forges::{self, Forge, ForgeError, PushCredential};
use crate::adapters::git::{GitError, Place, Refused, RemoteUrl};
use crate::adapters::{files, runtime, signals};
use crate::core::proposal::{ForgeKind, MergeMethod, Report};
use crate::core::report::template::Template;

pub(crate) use crate::adapters::forges::GitHubApp;
pub(crate) use crate::adapters::git::Identity;

use look::Looker;

/// What the user asked for.
pub(crate) struct Request {
    /// Which package, configs and catalog.
    pub(crate) package: directory::Request,
    /// The repository, by URL or path; the remote of the clone around the package without one.
    pub(crate) repository: Option<String>,
    /// The name of that remote.
    pub(crate) remote: String,
    /// The branch to change; the remote's default without one.
    pub(crate) base: Option<String>,
    /// What the branch with the change is called.
    pub(crate) naming: Naming,
    /// The URL of the repository that the branch is pushed to when that is another.
    pub(crate) fork: Option<String>,
    /// When our commit is made anew because the base has moved.
    pub(crate) rebases: RebaseWhen,
    /// The forge; `None` to push only.
    pub(crate) forge: Option<ForgeOptions>,
    /// Users' templates.
    pub(crate) templates: TemplateFiles,
    /// What the pull request gets beside its text.
    pub(crate) extras: Extras,
    /// Who makes the commit, and how.
    pub(crate) commit: CommitOptions,
    /// Whether to close a pull request that nobody needs any more.
    pub(crate) closes_obsolete: bool,
    /// Whether to propose again what somebody refused by closing its pull request.
    pub(crate) reopens: bool,
    /// Whether to look only.
    pub(crate) is_dry_run: bool,
    /// For one run of git.
    pub(crate) git_limit: Duration,
}

/// Which forge. What is left out is read from the remote's URL.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForgeOptions {
    /// Its kind.
    pub(crate) kind: Option<ForgeKind>,
    /// The base URL of its API.
    pub(crate) url: Option<String>,
    /// The GitHub App to be.
    pub(crate) github_app: Option<GitHubApp>,
}

/// Files with users' templates.
#[derive(Clone, Debug, Default)]
pub(crate) struct TemplateFiles {
    /// For the title.
    pub(crate) title: Option<PathBuf>,
    /// For the body.
    pub(crate) body: Option<PathBuf>,
    /// For the commit message.
    pub(crate) commit: Option<PathBuf>,
}

/// What the branch with the change is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// As the user says.
    Given(String),
    /// `modelsync/CONFIG`: one branch that follows the newest model.
    PerConfig,
    /// `modelsync/CONFIG-to-MODEL`: a branch for each model; older ones are closed.
    PerModel,
}

/// When our commit is made anew because the base has moved. The names are those of Renovate's
/// `rebaseWhen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RebaseWhen {
    /// Whenever it has.
    BehindBaseBranch,
    /// Only where merging the branch would not give what is wanted.
    Conflicted,
}

/// A repository of one's own to push to.
#[derive(Clone, Debug)]
struct Fork {
    /// Its URL.
    url: RemoteUrl,
    /// What to push with, where the URL has nothing.
    credential: Option<PushCredential>,
    /// Its name, as the forge knows it; empty without one.
    full_name: String,
}

/// Users' templates; our own where there is none.
#[derive(Clone, Debug, Default)]
struct Templates {
    /// For the title.
    title: Option<Template>,
    /// For the body.
    body: Option<Template>,
    /// For the commit message, to which trailers are added.
    commit: Option<Template>,
}

/// What the pull request gets beside its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    /// Labels.
    pub(crate) labels: Vec<String>,
    /// Those who are asked for a review.
    pub(crate) reviewers: Vec<String>,
    /// Those it is assigned to.
    pub(crate) assignees: Vec<String>,
    /// Whether to open it as a draft.
    pub(crate) is_draft: bool,
    /// Whether and how it merges by itself.
    pub(crate) auto_merge: Option<MergeMethod>,
}

/// Who makes the commit, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommitOptions {
    /// Who wrote it; as git knows it without one.
    pub(crate) author: Option<Identity>,
    /// Who commits it.
    pub(crate) committer: Option<Identity>,
    /// Whether the forge makes it, through its API.
    pub(crate) is_by_forge: bool,
    /// Whether to add `Signed-off-by`.
    pub(crate) is_signed_off: bool,
    /// Whether to sign it.
    pub(crate) is_signed: bool,
    /// The key to sign with, as in git's `user.signingKey`.
    pub(crate) signing_key: Option<String>,
}

/// Why a round ended before its time.
#[derive(Debug)]
enum Stop {
    /// Another look may help. The text is for when it is the last one.
    LookAgain(anyhow::Error),
    /// Nothing helps.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<GitError>() {
            Ok(error) => return error.into(),
            Err(error) => error,
        };
        match error.downcast::<ForgeError>() {
            Ok(error) => error.into(),
            Err(error) => Self::Failed(error),
        }
    }
}

impl From<GitError> for Stop {
    fn from(error: GitError) -> Self {
        let refused = error.refused;
        let error = anyhow::Error::new(error);
        match refused {
            Refused::ForGood => Self::Failed(error),
            Refused::Outdated | Refused::Uncertain => Self::LookAgain(error),
        }
    }
}

impl From<ForgeError> for Stop {
    fn from(error: ForgeError) -> Self {
        let is_worth_a_look = error.is_uncertain || error.is_duplicate || error.is_outdated;
        let error = anyhow::Error::new(error);
        if is_worth_a_look {
            Self::LookAgain(error)
        } else {
            Self::Failed(error)
        }
    }
}

/// A request with everything read that it names, and the forge.
struct Job<'r> {
    request: &'r Request,
    place: Place,
    fork: Option<Fork>,
    templates: Templates,
}

/// Proposes what each config wants, one after the other. What fails for one does not keep the others
/// from being proposed.
///
/// # Errors
/// The request makes no sense, the remote or the package cannot be read, or the process is asked to
/// end. What fails for one config is in its report.
pub(crate) fn run(request: &Request) -> anyhow::Result<Vec<Report>> {
    let mut job = Job::read(request)?;
    let work = async {
        let forge = match &request.forge {
            Some(options) => Some(connect(options, &job.place.url)?),
            None => None,
        };
        if let (Some(options), Some(forge)) = (&request.forge, &forge) {
            let credential = forge.push_credential().await?;
            job.place = job.place.with_credential(credential);
            if let Some(fork) = &mut job.fork {
                let problem = || format!("cannot use the fork {}", fork.url.shown);
                let there = connect(options, &fork.url).with_context(problem)?;
                fork.full_name = there.full_name();
                fork.credential = there.push_credential().await?;
            }
        }
        propose(&job, forge.as_deref()).await
    };
    // What is dropped then ends the git that runs, and removes the temporary repository.
    runtime::block_on(async {
        let stop = signals::Stop::on_signals()?;
        tokio::select! {
            done = work => done,
            () = stop.asked() => Err(anyhow!(
                "cannot go on proposing: the process was asked to end; run it again to complete what \
                 is missing"
            )),
        }
    })?
}

/// Makes sure that there is a directory for results, before anything is done.
///
/// # Errors
/// It cannot be made, or not be written to.
pub(crate) fn make_results_directory(directory: &Path) -> anyhow::Result<()> {
    files::make_writable(directory).map_err(|error| {
        anyhow!(
            "cannot write results to {}: {error}; give --tekton-results a directory that can be \
             written to",
            directory.display()
        )
    })
}

/// Writes results of a Tekton task: a file each.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write_results(directory: &Path, results: &[(&str, String)]) -> anyhow::Result<()> {
    for (name, value) in results {
        files::replace(&directory.join(name), value)?;
    }
    Ok(())
}

async fn propose(job: &Job<'_>, forge: Option<&dyn Forge>) -> anyhow::Result<Vec<Report>> {
    let mut looker = Looker::new(job, forge)?;
    let world = match looker.look().await {
        Ok(world) => world,
        Err(Stop::LookAgain(_)) => looker.look().await.map_err(Stop::into_error)?,
        Err(Stop::Failed(error)) => return Err(error),
    };
    looker.propose_all(world).await
}

fn connect(options: &ForgeOptions, remote: &RemoteUrl) -> anyhow::Result<Box<dyn Forge>> {
    let settings = forges::Settings {
        kind: options.kind,
        url: options.url.clone(),
        github_app: options.github_app.clone(),
    };
    forges::connect(&remote.shown, &settings)
}

impl<'r> Job<'r> {
    fn read(request: &'r Request) -> anyhow::Result<Self> {
        let repository = request.repository.as_deref();
        let place = Place::find(&request.package.directory, repository, &request.remote)?;
        let fork = request.fork.as_deref().map(Fork::read).transpose()?;
        let template = |path: &Option<PathBuf>| path.as_deref().map(read_template).transpose();
        let files = &request.templates;
        Ok(Self {
            request,
            place,
            fork,
            templates: Templates {
                title: template(&files.title)?,
                body: template(&files.body)?,
                commit: template(&files.commit)?,
            },
        })
    }
}

impl Fork {
    fn read(text: &str) -> anyhow::Result<Self> {
        let url = RemoteUrl::from_here(text)?;
        Ok(Self {
            url,
            credential: None,
            full_name: String::new(),
        })
    }
}

fn read_template(path: &Path) -> anyhow::Result<Template> {
    Ok(Template {
        origin: path.display().to_string(),
        text: files::read_file(path)?.into(),
    })
}

impl Stop {
    fn into_error(self) -> anyhow::Error {
        match self {
            Self::LookAgain(error) | Self::Failed(error) => error,
        }
    }
}
