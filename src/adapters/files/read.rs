//! A directory as a package.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ignore::WalkBuilder;

use super::visible::is_manifest;
use crate::core::package::{Layout, Package, Part};

/// Everything on standard input.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read_stdin() -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    Ok(bytes)
}

/// A file's text.
///
/// # Errors
/// It cannot be read, or is not UTF-8.
pub(crate) fn read_file(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    String::from_utf8(bytes)
        .map_err(|_| anyhow::anyhow!("cannot read {}: it is not UTF-8 text", path.display()))
}

/// Whether there is something at a path.
pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}

/// A path as seen from the current directory, when it is in it.
pub(crate) fn from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_owned()
}

/// Reads the YAML and JSON files below a directory, sorted by path. `.krmignore` and `.gitignore`
/// hide files; symbolic links are not followed, so that nothing outside is touched and nothing
/// is seen twice.
///
/// # Errors
/// The directory, or a file in it, cannot be read.
pub(crate) fn read_directory(root: &Path) -> anyhow::Result<Package<'static>> {
    let files = read_texts(root)?.into_iter();
    let parts = files.map(|(path, text)| Part::file(path, text));
    Ok(Package::new(Layout::Directory, parts))
}

/// The same as texts by their paths, which other threads can take over.
///
/// # Errors
/// The directory, or a file in it, cannot be read.
pub(super) fn read_texts(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
    if !root.is_dir() {
        let problem = if root.exists() {
            "it is not a directory"
        } else {
            "it does not exist"
        };
        bail!("cannot read {}: {problem}", root.display());
    }
    let mut walk = WalkBuilder::new(root);
    walk.hidden(false)
        .git_global(false)
        .require_git(false)
        .add_custom_ignore_filename(".krmignore")
        .filter_entry(|entry| entry.file_name() != ".git");
    let mut files = Vec::new();
    for entry in walk.build() {
        let entry = entry.with_context(|| format!("cannot read {}", root.display()))?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if !is_file || !is_manifest(entry.path()) {
            continue;
        }
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let Some(name) = path.to_str() else { continue };
        let bytes = fs::read(entry.path())
            .with_context(|| format!("cannot read {}", entry.path().display()))?;
        // What is not UTF-8 is not YAML that Kubernetes tools read.
        if let Ok(text) = String::from_utf8(bytes) {
            files.push((name.replace(std::path::MAIN_SEPARATOR, "/"), text));
        }
    }
    files.sort();
    Ok(files)
}
