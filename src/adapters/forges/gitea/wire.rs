//! Gitea's answers, as far as they are read here.

use serde::Deserialize;

use crate::adapters::forges::draft_title::unmarked;
use crate::core::proposal::{Fate, Head, PullRequest};

/// A pull request, as far as it is read here. Lists may be missing where they are empty.
#[derive(Debug, Deserialize)]
pub(super) struct PullRequestAnswer {
    pub(super) number: u64,
    state: String,
    #[serde(default)]
    merged: bool,
    html_url: String,
    title: String,
    body: Option<String>,
    labels: Option<Vec<Label>>,
    assignees: Option<Vec<User>>,
    requested_reviewers: Option<Vec<User>>,
    requested_reviewers_teams: Option<Vec<Team>>,
    head: Branch,
    base: Branch,
}

#[derive(Debug, Deserialize)]
pub(super) struct Label {
    pub(super) id: u64,
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Team {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Branch {
    /// Its name. `ref` is that too, but `refs/pull/NUMBER/head` once the branch was removed.
    #[serde(rename = "label")]
    name: String,
    /// None when it is gone.
    repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: String,
}

/// `TimelineComment`: what has happened to a pull request.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) user: Option<User>,
    assignee: Option<User>,
    assignee_team: Option<Team>,
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
        match (self.merged, self.state.as_str()) {
            (true, _) => Fate::Merged,
            (false, "closed") => Fate::Closed,
            (false, _) => Fate::Open,
        }
    }

    /// In our words. Teams belong to the owner of the repository.
    pub(super) fn into_pull_request(self, owner: &str) -> PullRequest {
        let teams = self.requested_reviewers_teams.unwrap_or_default();
        let mut reviewers = logins(self.requested_reviewers);
        reviewers.extend(teams.iter().map(|team| team.name(owner)));
        let labels = self.labels.unwrap_or_default().into_iter();
        let (title, is_draft) = unmarked(&self.title);
        PullRequest {
            number: self.number,
            url: self.html_url,
            title: title.to_owned(),
            body: self.body.unwrap_or_default(),
            is_draft,
            labels: labels.map(|label| label.name).collect(),
            assignees: logins(self.assignees),
            reviewers,
            has_auto_merge: false,
        }
    }
}

impl Team {
    fn name(&self, owner: &str) -> String {
        format!("{owner}/{}", self.name)
    }
}

impl Event {
    /// Who was asked for a review by it, where it is of that kind.
    pub(super) fn asked(self, owner: &str) -> Option<String> {
        let user = self.assignee.map(|user| user.login);
        user.or_else(|| Some(self.assignee_team?.name(owner)))
    }
}

fn logins(users: Option<Vec<User>>) -> Vec<String> {
    let users = users.unwrap_or_default().into_iter();
    users.map(|user| user.login).collect()
}
