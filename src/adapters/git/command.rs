//! The `git` program in an environment that never asks a question, with a time limit.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::refusal::GitError;
use crate::adapters::secret::Secret;

/// Variables that would make git work on something else than what it is told.
const FOREIGN: [&str; 12] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_QUARANTINE_PATH",
    "GIT_CONFIG",
    "GIT_REPLACE_REF_BASE",
];

/// How git is run for one repository.
#[derive(Clone, Debug)]
pub(super) struct Git {
    /// The repository.
    pub(super) directory: PathBuf,
    /// Configuration, as `key`, `value`. It goes through the environment (`GIT_CONFIG_COUNT`,
    /// git-config(1)), so that no secret is among the arguments, which everybody on the machine can
    /// read.
    pub(super) settings: Vec<(String, String)>,
    /// Which programs that talk to people the configuration names, of whatever file it is.
    pub(super) programs: Programs,
    /// What must not be in any text that is handed on.
    pub(super) secrets: Vec<Secret>,
    /// For one run.
    pub(super) limit: Duration,
}

/// Programs of the user's that git asks for connections and passwords. A variable of the environment
/// goes before them, so none is set where they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Programs {
    /// `core.sshCommand` (git-config(1)).
    pub(super) has_ssh_command: bool,
    /// `core.askPass`.
    pub(super) has_ask_pass: bool,
}

/// What git said.
#[derive(Debug)]
pub(super) struct Said {
    /// Whether it ended with 0.
    pub(super) is_success: bool,
    /// Its standard output.
    pub(super) stdout: String,
    /// Its standard error, without secrets.
    pub(super) stderr: String,
}

impl Git {
    /// Runs git to its end. `doing` goes on after "cannot" when it cannot be run.
    ///
    /// # Errors
    /// There is no git, or it did not end in time. That git itself failed is no error here.
    pub(super) async fn run(
        &self,
        doing: &str,
        arguments: &[&str],
        input: &str,
    ) -> Result<Said, GitError> {
        self.run_with(doing, arguments, input, &[]).await
    }

    /// Runs git to its end with further variables in its environment.
    ///
    /// # Errors
    /// There is no git, or it did not end in time.
    pub(super) async fn run_with(
        &self,
        doing: &str,
        arguments: &[&str],
        input: &str,
        variables: &[(&str, &str)],
    ) -> Result<Said, GitError> {
        let mut command = Command::new("git");
        self.prepare(&mut command);
        command.args(arguments).envs(variables.iter().copied());
        let child = command.spawn().map_err(|error| {
            GitError::failed(format!(
                "cannot {doing}: the git program cannot be run: {error}; install git"
            ))
        })?;
        let mut group = Group::of(&child);
        match tokio::time::timeout(self.limit, talk(child, input)).await {
            Ok(Ok((is_success, stdout, stderr))) => {
                group.is_over = true;
                Ok(Said {
                    is_success,
                    stdout: String::from_utf8_lossy(&stdout).into_owned(),
                    stderr: self.redact(&String::from_utf8_lossy(&stderr)),
                })
            }
            Ok(Err(error)) => Err(GitError::failed(format!(
                "cannot {doing}: git cannot be talked to: {error}"
            ))),
            // Not looked at again, though it may have been done: that would take as long once more.
            Err(_) => Err(GitError::failed(format!(
                "cannot {doing}: git gave no answer within {}; check whether a hook or the network \
                 hangs, or allow more with --git-timeout",
                crate::core::policy::duration::format(self.limit)
            ))),
        }
    }

    /// A text without the secrets that are known here.
    pub(super) fn redact(&self, text: &str) -> String {
        let secrets = self.secrets.iter();
        secrets.fold(text.to_owned(), |text, secret| secret.redact(&text))
    }

    fn prepare(&self, command: &mut Command) {
        for variable in FOREIGN {
            command.env_remove(variable);
        }
        for (name, _) in std::env::vars_os() {
            // Traces go to standard error, or print headers.
            if name.to_string_lossy().starts_with("GIT_TRACE") {
                command.env_remove(name);
            }
        }
        command
            .env("GIT_DIR", &self.directory)
            // The messages that refusal.rs reads.
            .env("LC_ALL", "C")
            .env_remove("LANGUAGE")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GCM_INTERACTIVE", "never")
            // Where the repository is: a directory that stays until we are done.
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Its own group, so that whatever it started ends with it.
            .process_group(0)
            .kill_on_drop(true);
        // Nobody is there to answer: an empty one keeps SSH_ASKPASS from opening windows, and the
        // passphrase of a signing key from being asked for on the terminal. A program that the user
        // names for git answers by itself, or runs out of time.
        command.env_remove("GPG_TTY");
        if std::env::var_os("GIT_ASKPASS").is_none() {
            command
                .env("SSH_ASKPASS", "")
                .env("SSH_ASKPASS_REQUIRE", "force");
            if !self.programs.has_ask_pass {
                command.env("GIT_ASKPASS", "");
            }
        }
        let has_ssh = ["GIT_SSH_COMMAND", "GIT_SSH"]
            .iter()
            .any(|name| std::env::var_os(name).is_some());
        if !has_ssh && !self.programs.has_ssh_command {
            // ssh would ask on the terminal, around our standard input.
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        // Those that the user set in this way stay.
        let given = std::env::var("GIT_CONFIG_COUNT").unwrap_or_default();
        let first: usize = given.parse().unwrap_or_default();
        for (number, (key, value)) in self.settings.iter().enumerate() {
            let number = first + number;
            command.env(format!("GIT_CONFIG_KEY_{number}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        let count = first + self.settings.len();
        command.env("GIT_CONFIG_COUNT", count.to_string());
    }
}

async fn talk(mut child: Child, input: &str) -> std::io::Result<(bool, Vec<u8>, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // Git may end without reading all of it, and then says why.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let read_out = async {
        match stdout {
            Some(mut stdout) => stdout.read_to_end(&mut out).await.map(|_| ()),
            None => Ok(()),
        }
    };
    let read_err = async {
        match stderr {
            Some(mut stderr) => stderr.read_to_end(&mut err).await.map(|_| ()),
            None => Ok(()),
        }
    };
    let ((), read_out, read_err) = tokio::join!(write, read_out, read_err);
    read_out?;
    read_err?;
    let status = child.wait().await?;
    Ok((status.success(), out, err))
}

/// A process and all that it started. Ends them when it is dropped before they are over.
struct Group {
    leader: Option<Pid>,
    is_over: bool,
}

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self {
            leader: id.and_then(Pid::from_raw),
            is_over: false,
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader.filter(|_| !self.is_over) {
            // It may have ended by itself meanwhile.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
