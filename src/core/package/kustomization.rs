//! Kustomization files that list a file by its path, and must follow when it moves.

use super::contents::{Package, PartId};
use crate::core::krm::{Resource, join};
use crate::core::yaml::{Located, Position, Site, lookup::path_to};

/// An entry that names a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The kustomization file.
    pub part: PartId,
    /// The document in it.
    pub resource: Resource,
    /// The entry.
    pub place: Located,
}

/// Finds the entries of `resources` that lead to the file at `path` (from the common root).
#[must_use]
pub fn entries_for(package: &Package<'_>, path: &str) -> Vec<Entry> {
    const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
    let file_name = path.rsplit('/').next().unwrap_or(path);
    let mut found = Vec::new();
    for (part, text, parsed) in package.saying(&[file_name]) {
        for resource in parsed
            .resources
            .iter()
            .filter(|it| NAMES.contains(&it.file_name()))
        {
            let stream = &parsed.stream;
            let Some(list) = stream.get(resource.root, "resources") else {
                continue;
            };
            for id in stream.items(list) {
                let node = stream.node(*id);
                let Some(entry) = node.scalar() else { continue };
                if normalise(&join(&resource.directory(), entry)) != normalise(path) {
                    continue;
                }
                let place = Located {
                    nodes: vec![*id],
                    site: Site::Replace,
                    value: Some(entry.to_owned()),
                    path: path_to(stream, resource.root, *id).unwrap_or_default(),
                    position: Position::of(text.text(), node.span.start),
                    aliases: node.aliases,
                };
                found.push(Entry {
                    part,
                    resource: resource.clone(),
                    place,
                });
            }
        }
    }
    found
}

/// A path without `.` and `..` steps.
fn normalise(path: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            other => steps.push(other),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::package::{Layout, Part};

    #[test]
    fn follows_relative_paths() {
        let text = "resources:\n- ./cm.yaml\n- ../x/cm.yaml\n- other.yaml\n";
        let package = Package::new(
            Layout::Directory,
            vec![Part::file("y/kustomization.yaml", text)],
        );
        assert_eq!(entries_for(&package, "y/cm.yaml").len(), 1);
        assert_eq!(
            entries_for(&package, "x/cm.yaml")[0].place.path,
            "resources[1]"
        );
    }
}
