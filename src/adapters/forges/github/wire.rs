//! GitHub's answers, as far as they are read here.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Deserialize;

use crate::adapters::forges::{BranchCommit, CommitDetails, Signature, TreeEntry};
use crate::core::proposal::{Fate, Head, PullRequest};

/// `pull-request` and `pull-request-simple` of GitHub's description.
#[derive(Debug, Deserialize)]
pub(super) struct PullRequestAnswer {
    pub(super) node_id: String,
    number: u64,
    state: String,
    merged_at: Option<serde::de::IgnoredAny>,
    html_url: String,
    title: String,
    body: Option<String>,
    #[serde(default)]
    draft: bool,
    labels: Vec<Label>,
    assignees: Option<Vec<User>>,
    requested_reviewers: Option<Vec<User>>,
    requested_teams: Option<Vec<Team>>,
    auto_merge: Option<serde::de::IgnoredAny>,
    head: BranchAnswer,
    base: BranchAnswer,
}

#[derive(Debug, Deserialize)]
struct Label {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
}

#[derive(Debug, Deserialize)]
struct Team {
    slug: String,
}

#[derive(Debug, Deserialize)]
struct BranchAnswer {
    #[serde(rename = "ref")]
    name: String,
    /// None when it is gone.
    repo: Option<RepositoryName>,
}

#[derive(Debug, Deserialize)]
struct RepositoryName {
    full_name: String,
}

impl PullRequestAnswer {
    /// Whether it is from this branch into `base`.
    pub(super) fn is_of(&self, head: &Head, base: &str) -> bool {
        let names = self.head.repo.as_ref().zip(self.base.repo.as_ref());
        let is_from_there =
            names.is_some_and(|(from, into)| head.is_in(&from.full_name, &into.full_name));
        is_from_there && self.base.name == base && self.head.name == head.branch
    }

    /// What became of it.
    pub(super) fn fate(&self) -> Fate {
        match (self.merged_at.is_some(), self.state.as_str()) {
            (true, _) => Fate::Merged,
            (false, "closed") => Fate::Closed,
            (false, _) => Fate::Open,
        }
    }

    /// In our words. Teams belong to the owner of the repository.
    pub(super) fn into_pull_request(self, owner: &str) -> PullRequest {
        let teams = self.requested_teams.unwrap_or_default();
        let mut reviewers = logins(self.requested_reviewers);
        reviewers.extend(teams.iter().map(|team| team.name(owner)));
        PullRequest {
            number: self.number,
            url: self.html_url,
            title: self.title,
            body: self.body.unwrap_or_default(),
            is_draft: self.draft,
            labels: self
                .labels
                .into_iter()
                .filter_map(|label| label.name)
                .collect(),
            assignees: logins(self.assignees),
            reviewers,
            has_auto_merge: self.auto_merge.is_some(),
        }
    }
}

impl Team {
    fn name(&self, owner: &str) -> String {
        format!("{owner}/{}", self.slug)
    }
}

/// `issue`, for who it is assigned to.
#[derive(Debug, Deserialize)]
pub(super) struct Assigned {
    assignees: Option<Vec<User>>,
}

impl Assigned {
    pub(super) fn logins(self) -> Vec<String> {
        logins(self.assignees)
    }
}

fn logins(users: Option<Vec<User>>) -> Vec<String> {
    let users = users.unwrap_or_default().into_iter();
    users.map(|user| user.login).collect()
}

/// `pull-request-review`.
#[derive(Debug, Deserialize)]
pub(super) struct Review {
    /// None when the account is gone.
    pub(super) user: Option<User>,
}

/// `issue-event`.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    event: String,
    requested_reviewer: Option<User>,
    requested_team: Option<Team>,
}

impl Event {
    /// Who was asked for a review by it.
    pub(super) fn asked(self, owner: &str) -> Option<String> {
        if self.event != "review_requested" {
            return None;
        }
        let user = self.requested_reviewer.map(|user| user.login);
        user.or_else(|| Some(self.requested_team?.name(owner)))
    }
}

/// `full-repository`.
#[derive(Debug, Deserialize)]
pub(super) struct RepositoryAnswer {
    pub(super) node_id: String,
    pub(super) default_branch: String,
}

/// `branch-with-protection`.
#[derive(Debug, Deserialize)]
pub(super) struct BranchDetails {
    pub(super) name: String,
    pub(super) commit: CommitAnswer,
}

/// `commit`.
#[derive(Debug, Deserialize)]
pub(super) struct CommitAnswer {
    sha: String,
    parents: Vec<Sha>,
    commit: CommitText,
}

/// `git-commit`: the same with what it says at the top.
#[derive(Debug, Deserialize)]
pub(super) struct GitCommit {
    sha: String,
    parents: Vec<Sha>,
    #[serde(flatten)]
    commit: CommitText,
}

/// What a commit says.
#[derive(Debug, Deserialize)]
struct CommitText {
    author: Option<GitUser>,
    committer: Option<GitUser>,
    message: String,
    tree: Sha,
}

/// `git-user`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GitUser {
    name: String,
    email: String,
    date: Option<Timestamp>,
}

/// Of an object, its id.
#[derive(Debug, Deserialize)]
pub(super) struct Sha {
    pub(super) sha: String,
}

impl From<CommitAnswer> for CommitDetails {
    fn from(answer: CommitAnswer) -> Self {
        answer.commit.details(answer.sha, answer.parents)
    }
}

impl From<GitCommit> for CommitDetails {
    fn from(answer: GitCommit) -> Self {
        answer.commit.details(answer.sha, answer.parents)
    }
}

impl CommitText {
    fn details(self, id: String, parents: Vec<Sha>) -> CommitDetails {
        let signature = |user: Option<GitUser>| {
            let user = user.unwrap_or_default();
            Signature {
                name: user.name,
                email: user.email,
                time: user.date,
            }
        };
        CommitDetails {
            id,
            tree_id: self.tree.sha,
            parent_ids: parents.into_iter().map(|parent| parent.sha).collect(),
            author: signature(self.author),
            committer: signature(self.committer),
            message: self.message,
        }
    }
}

/// `git-ref`.
#[derive(Debug, Deserialize)]
pub(super) struct GitRef {
    /// The whole name, with `refs/heads/`.
    #[serde(rename = "ref")]
    pub(super) name: String,
    pub(super) object: Sha,
}

/// `commit-comparison`.
#[derive(Debug, Deserialize)]
pub(super) struct Comparison {
    /// What the second commit is to the first.
    pub(super) status: String,
}

/// `git-tree`.
#[derive(Debug, Deserialize)]
pub(super) struct TreeAnswer {
    pub(super) tree: Vec<TreeEntryAnswer>,
    pub(super) truncated: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeEntryAnswer {
    path: String,
    mode: String,
    sha: String,
    #[serde(default)]
    size: u64,
}

impl From<TreeEntryAnswer> for TreeEntry {
    fn from(answer: TreeEntryAnswer) -> Self {
        Self {
            path: answer.path.into_bytes(),
            // What is no number is no mode either, as 0 is not.
            mode: u32::from_str_radix(&answer.mode, 8).unwrap_or_default(),
            id: answer.sha,
            size: answer.size,
        }
    }
}

/// A `TreeEntry` of GraphQL.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TreeEntryNode {
    /// In Base64.
    name_raw: String,
    mode: u32,
    oid: String,
    size: u64,
}

impl From<TreeEntryNode> for TreeEntry {
    fn from(node: TreeEntryNode) -> Self {
        Self {
            path: BASE64_STANDARD.decode(node.name_raw).unwrap_or_default(),
            mode: node.mode,
            id: node.oid,
            size: node.size,
        }
    }
}

/// `blob`.
#[derive(Debug, Deserialize)]
pub(super) struct BlobAnswer {
    pub(super) content: String,
    pub(super) encoding: String,
}

/// A commit as GraphQL reports it.
#[derive(Debug, Deserialize)]
pub(super) struct CommitNode {
    oid: String,
    tree: Oid,
}

#[derive(Debug, Deserialize)]
struct Oid {
    oid: String,
}

impl From<CommitNode> for BranchCommit {
    fn from(node: CommitNode) -> Self {
        Self {
            id: node.oid,
            tree_id: node.tree.oid,
        }
    }
}
