//! How GitHub writes things down: every field that its description requires.

use serde_json::{Value, json};

use super::{GitHub, Pull};

pub(super) const API: &str = "https://api.github.com";
const TIME: &str = "2020-07-24T10:00:00Z";

pub(super) fn user(login: &str) -> Value {
    let url = format!("{API}/users/{login}");
    let below = |path: &str| format!("{url}/{path}");
    json!({
        "login": login, "id": 1, "node_id": "U_1", "gravatar_id": "", "url": url,
        "avatar_url": "https://avatars.githubusercontent.com/u/1", "type": "User",
        "html_url": format!("https://github.com/{login}"), "site_admin": false,
        "followers_url": below("followers"), "following_url": below("following{/other_user}"),
        "gists_url": below("gists{/gist_id}"), "starred_url": below("starred{/owner}{/repo}"),
        "subscriptions_url": below("subscriptions"), "organizations_url": below("orgs"),
        "repos_url": below("repos"), "events_url": below("events{/privacy}"),
        "received_events_url": below("received_events"),
    })
}

/// Adds fields; one `json!` of all is too long for the compiler.
fn extend(document: &mut Value, more: Value) {
    if let (Value::Object(document), Value::Object(more)) = (document, more) {
        document.extend(more);
    }
}

fn team(slug: &str) -> Value {
    json!({
        "id": 1, "node_id": "T_1", "name": slug, "slug": slug, "description": null,
        "permission": "pull", "url": format!("{API}/teams/1"), "type": "organization",
        "html_url": format!("https://github.com/orgs/team/teams/{slug}"), "parent": null,
        "members_url": format!("{API}/teams/1/members{{/member}}"),
        "repositories_url": format!("{API}/teams/1/repos"),
    })
}

impl GitHub {
    /// A `full-repository`, which is also a `repository`.
    pub(super) fn repository_document(&self, full_name: &str) -> Value {
        let (owner, name) = full_name.split_once('/').unwrap();
        let url = format!("{API}/repos/{full_name}");
        let mut document = json!({
            "id": 1, "node_id": format!("R_{full_name}"), "name": name, "full_name": full_name,
            "owner": user(owner), "private": false, "description": null, "url": url,
            "html_url": format!("https://github.com/{full_name}"),
            "fork": full_name != self.full_name(),
            "git_url": format!("git://github.com/{full_name}.git"),
            "ssh_url": format!("git@github.com:{full_name}.git"),
            "clone_url": format!("https://github.com/{full_name}.git"),
            "svn_url": format!("https://github.com/{full_name}"),
            "mirror_url": null, "homepage": null, "language": null, "license": null,
            "forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers_count": 0, "size": 0,
            "default_branch": "main", "open_issues_count": 0, "open_issues": 0, "watchers": 0,
            "has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false,
            "has_downloads": false, "has_discussions": false, "archived": self.is_archived,
            "disabled": false, "pushed_at": TIME, "created_at": TIME, "updated_at": TIME,
            "subscribers_count": 0, "network_count": 0,
        });
        for name in [
            "archive",
            "assignees",
            "blobs",
            "branches",
            "collaborators",
            "comments",
            "commits",
            "compare",
            "contents",
            "contributors",
            "deployments",
            "downloads",
            "events",
            "forks",
            "git_commits",
            "git_refs",
            "git_tags",
            "hooks",
            "issue_comment",
            "issue_events",
            "issues",
            "keys",
            "labels",
            "languages",
            "merges",
            "milestones",
            "notifications",
            "pulls",
            "releases",
            "stargazers",
            "statuses",
            "subscribers",
            "subscription",
            "tags",
            "teams",
            "trees",
        ] {
            document[format!("{name}_url")] = json!(format!("{url}/{name}"));
        }
        document
    }

    fn branch_document(&self, full_name: &str, branch: &str) -> Value {
        let owner = full_name.split('/').next().unwrap();
        let repository = self.repository_of(full_name);
        let sha = repository.and_then(|repository| repository.branch(branch));
        json!({
            "label": format!("{owner}:{branch}"), "ref": branch, "sha": sha.unwrap_or_default(),
            "user": user(owner), "repo": self.repository_document(full_name),
        })
    }

    /// A `pull-request`, which is also a `pull-request-simple`.
    pub(super) fn pull_document(&self, pull: &Pull) -> Value {
        let url = format!("{API}/repos/{}/pulls/{}", self.full_name(), pull.number);
        let issue = format!("{API}/repos/{}/issues/{}", self.full_name(), pull.number);
        let page = format!(
            "https://github.com/{}/pull/{}",
            self.full_name(),
            pull.number
        );
        let statuses = format!("{API}/repos/{}/statuses/x", self.full_name());
        let link = |href: String| json!({"href": href});
        let closed_at = (!pull.is_open).then_some(TIME);
        let mut document = json!({
            "url": url, "id": pull.number, "node_id": format!("PR_{}", pull.number),
            "html_url": page, "diff_url": format!("{page}.diff"),
            "patch_url": format!("{page}.patch"), "issue_url": issue,
            "commits_url": format!("{url}/commits"),
            "review_comments_url": format!("{url}/comments"),
            "review_comment_url": format!("{API}/repos/{}/pulls/comments{{/number}}", self.full_name()),
            "comments_url": format!("{issue}/comments"), "statuses_url": statuses,
            "number": pull.number, "state": if pull.is_open { "open" } else { "closed" },
            "locked": false, "title": pull.title, "user": user("octocat"),
            // GitHub keeps an empty body as none.
            "body": (!pull.body.is_empty()).then_some(&pull.body),
            "labels": pull.labels.iter().map(|label| self.label_document(label)).collect::<Vec<_>>(),
            "milestone": null, "created_at": TIME, "updated_at": TIME, "closed_at": closed_at,
            "merged_at": pull.is_merged.then_some(TIME), "merge_commit_sha": null, "assignee": null,
            "assignees": pull.assignees.iter().map(|login| user(login)).collect::<Vec<_>>(),
            "requested_reviewers": pull.asked_users.iter().map(|login| user(login)).collect::<Vec<_>>(),
            "requested_teams": pull.asked_teams.iter().map(|slug| team(slug)).collect::<Vec<_>>(),
            "head": self.branch_document(&pull.head_repository, &pull.head),
            "base": self.branch_document(&self.full_name(), &pull.base),
            "_links": {
                "comments": link(format!("{issue}/comments")),
                "commits": link(format!("{url}/commits")), "statuses": link(statuses.clone()),
                "html": link(page.clone()), "issue": link(issue.clone()),
                "review_comments": link(format!("{url}/comments")),
                "review_comment": link(format!("{url}/comments{{/number}}")),
                "self": link(url.clone()),
            },
            "author_association": "NONE", "draft": pull.is_draft,
            "auto_merge": pull.auto_merge.as_ref().map(|method| json!({
                "enabled_by": user("octocat"), "merge_method": method, "commit_title": "",
                "commit_message": "",
            })),
        });
        let outcome = json!({
            "merged": false, "mergeable": true, "mergeable_state": "clean", "merged_by": null,
            "comments": pull.comments.len(), "review_comments": 0, "maintainer_can_modify": false,
            "commits": 1, "additions": 1, "deletions": 1, "changed_files": 1,
        });
        extend(&mut document, outcome);
        document
    }

    pub(super) fn label_document(&self, name: &str) -> Value {
        json!({
            "id": 1, "node_id": "LA_1", "name": name, "description": "", "color": "ededed",
            "default": false, "url": format!("{API}/repos/{}/labels/{name}", self.full_name()),
        })
    }

    pub(super) fn issue_document(&self, pull: &Pull) -> Value {
        let url = format!("{API}/repos/{}/issues/{}", self.full_name(), pull.number);
        json!({
            "id": pull.number, "node_id": format!("PR_{}", pull.number), "url": url,
            "repository_url": format!("{API}/repos/{}", self.full_name()),
            "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"), "events_url": format!("{url}/events"),
            "html_url": format!("https://github.com/{}/pull/{}", self.full_name(), pull.number),
            "number": pull.number, "state": "open", "title": pull.title, "user": user("octocat"),
            "labels": [], "assignee": null, "milestone": null, "locked": false, "comments": 0,
            "assignees": pull.assignees.iter().map(|login| user(login)).collect::<Vec<_>>(),
            "closed_at": null, "created_at": TIME, "updated_at": TIME,
        })
    }

    pub(super) fn comment_document(&self, pull: &Pull) -> Value {
        let issue = format!("{API}/repos/{}/issues/{}", self.full_name(), pull.number);
        json!({
            "id": 1, "node_id": "IC_1", "url": format!("{issue}/comments/1"),
            "html_url": format!("https://github.com/{}/pull/{}#1", self.full_name(), pull.number),
            "user": user("octocat"), "created_at": TIME, "updated_at": TIME, "issue_url": issue,
            "body": pull.comments.last(),
        })
    }

    pub(super) fn review_document(&self, pull: &Pull, login: &str) -> Value {
        let page = format!(
            "https://github.com/{}/pull/{}#1",
            self.full_name(),
            pull.number
        );
        let url = format!("{API}/repos/{}/pulls/{}", self.full_name(), pull.number);
        json!({
            "id": 1, "node_id": "PRR_1", "user": user(login), "body": "", "state": "APPROVED",
            "html_url": page, "pull_request_url": url, "commit_id": null,
            "_links": {"html": {"href": page}, "pull_request": {"href": url}},
            "author_association": "MEMBER", "submitted_at": TIME,
        })
    }

    /// An `issue-event`: somebody was asked for a review.
    pub(super) fn asked_event(&self, login: Option<&str>, slug: Option<&str>) -> Value {
        let mut event = json!({
            "id": 1, "node_id": "RRE_1", "actor": user("octocat"), "event": "review_requested",
            "url": format!("{API}/repos/{}/issues/events/1", self.full_name()),
            "commit_id": null, "commit_url": null, "created_at": TIME,
            "review_requester": user("octocat"), "performed_via_github_app": null,
        });
        if let Some(login) = login {
            event["requested_reviewer"] = user(login);
        }
        if let Some(slug) = slug {
            event["requested_team"] = team(slug);
        }
        event
    }

    pub(super) fn installation_document(&self) -> Value {
        json!({
            "id": 42, "account": user(&self.owner), "repository_selection": "selected",
            "access_tokens_url": format!("{API}/app/installations/42/access_tokens"),
            "repositories_url": format!("{API}/installation/repositories"),
            "html_url": "https://github.com/settings/installations/42", "app_id": 1,
            "target_id": 1, "target_type": "Organization",
            "permissions": {"contents": "write", "pull_requests": "write"}, "events": [],
            "created_at": TIME, "updated_at": TIME, "single_file_name": null,
            "app_slug": "modelsync", "suspended_by": null, "suspended_at": null,
        })
    }
}
