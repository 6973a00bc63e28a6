//! Commits that a forge makes itself: without a push, and signed by the forge, so that it shows them
//! as verified. An alternative to the git adapter for what it pushes: write a commit on the base and
//! point the branch to it, or remove the branch.

use futures::future::BoxFuture;

use super::{ForgeError, ReadThroughApi};

/// Commits on one repository through the forge's API, which is read in the same way: what git would
/// be needed for otherwise. A fork is a repository of its own.
///
/// # Guarantees
/// - [`commit`](Self::commit) moves the branch in one step, from exactly the commit that the caller
///   saw to the new one. Whoever moves it in between wins, and the caller gets
///   [`ForgeError::is_outdated`]. The branch never points to the base on the way, which would close
///   its pull request.
/// - A run that is cut short leaves the branch as it was. What it leaves beside it, the next run
///   takes over.
///
/// # Limitations
/// New files are plain files: no executables and no symbolic links.
pub(crate) trait CommitThroughApi: ReadThroughApi {
    /// Makes a commit, points the branch to it, and gives it back.
    fn commit<'a>(
        &'a self,
        wanted: &'a WantedCommit,
    ) -> BoxFuture<'a, Result<BranchCommit, ForgeError>>;

    /// Removes a branch that still points to `seen`. One that is gone is fine.
    fn remove_branch<'a>(
        &'a self,
        branch: &'a str,
        seen: &'a str,
    ) -> BoxFuture<'a, Result<(), ForgeError>>;
}

/// A commit as the forge reports it. Ids are in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BranchCommit {
    /// Its id.
    pub(crate) id: String,
    /// The id of its tree: what tells whether the forge has committed what it was given.
    pub(crate) tree_id: String,
}

/// A commit to make: changes to the tree of its only parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedCommit {
    /// The branch to point to it; it is made where it is missing.
    pub(crate) branch: String,
    /// What the branch pointed to when it was looked at; `None` when it was not there.
    pub(crate) seen: Option<String>,
    /// The only parent.
    pub(crate) base_id: String,
    /// The message: a subject, a blank line, a body.
    pub(crate) message: String,
    /// What changes. A file that moves is one that goes and one that comes.
    pub(crate) changes: Vec<FileChange>,
}

/// A file that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileChange {
    /// From the repository's root.
    pub(crate) path: String,
    /// The new bytes; `None` when the file goes.
    pub(crate) contents: Option<Vec<u8>>,
}
