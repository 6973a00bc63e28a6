//! The forges' adapters against servers with a state, over real HTTP.

mod connect;
mod descriptions;
mod gitea;
mod github;
mod github_app;
mod github_commits;
mod github_description;
mod github_faults;
mod github_objects;
mod gitlab;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::connect::connect_with;
use super::fake::github::GitHub;
use super::fake::repository::Repository;
use super::fake::server::Server;
use super::{Forge, ForgeError, Settings};
use crate::adapters::http::Limits;
use crate::adapters::secret::Secret;
use crate::core::proposal::{ForgeKind, Head, WantedPullRequest};

/// Found in no message.
const TOKEN: &str = "ghp_Sup3rSecretT0ken";

const QUICK: Limits = Limits {
    attempt: Duration::from_secs(5),
    total: Duration::from_secs(20),
    attempts: 3,
    first_wait: Duration::from_millis(1),
    body: 1 << 20,
};

/// GitHub with the repository `team/models`, whose branch `modelsync/label-bot` is one commit ahead of
/// `main`.
struct World {
    server: Server<GitHub>,
    repository: Repository,
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let (directory, git_dir, repository) = repository();
        let server = GitHub::start(&git_dir, TOKEN);
        Self {
            server,
            repository,
            directory,
        }
    }

    fn forge(&self) -> Box<dyn Forge> {
        self.forge_with(QUICK, "GITHUB_TOKEN", TOKEN)
    }

    fn forge_with(&self, limits: Limits, variable: &str, token: &str) -> Box<dyn Forge> {
        let settings = Settings {
            kind: Some(ForgeKind::GitHub),
            url: Some(self.server.url()),
            github_app: None,
        };
        connect_with(
            "git@github.com:team/models.git",
            &settings,
            limits,
            &|asked| (asked == variable && !token.is_empty()).then(|| Secret::new(token)),
        )
        .unwrap()
    }
}

/// A directory, and in it `team/models.git` with a branch that is one commit ahead of `main`.
fn repository() -> (tempfile::TempDir, PathBuf, Repository) {
    let directory = tempfile::tempdir().unwrap();
    let git_dir = directory.path().join("team/models.git");
    let files = [
        ("README.md", "models\n"),
        ("prod/model.yaml", "model: TCN1\n"),
    ];
    let repository = Repository::create(&git_dir, &files);
    let main = repository.branch("main");
    let change = (
        "prod/model.yaml".to_owned(),
        Some(b"model: TCN2\n".to_vec()),
    );
    let id = repository
        .commit_on(main.as_deref(), &[change], "Use TCN2")
        .unwrap();
    repository.set_branch("modelsync/label-bot", &id);
    (directory, git_dir, repository)
}

/// A fork of it, with the same branch.
fn fork(directory: &Path) -> Repository {
    let fork = Repository::create(
        &directory.join("bot/models.git"),
        &[("README.md", "fork\n")],
    );
    let id = fork.branch("main").unwrap();
    fork.set_branch("modelsync/label-bot", &id);
    fork
}

fn head() -> Head {
    Head {
        fork: None,
        branch: "modelsync/label-bot".to_owned(),
    }
}

fn wanted() -> WantedPullRequest {
    WantedPullRequest {
        base: "main".to_owned(),
        head: head(),
        title: "Update the model of label-bot".to_owned(),
        body: "TCN1 → TCN2\n".to_owned(),
        is_draft: false,
        labels: Vec::new(),
        reviewers: Vec::new(),
        assignees: Vec::new(),
        auto_merge: None,
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The message, which must be one line without a secret in it.
fn message(error: &ForgeError) -> String {
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains(TOKEN), "{text}");
        assert!(!text.contains("ghs_installation"), "{text}");
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    assert!(message.starts_with("cannot "), "{message}");
    message
}
