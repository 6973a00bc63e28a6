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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::adapters::files::read_directory;

    /// The visible manifests below a directory, as a reader of trees finds them.
    fn walk(root: &Path, inner: &str, hidden: &Hidden, found: &mut Vec<String>) {
        let texts = IGNORE_FILES.map(|name| fs::read_to_string(root.join(inner).join(name)).ok());
        let texts = [0, 1, 2].map(|kind| texts[kind].as_deref());
        let hidden = hidden.in_directory(inner, texts);
        for entry in fs::read_dir(root.join(inner)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = match inner {
                "" => name,
                inner => format!("{inner}/{name}"),
            };
            let is_directory = entry.file_type().unwrap().is_dir();
            if hidden.hides(&path, is_directory) {
                continue;
            }
            if is_directory {
                walk(root, &path, &hidden, found);
            } else if is_manifest(Path::new(&path)) {
                found.push(path);
            }
        }
    }

    /// A tree in Git hides what a directory on the disk hides.
    #[test]
    fn agrees_with_the_walk_of_directories() {
        const NAMES: [&str; 3] = ["a", "b", "c"];
        const PATTERNS: [&str; 12] = [
            "*.yaml", "!a.yaml", "/a", "a/", "b/c", "**/c", "!b", "a/**", "c.yaml", "/*", "!/a/",
            "# x",
        ];
        let mut random = fastrand::Rng::with_seed(7);
        let mut hid = 0;
        for _ in 0..150 {
            let root = tempfile::tempdir().unwrap();
            let mut directories = vec![String::new()];
            for first in NAMES {
                directories.push(first.to_owned());
                directories.extend(NAMES.map(|second| format!("{first}/{second}")));
            }
            for directory in &directories {
                let path = root.path().join(directory);
                fs::create_dir_all(&path).unwrap();
                for name in NAMES {
                    fs::write(path.join(format!("{name}.yaml")), "").unwrap();
                }
                for name in IGNORE_FILES {
                    if random.u8(..4) == 0 {
                        let mut lines: Vec<&str> =
                            (0..2).filter_map(|_| random.choice(PATTERNS)).collect();
                        lines.push("");
                        fs::write(path.join(name), lines.join("\n")).unwrap();
                    }
                }
            }
            let mut found = Vec::new();
            walk(root.path(), "", &Hidden::default(), &mut found);
            found.sort();
            let package = read_directory(root.path()).unwrap();
            let expected: Vec<_> = package
                .parts()
                .filter_map(|(_, part)| part.path().map(str::to_owned))
                .collect();
            assert_eq!(found, expected);
            hid += usize::from(found.len() < directories.len() * NAMES.len());
        }
        assert!(hid > 100, "only {hid} of the trees hid something");
    }
}
