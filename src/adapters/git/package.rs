//! A package read from a tree, and a tree with the package's files changed. Nothing is checked out.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use gix::ObjectId;
use gix::object::tree::EntryKind;

use super::workspace::{Workspace, not_written};
use crate::adapters::files::{Hidden, IGNORE_FILES, is_manifest};
use crate::core::change::FileChange;
use crate::core::package::{Layout, Package, Part};

/// A package as it is in a commit.
pub(crate) struct BasePackage {
    /// The YAML and JSON files, sorted by path; paths are from the package's directory.
    pub(crate) package: Package<'static>,
    /// The tree of the whole repository.
    pub(crate) tree_id: ObjectId,
}

/// A commit in which the package's directory is not.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot find the directory {path} in {url}: the branch has none; check DIR, which is a path from the \
     repository's root there"
)]
pub(crate) struct NoDirectory {
    path: String,
    url: String,
}

/// What a walk came to.
#[derive(Default)]
struct Walk {
    files: Vec<(String, String)>,
    /// What is not here.
    missing: Missing,
    /// Whether what is missing is needed only for the way to the package.
    is_on_the_way: bool,
}

/// Objects that are not here.
#[derive(Default)]
pub(super) struct Missing {
    /// Directories.
    pub(super) trees: Vec<ObjectId>,
    /// Files that say what is hidden, and so whether others are needed.
    pub(super) ignore_files: Vec<ObjectId>,
    /// Other files.
    pub(super) manifests: Vec<ObjectId>,
}

impl Missing {
    fn all(&self) -> Vec<ObjectId> {
        [&self.trees, &self.ignore_files, &self.manifests]
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }
}

/// A directory that is being read.
struct Directory<'w> {
    tree: gix::Tree<'w>,
    /// From the root of the repository; empty for the root.
    path: String,
    hidden: Hidden,
}

/// More rounds than a path has parts: each brings at least one level, or what is hidden in one.
const MOST_ROUNDS: usize = 128;

impl Workspace<'_> {
    /// Reads the package of a commit, and fetches what is missing of it.
    ///
    /// # Errors
    /// The commit has no such directory, or an object can be neither read nor fetched.
    pub(crate) async fn package(&self, commit_id: ObjectId) -> anyhow::Result<BasePackage> {
        let tree_id = self.tree_of(commit_id)?;
        for _ in 0..MOST_ROUNDS {
            let walk = self.walk(tree_id)?;
            let missing = walk.missing.all();
            if missing.is_empty() {
                let mut files = walk.files;
                files.sort();
                let parts = files.into_iter().map(|(path, text)| Part::file(path, text));
                return Ok(BasePackage {
                    package: Package::new(Layout::Directory, parts),
                    tree_id,
                });
            }
            if let Some(api) = &self.api {
                api.fetch_missing(&self.repository, &walk.missing, walk.is_on_the_way)
                    .await?;
                continue;
            }
            // A tree on the way comes alone; a tree of the package with all that is in it, but for
            // large files, of which those that are needed are asked for next.
            let filter = if walk.is_on_the_way {
                "--filter=tree:1"
            } else {
                "--filter=blob:limit=1m"
            };
            self.fetch_missing(commit_id, &missing, &[filter]).await?;
            if let Some(id) = missing.iter().find(|id| !self.repository.has_object(id)) {
                bail!(
                    "cannot read the package of {}: the server did not send the object {id}",
                    self.url()
                );
            }
        }
        Err(anyhow!(
            "cannot read the package of {}: there is always something missing",
            self.url()
        ))
    }

    pub(super) fn tree_of(&self, commit_id: ObjectId) -> anyhow::Result<ObjectId> {
        Ok(self.commit(commit_id)?.tree_id)
    }

    fn walk(&self, root: ObjectId) -> anyhow::Result<Walk> {
        let mut walk = Walk::default();
        let Some(mut directory) =
            self.directory(root, String::new(), &Hidden::default(), &mut walk)?
        else {
            walk.is_on_the_way = !self.prefix.is_empty();
            return Ok(walk);
        };
        let depth = self
            .prefix
            .split('/')
            .filter(|part| !part.is_empty())
            .count();
        for (number, name) in self
            .prefix
            .split('/')
            .filter(|part| !part.is_empty())
            .enumerate()
        {
            let entry = directory.tree.find_entry(name);
            let entry = entry.filter(|entry| entry.mode().is_tree());
            let Some(id) = entry.map(|entry| entry.object_id()) else {
                return Err(NoDirectory {
                    path: self.prefix.clone(),
                    url: self.url().to_owned(),
                }
                .into());
            };
            let path = below(&directory.path, name);
            let Some(next) = self.directory(id, path, &directory.hidden, &mut walk)? else {
                walk.is_on_the_way = number + 1 < depth;
                return Ok(walk);
            };
            directory = next;
        }
        let start = match self.prefix.as_str() {
            "" => 0,
            prefix => prefix.len() + 1,
        };
        let mut directories = vec![directory];
        while let Some(directory) = directories.pop() {
            for entry in directory.tree.iter() {
                let entry = entry.with_context(|| format!("cannot read {}", directory.path))?;
                // What is not UTF-8 is no path that Kubernetes tools know.
                let Ok(name) = std::str::from_utf8(entry.filename()) else {
                    continue;
                };
                let path = below(&directory.path, name);
                match entry.kind() {
                    EntryKind::Tree if !directory.hidden.hides(&path, true) => {
                        let id = entry.object_id();
                        directories.extend(self.directory(
                            id,
                            path,
                            &directory.hidden,
                            &mut walk,
                        )?);
                    }
                    EntryKind::Blob | EntryKind::BlobExecutable
                        if is_manifest(Path::new(name))
                            && !directory.hidden.hides(&path, false) =>
                    {
                        let text = self.text(entry.object_id(), &mut walk.missing.manifests)?;
                        walk.files
                            .extend(text.map(|text| (path[start..].to_owned(), text)));
                    }
                    // Links are not followed, and submodules are not ours.
                    _ => {}
                }
            }
        }
        Ok(walk)
    }

    /// A directory with what its ignore files hide; `None` when something is missing.
    fn directory<'w>(
        &'w self,
        id: ObjectId,
        path: String,
        parent: &Hidden,
        walk: &mut Walk,
    ) -> anyhow::Result<Option<Directory<'w>>> {
        let problem = || format!("cannot read the directory {path:?} of {}", self.url());
        if !self.repository.has_object(id) {
            walk.missing.trees.push(id);
            return Ok(None);
        }
        let tree = self.repository.find_tree(id).with_context(problem)?;
        let mut texts = [None, None, None];
        for (text, name) in texts.iter_mut().zip(IGNORE_FILES) {
            let entry = tree.find_entry(name).filter(|entry| entry.mode().is_blob());
            if let Some(id) = entry.map(|entry| entry.object_id()) {
                *text = self.text(id, &mut walk.missing.ignore_files)?;
            }
        }
        let texts = [0, 1, 2].map(|kind| texts[kind].as_deref());
        let hidden = parent.in_directory(&path, texts);
        Ok(Some(Directory { tree, path, hidden }))
    }

    /// The text of a blob; `None` when it is missing or no text.
    fn text(&self, id: ObjectId, missing: &mut Vec<ObjectId>) -> anyhow::Result<Option<String>> {
        if !self.repository.has_object(id) {
            missing.push(id);
            return Ok(None);
        }
        let problem = || format!("cannot read the object {id} of {}", self.url());
        let blob = self.repository.find_blob(id).with_context(problem)?;
        Ok(String::from_utf8(blob.detach().data).ok())
    }

    /// Writes the tree that a tree becomes with some files changed, whose paths are from the
    /// repository's root. Modes stay.
    ///
    /// # Errors
    /// A file would move onto another, or an object cannot be written.
    pub(crate) fn tree_with(
        &self,
        tree_id: ObjectId,
        changes: &[FileChange],
    ) -> anyhow::Result<ObjectId> {
        let doing = format!("write the new tree for {}", self.url());
        let problem = || format!("cannot {doing}");
        let tree = self.repository.find_tree(tree_id).with_context(problem)?;
        let mut kinds = BTreeMap::new();
        for change in changes {
            let kind_at = |path: &str| -> anyhow::Result<Option<EntryKind>> {
                let entry = tree.lookup_entry_by_path(path);
                Ok(entry
                    .with_context(problem)?
                    .map(|entry| entry.mode().kind()))
            };
            let kind = kind_at(&change.from)?.unwrap_or(EntryKind::Blob);
            if change.from != change.to && kind_at(&change.to)?.is_some() {
                bail!(
                    "cannot move {} to {}: that file exists",
                    change.from,
                    change.to
                );
            }
            kinds.insert(&change.from, kind);
        }
        // Not `gix::object::tree::Editor::write`, which wants all neighbours to be here.
        let mut editor = self
            .repository
            .edit_tree(tree_id)
            .with_context(problem)?
            .detach();
        for change in changes {
            let blob = self
                .repository
                .write_blob(&change.new)
                .map_err(|error| not_written(&doing, &error))?;
            let (from, to) = (&change.from, &change.to);
            if from != to {
                editor.remove(from.split('/')).with_context(problem)?;
            }
            editor
                .upsert(to.split('/'), kinds[&change.from], blob.detach())
                .with_context(problem)?;
        }
        editor.write(|tree| -> anyhow::Result<ObjectId> {
            let written = self.repository.write_object(tree);
            Ok(written
                .map_err(|error| not_written(&doing, &error))?
                .detach())
        })
    }

    /// Whether a path from the repository's root is a file that is neither executable nor a symbolic
    /// link, or is not there at all.
    ///
    /// # Errors
    /// A tree on the way is not here.
    pub(crate) fn is_plain_file(&self, tree_id: ObjectId, path: &str) -> anyhow::Result<bool> {
        let problem = || format!("cannot read {path} of {}", self.url());
        let tree = self.repository.find_tree(tree_id).with_context(problem)?;
        let entry = tree.lookup_entry_by_path(path).with_context(problem)?;
        Ok(entry.is_none_or(|entry| entry.mode().kind() == EntryKind::Blob))
    }
}

fn below(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}
