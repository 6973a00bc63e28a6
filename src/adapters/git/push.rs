//! Pushing a branch, only from what was seen.

use gix::ObjectId;

use super::refusal::{GitError, Refused, server_words};
use super::workspace::Workspace;

impl Workspace<'_> {
    /// Removes a branch that still points to `seen`.
    ///
    /// # Errors
    /// The remote refuses, or the branch moved meanwhile.
    pub(crate) async fn remove(&self, branch: &str, seen: ObjectId) -> anyhow::Result<()> {
        match &self.api {
            Some(api) => api.remove(branch, seen).await,
            None => Ok(self.push(branch, None, Some(seen)).await?),
        }
    }

    /// Points a branch to a commit, or removes it with `None`; only when it still points to `seen`,
    /// or with `None` is still not there. This needs git.
    ///
    /// # Errors
    /// The remote refuses, or the branch moved meanwhile.
    pub(crate) async fn push(
        &self,
        branch: &str,
        commit: Option<ObjectId>,
        seen: Option<ObjectId>,
    ) -> Result<(), GitError> {
        let url = self.push_url();
        let doing = match commit {
            Some(_) => format!("push the branch {branch} to {url}"),
            None => format!("remove the branch {branch} of {url}"),
        };
        let name = format!("refs/heads/{branch}");
        let text = |id: Option<ObjectId>| id.map(|id| id.to_string()).unwrap_or_default();
        // An empty value: the branch must not be there (git-push(1)).
        let lease = format!("--force-with-lease={name}:{}", text(seen));
        let refspec = format!("{}:{name}", text(commit));
        let arguments = [
            "push",
            "--porcelain",
            "--no-verify",
            "--no-follow-tags",
            "--recurse-submodules=no",
            &lease,
            "--",
            self.push_remote(),
            &refspec,
        ];
        let said = self.git.run(&doing, &arguments, "").await?;
        if said.is_success {
            return Ok(());
        }
        match rejection(&said.stdout) {
            Some(reason) => Err(rejected(&doing, reason, &said.stderr)),
            None => Err(GitError::of(&doing, url, &said.stderr)),
        }
    }
}

/// The reason of `!<TAB>from:to<TAB>[remote rejected] (pre-receive hook declined)`, which git prints
/// for a ref that was not updated (git-push(1), "Output").
fn rejection(stdout: &str) -> Option<&str> {
    let line = stdout.lines().find(|line| line.starts_with("!\t"))?;
    line.rsplit('\t').next()
}

fn rejected(doing: &str, reason: &str, stderr: &str) -> GitError {
    // git's remote.c and send-pack.c: "stale info", "fetch first", "needs force"; receive-pack.c
    // and refs.c: "failed to update ref", "cannot lock ref", "reference already exists"
    let is_race = [
        "stale info",
        "fetch first",
        "cannot lock ref",
        "failed to update ref",
        "reference already exists",
        "failed to lock",
        "incorrect old value",
    ]
    .iter()
    .any(|words| reason.contains(words));
    let hint = if is_race {
        "somebody else pushed to it meanwhile; run again"
    } else if reason.contains("protected branch") {
        "let the credentials push to it, or choose another name with --branch"
    } else if reason.contains("deletion prohibited") {
        "allow it on the server, or remove the branch there by hand"
    } else if reason.contains("hook declined") {
        "satisfy the hook of the server, or ask who runs it"
    } else if reason.contains("non-fast-forward") {
        "the server forbids to replace commits; allow it for this branch, or remove the branch"
    } else if reason.contains("shallow update not allowed") {
        // receive-pack.c, without `receive.shallowUpdate`
        "fetch the whole history into the clone (git fetch --unshallow), or bring the fork up to date"
    } else if reason.contains("remote unpack failed") || reason.contains("unpacker error") {
        "the server could not store the commit; see its log"
    } else {
        "see what the server wants"
    };
    let said = server_words(stderr);
    GitError {
        message: format!("cannot {doing}: {reason}{said}; {hint}"),
        refused: if is_race {
            Refused::Outdated
        } else {
            Refused::ForGood
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rejections() {
        let stdout = "To http://h/a\n!\t1234:refs/heads/x\t[remote rejected] (pre-receive hook declined)\nDone\n";
        let reason = rejection(stdout).unwrap();
        assert_eq!(reason, "[remote rejected] (pre-receive hook declined)");
        let error = rejected("push", reason, "remote: no\n");
        assert_eq!(error.refused, Refused::ForGood);
        assert!(error.message.contains("(the server says: no)"));
        let error = rejected("push", "[rejected] (stale info)", "");
        assert_eq!(error.refused, Refused::Outdated);
        let error = rejected(
            "push",
            "[remote rejected] (protected branch hook declined)",
            "",
        );
        assert!(error.message.contains("--branch"));
        let error = rejected("push", "[remote rejected] (shallow update not allowed)", "");
        assert!(error.message.contains("--unshallow"));
        assert_eq!(rejection("To x\n=\ta:b\t[up to date]\n"), None);
    }
}
