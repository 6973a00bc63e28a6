//! The git side of a fake forge: a bare repository, asked and changed by git itself.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A bare repository on disk.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    git_dir: PathBuf,
}

impl Repository {
    /// One that is there already.
    pub(crate) fn at(git_dir: &Path) -> Self {
        Self {
            git_dir: git_dir.to_owned(),
        }
    }

    /// A new one with these files on the branch `main`.
    pub(crate) fn create(git_dir: &Path, files: &[(&str, &str)]) -> Self {
        let repository = Self::at(git_dir);
        std::fs::create_dir_all(git_dir).unwrap();
        repository
            .git(
                &["init", "--quiet", "--bare", "--initial-branch=main", "."],
                b"",
            )
            .unwrap();
        let changes: Vec<_> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Some(text.as_bytes().to_vec())))
            .collect();
        let id = repository.commit_on(None, &changes, "Begin").unwrap();
        repository.set_branch("main", &id);
        repository
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.git_dir
    }

    /// What git prints, without white space around it; an error when it fails.
    pub(crate) fn git(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
        self.git_with(arguments, input, &[])
    }

    fn git_with(
        &self,
        arguments: &[&str],
        input: &[u8],
        environment: &[(&str, &str)],
    ) -> Result<Vec<u8>, String> {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(&self.git_dir)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_DIR", &self.git_dir)
            .env("GIT_AUTHOR_NAME", "octocat")
            .env("GIT_AUTHOR_EMAIL", "octocat@users.noreply.github.com")
            .env("GIT_COMMITTER_NAME", "GitHub")
            .env("GIT_COMMITTER_EMAIL", "noreply@github.com")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // git may end without reading it all.
        drop(child.stdin.take().unwrap().write_all(input));
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// The same as one line of text.
    pub(crate) fn line(&self, arguments: &[&str]) -> Option<String> {
        let output = self.git(arguments, b"").ok()?;
        Some(String::from_utf8(output).unwrap().trim().to_owned())
    }

    /// What a branch points to.
    pub(crate) fn branch(&self, branch: &str) -> Option<String> {
        self.line(&[
            "rev-parse",
            "--quiet",
            "--verify",
            &format!("refs/heads/{branch}"),
        ])
    }

    /// All branches.
    pub(crate) fn branches(&self) -> Vec<String> {
        let branches = self.line(&["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"]);
        branches.unwrap().lines().map(str::to_owned).collect()
    }

    /// Points a branch to a commit, whatever it pointed to.
    pub(crate) fn set_branch(&self, branch: &str, id: &str) {
        self.git(&["update-ref", &format!("refs/heads/{branch}"), id], b"")
            .unwrap();
    }

    /// The text of a file on a branch, or of any other revision.
    pub(crate) fn text(&self, revision: &str, path: &str) -> Option<String> {
        let output = self
            .git(&["show", &format!("{revision}:{path}")], b"")
            .ok()?;
        Some(String::from_utf8(output).unwrap())
    }

    /// Makes a commit with changes to the files of its parent, on no branch. A change without bytes
    /// removes the file.
    pub(crate) fn commit_on(
        &self,
        parent: Option<&str>,
        changes: &[(String, Option<Vec<u8>>)],
        message: &str,
    ) -> Result<String, String> {
        let index = self.git_dir.join(format!("index-{}", fastrand::u64(..)));
        let environment = [("GIT_INDEX_FILE", index.to_str().unwrap())];
        let result = self.commit_with(parent, changes, message, &environment);
        drop(std::fs::remove_file(&index));
        result
    }

    fn commit_with(
        &self,
        parent: Option<&str>,
        changes: &[(String, Option<Vec<u8>>)],
        message: &str,
        environment: &[(&str, &str)],
    ) -> Result<String, String> {
        let git = |arguments: &[&str], input: &[u8]| {
            let output = self.git_with(arguments, input, environment)?;
            Ok::<_, String>(String::from_utf8(output).unwrap().trim().to_owned())
        };
        if let Some(parent) = parent {
            git(&["read-tree", parent], b"")?;
        }
        for (path, contents) in changes {
            let line = match contents {
                Some(bytes) => {
                    let id = git(&["hash-object", "-w", "--stdin"], bytes)?;
                    format!("100644 {id}\t{path}\n")
                }
                None => {
                    git(&["cat-file", "-e", &format!("{}:{path}", parent.unwrap_or(""))], b"")
                        .map_err(|_| format!("A path was requested for deletion which does not exist as of commit oid `{}`", parent.unwrap_or("")))?;
                    format!("0 0000000000000000000000000000000000000000\t{path}\n")
                }
            };
            git(&["update-index", "--add", "--index-info"], line.as_bytes())?;
        }
        let tree = git(&["write-tree"], b"")?;
        let mut arguments = vec!["commit-tree", &tree];
        if let Some(parent) = parent {
            arguments.extend(["-p", parent]);
        }
        git(&arguments, message.as_bytes())
    }
}
