//! Objects and branches read through a forge's API in place of git, into the same repository. What
//! arrives is JSON: trees are built from it anew and, as blobs, count only with the id that was asked
//! for, which proves every byte. Commits cannot be built, since the API does not tell all of their
//! header; what it tells of them is kept beside the repository.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{anyhow, bail};
use futures::{StreamExt, TryStreamExt, stream};
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::{Entry, EntryMode};
use jiff::Timestamp;

use super::commit::{CommitInfo, Identity};
use super::package::Missing;
use super::refs::{Heads, WantedHeads};
use super::workspace::not_written;
use crate::adapters::forges::{CommitDetails, CommitThroughApi, Signature, TreeEntry, WantedBlob};

/// How many requests are on their way at once; forges want few.
const AT_ONCE: usize = 4;

/// A repository behind a forge's API.
pub(super) struct ApiSource<'r> {
    api: &'r dyn CommitThroughApi,
    /// The repository's URL, for people.
    url: String,
    commits: RefCell<BTreeMap<ObjectId, CommitInfo>>,
    /// Sizes of blobs in trees that were read, in bytes.
    sizes: RefCell<HashMap<ObjectId, u64>>,
}

impl<'r> ApiSource<'r> {
    /// Nothing is read yet. `url` is for people.
    pub(super) fn new(api: &'r dyn CommitThroughApi, url: &str) -> Self {
        Self {
            api,
            url: url.to_owned(),
            commits: RefCell::default(),
            sizes: RefCell::default(),
        }
    }

    /// The branches that are wanted. Where the base is missing, all: for the sentence that says so.
    pub(super) async fn heads(&self, wanted: &WantedHeads<'_>) -> anyhow::Result<Heads> {
        let mut heads = Heads::default();
        let base = match wanted.base {
            Some(base) => base.to_owned(),
            None => self.api.default_branch().await?,
        };
        if let Some(commit) = self.api.branch(&base).await? {
            let id = self.keep(commit)?;
            self.add_branches(&mut heads, wanted.own.trim_end_matches('/'))
                .await?;
            // What is there has nothing in its way.
            if let Some((first, _)) = wanted.own.trim_end_matches('/').split_once('/')
                && !heads.branches.contains_key(wanted.own)
            {
                self.add_branches(&mut heads, first).await?;
            }
            heads.branches.insert(base.clone(), id);
        } else {
            self.add_branches(&mut heads, "").await?;
        }
        heads.default = Some(base);
        Ok(heads)
    }

    /// Adds a branch, and those whose names go on with a slash; all branches for the empty name.
    async fn add_branches(&self, heads: &mut Heads, name: &str) -> anyhow::Result<()> {
        for (found, id) in self.api.branches(name).await? {
            let rest = found.strip_prefix(name).unwrap_or_default();
            if name.is_empty() || rest.is_empty() || rest.starts_with('/') {
                heads.branches.insert(found, self.parsed(&id)?);
            }
        }
        Ok(())
    }

    /// Asks about commits, unless they are known.
    pub(super) async fn fetch_commits(
        &self,
        ids: impl Iterator<Item = ObjectId>,
    ) -> anyhow::Result<()> {
        for id in ids {
            if self.commit(id).is_some() {
                continue;
            }
            let details = self.api.commit_details(&id.to_string()).await?;
            if self.keep(details)? != id {
                bail!(
                    "cannot read the commit {id} of {}: the forge's API answered with another; run \
                     again, or leave --commit-via out",
                    self.url
                );
            }
        }
        Ok(())
    }

    /// A commit that was asked about.
    pub(super) fn commit(&self, id: ObjectId) -> Option<CommitInfo> {
        self.commits.borrow().get(&id).cloned()
    }

    /// Whether a commit is the base or an ancestor of it.
    pub(super) async fn is_in(&self, base: ObjectId, commit_id: ObjectId) -> anyhow::Result<bool> {
        let (base, commit_id) = (base.to_string(), commit_id.to_string());
        Ok(self.api.is_in(&base, &commit_id).await?)
    }

    /// Removes a branch that still points to `seen`.
    pub(super) async fn remove(&self, branch: &str, seen: ObjectId) -> anyhow::Result<()> {
        Ok(self.api.remove_branch(branch, &seen.to_string()).await?)
    }

    /// Reads some of what is missing: what decides about the rest first, so that nothing is read that
    /// is not needed. A tree on the way to the package comes alone, others with all below them.
    pub(super) async fn fetch_missing(
        &self,
        repository: &gix::Repository,
        missing: &Missing,
        is_on_the_way: bool,
    ) -> anyhow::Result<()> {
        if !missing.ignore_files.is_empty() {
            self.fetch_blobs(repository, &missing.ignore_files).await
        } else if !missing.trees.is_empty() {
            self.fetch_trees(repository, &missing.trees, !is_on_the_way)
                .await
        } else {
            self.fetch_blobs(repository, &missing.manifests).await
        }
    }

    async fn fetch_trees(
        &self,
        repository: &gix::Repository,
        ids: &[ObjectId],
        are_whole: bool,
    ) -> anyhow::Result<()> {
        let unique: BTreeSet<ObjectId> = ids.iter().copied().collect();
        let reads = unique
            .into_iter()
            .map(async |id| anyhow::Ok((id, self.read_tree(id, are_whole).await?)));
        let read = stream::iter(reads).buffered(AT_ONCE);
        let trees: Vec<_> = read.try_collect().await?;
        for (id, mut entries) in trees {
            self.write_trees(repository, id, &entries)?;
            if repository.has_object(id) {
                continue;
            }
            // It has names that JSON cannot hold.
            entries = self.api.exact_tree(&id.to_string()).await?;
            self.write_trees(repository, id, &entries)?;
            if !repository.has_object(id) {
                bail!(
                    "cannot read the directory {id} of {}: the forge's API tells of another; run \
                     again, or leave --commit-via out",
                    self.url
                );
            }
        }
        Ok(())
    }

    async fn read_tree(&self, id: ObjectId, is_whole: bool) -> anyhow::Result<Vec<TreeEntry>> {
        let text = id.to_string();
        if is_whole && let Some(entries) = self.api.tree(&text, true).await? {
            return Ok(entries);
        }
        // One level at a time where there is too much for one answer.
        let entries = self.api.tree(&text, false).await?;
        entries.ok_or_else(|| {
            anyhow!(
                "cannot read the directory {id} of {}: it has too many files for the forge's API; \
                 leave --commit-via out",
                self.url
            )
        })
    }

    /// Builds a tree, and those below it that are listed too. One that is not told exactly comes out
    /// with another id, and is asked for by itself if it is needed.
    fn write_trees(
        &self,
        repository: &gix::Repository,
        id: ObjectId,
        entries: &[TreeEntry],
    ) -> anyhow::Result<()> {
        let doing = format!("read the directory {id} of {}", self.url);
        let mut directories: BTreeMap<&[u8], Vec<Entry>> = BTreeMap::new();
        for entry in entries {
            let (directory, name) = match entry.path.rsplit_once_str("/") {
                Some((directory, name)) => (directory, name),
                None => (&[][..], &entry.path[..]),
            };
            // Without it the tree cannot come out right.
            let Ok(mode) = EntryMode::try_from(entry.mode) else {
                continue;
            };
            let oid = self.parsed(&entry.id)?;
            if mode.is_no_tree() {
                self.sizes.borrow_mut().insert(oid, entry.size);
            }
            directories.entry(directory).or_default().push(Entry {
                mode,
                filename: name.into(),
                oid,
            });
        }
        for mut entries in directories.into_values() {
            entries.sort();
            repository
                .write_object(gix::objs::Tree { entries })
                .map_err(|error| not_written(&doing, &error))?;
        }
        Ok(())
    }

    async fn fetch_blobs(
        &self,
        repository: &gix::Repository,
        ids: &[ObjectId],
    ) -> anyhow::Result<()> {
        let doing = format!("read the files of {}", self.url);
        let unique: BTreeSet<ObjectId> = ids.iter().copied().collect();
        let wanted: Vec<WantedBlob> = {
            let sizes = self.sizes.borrow();
            let blob = |id: &ObjectId| WantedBlob {
                id: id.to_string(),
                size: sizes.get(id).copied().unwrap_or_default(),
            };
            unique.iter().map(blob).collect()
        };
        for text in self.api.texts(&wanted).await? {
            // Under its own id, whatever it is.
            repository
                .write_blob(text)
                .map_err(|error| not_written(&doing, &error))?;
        }
        let rest = unique.into_iter().filter(|id| !repository.has_object(id));
        let reads = rest.map(async |id| anyhow::Ok((id, self.api.blob(&id.to_string()).await?)));
        let mut read = stream::iter(reads).buffered(AT_ONCE);
        while let Some((id, bytes)) = read.try_next().await? {
            let written = repository
                .write_blob(bytes)
                .map_err(|error| not_written(&doing, &error))?;
            if written.detach() != id {
                bail!(
                    "cannot read the file {id} of {}: the forge's API sent other bytes; run again, or \
                     leave --commit-via out",
                    self.url
                );
            }
        }
        Ok(())
    }

    /// Keeps what is told of a commit.
    fn keep(&self, details: CommitDetails) -> anyhow::Result<ObjectId> {
        let id = self.parsed(&details.id)?;
        let identity = |signature: &Signature| Identity {
            name: signature.name.clone(),
            email: signature.email.clone(),
        };
        let parents = details.parent_ids.iter().map(|id| self.parsed(id));
        let (written, committed) = (details.author.time, details.committer.time);
        let info = CommitInfo {
            id,
            tree_id: self.parsed(&details.tree_id)?,
            parent_ids: parents.collect::<anyhow::Result<_>>()?,
            author: identity(&details.author),
            committer: identity(&details.committer),
            message: details.message,
            seconds: committed.map(Timestamp::as_second).unwrap_or_default(),
            // In which time zone it was, the API does not tell: it converts all to UTC.
            is_as_made: written.is_some() && written == committed,
        };
        self.commits.borrow_mut().insert(id, info);
        Ok(id)
    }

    fn parsed(&self, id: &str) -> anyhow::Result<ObjectId> {
        ObjectId::from_hex(id.as_bytes()).map_err(|_| {
            anyhow!(
                "cannot read {}: the forge's API sent {id:?} for an id; check the forge's URL",
                self.url
            )
        })
    }
}
