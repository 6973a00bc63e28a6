//! `modelsync pr` with a token that may not do all of it: the sentence names what the token lacks, and
//! a run with a better one completes what is missing.

use serde_json::json;

use crate::harness::forge::server::{Answer, Call, Fault, Moment};
use crate::harness::git_project::{Project, TOKEN, config_map};
use crate::harness::git_server::GitServer;
use crate::pr_forges::{Forge, Kind, Seen, run};

const BRANCH: &str = "modelsync/bot";
const FLAGS: [&str; 4] = [
    "--label=models",
    "--reviewer=alice",
    "--assignee=bob",
    "--auto-merge=squash",
];

/// What a forge is asked for, in the order in which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    List,
    Open,
    Label,
    Assign,
    AskReviewers,
    AutoMerge,
}

const STEPS: [Step; 6] = [
    Step::List,
    Step::Open,
    Step::Label,
    Step::Assign,
    Step::AskReviewers,
    Step::AutoMerge,
];

impl Step {
    /// Whether a call is that step, on whichever forge.
    fn is_made_by(self, call: &Call) -> bool {
        let last = call.path.last().map_or("", String::as_str);
        let sends = |field: &str| call.body.get(field).is_some();
        match (self, call.method.as_str()) {
            (Self::List, "GET") => matches!(last, "pulls" | "merge_requests"),
            (Self::Open, "POST") => matches!(last, "pulls" | "merge_requests"),
            (Self::Label, "POST") => last == "labels",
            (Self::Label, "PUT") => sends("add_labels"),
            (Self::Assign, "POST") => last == "assignees",
            (Self::Assign, "PATCH") => sends("assignees"),
            (Self::Assign, "PUT") => sends("assignee_ids"),
            (Self::AskReviewers, "POST") => last == "requested_reviewers",
            (Self::AskReviewers, "PUT") => sends("reviewer_ids"),
            (Self::AutoMerge, _) => matches!(last, "graphql" | "merge"),
            _ => false,
        }
    }
}

/// A refusal at a step, and what the sentence says of it.
type Refusal = fn(Step) -> (Answer, String);

/// A run that is refused at a step, and then one that is not.
fn refused_at(kind: Kind, step: Step, refusal: Refusal) {
    let project = Project::new();
    let path = project.repository.path().with_extension("");
    let forge = Forge::start(kind, &project, path.to_str().unwrap().trim_matches('/'));
    let url = project.url();
    let (answer, words) = refusal(step);
    forge.hook(move |_, call, moment| {
        if moment == Moment::Before && step.is_made_by(call) {
            Fault::Answer(answer.clone())
        } else {
            Fault::None
        }
    });
    let refused = run(kind, &project, &forge, &url, &FLAGS).run();
    let context = format!("{kind:?}, {step:?}: {}", refused.stderr);
    assert_eq!(refused.code, 1, "{context}");
    // Before the one sentence is what was done.
    let (error, done) = {
        let mut lines: Vec<&str> = refused.stderr.lines().collect();
        (lines.pop().unwrap(), lines)
    };
    assert!(done.iter().all(|it| it.starts_with("bot: ")), "{context}");
    assert!(error.starts_with("error: bot: cannot "), "{context}");
    assert!(error.contains(&words), "not {words:?}: {context}");
    let is_opened = !matches!(step, Step::List | Step::Open);
    assert_eq!(forge.seen().len(), usize::from(is_opened), "{context}");
    forge.no_faults();
    run(kind, &project, &forge, &url, &FLAGS).json();
    assert_complete(&project, &forge, &context);
    forge.no_faults();
    run(kind, &project, &forge, &url, &FLAGS).json();
    assert_eq!(forge.writes(), 0, "{context}");
}

/// One branch, and one pull request with all that was asked for.
fn assert_complete(project: &Project, forge: &Forge, context: &str) {
    assert_eq!(project.repository.branches(), ["main", BRANCH], "{context}");
    assert_eq!(project.map(BRANCH), config_map("m2"), "{context}");
    let seen = forge.seen();
    let wanted = Seen {
        is_open: true,
        is_draft: false,
        title: "bot: update the model to m2".to_owned(),
        body: seen[0].body.clone(),
        labels: vec!["models".to_owned()],
        reviewers: vec!["alice".to_owned()],
        assignees: vec!["bob".to_owned()],
        has_auto_merge: true,
    };
    assert_eq!(seen, [wanted], "{context}");
}

/// <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api>
fn github_without_permission(step: Step, words: &str) -> (Answer, String) {
    if step == Step::AutoMerge {
        // Refusals of GraphQL have the status of success.
        let error = json!({
            "type": "FORBIDDEN", "path": ["enablePullRequestAutoMerge"], "message": words,
            "extensions": {"saml_failure": false}, "locations": [{"line": 2, "column": 3}],
        });
        let body = json!({"data": {"enablePullRequestAutoMerge": null}, "errors": [error]});
        let needed = "needs the permissions contents=write and pull_requests=write";
        return (Answer::json(200, &body), needed.to_owned());
    }
    let (accepted, said) = match step {
        Step::List => ("pull_requests=read", "pull_requests=read"),
        Step::Label | Step::Assign => (
            "issues=write; pull_requests=write",
            "issues=write, or pull_requests=write",
        ),
        _ => ("pull_requests=write", "pull_requests=write"),
    };
    let body = json!({
        "message": words, "status": "403", "documentation_url": "https://docs.github.com/rest",
    });
    let answer = Answer::json(403, &body).header("x-accepted-github-permissions", accepted);
    (answer, format!("lacks the permission {said}"))
}

#[test]
fn github_with_a_fine_grained_token() {
    for step in STEPS {
        refused_at(Kind::GitHub, step, |step| {
            github_without_permission(step, "Resource not accessible by personal access token")
        });
    }
}

#[test]
fn github_as_an_app() {
    for step in STEPS {
        refused_at(Kind::GitHubApp, step, |step| {
            github_without_permission(step, "Resource not accessible by integration")
        });
    }
}

#[test]
fn github_with_a_classic_token() {
    for step in [Step::List, Step::Open] {
        refused_at(Kind::GitHub, step, |_| {
            let answer = Answer::refusal(404, "Not Found")
                .header("x-oauth-scopes", "gist, read:org")
                .header("x-accepted-oauth-scopes", "repo");
            let words = "GITHUB_TOKEN has only gist, read:org and needs the scope repo";
            (answer, words.to_owned())
        });
    }
}

#[test]
fn github_with_a_workflows_token() {
    refused_at(Kind::GitHub, Step::Open, |_| {
        let body = json!({
            "message": "GitHub Actions is not permitted to create or approve pull requests.",
            "documentation_url": "https://docs.github.com/rest/pulls/pulls#create-a-pull-request",
            "status": "403",
        });
        let words = "switch on \"Allow GitHub Actions to create and approve pull requests\"";
        (Answer::json(403, &body), words.to_owned())
    });
}

#[test]
fn gitlab_without_the_scope() {
    for step in STEPS {
        refused_at(Kind::GitLab, step, |step| {
            // What its OAuth library answers for a token without any of the scopes.
            let scopes = if step == Step::List {
                "api read_api"
            } else {
                "api"
            };
            let body = json!({
                "error": "insufficient_scope", "scope": scopes,
                "error_description": "The request requires higher privileges than provided by the access token.",
            });
            let words = "GITLAB_TOKEN needs the scope api";
            (Answer::json(403, &body), words.to_owned())
        });
    }
}

#[test]
fn gitlab_without_the_role() {
    for step in [Step::Open, Step::Label] {
        refused_at(Kind::GitLab, step, |_| {
            let words = "GITLAB_TOKEN needs the scope api and the role Developer in the project";
            (Answer::refusal(403, "403 Forbidden"), words.to_owned())
        });
    }
}

/// The scope of Gitea's that a step needs.
fn gitea_scope(step: Step) -> &'static str {
    match step {
        Step::List => "read:repository",
        Step::Label => "write:issue",
        _ => "write:repository",
    }
}

#[test]
fn gitea_without_the_scope() {
    for step in STEPS {
        refused_at(Kind::Gitea, step, |step| {
            let scope = gitea_scope(step);
            let message =
                format!("token does not have at least one of required scope(s): [{scope}]");
            let body = json!({"message": message, "url": "https://gitea.com/api/swagger"});
            let words = format!("GITEA_TOKEN lacks the scope {scope}");
            (Answer::json(403, &body), words)
        });
    }
}

#[test]
fn gitea_without_the_right() {
    for step in [Step::Open, Step::AutoMerge] {
        refused_at(Kind::Gitea, step, |_| {
            let message = "user should have a permission to write to the target branch";
            let words = "needs the scopes write:repository and write:issue, and its user the right";
            (Answer::refusal(403, message), words.to_owned())
        });
    }
}

/// Where a repository has no such label, those of its organisation are looked at.
#[test]
fn gitea_without_the_scope_for_an_organisations_labels() {
    let project = Project::new();
    let forge = Forge::start(Kind::Gitea, &project, "");
    let url = project.url();
    forge.hook(|_, call, moment| {
        let is_shared = call.path.iter().any(|segment| segment == "orgs");
        if moment == Moment::Before && is_shared {
            let words = "token does not have at least one of required scope(s), required=[read:organization], token scope=write:issue,write:repository";
            Fault::Answer(Answer::refusal(403, words))
        } else {
            Fault::None
        }
    });
    let refused = run(Kind::Gitea, &project, &forge, &url, &FLAGS).run();
    assert_eq!(refused.code, 1);
    let error = refused.stderr.lines().last().unwrap();
    assert!(
        error.ends_with("; GITEA_TOKEN lacks the scope read:organization"),
        "{error}"
    );
    forge.no_faults();
    run(Kind::Gitea, &project, &forge, &url, &FLAGS).json();
    assert_complete(&project, &forge, error);
}

/// A token that may read, and open pull requests, but not push.
#[test]
fn the_push_is_refused() {
    for (kind, user, words) in [
        // Each in the words of its forge, which git hands on as the server's.
        (
            Kind::GitHub,
            "x-access-token",
            "Permission to team/models.git denied to octocat.",
        ),
        (
            Kind::GitHub,
            "x-access-token",
            "Write access to repository not granted.",
        ),
        (
            Kind::GitLab,
            "oauth2",
            "You are not allowed to push code to this project.",
        ),
        (Kind::Gitea, "oauth2", "User permission denied for writing."),
    ] {
        let project = Project::new();
        let Some(server) = GitServer::http(&project.repositories(), TOKEN) else {
            return;
        };
        server.set_user(user, TOKEN);
        let forge = Forge::start(kind, &project, "git/team/models");
        let url = server.url("team/models.git");
        server.set_fault(&format!(
            "case \"$PATH_INFO?$QUERY_STRING\" in *git-receive-pack*) printf 'Status: 403 Forbidden\\r\\nContent-Type: text/plain; charset=UTF-8\\r\\n\\r\\n{words}\\n'; exit;; esac"
        ));
        let refused = run(kind, &project, &forge, &url, &FLAGS).run();
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        let wanted = format!(
            "error: bot: cannot push the branch {BRANCH} to {url}: the credentials are valid but do \
             not allow it (the server says: {words}); give the token write access to the \
             repository's contents\n"
        );
        assert_eq!(refused.stderr, wanted);
        assert_eq!(project.repository.branches(), ["main"]);
        assert_eq!(forge.seen(), []);
        server.set_fault("");
        run(kind, &project, &forge, &url, &FLAGS).json();
        assert_complete(&project, &forge, &wanted);
        assert_eq!(server.pushes(), 1);
    }
}
