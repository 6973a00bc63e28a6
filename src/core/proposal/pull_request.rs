//! Pull requests: as a forge reports them, and as they should be.

/// Where the commits of a pull request are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The fork as `owner/name`, or with all groups on GitLab; `None` when the branch is in the
    /// repository itself.
    pub fork: Option<String>,
    /// The branch, without `refs/heads/`.
    pub branch: String,
}

impl Head {
    /// The owner of the fork: a user or an organisation, or a group with its parents.
    pub fn owner(&self) -> Option<&str> {
        let fork = self.fork.as_deref()?;
        Some(fork.rsplit_once('/').map_or(fork, |(owner, _)| owner))
    }

    /// Whether it is in the repository `from` of a pull request into `into`. Both are full names as
    /// the forge gives them, and compared with each other: a repository that was renamed answers
    /// under its new name.
    pub fn is_in(&self, from: &str, into: &str) -> bool {
        match self.owner() {
            None => from == into,
            Some(owner) => {
                let owner_there = from.rsplit_once('/').map_or(from, |(owner, _)| owner);
                from != into && owner_there.eq_ignore_ascii_case(owner)
            }
        }
    }
}

/// A pull request as the forge reports it.
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
    /// Logins of those who were asked to review it, and of those who did; a team of GitHub as
    /// `org/team`.
    pub reviewers: Vec<String>,
    /// Whether it merges by itself when its checks pass.
    pub has_auto_merge: bool,
}

/// The newest pull request from a branch into a base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastPullRequest {
    /// The pull request.
    pub pull_request: PullRequest,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It can still be merged.
    Open,
    /// It was merged.
    Merged,
    /// It was closed without being merged.
    Closed,
}

impl PullRequest {
    /// Whether it says this. Forges keep line ends and the space around a text in their own way.
    pub fn says(&self, title: &str, body: &str) -> bool {
        let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
        plain(&self.title) == plain(title) && plain(&self.body) == plain(body)
    }
}

/// The names of `wanted` that are not among `present`: labels, or logins, both of which forges
/// compare without regard to case.
pub fn not_among(wanted: &[String], present: &[String]) -> Vec<String> {
    let is_present = |name: &str| {
        let name = name.to_lowercase();
        present.iter().any(|present| present.to_lowercase() == name)
    };
    let missing = wanted.iter().filter(|name| !is_present(name));
    missing.cloned().collect()
}

/// Users and teams of a list of reviewers. Teams are `org/team`, of which the second part is given.
pub fn users_and_teams(reviewers: &[String]) -> (Vec<&str>, Vec<&str>) {
    let mut users = Vec::new();
    let mut teams = Vec::new();
    for reviewer in reviewers {
        match reviewer.split_once('/') {
            Some((_, team)) => teams.push(team),
            None => users.push(reviewer.as_str()),
        }
    }
    (users, teams)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_is_owned_by_all_but_its_name() {
        let head = |fork: Option<&str>| Head {
            fork: fork.map(str::to_owned),
            branch: "b".to_owned(),
        };
        assert_eq!(head(Some("bot/models")).owner(), Some("bot"));
        assert_eq!(head(Some("group/sub/models")).owner(), Some("group/sub"));
        assert_eq!(head(None).owner(), None);
    }

    #[test]
    fn tells_its_own_repository_from_others() {
        for (fork, from, into, is_in) in [
            (None, "team/models", "team/models", true),
            // Under its new name.
            (None, "team/new", "team/new", true),
            (None, "bot/models", "team/models", false),
            (Some("bot/models"), "Bot/models", "team/models", true),
            (Some("bot/models"), "bot/renamed", "team/models", true),
            (Some("bot/models"), "other/models", "team/models", false),
            // A fork within one organisation.
            (Some("team/fork"), "team/fork", "team/models", true),
            (Some("team/fork"), "team/models", "team/models", false),
        ] {
            let head = Head {
                fork: fork.map(str::to_owned),
                branch: "b".to_owned(),
            };
            assert_eq!(head.is_in(from, into), is_in, "{fork:?} {from} {into}");
        }
    }

    #[test]
    fn compares_texts_as_forges_keep_them() {
        let pull_request = PullRequest {
            number: 1,
            url: String::new(),
            title: "Update the model ".to_owned(),
            body: "Old\r\nnew\r\n".to_owned(),
            is_draft: false,
            labels: Vec::new(),
            assignees: Vec::new(),
            reviewers: Vec::new(),
            has_auto_merge: false,
        };
        assert!(pull_request.says("Update the model", "Old\nnew\n"));
        assert!(!pull_request.says("Update the model", "Old new"));
        assert!(!pull_request.says("Update a model", "Old\nnew"));
    }

    #[test]
    fn finds_missing_names_whatever_their_case() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            not_among(&names(&["Bot", "alice"]), &names(&["bot", "x"])),
            names(&["alice"])
        );
    }
}
