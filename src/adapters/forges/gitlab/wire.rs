//! GitLab's answers, as far as they are read here.

use serde::Deserialize;

use crate::adapters::forges::draft_title::unmarked;
use crate::core::proposal::{Fate, PullRequest};

/// A merge request, as far as it is read here.
#[derive(Debug, Deserialize)]
pub(super) struct MergeRequest {
    iid: u64,
    state: String,
    web_url: String,
    title: String,
    description: Option<String>,
    #[serde(default)]
    draft: bool,
    labels: Vec<String>,
    pub(super) assignees: Option<Vec<User>>,
    pub(super) reviewers: Option<Vec<User>>,
    #[serde(default)]
    merge_when_pipeline_succeeds: bool,
    pub(super) source_project_id: Option<u64>,
    pub(super) target_project_id: u64,
    #[serde(default)]
    pub(super) detailed_merge_status: String,
    /// Only where one merge request is asked for.
    pub(super) head_pipeline: Option<serde::de::IgnoredAny>,
    pub(super) sha: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    username: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) id: u64,
}

impl MergeRequest {
    /// Whether GitLab has worked out if it can be merged, and its pipeline is there.
    pub(super) fn is_ready(&self) -> bool {
        let is_checked = !matches!(
            self.detailed_merge_status.as_str(),
            "checking" | "preparing" | "unchecked" | "approvals_syncing"
        );
        is_checked && self.head_pipeline.is_some()
    }

    /// What became of it.
    pub(super) fn fate(&self) -> Fate {
        match self.state.as_str() {
            "closed" => Fate::Closed,
            "merged" => Fate::Merged,
            // `locked` is on its way to being merged.
            _ => Fate::Open,
        }
    }

    /// In our words.
    pub(super) fn into_pull_request(self) -> PullRequest {
        let (title, is_marked) = unmarked(&self.title);
        PullRequest {
            number: self.iid,
            url: self.web_url,
            title: title.to_owned(),
            body: self.description.unwrap_or_default(),
            is_draft: self.draft || is_marked,
            labels: self.labels,
            assignees: usernames(&self.assignees.unwrap_or_default()),
            reviewers: usernames(&self.reviewers.unwrap_or_default()),
            has_auto_merge: self.merge_when_pipeline_succeeds,
        }
    }
}

/// The names that stand after the @.
pub(super) fn usernames(users: &[User]) -> Vec<String> {
    users.iter().map(|user| user.username.clone()).collect()
}
