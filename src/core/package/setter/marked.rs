//! Fields that carry a marker, in documents and in documents inside their strings.

use std::collections::{BTreeMap, BTreeSet};

use super::is_within;
use super::marker::{self, Marker};
use super::pattern::{Pattern, Segment};
use super::scope::Scope;
use crate::core::krm::Resource;
use crate::core::package::{Package, PartId};
use crate::core::yaml::comment::{self, Owner};
use crate::core::yaml::{
    Content, Located, NodeId, Position, Site, Stream,
    lookup::{check_replaceable, joined, path_to},
};

/// A field that carries a marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The text it is in.
    pub part: PartId,
    /// The document it is in.
    pub resource: Resource,
    /// Where in the text.
    pub place: Located,
    /// How its value is made.
    pub pattern: Pattern,
    /// Values of other setters where they are stored.
    pub known: BTreeMap<String, String>,
    /// The package that stores the setter's value, as an index into the scopes.
    pub scope: Option<usize>,
}

/// A marker that is no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// The text it is in.
    pub part: PartId,
    /// Where.
    pub position: Position,
    /// What is wrong, as words that follow "the marker of setter NAME".
    pub problem: String,
    /// Whether the marker is bound to something that a string cannot replace, as against nothing.
    pub is_bound: bool,
}

/// Finds every field whose value depends on `setter`.
#[must_use]
pub fn marked(
    package: &Package<'_>,
    scopes: &[Scope],
    setter: &str,
) -> (Vec<Marked>, Vec<Misplaced>) {
    // A marker names the setter, or a substitution that depends on it.
    let mut needles = BTreeSet::from([setter.to_owned()]);
    for scope in scopes {
        let dependent = scope.substitutions.keys().filter(|name| {
            scope
                .substitution(name, 0)
                .is_some_and(|pattern| pattern.names(setter))
        });
        needles.extend(dependent.cloned());
    }
    let needles: Vec<&str> = needles.iter().map(String::as_str).collect();
    let mut found = Found {
        marked: Vec::new(),
        misplaced: Vec::new(),
    };
    for (part, text, parsed) in package.saying(&needles) {
        for resource in &parsed.resources {
            let level = Level {
                part,
                resource,
                scopes,
                setter,
                needles: &needles,
                text: text.text(),
                stream: &parsed.stream,
                root: resource.root,
                chain: Vec::new(),
                prefix: String::new(),
                outward: &|offset| Position::of(text.text(), offset),
            };
            level.search(&mut found);
        }
    }
    (found.marked, found.misplaced)
}

struct Found {
    marked: Vec<Marked>,
    misplaced: Vec<Misplaced>,
}

/// A text that is searched: a document or one inside a string.
struct Level<'a> {
    part: PartId,
    resource: &'a Resource,
    scopes: &'a [Scope],
    setter: &'a str,
    needles: &'a [&'a str],
    text: &'a str,
    stream: &'a Stream,
    root: NodeId,
    chain: Vec<NodeId>,
    prefix: String,
    outward: &'a dyn Fn(usize) -> Position,
}

impl Level<'_> {
    fn search(&self, found: &mut Found) {
        let mut seen = BTreeSet::new();
        for needle in self.needles {
            for comment in comment::find(self.text, self.stream, needle) {
                if seen.insert(comment.range.start) {
                    self.comment(&comment, found);
                }
            }
        }
        for (id, node) in self.stream.nodes() {
            let Some(value) = node.scalar() else { continue };
            let may_hold = value.contains('#')
                && self.needles.iter().any(|needle| value.contains(needle))
                && path_to(self.stream, self.root, id).is_some();
            if may_hold && self.chain.len() < 16 {
                self.enter(id, found);
            }
        }
    }

    fn comment(&self, comment: &comment::Comment, found: &mut Found) {
        let Some(marker) = marker::parse(&self.text[comment.range.clone()]) else {
            return;
        };
        let mut misplaced = |problem: String, is_bound| {
            found.misplaced.push(Misplaced {
                part: self.part,
                position: (self.outward)(comment.range.start),
                problem,
                is_bound,
            });
        };
        let (scope, known) = self.scope();
        let id = match comment.owner {
            Owner::Value(id) | Owner::Key(id) => id,
            Owner::Nothing => {
                // Only the first document of a text reports what belongs to none.
                let is_first = self.stream.roots().first() == Some(&self.root);
                let names = |pattern: &Pattern| pattern.names(self.setter);
                if is_first && self.pattern(&marker, "").as_ref().is_some_and(names) {
                    misplaced(
                        "belongs to no field; put it at the end of the field's line".into(),
                        false,
                    );
                }
                return;
            }
        };
        let node = self.stream.node(id);
        let value = node.scalar().unwrap_or_default();
        let Some(pattern) = self
            .pattern(&marker, value)
            .filter(|it| it.names(self.setter))
        else {
            return;
        };
        if matches!(comment.owner, Owner::Key(_)) {
            misplaced(
                "is on a key whose value is below it; put it beside the value".into(),
                true,
            );
            return;
        }
        let Some(path) = path_to(self.stream, self.root, id) else {
            return;
        };
        let is_null = node.is_null();
        if let Err(problem) = check_replaceable(node)
            && !is_null
        {
            misplaced(format!("is on a value that {problem}"), true);
            return;
        }
        found.marked.push(Marked {
            part: self.part,
            resource: self.resource.clone(),
            place: Located {
                nodes: self.chain.iter().copied().chain([id]).collect(),
                site: if is_null { Site::Fill } else { Site::Replace },
                value: (!is_null).then(|| value.to_owned()),
                path: joined(&self.prefix, &dotted(&path)),
                position: (self.outward)(node.span.start),
                aliases: node.aliases,
            },
            pattern,
            known,
            scope,
        });
    }

    /// The nearest package around the document that stores the setter.
    fn scope(&self) -> (Option<usize>, BTreeMap<String, String>) {
        let directory = self.resource.directory();
        let enclosing = self.scopes.iter().enumerate().filter(|(_, scope)| {
            scope.stored.contains_key(self.setter) && is_within(&directory, &scope.directory)
        });
        match enclosing.max_by_key(|(_, scope)| scope.directory.len()) {
            Some((index, scope)) => (Some(index), scope.known()),
            None => (None, BTreeMap::new()),
        }
    }

    fn pattern(&self, marker: &Marker, value: &str) -> Option<Pattern> {
        let substitution = |name: &str| {
            self.scopes.iter().find_map(|scope| {
                let directory = self.resource.directory();
                is_within(&directory, &scope.directory)
                    .then(|| scope.substitution(name, 0))
                    .flatten()
            })
        };
        match marker {
            Marker::Setter(name) => Some(Pattern::of_setter(name)),
            Marker::Substitution(name) => substitution(name),
            Marker::Either(name) if name == self.setter => Some(Pattern::of_setter(name)),
            Marker::Either(name) => substitution(name),
            Marker::Pattern(pattern) => Some(pattern.clone()),
            Marker::Partial(values) => {
                let (_, old) = values.iter().find(|(name, _)| name == self.setter)?;
                let (before, after) = value.split_once(old.as_str())?;
                let text = |text: &str| Segment::Text(text.to_owned());
                let mut segments = vec![
                    text(before),
                    Segment::Setter(self.setter.to_owned()),
                    text(after),
                ];
                segments.retain(|it| !matches!(it, Segment::Text(text) if text.is_empty()));
                Some(Pattern(segments))
            }
        }
    }

    /// Searches the documents inside a string. What is not YAML holds no markers: a script or a
    /// text that merely shows one.
    fn enter(&self, id: NodeId, found: &mut Found) {
        let Some(decoded) = self.stream.decoded(self.text, id) else {
            return;
        };
        let Ok(stream) = Stream::parse(&decoded.text) else {
            return;
        };
        let path = path_to(self.stream, self.root, id).unwrap_or_default();
        for root in stream.roots() {
            if matches!(stream.node(*root).content, Content::Scalar { .. }) {
                continue;
            }
            let outward = |offset: usize| (self.outward)(decoded.source_near(offset));
            let level = Level {
                text: &decoded.text,
                stream: &stream,
                root: *root,
                chain: self.chain.iter().copied().chain([id]).collect(),
                prefix: joined(&self.prefix, &dotted(&path)),
                outward: &outward,
                ..*self
            };
            level.search(found);
        }
    }
}

fn dotted(path: &str) -> String {
    if path.is_empty() || path.starts_with('[') {
        path.to_owned()
    } else {
        format!(".{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_markers_at_every_depth() {
        let text = "data:\n  c.yaml: |\n    a: \"v\" # {\"$kpt-set\":\"m\"}\n  d: w # kpt-set: ${m}\n# {\"$kpt-set\":\"m\"}\n";
        let package = Package::new(
            crate::core::package::Layout::Directory,
            vec![crate::core::package::Part::file("cm.yaml", text)],
        );
        let (marked, misplaced) = marked(&package, &[], "m");
        let paths: Vec<_> = marked
            .iter()
            .map(|field| field.place.path.as_str())
            .collect();
        assert_eq!(paths, ["data.d", r"data.c\.yaml.a"]);
        assert_eq!(marked[1].place.position, Position { line: 3, column: 8 });
        assert_eq!(misplaced.len(), 1);
        assert!(!misplaced[0].is_bound);
    }
}
