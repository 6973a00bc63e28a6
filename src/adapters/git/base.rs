//! Reading a Git repository's objects.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

/// The tree of the last commit that the current branch and a revision have in common.
pub(crate) struct Base {
    repository: gix::Repository,
    tree: gix::ObjectId,
    /// The directory, from the root of the work tree.
    prefix: PathBuf,
}

impl Base {
    /// Finds the common ancestor of `HEAD` and `revision` in the repository around `directory`.
    ///
    /// # Errors
    /// There is no repository, no such revision, or no common ancestor.
    pub(crate) fn find(directory: &Path, revision: &str) -> anyhow::Result<Self> {
        let problem = || format!("cannot compare {} with {revision}", directory.display());
        let repository = gix::discover(directory).with_context(problem)?;
        let root = repository
            .workdir()
            .ok_or_else(|| anyhow!("the repository has no work tree"))
            .with_context(problem)?
            .canonicalize()
            .with_context(problem)?;
        let absolute = directory.canonicalize().with_context(problem)?;
        let prefix = absolute
            .strip_prefix(&root)
            .with_context(problem)?
            .to_owned();
        let head = repository.head_id().with_context(problem)?.detach();
        let other = repository
            .rev_parse_single(revision)
            .map_err(|error| anyhow!("{error}; fetch it first (a shallow clone may lack it)"))
            .and_then(|id| Ok(id.object()?.peel_to_kind(gix::object::Kind::Commit)?.id))
            .with_context(problem)?;
        let ancestor = repository
            .merge_base(head, other)
            .with_context(problem)?
            .ok_or_else(|| anyhow!("they have no common ancestor; a shallow clone may lack it"))
            .with_context(problem)?
            .detach();
        let tree = {
            let commit = repository.find_commit(ancestor).with_context(problem)?;
            commit.tree_id().with_context(problem)?.detach()
        };
        Ok(Self {
            repository,
            tree,
            prefix,
        })
    }

    /// The text of a file of the directory; `None` when it was not there, or was no text.
    ///
    /// # Errors
    /// An object cannot be read.
    pub(crate) fn text(&self, path: &str) -> anyhow::Result<Option<String>> {
        let path = self.prefix.join(path);
        let problem = || format!("cannot read {} as it was", path.display());
        let tree = self.repository.find_tree(self.tree).with_context(problem)?;
        let Some(entry) = tree.lookup_entry_by_path(&path).with_context(problem)? else {
            return Ok(None);
        };
        let object = entry.object().with_context(problem)?;
        Ok(String::from_utf8(object.detach().data).ok())
    }
}
