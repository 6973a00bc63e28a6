//! What a repository holds, read through a forge's API: branches, commits, trees and blobs, without a
//! clone and without git. An alternative to fetching; who asks proves by the ids that what comes is
//! what is in the repository.

use futures::future::BoxFuture;
use jiff::Timestamp;

use super::ForgeError;

/// Reads one repository through the forge's API. Ids are in hexadecimal.
pub(crate) trait ReadThroughApi: Send + Sync {
    /// The name of the branch that people mean when they name none.
    fn default_branch(&self) -> BoxFuture<'_, Result<String, ForgeError>>;

    /// The commit that a branch points to; `None` when there is no such branch.
    fn branch<'a>(
        &'a self,
        branch: &'a str,
    ) -> BoxFuture<'a, Result<Option<CommitDetails>, ForgeError>>;

    /// The branches whose names begin so, and the ids of their commits. All pages.
    fn branches<'a>(
        &'a self,
        beginning: &'a str,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>, ForgeError>>;

    /// A commit by its id.
    fn commit_details<'a>(
        &'a self,
        id: &'a str,
    ) -> BoxFuture<'a, Result<CommitDetails, ForgeError>>;

    /// Whether a commit is the base or an ancestor of it; both are commit ids.
    fn is_in<'a>(
        &'a self,
        base: &'a str,
        commit_id: &'a str,
    ) -> BoxFuture<'a, Result<bool, ForgeError>>;

    /// What is in a tree, in no certain order; `is_whole` for all trees below it too. `None` when
    /// that is too much for one answer.
    fn tree<'a>(
        &'a self,
        id: &'a str,
        is_whole: bool,
    ) -> BoxFuture<'a, Result<Option<Vec<TreeEntry>>, ForgeError>>;

    /// What is in a tree itself, also where names are not UTF-8, which [`tree`](Self::tree) does not
    /// tell right.
    fn exact_tree<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<TreeEntry>, ForgeError>>;

    /// Blobs as text, many with each request. It leaves out what is no text or too long, and a text
    /// need not have the bytes of its blob: whoever hashes it knows.
    fn texts<'a>(
        &'a self,
        blobs: &'a [WantedBlob],
    ) -> BoxFuture<'a, Result<Vec<String>, ForgeError>>;

    /// The bytes of a blob.
    fn blob<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<u8>, ForgeError>>;
}

/// A commit as the forge reports it. It is not the commit itself: what else stands in its header is
/// not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitDetails {
    /// Its id.
    pub(crate) id: String,
    /// The id of its tree.
    pub(crate) tree_id: String,
    /// The ids of its parents.
    pub(crate) parent_ids: Vec<String>,
    /// Who wrote it, and when.
    pub(crate) author: Signature,
    /// Who committed it, and when.
    pub(crate) committer: Signature,
    /// The whole message.
    pub(crate) message: String,
}

/// Who did something to a commit, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    /// The name.
    pub(crate) name: String,
    /// The e-mail address.
    pub(crate) email: String,
    /// When, if that is told; without the time zone.
    pub(crate) time: Option<Timestamp>,
}

/// What is in a tree under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    /// From the tree that was asked for, in bytes.
    pub(crate) path: Vec<u8>,
    /// Git's mode: 0o100644, 0o100755, 0o120000 (a symbolic link), 0o40000 (a tree) or 0o160000 (a
    /// submodule).
    pub(crate) mode: u32,
    /// The id of the object.
    pub(crate) id: String,
    /// The size of a blob in bytes; 0 for others.
    pub(crate) size: u64,
}

/// A blob to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedBlob {
    /// Its id.
    pub(crate) id: String,
    /// Its size in bytes; 0 when it is not known.
    pub(crate) size: u64,
}
