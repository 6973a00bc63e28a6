//! Where pull requests live: one file for each forge. Nothing here decides what a pull request
//! should say or whether it is needed; each method is one step that can be done again.

use futures::future::BoxFuture;

use crate::core::proposal::{Head, MergeMethod, PullRequest, WantedPullRequest};

/// What a forge can do with pull requests.
pub(crate) trait Forge: Send + Sync {
    /// Lists the open pull requests from a branch into `base`; all pages.
    fn find<'a>(
        &'a self,
        head: &'a Head,
        base: &'a str,
    ) -> BoxFuture<'a, Result<Vec<PullRequest>, ForgeError>>;

    /// Opens a pull request: title, body, branches and draft. The rest has steps of its own.
    fn open<'a>(
        &'a self,
        wanted: &'a WantedPullRequest,
    ) -> BoxFuture<'a, Result<PullRequest, ForgeError>>;

    /// Replaces title and body.
    fn edit<'a>(
        &'a self,
        number: u64,
        title: &'a str,
        body: &'a str,
    ) -> BoxFuture<'a, Result<(), ForgeError>>;

    /// Adds labels; others stay.
    fn add_labels<'a>(
        &'a self,
        number: u64,
        labels: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>>;

    /// Asks for reviews.
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
}

/// What a forge did not do, and what to do about it, in words for the user.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ForgeError {
    /// One sentence: what was being done, to what, what went wrong and what to do next.
    pub(crate) message: String,
    /// Whether it may have been done all the same, so that only another look can tell.
    pub(crate) is_uncertain: bool,
    /// Whether a pull request for the same branches is there already.
    pub(crate) is_duplicate: bool,
}
