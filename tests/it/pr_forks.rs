//! `modelsync pr --fork` on GitLab and Gitea: the branch is in a repository of one's own, the pull
//! request in the other.

use serde_json::{Value, json};

use crate::harness::forge::repository::Repository;
use crate::harness::git_project::{Pr, Project, TOKEN, catalog, config_map};
use crate::harness::git_server::GitServer;
use crate::pr_forges::{Forge, Kind};

const BRANCH: &str = "modelsync/bot";

/// A project, a fork of it, and one of somebody else's, all at `/git/OWNER/models`.
struct World {
    project: Project,
    server: GitServer,
    forge: Forge,
    fork: Repository,
    /// What `--forge-url` has after the forge's address.
    path: &'static str,
}

impl World {
    /// `None` when the server is missing.
    fn new(kind: Kind, path: &'static str) -> Option<Self> {
        let project = Project::new();
        let server = GitServer::http(&project.repositories(), TOKEN)?;
        server.set_user("oauth2", TOKEN);
        // Of an address without a path, `git` could be a group of GitLab's.
        let prefix = if path.is_empty() { "git/" } else { "" };
        let forge = Forge::start(kind, &project, &format!("{prefix}team/models"));
        let fork = fork(&project, "bot");
        let others = fork_of_others(&project);
        match &forge {
            Forge::GitHub(_) => panic!("GitHub's forks are tested elsewhere"),
            Forge::GitLab(gitlab) => {
                let mut state = gitlab.state();
                let projects = [("others", others), ("bot", fork.clone())];
                let projects = projects.map(|(owner, it)| (format!("{prefix}{owner}/models"), it));
                state.projects.extend(projects);
            }
            Forge::Gitea(gitea) => {
                let mut state = gitea.state();
                let repositories = [("others", others), ("bot", fork.clone())];
                let repositories = repositories.map(|(owner, it)| (format!("{owner}/models"), it));
                state.repositories.extend(repositories);
            }
        }
        Some(Self {
            project,
            server,
            forge,
            fork,
            path,
        })
    }

    fn run(&self, flags: &[&str]) -> Pr {
        let (url, fork) = (
            self.server.url("team/models.git"),
            self.server.url("bot/models.git"),
        );
        let (name, variable) = match self.forge {
            Forge::GitLab(_) => ("gitlab", "GITLAB_TOKEN"),
            _ => ("gitea", "GITEA_TOKEN"),
        };
        let forge_url = format!("{}{}", self.forge.url(), self.path);
        let mut all = vec!["package", "--repo", &url, "--fork", &fork];
        all.extend(["--forge", name, "--forge-url", &forge_url]);
        all.extend(flags);
        self.project.pr(&all).env(variable, TOKEN)
    }

    /// Where the request with a number comes from and goes to.
    fn ways(&self, number: usize) -> (Value, Value) {
        match &self.forge {
            Forge::GitLab(gitlab) => {
                let it = &gitlab.state().merge_requests[number - 1];
                (
                    it["source_project_id"].clone(),
                    it["target_project_id"].clone(),
                )
            }
            Forge::Gitea(gitea) => {
                let it = &gitea.state().pulls[number - 1];
                let name = |end: &str| it[end]["repo"]["full_name"].clone();
                (name("head"), name("base"))
            }
            Forge::GitHub(_) => (Value::Null, Value::Null),
        }
    }

    /// Somebody closes a request without merging it.
    fn close(&self, number: usize) {
        match &self.forge {
            Forge::GitLab(it) => it.state().merge_requests[number - 1]["state"] = json!("closed"),
            Forge::Gitea(it) => it.state().pulls[number - 1]["state"] = json!("closed"),
            Forge::GitHub(_) => {}
        }
    }

    /// Somebody else proposes from a branch of the same name, in a fork of theirs.
    fn others_propose(&self) {
        match &self.forge {
            Forge::GitLab(it) => it.state().merge_requests.push(json!({
                "iid": 1, "state": "opened", "title": "Theirs", "description": "", "labels": [],
                "web_url": "https://gitlab.com/theirs", "draft": false, "assignees": [],
                "reviewers": [], "source_branch": BRANCH, "target_branch": "main",
                "source_project_id": 101, "target_project_id": 100, "sha": null,
                "merge_when_pipeline_succeeds": false, "detailed_merge_status": "mergeable",
            })),
            Forge::Gitea(it) => {
                let mut state = it.state();
                let branch = |name: &str, branch: &str| {
                    json!({
                        "label": branch, "ref": branch, "repo": {"full_name": name},
                    })
                };
                state.events.push(Vec::new());
                state.pulls.push(json!({
                    "number": 1, "state": "open", "title": "Theirs", "body": "", "labels": [],
                    "merged": false, "html_url": "https://gitea.com/theirs",
                    "head": branch("others/models", BRANCH), "base": branch("team/models", "main"),
                }));
            }
            Forge::GitHub(_) => {}
        }
    }
}

/// A fork of a project's repository.
fn fork(project: &Project, owner: &str) -> Repository {
    let path = project.repositories().join(owner).join("models.git");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let (url, to) = (project.url(), path.to_str().unwrap());
    project.git(project.scratch.path(), &["clone", "-q", "--bare", &url, to]);
    let fork = Repository::at(&path);
    fork.git(&["config", "http.receivepack", "true"], b"")
        .unwrap();
    fork
}

/// A fork of somebody else's, with a branch that is called as ours.
fn fork_of_others(project: &Project) -> Repository {
    let others = fork(project, "others");
    let main = others.branch("main").unwrap();
    let change = ("other/theirs.txt".to_owned(), Some(b"theirs\n".to_vec()));
    let id = others.commit_on(Some(&main), &[change], "Theirs").unwrap();
    others.set_branch(BRANCH, &id);
    others
}

/// A world of each forge.
fn worlds() -> impl Iterator<Item = World> {
    let kinds = [Kind::GitLab, Kind::Gitea];
    kinds.into_iter().filter_map(|kind| World::new(kind, ""))
}

/// The same, of forges that are served below a path.
fn worlds_below_a_path() -> impl Iterator<Item = World> {
    let rows = [(Kind::GitLab, "/git/api/v4"), (Kind::Gitea, "/git/api/v1")];
    rows.into_iter()
        .filter_map(|(kind, path)| World::new(kind, path))
}

#[test]
fn proposes_from_a_fork_and_follows() {
    for world in worlds().chain(worlds_below_a_path()) {
        let context = world.forge.url() + world.path;
        let first = world.run(&[]).json();
        assert_eq!(first["outcome"], "created", "{context}");
        let map = || world.fork.text(BRANCH, "package/map.yaml");
        assert_eq!(map(), Some(config_map("m2")), "{context}");
        let wanted = match world.forge {
            Forge::GitLab(_) => (json!(102), json!(100)),
            _ => (json!("bot/models"), json!("team/models")),
        };
        assert_eq!(world.ways(1), wanted, "{context}");
        let (pushes, writes) = (world.server.pushes(), world.forge.writes());
        for _ in 0..3 {
            let again = world.run(&[]).json();
            assert_eq!(again["outcome"], "unchanged", "{context}");
            assert_eq!(again["pullRequest"], first["pullRequest"], "{context}");
        }
        let now = (world.server.pushes(), world.forge.writes());
        assert_eq!(now, (pushes, writes), "{context}");
        // The base moves, and there is a newer model.
        let models = catalog(3);
        let base = world.project.commit("main", "package/models.yaml", &models);
        assert_eq!(world.run(&[]).json()["outcome"], "updated", "{context}");
        assert_eq!(map(), Some(config_map("m3")), "{context}");
        let parent = world.fork.line(&["rev-parse", &format!("{BRANCH}^")]);
        assert_eq!(parent, Some(base), "{context}");
        let seen = world.forge.seen();
        assert!(seen.len() == 1 && seen[0].is_open, "{context}");
        assert!(seen[0].title.contains("m3"), "{context}");
        assert_eq!(world.run(&[]).json()["outcome"], "unchanged", "{context}");
        assert_eq!(world.project.repository.branches(), ["main"], "{context}");
    }
}

#[test]
fn a_fork_without_an_owner_is_told() {
    let project = Project::new();
    let url = project.url();
    let fork = "https://git.example.com/models";
    for forge in ["github", "gitea"] {
        let place = ["package", "--repo", &url, "--fork", fork];
        let flags = ["--forge", forge, "--forge-url=http://127.0.0.1:1"];
        let refused = project.pr(&[&place[..], &flags].concat()).run();
        assert_eq!(refused.code, 1);
        let start = format!("error: cannot use the fork {fork}: ");
        assert!(refused.stderr.starts_with(&start), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("without its owner"),
            "{}",
            refused.stderr
        );
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    }
}

#[test]
fn what_somebody_closed_is_not_proposed_again() {
    for world in worlds() {
        let context = world.forge.url() + world.path;
        world.run(&[]).json();
        world.close(1);
        let (pushes, writes) = (world.server.pushes(), world.forge.writes());
        for _ in 0..2 {
            let run = world.run(&[]).json();
            assert_eq!(run["outcome"], "unchanged", "{context}");
            let said = run["reasons"][0].as_str().unwrap();
            assert!(said.contains("not proposing m2 again"), "{context}: {said}");
        }
        let now = (world.server.pushes(), world.forge.writes());
        assert_eq!(now, (pushes, writes), "{context}");
        let models = catalog(3);
        world.project.commit("main", "package/models.yaml", &models);
        assert_eq!(world.run(&[]).json()["outcome"], "created", "{context}");
        let seen = world.forge.seen();
        assert_eq!(seen.len(), 2, "{context}");
        assert!(!seen[0].is_open && seen[1].is_open, "{context}");
    }
}

/// A request from a branch of the same name, in another fork, is neither taken for ours nor changed,
/// and that it was closed says nothing of ours.
#[test]
fn forks_of_others_are_theirs() {
    for world in worlds() {
        let context = world.forge.url() + world.path;
        world.others_propose();
        let run = world.run(&[]).json();
        assert_eq!(run["outcome"], "created", "{context}");
        world.close(1);
        assert_eq!(world.run(&[]).json()["outcome"], "unchanged", "{context}");
        let models = catalog(3);
        world.project.commit("main", "package/models.yaml", &models);
        assert_eq!(world.run(&[]).json()["outcome"], "updated", "{context}");
        let seen = world.forge.seen();
        assert_eq!(seen.len(), 2, "{context}");
        assert_eq!(seen[0].title, "Theirs", "{context}");
        assert!(seen[1].title.contains("m3"), "{context}");
    }
}
