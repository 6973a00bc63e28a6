//! Commits: reading the tip of a branch, and making a new one on the base.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, anyhow, bail};
use gix::ObjectId;
use gix::bstr::ByteSlice;
use jiff::Timestamp;

use super::workspace::{Workspace, not_written};

/// Who made a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The name.
    pub(crate) name: String,
    /// The e-mail address.
    pub(crate) email: String,
}

impl FromStr for Identity {
    type Err = String;

    /// Reads `Name <address>`, as git's `--author` wants it.
    fn from_str(text: &str) -> Result<Self, String> {
        let problem = || format!("{text:?} is no identity; write \"Name <address>\"");
        let (name, rest) = text.split_once('<').ok_or_else(problem)?;
        let (name, email) = (name.trim(), rest.trim_end().strip_suffix('>'));
        let email = email.ok_or_else(problem)?.trim();
        // Git forbids these in a commit's header (fsck's missingSpaceBeforeEmail and its like).
        let is_plain = |text: &str| !text.is_empty() && !text.contains(['<', '>', '\n', '\0']);
        if !is_plain(name) || !is_plain(email) {
            return Err(problem());
        }
        Ok(Self {
            name: name.to_owned(),
            email: email.to_owned(),
        })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} <{}>", self.name, self.email)
    }
}

/// A commit that is here, or known through the forge's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitInfo {
    /// Its id.
    pub(crate) id: ObjectId,
    /// The id of its tree.
    pub(crate) tree_id: ObjectId,
    /// The ids of its parents.
    pub(crate) parent_ids: Vec<ObjectId>,
    /// Who wrote it.
    pub(crate) author: Identity,
    /// Who committed it.
    pub(crate) committer: Identity,
    /// The whole message.
    pub(crate) message: String,
    /// When it was committed, in seconds since 1970.
    pub(crate) seconds: i64,
    /// Whether it was written and committed at one time of UTC, as [`Workspace::make_commit`] does.
    /// Amending and rebasing keep the author's time and set the committer's.
    pub(crate) is_as_made: bool,
}

/// A commit to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewCommit {
    /// The tree.
    pub(crate) tree_id: ObjectId,
    /// The only parent.
    pub(crate) parent_id: ObjectId,
    /// Who wrote it.
    pub(crate) author: Identity,
    /// Who commits it.
    pub(crate) committer: Identity,
    /// When.
    pub(crate) time: Timestamp,
    /// The whole message.
    pub(crate) message: String,
    /// Whether to sign it as git's configuration says (`gpg.format`, `user.signingKey`).
    pub(crate) is_signed: bool,
}

impl Workspace<'_> {
    /// Who writes commits when nobody is named: `GIT_AUTHOR_NAME` and its like, then git's
    /// configuration; `None` where there is neither.
    pub(crate) fn author(&self) -> Option<Identity> {
        identity(self.repository.author()?.ok()?)
    }

    /// Who commits when nobody is named.
    pub(crate) fn committer(&self) -> Option<Identity> {
        identity(self.repository.committer()?.ok()?)
    }

    /// Reads a commit.
    ///
    /// # Errors
    /// It is not here, or broken.
    pub(crate) fn commit(&self, id: ObjectId) -> anyhow::Result<CommitInfo> {
        if let Some(known) = self.api.as_ref().and_then(|api| api.commit(id)) {
            return Ok(known);
        }
        let problem = || format!("cannot read the commit {id} of {}", self.push_url());
        let commit = self.repository.find_commit(id).with_context(problem)?;
        let decoded = commit.decode().with_context(problem)?;
        let author = decoded.author().with_context(problem)?;
        let committer = decoded.committer().with_context(problem)?;
        Ok(CommitInfo {
            id,
            tree_id: decoded.tree(),
            parent_ids: decoded.parents().collect(),
            author: plain(author),
            committer: plain(committer),
            message: decoded.message.to_str_lossy().into_owned(),
            seconds: committer.seconds(),
            is_as_made: is_as_made(author, committer),
        })
    }

    /// Whether a commit is the base or an ancestor of it. Where the history is not all here, the part
    /// of it that can hold the commit is fetched, without trees where the server can leave them out.
    ///
    /// # Errors
    /// The history cannot be fetched or read.
    pub(crate) async fn is_in(&self, base: ObjectId, commit_id: ObjectId) -> anyhow::Result<bool> {
        if base == commit_id {
            return Ok(true);
        }
        // What is read through the API is not here, but a clone's objects are.
        let are_here = [base, commit_id]
            .iter()
            .all(|id| self.repository.has_object(id));
        if are_here && is_ancestor(&self.repository, base, commit_id)? {
            return Ok(true);
        }
        if let Some(api) = &self.api {
            return api.is_in(base, commit_id).await;
        }
        let is_cut_off = self.repository.is_shallow();
        if !is_cut_off.context("cannot tell whether the history is all here")? {
            return Ok(false);
        }
        // All that is newer than the oldest commit that is asked about; a day for clocks that
        // differ. Where the commit is not here, only the whole history can tell. The base is among
        // it: a server that finds nothing to send refuses.
        let since = if self.repository.has_object(commit_id) {
            let oldest = self
                .commit(commit_id)?
                .seconds
                .min(self.commit(base)?.seconds);
            format!("--shallow-since={}", oldest - 24 * 60 * 60)
        } else {
            "--depth=2147483647".to_owned()
        };
        let fetched = self
            .fetch_objects("origin", &[&since, "--filter=tree:0"], &[base])
            .await;
        fetched?;
        let reopened = gix::open_opts(&self.git.directory, self.repository.open_options().clone())
            .context("cannot open the temporary repository")?;
        Ok(reopened.has_object(commit_id) && is_ancestor(&reopened, base, commit_id)?)
    }

    /// Makes a commit.
    ///
    /// # Errors
    /// It cannot be written or signed.
    pub(crate) async fn make_commit(&self, new: &NewCommit) -> anyhow::Result<ObjectId> {
        if new.is_signed {
            return self.make_signed_commit(new).await;
        }
        let time = gix::date::Time::new(new.time.as_second(), 0);
        let signature = |identity: &Identity| gix::actor::Signature {
            name: identity.name.as_str().into(),
            email: identity.email.as_str().into(),
            time,
        };
        let commit = gix::objs::Commit {
            tree: new.tree_id,
            parents: [new.parent_id].into_iter().collect(),
            author: signature(&new.author),
            committer: signature(&new.committer),
            encoding: None,
            message: new.message.as_str().into(),
            extra_headers: Vec::new(),
        };
        let doing = format!("write the commit for {}", self.push_url());
        let id = self.repository.write_object(&commit);
        Ok(id.map_err(|error| not_written(&doing, &error))?.detach())
    }

    /// Makes a commit with the `git` program, which knows all ways to sign, and under whose time limit
    /// the program that signs then is too.
    async fn make_signed_commit(&self, new: &NewCommit) -> anyhow::Result<ObjectId> {
        let doing = "sign the commit";
        let (tree, parent) = (new.tree_id.to_string(), new.parent_id.to_string());
        let arguments = [
            // The message is UTF-8, whatever the user's editor writes.
            "-c",
            "i18n.commitEncoding=UTF-8",
            "commit-tree",
            "-S",
            "-p",
            &parent,
            "-F",
            "-",
            &tree,
        ];
        let date = format!("@{} +0000", new.time.as_second());
        let variables = [
            ("GIT_AUTHOR_NAME", new.author.name.as_str()),
            ("GIT_AUTHOR_EMAIL", &new.author.email),
            ("GIT_AUTHOR_DATE", &date),
            ("GIT_COMMITTER_NAME", &new.committer.name),
            ("GIT_COMMITTER_EMAIL", &new.committer.email),
            ("GIT_COMMITTER_DATE", &date),
        ];
        let said = self
            .git
            .run_with(doing, &arguments, &new.message, &variables)
            .await?;
        if !said.is_success {
            bail!(
                "cannot {doing}: {}; check git's gpg.format and user.signingKey, or give \
                 --signing-key",
                signers_words(&said.stderr)
            );
        }
        ObjectId::from_hex(said.stdout.trim().as_bytes())
            .map_err(|_| anyhow!("cannot {doing}: git did not say which commit it made; run again"))
    }
}

/// The line that says most of what a signing program has written, as git's gpg-interface.c hands it on.
fn signers_words(stderr: &str) -> &str {
    let is_noise = |line: &str| {
        line.is_empty()
            || line.starts_with("[GNUPG:]")
            || line.starts_with("gpg: keybox")
            || line.starts_with("gpg: directory")
            || line.contains("gpg failed to sign the data")
            || line.contains("failed to write commit object")
            || line.contains("(no gpg output)")
            || line.contains("ssh_askpass")
    };
    let line = stderr.lines().map(str::trim).rfind(|line| !is_noise(line));
    let line = line.unwrap_or("the signing program failed and said nothing");
    ["error: ", "fatal: ", "gpg: "]
        .iter()
        .fold(line, |line, prefix| {
            line.strip_prefix(prefix).unwrap_or(line)
        })
        .trim_end_matches('?')
}

fn is_ancestor(
    repository: &gix::Repository,
    base: ObjectId,
    commit_id: ObjectId,
) -> anyhow::Result<bool> {
    let mut walk = repository
        .rev_walk([base])
        .all()
        .context("cannot read the history of the base")?;
    Ok(walk.any(|found| found.is_ok_and(|found| found.id == commit_id)))
}

fn is_as_made(
    author: gix::actor::SignatureRef<'_>,
    committer: gix::actor::SignatureRef<'_>,
) -> bool {
    let times = (author.time(), committer.time());
    matches!(times, (Ok(one), Ok(other)) if one == other && one.offset == 0)
}

fn identity(signature: gix::actor::SignatureRef<'_>) -> Option<Identity> {
    let identity = plain(signature);
    (!identity.name.is_empty() && !identity.email.is_empty()).then_some(identity)
}

fn plain(signature: gix::actor::SignatureRef<'_>) -> Identity {
    let signature = signature.trim();
    Identity {
        name: signature.name.to_str_lossy().into_owned(),
        email: signature.email.to_str_lossy().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_what_a_signing_program_says() {
        let gpg = "error: gpg failed to sign the data:\n[GNUPG:] INV_SGNR 9 x\ngpg: signing failed: No secret key\n\n";
        assert_eq!(signers_words(gpg), "signing failed: No secret key");
        let ssh = "error: Couldn't load public key /k: No such file or directory?\n\nfatal: failed to write commit object\n";
        assert_eq!(
            signers_words(ssh),
            "Couldn't load public key /k: No such file or directory"
        );
        assert!(signers_words("[GNUPG:] FAILURE sign 17\n").contains("said nothing"));
    }

    #[test]
    fn reads_identities() {
        let identity: Identity = "A B <a@b.c>".parse().unwrap();
        assert_eq!(identity.to_string(), "A B <a@b.c>");
        for wrong in ["A", "<a@b>", "A <>", "A <a@b", "A <a<b>"] {
            assert!(wrong.parse::<Identity>().is_err(), "{wrong}");
        }
    }
}
