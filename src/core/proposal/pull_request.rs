//! Pull requests: as a forge reports them, and as they should be.

/// Where the commits of a pull request are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The owner of the fork; `None` when the branch is in the repository itself.
    pub owner: Option<String>,
    /// The branch, without `refs/heads/`.
    pub branch: String,
}

/// An open pull request as the forge reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// The number that people call it by.
    pub number: u64,
    /// The page for people.
    pub url: String,
    /// The title.
    pub title: String,
    /// The body, as it was written; empty when there is none.
    pub body: String,
    /// Whether it is a draft.
    pub is_draft: bool,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Logins of those it is assigned to.
    pub assignees: Vec<String>,
    /// Logins of those who were asked to review it, and of those who did.
    pub reviewers: Vec<String>,
    /// Whether it merges by itself when its checks pass.
    pub has_auto_merge: bool,
}

/// A pull request as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedPullRequest {
    /// The branch it is to be merged into.
    pub base: String,
    /// The branch that holds the commit.
    pub head: Head,
    /// The title.
    pub title: String,
    /// The body, in Markdown.
    pub body: String,
    /// Whether to open it as a draft.
    pub is_draft: bool,
    /// Labels that it must have, beside any others.
    pub labels: Vec<String>,
    /// Logins of those who are asked to review it. On GitHub `org/team` is a team.
    pub reviewers: Vec<String>,
    /// Logins of those it is assigned to.
    pub assignees: Vec<String>,
    /// Whether and how it merges by itself when its checks pass.
    pub auto_merge: Option<MergeMethod>,
}

/// How a pull request is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeMethod {
    /// With a merge commit.
    Merge,
    /// As one commit.
    Squash,
    /// Commit by commit on the base.
    Rebase,
}
