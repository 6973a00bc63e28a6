//! Which files of a directory tree are part of a package: the same decision for a directory on the
//! disk, which the `ignore` crate walks, and for a tree in Git, which it cannot.

use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Files that hide others, the stronger first: what one says about a path at any depth counts before
/// the next is asked, as in the `ignore` crate.
pub(crate) const IGNORE_FILES: [&str; 3] = [".krmignore", ".ignore", ".gitignore"];

/// The files that kpt reads, and kustomize's.
pub(crate) fn is_manifest(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("yaml" | "yml" | "json"))
        || matches!(name, "Kptfile" | "Kustomization")
}

/// What the ignore files on the way to a directory hide.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hidden {
    /// For each kind of file, the matchers from the root to here.
    matchers: [Vec<Gitignore>; 3],
}

impl Hidden {
    /// What is hidden in `directory`, given the text of its own ignore files in the order of
    /// [`IGNORE_FILES`].
    pub(crate) fn in_directory(&self, directory: &str, texts: [Option<&str>; 3]) -> Self {
        let mut hidden = self.clone();
        for (matchers, text) in hidden.matchers.iter_mut().zip(texts) {
            let Some(text) = text else { continue };
            let mut builder = GitignoreBuilder::new(Path::new("/").join(directory));
            for line in text.lines() {
                // A line that is no pattern hides nothing.
                let _ = builder.add_line(None, line);
            }
            matchers.extend(builder.build());
        }
        hidden
    }

    /// Whether an entry of the directory is hidden. `path` is from the root.
    pub(crate) fn hides(&self, path: &str, is_directory: bool) -> bool {
        if path == ".git" || path.ends_with("/.git") {
            return true;
        }
        let path = Path::new("/").join(path);
        for matchers in &self.matchers {
            for matcher in matchers.iter().rev() {
                match matcher.matched(&path, is_directory) {
                    Match::None => {}
                    Match::Ignore(_) => return true,
                    Match::Whitelist(_) => return false,
                }
            }
        }
        false
    }
}
