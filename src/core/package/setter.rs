//! Setters: markers in comments that name the value of a field, and where the value is stored.
//!
//! | spelling | since |
//! |---|---|
//! | `# {"type":"string","x-kustomize":{"setter":{"name":"N","value":"V"}}}` | kustomize config |
//! | `# {"$ref":"#/definitions/io.k8s.cli.setters.N"}`, `….substitutions.N` | kpt 0.2x |
//! | `# {"$openapi":"N"}` | kyaml |
//! | `# {"$kpt-set":"N"}` | kpt 0.3x |
//! | `# kpt-set: text-${N}` | kpt 1.0 |
//!
//! Markers count in embedded documents too, which no other tool sees. Values are stored in
//! v1alpha1 Kptfiles, and for kpt 1.0 in the configuration of `apply-setters`.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::contents::{Package, PartId};
use crate::core::krm::{Resource, join};
use crate::core::yaml::comment::{self, Owner};
use crate::core::yaml::{
    Content, Located, NodeId, Position, Site, Stream,
    lookup::{check_replaceable, joined, path_to},
};

/// How a field's value is made of setters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    Setter(String),
}

impl Pattern {
    fn of_setter(name: &str) -> Self {
        Self(vec![Segment::Setter(name.to_owned())])
    }

    /// `text-${a}-${b}`, as `# kpt-set:` writes it.
    fn of_text(text: &str) -> Self {
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, tail)) = after.split_once('}') else {
                break;
            };
            if !before.is_empty() {
                segments.push(Segment::Text(before.to_owned()));
            }
            segments.push(Segment::Setter(name.trim().to_owned()));
            rest = tail;
        }
        if !rest.is_empty() {
            segments.push(Segment::Text(rest.to_owned()));
        }
        Self(segments)
    }

    /// Whether the value depends on a setter.
    #[must_use]
    pub fn names(&self, setter: &str) -> bool {
        self.0
            .iter()
            .any(|segment| matches!(segment, Segment::Setter(name) if name == setter))
    }

    /// The setter's value inside `scalar`, and `scalar` with `value` in its place. `None` when
    /// `scalar` is not of this pattern, or in more than one way.
    #[must_use]
    pub fn apply(
        &self,
        setter: &str,
        scalar: &str,
        value: &str,
        known: &BTreeMap<String, String>,
    ) -> Option<(String, String)> {
        // Values that are known narrow the ways in which the scalar can be read; but a field that
        // was edited by hand may not agree with them.
        let is_other =
            |segment: &Segment| matches!(segment, Segment::Setter(name) if name != setter);
        let narrowed = Self(
            self.0
                .iter()
                .map(|segment| match segment {
                    Segment::Setter(name) if name != setter && known.contains_key(name) => {
                        Segment::Text(known[name].clone())
                    }
                    other => other.clone(),
                })
                .collect(),
        );
        let only = |pattern: &Self| {
            let mut readings = BTreeSet::new();
            pattern.readings(setter, scalar, &mut Vec::new(), value, &mut readings);
            if readings.len() == 1 {
                readings.pop_first()
            } else {
                None
            }
        };
        only(&narrowed).or_else(|| self.0.iter().any(is_other).then(|| only(self)).flatten())
    }

    /// Collects (old value, new scalar) for each way to read `rest`; two are enough.
    fn readings<'s>(
        &self,
        setter: &str,
        rest: &'s str,
        read: &mut Vec<(&'s str, bool)>,
        value: &str,
        readings: &mut BTreeSet<(String, String)>,
    ) {
        if readings.len() > 1 {
            return;
        }
        let Some(segment) = self.0.get(read.len()) else {
            let mut own = read
                .iter()
                .filter(|(_, is_setter)| *is_setter)
                .map(|(text, _)| *text);
            let first = own.next();
            if let (true, Some(old)) = (rest.is_empty(), first)
                && own.all(|other| other == old)
            {
                let parts = read
                    .iter()
                    .map(|(text, own)| if *own { value } else { text });
                readings.insert((old.to_owned(), parts.collect()));
            }
            return;
        };
        match segment {
            Segment::Text(text) => {
                if let Some(tail) = rest.strip_prefix(text.as_str()) {
                    read.push((&rest[..text.len()], false));
                    self.readings(setter, tail, read, value, readings);
                    read.pop();
                }
            }
            Segment::Setter(name) => {
                let is_last = read.len() + 1 == self.0.len();
                let ends = rest
                    .char_indices()
                    .map(|(index, _)| index)
                    .skip(1)
                    .chain([rest.len()]);
                for end in ends.filter(|end| !is_last || *end == rest.len()) {
                    if end == 0 && !is_last {
                        continue;
                    }
                    read.push((&rest[..end], name == setter));
                    self.readings(setter, &rest[end..], read, value, readings);
                    read.pop();
                }
            }
        }
    }
}

/// What a comment says, if it is a marker.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Marker {
    Setter(String),
    Substitution(String),
    /// A setter, or else a substitution.
    Either(String),
    Pattern(Pattern),
    /// Values that stand somewhere in the field.
    Partial(Vec<(String, String)>),
}

fn parse_marker(comment: &str) -> Option<Marker> {
    const DEFINITIONS: &str = "#/definitions/io.k8s.cli.";
    let text = comment.trim_start_matches('#').trim();
    if let Some(pattern) = text.strip_prefix("kpt-set: ") {
        return Some(Marker::Pattern(Pattern::of_text(pattern.trim())));
    }
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    if let Some(reference) = json.get("$ref").and_then(serde_json::Value::as_str) {
        let (kind, name) = reference.strip_prefix(DEFINITIONS)?.split_once('.')?;
        return match kind {
            "setters" => Some(Marker::Setter(name.to_owned())),
            "substitutions" => Some(Marker::Substitution(name.to_owned())),
            _ => None,
        };
    }
    for key in ["$openapi", "$kpt-set"] {
        if let Some(name) = json.get(key).and_then(serde_json::Value::as_str) {
            return Some(Marker::Either(name.to_owned()));
        }
    }
    let inline = json.get("x-kustomize")?;
    let named = |value: &serde_json::Value| Some(value.get("name")?.as_str()?.to_owned());
    if let Some(setter) = inline.get("setter") {
        return Some(Marker::Setter(named(setter)?));
    }
    let partial = inline
        .get("partialSetters")?
        .as_array()?
        .iter()
        .map(|setter| Some((named(setter)?, setter.get("value")?.as_str()?.to_owned())));
    Some(Marker::Partial(partial.collect::<Option<_>>()?))
}

/// A package (kpt's sense: a directory with a Kptfile) and the setter values it stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its directory.
    pub directory: String,
    /// Where each setter's value is stored; a kpt 1.0 package may do so in several places.
    pub stored: BTreeMap<String, Vec<Stored>>,
    substitutions: BTreeMap<String, Substitution>,
}

/// A stored value of a setter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The text it is in.
    pub part: PartId,
    /// Where in that text.
    pub place: Located,
    /// Whether the definition allows only listed values.
    pub has_enum: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Substitution {
    pattern: String,
    /// Marker in the pattern, and the definition it stands for.
    values: Vec<(String, String)>,
}

impl Scope {
    fn known(&self) -> BTreeMap<String, String> {
        let values = self.stored.iter().filter_map(|(name, stored)| {
            Some((name.clone(), stored.first()?.place.value.clone()?))
        });
        values.collect()
    }

    /// A substitution as a pattern of setters; nested ones are resolved.
    fn substitution(&self, name: &str, depth: usize) -> Option<Pattern> {
        let substitution = self.substitutions.get(name).filter(|_| depth < 16)?;
        let mut segments = vec![Segment::Text(substitution.pattern.clone())];
        for (marker, reference) in &substitution.values {
            let inner = match reference.rsplit_once("io.k8s.cli.")?.1.split_once('.')? {
                ("setters", name) => Pattern::of_setter(name),
                ("substitutions", name) => self.substitution(name, depth + 1)?,
                _ => return None,
            };
            segments = segments
                .into_iter()
                .flat_map(|segment| match segment {
                    Segment::Text(text) if text.contains(marker.as_str()) => {
                        split_at(&text, marker, &inner)
                    }
                    other => vec![other],
                })
                .collect();
        }
        segments.retain(|segment| !matches!(segment, Segment::Text(text) if text.is_empty()));
        Some(Pattern(segments))
    }
}

fn split_at(text: &str, marker: &str, inner: &Pattern) -> Vec<Segment> {
    let mut segments = Vec::new();
    for (number, piece) in text.split(marker).enumerate() {
        if number > 0 {
            segments.extend(inner.0.iter().cloned());
        }
        segments.push(Segment::Text(piece.to_owned()));
    }
    segments
}

/// Every package that stores setter values.
#[must_use]
pub fn scopes(package: &Package<'_>) -> Vec<Scope> {
    let kptfiles: Vec<_> = package.of_kind("kpt.dev", "Kptfile").collect();
    let scope = |(part, resource): (PartId, &Resource)| {
        let Ok(parsed) = package.part(part).parsed() else {
            return None;
        };
        let mut scope = Scope {
            directory: resource.directory(),
            stored: BTreeMap::new(),
            substitutions: BTreeMap::new(),
        };
        read_definitions(package, part, &parsed.stream, resource, &mut scope);
        read_apply_setters(package, part, &parsed.stream, resource, &mut scope);
        Some(scope)
    };
    kptfiles
        .into_iter()
        .filter_map(|(part, _, resource)| scope((part, resource)))
        .collect()
}

/// v1alpha1: `openAPI.definitions`.
fn read_definitions(
    package: &Package<'_>,
    part: PartId,
    stream: &Stream,
    resource: &Resource,
    scope: &mut Scope,
) {
    let Some(definitions) = stream.get_path(resource.root, &["openAPI", "definitions"]) else {
        return;
    };
    for (key, definition) in stream.entries(definitions) {
        let key = stream.node(*key).scalar().unwrap_or_default();
        let extension = |kind: &str| stream.get_path(*definition, &["x-k8s-cli", kind]);
        if let (Some(name), Some(setter)) =
            (key.strip_prefix("io.k8s.cli.setters."), extension("setter"))
            && let Some(value) = stream.get(setter, "value")
        {
            let has_enum = stream.get(setter, "enumValues").is_some();
            let place = place_of(package.part(part).text(), stream, resource.root, value);
            let stored = Stored {
                part,
                place,
                has_enum,
            };
            scope
                .stored
                .entry(name.to_owned())
                .or_default()
                .push(stored);
        }
        if let (Some(name), Some(substitution)) = (
            key.strip_prefix("io.k8s.cli.substitutions."),
            extension("substitution"),
        ) {
            let values = stream
                .get(substitution, "values")
                .map(|values| stream.items(values));
            let string = |id, key| Some(stream.get_str(id, &[key])?.to_owned());
            let values = values
                .unwrap_or_default()
                .iter()
                .filter_map(|value| Some((string(*value, "marker")?, string(*value, "ref")?)));
            let pattern = string(substitution, "pattern").unwrap_or_default();
            let substitution = Substitution {
                pattern,
                values: values.collect(),
            };
            scope.substitutions.insert(name.to_owned(), substitution);
        }
    }
}

/// v1: the configuration of `apply-setters` in the pipeline, inline or in a file.
fn read_apply_setters(
    package: &Package<'_>,
    part: PartId,
    stream: &Stream,
    resource: &Resource,
    scope: &mut Scope,
) {
    let mutators = stream.get_path(resource.root, &["pipeline", "mutators"]);
    for function in mutators.map(|list| stream.items(list)).unwrap_or_default() {
        let image = stream.get_str(*function, &["image"]).unwrap_or_default();
        let name = image.rsplit('/').next().unwrap_or_default();
        if name.split([':', '@']).next() != Some("apply-setters") {
            continue;
        }
        if let Some(inline) = stream.get(*function, "configMap") {
            store_entries(package, part, stream, resource.root, inline, scope);
        }
        let Some(path) = stream.get_str(*function, &["configPath"]) else {
            continue;
        };
        let wanted = join(&scope.directory, path.trim_start_matches("./"));
        let file_name = path.rsplit('/').next().unwrap_or(path);
        let mut needles = vec!["ConfigMap"];
        if package.layout == super::Layout::ResourceList {
            needles = vec![file_name];
        }
        for (part, _, parsed) in package.saying(&needles) {
            for resource in parsed
                .resources
                .iter()
                .filter(|other| other.full_path() == wanted)
            {
                if let Some(data) = parsed.stream.get(resource.root, "data") {
                    store_entries(package, part, &parsed.stream, resource.root, data, scope);
                }
            }
        }
    }
}

fn store_entries(
    package: &Package<'_>,
    part: PartId,
    stream: &Stream,
    root: NodeId,
    map: NodeId,
    scope: &mut Scope,
) {
    for (key, value) in stream.entries(map) {
        let Some(name) = stream.node(*key).scalar() else {
            continue;
        };
        let place = place_of(package.part(part).text(), stream, root, *value);
        let stored = Stored {
            part,
            place,
            has_enum: false,
        };
        scope
            .stored
            .entry(name.to_owned())
            .or_default()
            .push(stored);
    }
}

fn place_of(text: &str, stream: &Stream, root: NodeId, id: NodeId) -> Located {
    let node = stream.node(id);
    let is_null = node.is_null();
    Located {
        nodes: vec![id],
        site: if is_null { Site::Fill } else { Site::Replace },
        value: node.scalar().filter(|_| !is_null).map(str::to_owned),
        path: path_to(stream, root, id).unwrap_or_default(),
        position: Position::of(text, node.span.start),
        aliases: node.aliases,
    }
}

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
        let Some(marker) = parse_marker(&self.text[comment.range.clone()]) else {
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

/// Whether `path` is `directory` or below it.
#[must_use]
pub fn is_within(path: &str, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    directory.is_empty()
        || path == directory
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Names of all setters that markers in the package mention, for messages.
#[must_use]
pub fn names(scopes: &[Scope]) -> BTreeSet<&str> {
    scopes
        .iter()
        .flat_map(|scope| scope.stored.keys().map(String::as_str))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_spelling() {
        for text in [
            r##"# {"$ref":"#/definitions/io.k8s.cli.setters.m"}"##,
            r##"# {"type":"string","x-kustomize":{"setter":{"name":"m","value":"V"}}}"##,
            r#"# {"type":"string","x-kustomize":{"setBy":"me","setter":{"name":"m","value":"V"}}}"#,
        ] {
            assert_eq!(
                parse_marker(text),
                Some(Marker::Setter("m".to_owned())),
                "{text}"
            );
        }
        for text in [r#"# {"$openapi":"m"}"#, r#"# {"$kpt-set":"m"}"#] {
            assert_eq!(
                parse_marker(text),
                Some(Marker::Either("m".to_owned())),
                "{text}"
            );
        }
        for text in [
            "# kpt-set ${m}",
            "#kpt-set:${m}",
            r#"# {"$imagepolicy": "ns:m"}"#,
            "# m",
            "# {",
        ] {
            assert_eq!(parse_marker(text), None, "{text}");
        }
    }

    #[test]
    fn patterns_find_their_value() {
        let known = BTreeMap::from([("b".to_owned(), "x-y".to_owned())]);
        for (pattern, scalar, wanted) in [
            ("${a}", "old", Some(("old", "NEW"))),
            ("img:${a}", "img:old", Some(("old", "img:NEW"))),
            ("${b}-${a}", "x-y-old", Some(("old", "x-y-NEW"))),
            ("${c}-${a}", "x-y-old", None),
            ("${c}-${a}", "x-old", Some(("old", "x-NEW"))),
            ("img:${a}", "other:old", None),
            ("${a}/${a}", "o/o", Some(("o", "NEW/NEW"))),
        ] {
            let found = Pattern::of_text(pattern).apply("a", scalar, "NEW", &known);
            let wanted = wanted.map(|(old, new)| (old.to_owned(), new.to_owned()));
            assert_eq!(found, wanted, "{pattern} {scalar}");
        }
    }

    #[test]
    fn finds_markers_at_every_depth() {
        let text = "data:\n  c.yaml: |\n    a: \"v\" # {\"$kpt-set\":\"m\"}\n  d: w # kpt-set: ${m}\n# {\"$kpt-set\":\"m\"}\n";
        let package = Package::new(
            super::super::Layout::Directory,
            vec![super::super::Part::file("cm.yaml", text)],
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
