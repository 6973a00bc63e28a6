//! A package in a bare repository, what proposes changes to it, and the forge beside it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::forge::github::GitHub;
use super::forge::repository::Repository;
use super::forge::server::Server;
use crate::cli::Run;

/// What must be in no output, and is the password of every server here.
pub(crate) const TOKEN: &str = "ghp_N0b0dyMayS33Th1sT0ken";

pub(crate) const CONFIG: &str = "\
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: SetModel
metadata:
  name: bot
spec:
  targets:
  - resource: {kind: ConfigMap, name: bot}
    field: data.model
";

/// The package's ConfigMap with a model.
pub(crate) fn config_map(model: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bot\ndata:\n  model: {model} # keep\n"
    )
}

/// A catalog with `m1` to `m` and that number, each newer than the one before.
pub(crate) fn catalog(models: usize) -> String {
    let mut text = "\
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: ModelCatalog
metadata:
  name: models
spec:
  models:
"
    .to_owned();
    for number in 1..=models {
        text.push_str(&format!(
            "  - {{name: m{number}, displayName: bot, createTime: 2020-{number:02}-01T00:00:00Z, state: Trained}}\n"
        ));
    }
    text
}

/// The bare repository `team/models` with a package in the directory `package` whose newest model is
/// `m2`, and whose ConfigMap says `m1`.
pub(crate) struct Project {
    pub(crate) scratch: tempfile::TempDir,
    pub(crate) repository: Repository,
}

impl Project {
    pub(crate) fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        for directory in ["home", "tmp"] {
            std::fs::create_dir(scratch.path().join(directory)).unwrap();
        }
        let path = scratch.path().join("repositories/team/models.git");
        let (map, catalog) = (config_map("m1"), catalog(2));
        let files = [
            ("package/set-model.yaml", CONFIG),
            ("package/models.yaml", &catalog),
            ("package/map.yaml", &map),
            ("other/file.txt", "not ours\n"),
        ];
        let repository = Repository::create(&path, &files);
        for setting in [
            ["config", "http.receivepack", "true"],
            ["config", "uploadpack.allowFilter", "true"],
        ] {
            repository.git(&setting, b"").unwrap();
        }
        Self {
            scratch,
            repository,
        }
    }

    /// The directory with all repositories.
    pub(crate) fn repositories(&self) -> PathBuf {
        self.scratch.path().join("repositories")
    }

    /// The bare repository's path, as a URL.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.repository.path().display())
    }

    /// A GitHub whose repository this is.
    pub(crate) fn github(&self) -> Server<GitHub> {
        GitHub::start(self.repository.path(), TOKEN)
    }

    /// A clone of the repository.
    pub(crate) fn clone_to(&self, name: &str) -> PathBuf {
        let path = self.scratch.path().join(name);
        self.git(
            self.scratch.path(),
            &["clone", "-q", &self.url(), path.to_str().unwrap()],
        );
        path
    }

    /// Runs git somewhere, which must succeed.
    pub(crate) fn git(&self, directory: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        self.environment(&mut command);
        let output = command
            .args(arguments)
            .current_dir(directory)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits to a branch, on top of what is there, as somebody else.
    pub(crate) fn commit(&self, branch: &str, path: &str, text: &str) -> String {
        let parent = self.repository.branch(branch);
        let change = (path.to_owned(), Some(text.as_bytes().to_vec()));
        let id = self
            .repository
            .commit_on(parent.as_deref(), &[change], "Somebody's work")
            .unwrap();
        self.repository.set_branch(branch, &id);
        id
    }

    fn environment(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.scratch.path().join("home"))
            .env("TMPDIR", self.scratch.path().join("tmp"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Model Bot")
            .env("GIT_AUTHOR_EMAIL", "bot@example.com")
            .env("GIT_COMMITTER_NAME", "Model Bot")
            .env("GIT_COMMITTER_EMAIL", "bot@example.com");
    }

    /// `modelsync pr`, ready to run.
    pub(crate) fn pr(&self, arguments: &[&str]) -> Pr {
        let mut command = Command::new(env!("CARGO_BIN_EXE_modelsync"));
        self.environment(&mut command);
        command
            .arg("pr")
            .args(arguments)
            .current_dir(self.scratch.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Pr { command }
    }

    /// `modelsync pr` on the repository alone, with a forge.
    pub(crate) fn pr_with(&self, github: &Server<GitHub>, arguments: &[&str]) -> Pr {
        let (url, forge_url) = (self.url(), github.url());
        let mut all = vec!["package", "--repo", &url, "--forge=github", "--forge-url"];
        all.push(&forge_url);
        all.extend(arguments);
        self.pr(&all).env("GITHUB_TOKEN", TOKEN)
    }

    /// The tree of a branch.
    pub(crate) fn tree(&self, branch: &str) -> String {
        self.repository
            .line(&["rev-parse", &format!("{branch}^{{tree}}")])
            .unwrap()
    }

    /// What the ConfigMap of a branch says.
    pub(crate) fn map(&self, branch: &str) -> String {
        self.repository.text(branch, "package/map.yaml").unwrap()
    }
}

/// A run of `modelsync pr` to come.
pub(crate) struct Pr {
    command: Command,
}

impl Pr {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it by another program, which gets the command after its own arguments.
    pub(crate) fn by(self, program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        let variables = self.command.get_envs();
        command
            .args(arguments)
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear()
            .envs(variables.filter_map(|(name, value)| Some((name, value?))))
            .current_dir(self.command.get_current_dir().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self { command }
    }

    /// Runs it to its end. Whatever it prints holds no token.
    pub(crate) fn run(mut self) -> Run {
        read(self.command.output().unwrap())
    }

    /// Runs it, which must end well, and reads the object that it prints.
    pub(crate) fn json(mut self) -> serde_json::Value {
        self.command.args(["--output", "json"]);
        let run = self.run();
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        serde_json::from_str(&run.stdout).unwrap()
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Started {
        Started {
            child: self.command.spawn().unwrap(),
        }
    }
}

/// A run of `modelsync pr` on its way.
pub(crate) struct Started {
    child: std::process::Child,
}

impl Started {
    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end. Whatever it printed until then holds no token.
    pub(crate) fn wait(self) -> Run {
        read(self.child.wait_with_output().unwrap())
    }
}

fn read(output: std::process::Output) -> Run {
    let run = Run {
        // A run that was killed has none.
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert_no_token(&run.stdout);
    assert_no_token(&run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// A text that shows nothing of a token or a private key, as it is or as it is sent.
pub(crate) fn assert_no_token(text: &str) {
    let users = ["x-access-token", "oauth2", "gitlab-ci-token", "bot"];
    let sent = users.map(|user| BASE64_STANDARD.encode(format!("{user}:{TOKEN}")));
    // What every installation's token begins with, and a PEM file with a key.
    let others = [TOKEN, "ghs_installation", "PRIVATE KEY-----"];
    let encoded: String = TOKEN.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let secrets = sent.iter().map(String::as_str).chain(others);
    for secret in secrets.chain([encoded.as_str()]) {
        assert!(!text.contains(secret), "a token is in: {text}");
    }
}

/// No file that a run left holds a token: not those of killed runs, results, or settings.
fn assert_no_token_below(directory: &Path) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            assert_no_token_below(&entry.path());
        } else if kind.is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            assert_no_token(&String::from_utf8_lossy(&bytes));
        }
    }
}

impl Drop for Project {
    /// Looks at all that was left.
    fn drop(&mut self) {
        // A key of the test's own is in the scratch directory; runs write to these.
        if std::thread::panicking() {
            return;
        }
        for name in ["tmp", "results", "repositories"] {
            let directory = self.scratch.path().join(name);
            if directory.is_dir() {
                assert_no_token_below(&directory);
            }
        }
        if let Ok(log) = self.repository.git(&["log", "--all", "-p"], b"") {
            assert_no_token(&String::from_utf8_lossy(&log));
        }
    }
}
