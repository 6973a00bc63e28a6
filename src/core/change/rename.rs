//! A ConfigMap whose name ends in a hash of its content gets a new name with its new content, and
//! everything that names it or its file follows.

use super::plan::Draft;
use crate::core::krm::{Resource, ResultItem, Severity};
use crate::core::package::name_hash::{self, Contents};
use crate::core::package::{LEGACY_PATH, Layout, PATH, Package, PartId, kustomization, references};
use crate::core::yaml::{Assignment, Located, NodeId, Position, Site, Stream, lookup::path_to};

/// Renames the ConfigMap `resource` when its name carries a hash of its old content.
pub(super) fn follow_hash(
    package: &Package<'_>,
    part: PartId,
    resource: &Resource,
    new: (&Stream, NodeId),
    draft: &mut Draft,
) {
    let Ok(parsed) = package.part(part).parsed() else {
        return;
    };
    let stream = &parsed.stream;
    let Some(old_name) = resource.id.name.as_deref() else {
        return;
    };
    let is_immutable = stream.get_str(resource.root, &["immutable"]) == Some("true");
    let Some((base, suffix)) = name_hash::split(old_name) else {
        if is_immutable {
            draft.refuse(
                resource,
                format!(
                    "{} is immutable and its name has no hash, so the API server would refuse the \
                     new content; give it a new name by hand",
                    resource.id
                ),
            );
        }
        return;
    };
    let old_contents = Contents::of(stream, resource.root);
    let new_contents = Contents::of(new.0, new.1);
    let scheme = old_contents.and_then(|contents| contents.scheme(base, suffix));
    let (Some(scheme), Some(new_contents)) = (scheme, new_contents) else {
        let message = format!(
            "the suffix {suffix} of {} is not the hash of its content under either of kustomize's \
             rules, so the name is left as it is",
            resource.id
        );
        draft
            .results
            .push(ResultItem::new(Severity::Warning, message).about(resource));
        return;
    };
    let new_name = format!("{base}-{}", new_contents.suffix(scheme, base));
    if new_name == old_name {
        return;
    }
    let rename = Rename {
        package,
        part,
        resource,
        old_name,
        new_name: &new_name,
    };
    if rename.is_taken() {
        let message = format!("a ConfigMap named {new_name} exists already; remove it first");
        return draft.refuse(resource, message);
    }
    draft.renamed.insert(part);
    rename.own_name(stream, draft);
    rename.references(draft);
    rename.file(draft);
}

struct Rename<'a> {
    package: &'a Package<'a>,
    part: PartId,
    resource: &'a Resource,
    old_name: &'a str,
    new_name: &'a str,
}

impl Rename<'_> {
    fn is_taken(&self) -> bool {
        let mut documents = self.package.saying(&[self.new_name]);
        documents.any(|(_, _, parsed)| {
            parsed.resources.iter().any(|other| {
                other.id.is("", "ConfigMap")
                    && other.id.name.as_deref() == Some(self.new_name)
                    && other.id.namespace == self.resource.id.namespace
                    && other.package == self.resource.package
            })
        })
    }

    fn own_name(&self, stream: &Stream, draft: &mut Draft) {
        let path = ["metadata", "name"];
        let Some(id) = stream.get_path(self.resource.root, &path) else {
            return;
        };
        self.set(self.part, stream, self.resource, id, self.new_name, draft);
        let message = format!("renamed {} to {}", self.old_name, self.new_name);
        let result = ResultItem::new(Severity::Info, message).about(self.resource);
        let result = result.on_field("metadata.name", Some(self.old_name), Some(self.new_name));
        let offset = stream.node(id).span.start;
        draft
            .results
            .push(result.at(Position::of(self.package.part(self.part).text(), offset)));
    }

    fn references(&self, draft: &mut Draft) {
        let namespace = self.resource.id.namespace.as_deref();
        let all = references::find(self.package, self.old_name, namespace);
        let is_own = |part, root| part == self.part && root == self.resource.root;
        let mut count = 0;
        for reference in all.iter().filter(|it| !is_own(it.part, it.resource.root)) {
            let path = &reference.place.path;
            if !reference.is_reference {
                let message = format!(
                    "{path} says {} too, but is no reference that kustomize would follow; it is \
                     left as it is",
                    self.old_name
                );
                let note = ResultItem::new(Severity::Warning, message).about(&reference.resource);
                draft.results.push(note.at(reference.place.position));
                continue;
            }
            count += 1;
            draft.assign(
                reference.part,
                Assignment::new(&reference.place, self.new_name),
            );
            let message = format!("{path} follows the ConfigMap to {}", self.new_name);
            let result = ResultItem::new(Severity::Info, message).about(&reference.resource);
            let result = result.on_field(path, Some(self.old_name), Some(self.new_name));
            draft.results.push(result.at(reference.place.position));
        }
        if count == 0 {
            let total = self.package.parts().count();
            let message = format!(
                "nothing refers to {} among {total} {}; what does is elsewhere and must follow",
                self.old_name,
                match self.package.layout {
                    Layout::ResourceList => "items",
                    Layout::Directory => "files",
                }
            );
            draft
                .results
                .push(ResultItem::new(Severity::Warning, message).about(self.resource));
        }
    }

    /// Moves the file when its name contains the ConfigMap's.
    fn file(&self, draft: &mut Draft) {
        let file_name = self.resource.file_name();
        if !file_name.contains(self.old_name) {
            return;
        }
        let old_path = &self.resource.path;
        let directory = old_path.strip_suffix(file_name).unwrap_or_default();
        let new_file_name = file_name.replace(self.old_name, self.new_name);
        let new_path = format!("{directory}{new_file_name}");
        if self.path_is_taken(&new_path) {
            let message =
                format!("cannot move {old_path} to {new_path}: that file exists; remove it first");
            return draft.refuse(self.resource, message);
        }
        match self.package.layout {
            Layout::Directory => {
                draft.moves.insert(self.part, new_path.clone());
            }
            Layout::ResourceList => self.move_items(&new_path, draft),
        }
        let message = format!("moved {old_path} to {new_path}");
        draft
            .results
            .push(ResultItem::new(Severity::Info, message).about(self.resource));
        for entry in kustomization::entries_for(self.package, &self.resource.full_path()) {
            let old = entry.place.value.clone().unwrap_or_default();
            let new = format!(
                "{}{new_file_name}",
                old.strip_suffix(file_name).unwrap_or_default()
            );
            draft.assign(entry.part, Assignment::new(&entry.place, &new));
            let message = format!("{} follows the file to {new}", entry.place.path);
            let result = ResultItem::new(Severity::Info, message).about(&entry.resource);
            let result = result.on_field(&entry.place.path, Some(&old), Some(&new));
            draft.results.push(result.at(entry.place.position));
        }
    }

    fn path_is_taken(&self, new_path: &str) -> bool {
        match self.package.layout {
            Layout::Directory => self
                .package
                .parts()
                .any(|(_, part)| part.path() == Some(new_path)),
            Layout::ResourceList => {
                let file_name = new_path.rsplit('/').next().unwrap_or(new_path);
                self.package.saying(&[file_name]).any(|(_, _, parsed)| {
                    parsed.resources.iter().any(|other| {
                        other.path == new_path && other.package == self.resource.package
                    })
                })
            }
        }
    }

    /// kpt takes an item's file from two annotations, which must agree; every item of the file
    /// moves.
    fn move_items(&self, new_path: &str, draft: &mut Draft) {
        let file_name = self.resource.file_name();
        for (part, _, parsed) in self.package.saying(&[file_name]) {
            for other in &parsed.resources {
                if other.path != self.resource.path || other.package != self.resource.package {
                    continue;
                }
                for annotation in [PATH, LEGACY_PATH] {
                    let keys = ["metadata", "annotations", annotation];
                    if let Some(id) = parsed.stream.get_path(other.root, &keys) {
                        self.set(part, &parsed.stream, other, id, new_path, draft);
                    }
                }
            }
        }
    }

    fn set(
        &self,
        part: PartId,
        stream: &Stream,
        resource: &Resource,
        id: NodeId,
        value: &str,
        draft: &mut Draft,
    ) {
        let node = stream.node(id);
        let place = Located {
            nodes: vec![id],
            site: Site::Replace,
            value: node.scalar().map(str::to_owned),
            path: path_to(stream, resource.root, id).unwrap_or_default(),
            position: Position::of(self.package.part(part).text(), node.span.start),
            aliases: node.aliases,
        };
        draft.assign(part, Assignment::new(&place, value));
    }
}
