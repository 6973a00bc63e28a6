//! A directory that is swapped as a whole while it is read, as git-sync does: `DIR`, or a folder
//! above it, is a symbolic link to a tree that is never changed; a new tree is made beside it, the
//! link is replaced, and then the old tree is deleted
//! (<https://github.com/kubernetes/git-sync/blob/v4.4.0/README.md>, "the symlink").
//!
//! The link is followed once, and everything is read below where it led. When it leads elsewhere
//! afterwards, the tree may have been deleted under the reader, whether that failed or not, and the
//! reading begins anew.

#![expect(
    clippy::disallowed_types,
    reason = "this is an adapter, and a directory is kept open"
)]

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::read::{read_file, read_texts};

/// How long to begin anew. Trees are swapped every few seconds, and read in milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was in the directory at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The directory's files by their paths: those that `read_directory` reads.
    pub(crate) texts: Vec<(String, String)>,
    /// The files that were named, in that order: the path as it was found, and the text.
    pub(crate) named: Vec<(PathBuf, String)>,
    root: Root,
    /// Whether all of it is in that tree; a named file may be elsewhere.
    is_in_tree: bool,
}

impl Snapshot {
    /// Reads a directory, and the files in `named`, whose paths are relative to it. One that is not
    /// there is looked for from the current directory; one that leads through the directory is
    /// taken from the same tree.
    ///
    /// # Errors
    /// Something is not there or cannot be read, or the directory never stood still.
    pub(crate) fn read(directory: &Path, named: &[PathBuf]) -> anyhow::Result<Self> {
        let start = Instant::now();
        loop {
            let links = Links::of(directory);
            let read =
                Root::open(directory).and_then(|root| Self::read_once(root, directory, named));
            let stands_still = links == Links::of(directory)
                && read
                    .as_ref()
                    .map_or(true, |snapshot| snapshot.root.is_at(directory));
            if stands_still {
                return read;
            }
            if start.elapsed() > PATIENCE {
                bail!(
                    "cannot read {}: it was replaced again and again while it was being read",
                    directory.display()
                );
            }
        }
    }

    /// Whether the directory is still this one, and it and the named files are of the kind that never
    /// changes: git-sync names a tree by its commit.
    pub(crate) fn is_current(&self, directory: &Path) -> bool {
        self.is_in_tree && self.root.is_commit() && self.root.is_at(directory)
    }

    fn read_once(root: Root, directory: &Path, named: &[PathBuf]) -> anyhow::Result<Self> {
        let texts = read_texts(&root.path).map_err(|error| root.as_named(directory, &error))?;
        let (mut found, mut is_in_tree) = (Vec::new(), true);
        for path in named {
            let place = root.place(directory, path);
            let text = read_file(&place).map_err(|error| root.as_named(directory, &error))?;
            is_in_tree &= root.holds(&place);
            found.push((path.clone(), text));
        }
        Ok(Self {
            texts,
            named: found,
            root,
            is_in_tree,
        })
    }
}

/// The tree that a directory is now. It is kept open, so that no other gets its number.
#[derive(Debug)]
struct Root {
    path: PathBuf,
    file: File,
}

impl Root {
    fn open(directory: &Path) -> anyhow::Result<Self> {
        let problem = || format!("cannot read {}", directory.display());
        let path = fs::canonicalize(directory).with_context(problem)?;
        let file = File::open(&path).with_context(problem)?;
        Ok(Self { path, file })
    }

    fn is_at(&self, directory: &Path) -> bool {
        let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
        match (
            fs::canonicalize(directory),
            fs::metadata(directory),
            self.file.metadata(),
        ) {
            (Ok(path), Ok(there), Ok(here)) => {
                path == self.path && identity(&there) == identity(&here)
            }
            _ => false,
        }
    }

    fn is_commit(&self) -> bool {
        let names = self.path.iter().filter_map(|name| name.to_str());
        names
            .map(|name| name.strip_prefix("rev-").unwrap_or(name))
            .any(|name| {
                // SHA-1 or SHA-256.
                matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
    }

    /// Where a named file is.
    fn place(&self, directory: &Path, path: &Path) -> PathBuf {
        let inside = self.path.join(path.strip_prefix(directory).unwrap_or(path));
        if path.is_absolute() || inside.exists() || !path.exists() {
            inside
        } else {
            path.to_owned()
        }
    }

    /// Whether a file is in this tree, wherever links lead.
    fn holds(&self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|path| path.starts_with(&self.path))
    }

    /// An error with the directory's own name instead of where it leads, which nobody knows.
    fn as_named(&self, directory: &Path, error: &anyhow::Error) -> anyhow::Error {
        let (real, named) = (
            self.path.display().to_string(),
            directory.display().to_string(),
        );
        anyhow::anyhow!("{}", format!("{error:#}").replace(&real, &named))
    }
}

/// Where the links on the way to a directory lead.
#[derive(PartialEq, Eq)]
struct Links(Vec<Option<PathBuf>>);

impl Links {
    fn of(directory: &Path) -> Self {
        let link = |path: &Path| fs::read_link(path).ok();
        Self(directory.ancestors().map(link).collect())
    }
}

#[cfg(test)]
mod tests;
