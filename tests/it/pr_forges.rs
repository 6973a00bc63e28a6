//! `modelsync pr` through each forge, from the first proposal to the next model, with the forge's own
//! token for the push; and what every refusal of a forge leads to.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::forge::gitea::Gitea;
use crate::harness::forge::github::{App, GitHub};
use crate::harness::forge::gitlab::GitLab;
use crate::harness::forge::server::{Answer, Call, Fault, Moment, Server};
use crate::harness::git_project::{Pr, Project, TOKEN, catalog, config_map};
use crate::harness::git_server::GitServer;

const BRANCH: &str = "modelsync/bot";

/// Each way to be somebody on a forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    GitHub,
    GitHubApp,
    GitLab,
    Gitea,
}

pub(crate) enum Forge {
    GitHub(Server<GitHub>),
    GitLab(Server<GitLab>),
    Gitea(Server<Gitea>),
}

/// A pull request as every forge has it.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) is_open: bool,
    pub(crate) is_draft: bool,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) labels: Vec<String>,
    pub(crate) reviewers: Vec<String>,
    pub(crate) assignees: Vec<String>,
    pub(crate) has_auto_merge: bool,
}

impl Forge {
    /// `path` is the project's path, as its URL has it.
    pub(crate) fn start(kind: Kind, project: &Project, path: &str) -> Self {
        let git_dir = project.repository.path();
        match kind {
            Kind::GitHub => Self::GitHub(project.github()),
            Kind::GitHubApp => {
                let server = project.github();
                server.state().tokens.clear();
                server.state().app = Some(app());
                Self::GitHub(server)
            }
            Kind::GitLab => {
                let server = GitLab::start(git_dir, TOKEN);
                path.clone_into(&mut server.state().projects[0].0);
                Self::GitLab(server)
            }
            Kind::Gitea => Self::Gitea(Gitea::start(git_dir, TOKEN)),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::GitHub(server) => server.url(),
            Self::GitLab(server) => server.url(),
            Self::Gitea(server) => server.url(),
        }
    }

    pub(crate) fn no_faults(&self) {
        match self {
            Self::GitHub(server) => server.no_faults(),
            Self::GitLab(server) => server.no_faults(),
            Self::Gitea(server) => server.no_faults(),
        }
    }

    /// Writes, without those that only make a token.
    pub(crate) fn writes(&self) -> usize {
        let calls = match self {
            Self::GitHub(server) => server.calls(),
            Self::GitLab(server) => server.calls(),
            Self::Gitea(server) => server.calls(),
        };
        let is_token = |path: &[String]| path.last().is_some_and(|it| it == "access_tokens");
        let writes = calls.iter().filter(|call| call.is_write());
        writes.filter(|call| !is_token(&call.path)).count()
    }

    /// Lets the first call, or the first that opens a pull request, fail once or as often as it comes.
    fn fail(&self, place: Place, is_once: bool, fault: Fault) {
        let mut is_over = false;
        let hook = move |_: usize, call: &Call, moment: Moment| {
            let last = call.path.last().map(String::as_str);
            let is_there = match place {
                Place::First => true,
                Place::Opening => {
                    call.method == "POST" && matches!(last, Some("pulls" | "merge_requests"))
                }
            };
            if is_over || !is_there || moment != Moment::Before {
                return Fault::None;
            }
            is_over = is_once;
            fault.clone()
        };
        self.hook(hook);
    }

    /// Decides what happens to each call from now on.
    pub(crate) fn hook(&self, hook: impl FnMut(usize, &Call, Moment) -> Fault + Send + 'static) {
        match self {
            Self::GitHub(server) => server.hook(hook),
            Self::GitLab(server) => server.hook(hook),
            Self::Gitea(server) => server.hook(hook),
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        match self {
            Self::GitHub(server) => {
                let state = server.state();
                let pulls = state.pulls.iter().map(|pull| Seen {
                    is_open: pull.is_open,
                    is_draft: pull.is_draft,
                    title: pull.title.clone(),
                    body: pull.body.clone(),
                    labels: pull.labels.iter().cloned().collect(),
                    reviewers: pull.asked_users.iter().cloned().collect(),
                    assignees: pull.assignees.iter().cloned().collect(),
                    has_auto_merge: pull.auto_merge.is_some(),
                });
                pulls.collect()
            }
            Self::GitLab(server) => {
                let state = server.state();
                let all = state.merge_requests.iter().map(|it| Seen {
                    is_open: it["state"] == "opened",
                    is_draft: it["draft"] == true,
                    title: it["title"].as_str().unwrap().to_owned(),
                    body: it["description"].as_str().unwrap().to_owned(),
                    labels: names(&it["labels"], None),
                    reviewers: names(&it["reviewers"], Some("username")),
                    assignees: names(&it["assignees"], Some("username")),
                    has_auto_merge: it["merge_when_pipeline_succeeds"] == true,
                });
                all.collect()
            }
            Self::Gitea(server) => {
                let state = server.state();
                let is_merge = |event: &Value| event["type"] == "pull_scheduled_merge";
                let all = state.pulls.iter().zip(&state.events);
                all.map(|(it, events)| Seen {
                    is_open: it["state"] == "open",
                    is_draft: it["title"].as_str().unwrap().starts_with("WIP: "),
                    title: it["title"].as_str().unwrap().to_owned(),
                    body: it["body"].as_str().unwrap().to_owned(),
                    labels: names(&it["labels"], Some("name")),
                    reviewers: names(&it["requested_reviewers"], Some("login")),
                    assignees: names(&it["assignees"], Some("login")),
                    has_auto_merge: events.iter().any(is_merge),
                })
                .collect()
            }
        }
    }
}

fn names(list: &Value, field: Option<&str>) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    let names = items.map(|item| field.map_or(item, |field| &item[field]));
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

fn key_file(name: &str) -> std::path::PathBuf {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/forges");
    testdata.join(name)
}

fn app() -> App {
    let permissions = [("contents", "write"), ("pull_requests", "write")];
    App {
        id: "1234".to_owned(),
        public_key: std::fs::read(key_file("app-key.public.der")).unwrap(),
        permissions: BTreeMap::from(
            permissions.map(|(name, level)| (name.to_owned(), level.to_owned())),
        ),
        is_installed: true,
        clock_offset: 0,
        tokens: 0,
        token_life: 3600,
    }
}

/// A run with a forge and what this kind of it wants.
pub(crate) fn run(kind: Kind, project: &Project, forge: &Forge, url: &str, flags: &[&str]) -> Pr {
    let (name, variable) = match kind {
        Kind::GitHub => ("github", "GITHUB_TOKEN"),
        Kind::GitHubApp => ("github", ""),
        Kind::GitLab => ("gitlab", "GITLAB_TOKEN"),
        Kind::Gitea => ("gitea", "GITEA_TOKEN"),
    };
    let forge_url = forge.url();
    let mut all = vec!["package", "--repo", url, "--forge", name, "--forge-url"];
    all.push(&forge_url);
    all.extend(flags);
    let run = project.pr(&all);
    if variable.is_empty() {
        run.env("GITHUB_APP_ID", "1234")
            .env("GITHUB_APP_PRIVATE_KEY_FILE", key_file("app-key.pkcs1.pem"))
    } else {
        run.env(variable, TOKEN)
    }
}

/// From nothing to the next model, through HTTP and with one credential for everything.
fn proposes_and_follows(kind: Kind) {
    let project = Project::new();
    let Some(server) = GitServer::http(&project.repositories(), TOKEN) else {
        return;
    };
    let forge = Forge::start(kind, &project, "git/team/models");
    let url = server.url("team/models.git");
    // GitLab and Gitea take the user `oauth2`; an app gets a token for each run.
    let run = |flags: &[&str]| {
        match (&forge, kind) {
            (Forge::GitHub(github), Kind::GitHubApp) => {
                let given = github.state().app.as_ref().unwrap().tokens;
                let token = format!("ghs_installation{}", given + 1);
                server.set_user("x-access-token", &token);
            }
            (_, Kind::GitHub) => server.set_user("x-access-token", TOKEN),
            _ => server.set_user("oauth2", TOKEN),
        }
        run(kind, &project, &forge, &url, flags).json()
    };
    let flags = [
        "--label=models",
        "--reviewer=alice",
        "--assignee=bob",
        "--auto-merge=squash",
    ];
    let first = run(&flags);
    assert_eq!(first["outcome"], "created", "{first}");
    let wanted = |model: &str, body: &str| Seen {
        is_open: true,
        is_draft: false,
        title: format!("bot: update the model to {model}"),
        body: body.to_owned(),
        labels: vec!["models".to_owned()],
        reviewers: vec!["alice".to_owned()],
        assignees: vec!["bob".to_owned()],
        has_auto_merge: true,
    };
    let seen = forge.seen();
    assert!(seen[0].body.contains("`m2`"), "{}", seen[0].body);
    assert_eq!(seen, [wanted("m2", &seen[0].body)]);
    assert_eq!(project.map(BRANCH), config_map("m2"));
    assert_eq!(server.pushes(), 1);
    forge.no_faults();
    for _ in 0..3 {
        assert_eq!(run(&flags)["outcome"], "unchanged");
    }
    assert_eq!((forge.writes(), server.pushes()), (0, 1));
    // The base moves: the branch is made anew, and the request stays.
    let base = project.commit("main", "other/file.txt", "moved\n");
    assert_eq!(run(&flags)["outcome"], "updated");
    let parent = ["rev-parse", &format!("{BRANCH}^")];
    assert_eq!(project.repository.line(&parent), Some(base));
    assert_eq!((forge.seen().len(), server.pushes()), (1, 2));
    // A newer model: the same branch and request, and a new text.
    project.commit("main", "package/models.yaml", &catalog(3));
    assert_eq!(run(&flags)["outcome"], "updated");
    let seen = forge.seen();
    assert!(seen[0].body.contains("`m3`"), "{}", seen[0].body);
    assert_eq!(seen, [wanted("m3", &seen[0].body)]);
    assert_eq!(project.map(BRANCH), config_map("m3"));
    assert_eq!(project.repository.branches(), ["main", BRANCH]);
    forge.no_faults();
    assert_eq!(run(&flags)["outcome"], "unchanged");
    assert_eq!((forge.writes(), server.pushes()), (0, 3));
}

#[test]
fn github_with_a_token() {
    proposes_and_follows(Kind::GitHub);
}

#[test]
fn github_as_an_app() {
    proposes_and_follows(Kind::GitHubApp);
}

#[test]
fn gitlab() {
    proposes_and_follows(Kind::GitLab);
}

#[test]
fn gitea() {
    proposes_and_follows(Kind::Gitea);
}

#[test]
fn drafts_stay_drafts() {
    for kind in [Kind::GitHub, Kind::GitLab, Kind::Gitea] {
        let project = Project::new();
        let path = project.repository.path().with_extension("");
        let path = path.to_str().unwrap().trim_matches('/');
        let forge = Forge::start(kind, &project, path);
        let url = project.url();
        run(kind, &project, &forge, &url, &["--draft"]).json();
        assert!(forge.seen()[0].is_draft, "{kind:?}");
        project.commit("main", "package/models.yaml", &catalog(3));
        run(kind, &project, &forge, &url, &["--draft"]).json();
        let seen = forge.seen();
        assert!(seen.len() == 1 && seen[0].is_draft, "{kind:?}");
        assert!(seen[0].title.contains("m3"), "{}", seen[0].title);
        forge.no_faults();
        run(kind, &project, &forge, &url, &["--draft"]).json();
        assert_eq!(forge.writes(), 0, "{kind:?}");
    }
}

/// Where a fault is.
#[derive(Clone, Copy, Debug)]
enum Place {
    First,
    Opening,
}

/// Each refusal, at the first call and when the request is opened: one sentence, and the next run
/// completes what is missing.
#[test]
fn every_refusal_is_told_and_survived() {
    let retry = Answer::refusal(429, "Slow down").header("retry-after", "3600");
    let rows: [(&str, Fault); 9] = [
        (
            "401",
            Fault::Answer(Answer::refusal(401, "Bad credentials")),
        ),
        ("403", Fault::Answer(Answer::refusal(403, "Forbidden"))),
        ("404", Fault::Answer(Answer::refusal(404, "Not Found"))),
        ("409", Fault::Answer(Answer::refusal(409, "Conflict"))),
        (
            "422",
            Fault::Answer(Answer::refusal(422, "Validation Failed")),
        ),
        ("429", Fault::Answer(retry)),
        ("500", Fault::Answer(Answer::refusal(500, "Oops"))),
        ("no answer", Fault::Silence),
        ("", Fault::Half),
    ];
    for kind in [Kind::GitHub, Kind::GitLab, Kind::Gitea] {
        for (words, fault) in &rows {
            for place in [Place::First, Place::Opening] {
                let project = Project::new();
                let path = project.repository.path().with_extension("");
                let forge = Forge::start(kind, &project, path.to_str().unwrap().trim_matches('/'));
                let url = project.url();
                forge.fail(place, false, fault.clone());
                let refused = run(kind, &project, &forge, &url, &[])
                    .env("MODELSYNC_HTTP_TIMEOUT", "300ms")
                    .run();
                let told = &refused.stderr;
                let context = format!("{kind:?}, {words:?}, {place:?}: {told}");
                assert_eq!(refused.code, 1, "{context}");
                // Before the one sentence is what was done.
                let (done, said) = told.trim_end().rsplit_once('\n').unwrap_or(("", told));
                assert!(done.lines().all(|it| it.starts_with("bot: ")), "{context}");
                assert!(said.starts_with("error: "), "{context}");
                assert!(said.contains("cannot "), "{context}");
                assert!(said.contains(words), "{context}");
                assert!(said.contains("; "), "no hint: {context}");
                forge.no_faults();
                run(kind, &project, &forge, &url, &[]).json();
                let seen = forge.seen();
                assert!(seen.len() == 1 && seen[0].is_open, "{context}");
                assert_eq!(project.repository.branches(), ["main", BRANCH]);
                assert_eq!(project.map(BRANCH), config_map("m2"), "{context}");
            }
        }
    }
}

#[test]
fn a_short_wait_is_waited_out() {
    for kind in [Kind::GitHub, Kind::GitLab, Kind::Gitea] {
        let project = Project::new();
        let path = project.repository.path().with_extension("");
        let forge = Forge::start(kind, &project, path.to_str().unwrap().trim_matches('/'));
        let wait = Answer::json(429, &json!({"message": "Slow down"})).header("retry-after", "0");
        forge.fail(Place::Opening, true, Fault::Answer(wait));
        let run = run(kind, &project, &forge, &project.url(), &[]).json();
        assert_eq!(run["outcome"], "created", "{kind:?}");
        assert_eq!(forge.seen().len(), 1, "{kind:?}");
    }
}
