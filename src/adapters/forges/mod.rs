//! Where pull requests live: one file for each forge. Nothing here decides what a pull request
//! should say or whether it is needed; each method is one step that can be done again.

mod api;
mod commit_through_api;
mod connect;
mod draft_title;
mod error;
mod gitea;
mod github;
mod github_app;
mod gitlab;
mod read_through_api;

use futures::future::BoxFuture;

use super::secret::Secret;
use crate::core::proposal::{Head, LastPullRequest, MergeMethod, PullRequest, WantedPullRequest};

pub(crate) use commit_through_api::{BranchCommit, CommitThroughApi, FileChange, WantedCommit};
pub(crate) use connect::{GitHubApp, Settings, connect};
pub(crate) use error::ForgeError;
pub(crate) use read_through_api::{
    CommitDetails, ReadThroughApi, Signature, TreeEntry, WantedBlob,
};

/// What a forge can do with the pull requests of one repository.
pub(crate) trait Forge: Send + Sync {
    /// The repository's own name here: `owner/name`, on GitLab with all groups. A path that the forge
    /// itself is served below is no part of it.
    fn full_name(&self) -> String;

    /// Lists the open pull requests from a branch into `base`; all pages. Whether one of `reviewers`
    /// has reviewed already is looked up only where they are not asked at the moment.
    fn find<'a>(
        &'a self,
        head: &'a Head,
        base: &'a str,
        reviewers: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<PullRequest>, ForgeError>>;

    /// The newest pull request from a branch into `base`, whatever became of it. Labels and reviewers
    /// are as the forge lists them.
    fn last<'a>(
        &'a self,
        head: &'a Head,
        base: &'a str,
    ) -> BoxFuture<'a, Result<Option<LastPullRequest>, ForgeError>>;

    /// Opens a pull request: title, body, branches and draft. The rest has steps of its own.
    fn open<'a>(
        &'a self,
        wanted: &'a WantedPullRequest,
    ) -> BoxFuture<'a, Result<PullRequest, ForgeError>>;

    /// Replaces title and body. A draft stays one.
    fn edit<'a>(
        &'a self,
        pull_request: &'a PullRequest,
        title: &'a str,
        body: &'a str,
    ) -> BoxFuture<'a, Result<(), ForgeError>>;

    /// Adds labels; others stay.
    fn add_labels<'a>(
        &'a self,
        number: u64,
        labels: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>>;

    /// Asks for reviews; others who were asked stay so.
    fn request_reviewers<'a>(
        &'a self,
        number: u64,
        reviewers: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>>;

    /// Adds assignees; others stay.
    fn add_assignees<'a>(
        &'a self,
        number: u64,
        assignees: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>>;

    /// Makes it merge by itself when its checks pass.
    fn enable_auto_merge(
        &self,
        number: u64,
        method: MergeMethod,
    ) -> BoxFuture<'_, Result<(), ForgeError>>;

    /// Says something under it.
    fn comment<'a>(&'a self, number: u64, text: &'a str) -> BoxFuture<'a, Result<(), ForgeError>>;

    /// Closes it without merging.
    fn close(&self, number: u64) -> BoxFuture<'_, Result<(), ForgeError>>;

    /// What git may push with to an HTTP remote of this repository; `None` without a token. It is
    /// asked for shortly before the push, because some tokens live for an hour only.
    fn push_credential(&self) -> BoxFuture<'_, Result<Option<PushCredential>, ForgeError>>;

    /// Reads and commits without git, where the forge can do that well.
    fn commits(&self) -> Option<&dyn CommitThroughApi> {
        None
    }
}

/// A user and a password for git over HTTP.
#[derive(Clone, Debug)]
pub(crate) struct PushCredential {
    /// The user, as the forge expects it for this kind of token.
    pub(crate) user: String,
    /// The token.
    pub(crate) password: Secret,
}

#[cfg(test)]
#[path = "../../../tests/it/harness/forge/mod.rs"]
#[expect(dead_code, reason = "each binary of tests uses its part")]
mod fake;
#[cfg(test)]
mod tests;
