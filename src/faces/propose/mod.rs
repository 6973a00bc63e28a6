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

use std::time::Duration;

use crate::adapters::forges::{Forge, ForgeError, PushCredential};
use crate::adapters::git::{GitError, Identity, Place, Refused, RemoteUrl};
use crate::core::proposal::{MergeMethod, Report};
use crate::core::report::template::Template;

use super::directory;
use look::Looker;

/// What the user asked for.
pub(crate) struct Request {
    /// Which package, configs and catalog.
    pub(crate) package: directory::Request,
    /// Where the package is.
    pub(crate) place: Place,
    /// The branch to change; the remote's default without one.
    pub(crate) base: Option<String>,
    /// What the branch with the change is called.
    pub(crate) naming: Naming,
    /// Where the branch is pushed to when that is another repository.
    pub(crate) fork: Option<Fork>,
    /// Users' templates.
    pub(crate) templates: Templates,
    /// What the pull request gets beside its text.
    pub(crate) extras: Extras,
    /// Who makes the commit, and how.
    pub(crate) commit: CommitOptions,
    /// Whether to close a pull request that nobody needs any more.
    pub(crate) closes_obsolete: bool,
    /// Whether to look only.
    pub(crate) is_dry_run: bool,
    /// For one run of git.
    pub(crate) git_limit: Duration,
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

/// A repository of one's own to push to.
#[derive(Clone, Debug)]
pub(crate) struct Fork {
    /// Its URL.
    pub(crate) url: RemoteUrl,
    /// What to push with, where the URL has nothing.
    pub(crate) credential: Option<PushCredential>,
    /// Its owner and name, as the forge knows it.
    pub(crate) full_name: String,
}

/// Users' templates; our own where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Templates {
    /// For the title.
    pub(crate) title: Option<Template>,
    /// For the body.
    pub(crate) body: Option<Template>,
    /// For the commit message, to which trailers are added.
    pub(crate) commit: Option<Template>,
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
        match error.downcast::<GitError>() {
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

/// Called before and after each step outside, with its name. What it answers with an error ends the
/// run there: this is where tests break it.
type Watch<'w> = dyn FnMut(Moment, &'static str) -> Result<(), Stop> + 'w;

/// When a step is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

/// Proposes what each config wants, one after the other. What fails for one does not keep the others
/// from being proposed.
///
/// # Errors
/// The remote or the package cannot be read. What fails for one config is in its report.
pub(crate) async fn run(
    request: &Request,
    forge: Option<&dyn Forge>,
) -> anyhow::Result<Vec<Report>> {
    run_watched(request, forge, &mut |_, _| Ok(())).await
}

async fn run_watched(
    request: &Request,
    forge: Option<&dyn Forge>,
    watch: &mut Watch<'_>,
) -> anyhow::Result<Vec<Report>> {
    let mut looker = Looker::new(request, forge, watch)?;
    let world = match looker.look(None).await {
        Ok(world) => world,
        Err(Stop::LookAgain(_)) => looker.look(None).await.map_err(Stop::into_error)?,
        Err(Stop::Failed(error)) => return Err(error),
    };
    looker.propose_all(world).await
}

impl Stop {
    fn into_error(self) -> anyhow::Error {
        match self {
            Self::LookAgain(error) | Self::Failed(error) => error,
        }
    }
}
