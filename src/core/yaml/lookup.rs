//! Walking a field path to the scalars it names, or saying where and why not.

use super::decode::Decoded;
use super::document::{Content, Node, NodeId, Stream};
use super::field_path::{FieldPath, Step};
use super::position::Position;

/// How deep documents may be nested in strings.
const MAX_DEPTH: usize = 16;

/// What a value would do at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// Replace a scalar.
    Replace,
    /// Stand where nothing or null stands.
    Fill,
    /// Become a new entry of a map, under this key.
    Insert(String),
}

/// A place that a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The node in the text; then, for each string that is entered, the node in the document it
    /// holds. The last one is the scalar, or the map of a [`Site::Insert`].
    pub nodes: Vec<NodeId>,
    /// What a value would do here.
    pub site: Site,
    /// The value that stands here; `None` for null and missing.
    pub value: Option<String>,
    /// The place as kpt prints it: `data.model_config\.yaml.orgs[0].automl_model`.
    pub path: String,
    /// Where in the outermost text.
    pub position: Position,
    /// How many aliases stand for the scalar, and so change with it.
    pub aliases: usize,
}

/// Why a path leads nowhere, or nowhere that may be edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LookupError {
    /// What is wrong and what to do.
    pub message: String,
    /// Where in the outermost text.
    pub position: Position,
    /// What kind of obstacle.
    pub obstacle: Obstacle,
}

/// What is in a path's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing is there.
    Missing,
    /// A string on the way holds no valid document.
    InvalidDocument,
    /// Something is there that may not be edited, or it is not clear which of several.
    Refused,
}

impl LookupError {
    /// Whether nothing is there at all.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.obstacle == Obstacle::Missing
    }
}

/// Finds the places that `path` names below `root`: one, or more when the path holds a `*`.
///
/// With `create`, null and a missing last key are places too.
///
/// # Errors
/// The path leads nowhere; or through or to an alias, a merged or doubled key; or a filter matches
/// several elements; or a string on the way is not YAML; or the end is not a string.
pub fn locate(
    text: &str,
    stream: &Stream,
    root: NodeId,
    path: &FieldPath,
    create: bool,
) -> Result<Vec<Located>, LookupError> {
    let frame = Frame {
        text,
        stream,
        outer: None,
        chain: Vec::new(),
    };
    let mut found = Vec::new();
    walk(
        &frame,
        root,
        path.steps(),
        &mut Way {
            path: String::new(),
            create,
        },
        &mut found,
    )?;
    Ok(found)
}

/// A text on the way: the outermost one or a document inside a string.
struct Frame<'a> {
    text: &'a str,
    stream: &'a Stream,
    outer: Option<(&'a Self, &'a Decoded)>,
    chain: Vec<NodeId>,
}

/// What is carried along.
struct Way {
    path: String,
    create: bool,
}

impl Frame<'_> {
    fn position(&self, offset: usize) -> Position {
        match self.outer {
            None => Position::of(self.text, offset),
            Some((outer, decoded)) => outer.position(decoded.source_near(offset)),
        }
    }

    fn error(&self, id: NodeId, obstacle: Obstacle, message: String) -> LookupError {
        let position = self.position(self.stream.node(id).span.start);
        LookupError {
            message,
            position,
            obstacle,
        }
    }

    fn refuse<T>(&self, id: NodeId, message: String) -> Result<T, LookupError> {
        Err(self.error(id, Obstacle::Refused, message))
    }

    fn missing<T>(&self, id: NodeId, message: String) -> Result<T, LookupError> {
        Err(self.error(id, Obstacle::Missing, message))
    }

    fn depth(&self) -> usize {
        self.chain.len()
    }
}

fn walk(
    frame: &Frame<'_>,
    id: NodeId,
    steps: &[Step],
    way: &mut Way,
    found: &mut Vec<Located>,
) -> Result<(), LookupError> {
    let node = frame.stream.node(id);
    let Some((step, rest)) = steps.split_first() else {
        found.push(arrive(frame, id, way)?);
        return Ok(());
    };
    match (&node.content, step) {
        (Content::Alias(_), _) => frame.refuse(
            id,
            format!(
                "{} is an alias, and what it stands for is used elsewhere too; point the target \
                 at the anchor or write the value out",
                here(way)
            ),
        ),
        (Content::Scalar { .. }, _) => enter_string(frame, id, steps, way, found),
        (Content::Mapping { entries, .. }, Step::Key(key)) => {
            match key_of(frame, id, entries, key, way)? {
                Some(value) => descend(
                    frame,
                    value,
                    rest,
                    way,
                    found,
                    &format!(".{}", escape_key(key)),
                ),
                None if rest.is_empty() && way.create => {
                    found.push(Located {
                        nodes: chain(frame, id),
                        site: Site::Insert(key.clone()),
                        value: None,
                        path: joined(&way.path, &format!(".{}", escape_key(key))),
                        position: frame.position(node.span.start),
                        aliases: 0,
                    });
                    Ok(())
                }
                None => frame.missing(id, format!("{} has no key {key:?}", here(way))),
            }
        }
        (Content::Mapping { entries, .. }, Step::All) => {
            let children = entries.iter().map(|(key, value)| {
                let name = frame.stream.node(*key).scalar().unwrap_or("?");
                (*value, format!(".{}", escape_key(name)))
            });
            walk_all(frame, id, children.collect(), rest, way, found)
        }
        (Content::Sequence { items, .. }, Step::All) => {
            let children = items
                .iter()
                .enumerate()
                .map(|(n, item)| (*item, format!("[{n}]")));
            walk_all(frame, id, children.collect(), rest, way, found)
        }
        (Content::Sequence { items, .. }, Step::Key(key)) => {
            let Ok(index) = key.parse::<usize>() else {
                return frame.refuse(
                    id,
                    format!(
                        "{} is a list, which has no key {key:?}; use [key=value], a number or *",
                        here(way)
                    ),
                );
            };
            match items.get(index) {
                Some(item) => descend(frame, *item, rest, way, found, &format!("[{index}]")),
                None => frame.missing(
                    id,
                    format!(
                        "{} has {} elements, none number {index}",
                        here(way),
                        items.len()
                    ),
                ),
            }
        }
        (Content::Sequence { items, .. }, Step::Match { key, value }) => {
            let matching: Vec<_> = items
                .iter()
                .enumerate()
                .filter(|(_, item)| matches_field(frame.stream, **item, key, value))
                .collect();
            match matching.as_slice() {
                [(index, item)] => descend(frame, **item, rest, way, found, &format!("[{index}]")),
                [] => frame.missing(id, format!("{} has no element with {step}", here(way))),
                several => frame.refuse(
                    *several[1].1,
                    format!(
                        "{} has {} elements with {step}; name one by a field that tells them \
                         apart, or all with *",
                        here(way),
                        several.len()
                    ),
                ),
            }
        }
        (Content::Mapping { .. }, Step::Match { .. }) => frame.refuse(
            id,
            format!(
                "{} is a map; {step} chooses between the elements of a list",
                here(way)
            ),
        ),
    }
}

fn descend(
    frame: &Frame<'_>,
    id: NodeId,
    steps: &[Step],
    way: &mut Way,
    found: &mut Vec<Located>,
    name: &str,
) -> Result<(), LookupError> {
    let length = way.path.len();
    way.path = joined(&way.path, name);
    walk(frame, id, steps, way, found)?;
    way.path.truncate(length);
    Ok(())
}

/// `*`: elements without the rest of the path are passed over, as long as one has it.
fn walk_all(
    frame: &Frame<'_>,
    id: NodeId,
    children: Vec<(NodeId, String)>,
    rest: &[Step],
    way: &mut Way,
    found: &mut Vec<Located>,
) -> Result<(), LookupError> {
    let before = found.len();
    let length = way.path.len();
    let mut first_missing = None;
    for (child, name) in children {
        way.path.truncate(length);
        match descend(frame, child, rest, way, found, &name) {
            Err(error) if error.is_missing() => first_missing = first_missing.or(Some(error)),
            other => other?,
        }
    }
    way.path.truncate(length);
    match first_missing {
        _ if found.len() > before => Ok(()),
        Some(error) => Err(error),
        None => frame.missing(id, format!("{} is empty", here(way))),
    }
}

/// Goes on inside a string that holds documents.
fn enter_string(
    frame: &Frame<'_>,
    id: NodeId,
    steps: &[Step],
    way: &mut Way,
    found: &mut Vec<Located>,
) -> Result<(), LookupError> {
    let node = frame.stream.node(id);
    if node.is_null() {
        return frame.missing(id, format!("{} is null", here(way)));
    }
    if frame.depth() >= MAX_DEPTH {
        return frame.refuse(id, format!("{} is nested too deep", here(way)));
    }
    let Some(decoded) = frame.stream.decoded(frame.text, id) else {
        return frame.refuse(
            id,
            format!("{} is written in a way that cannot be edited", here(way)),
        );
    };
    let stream = match Stream::parse(&decoded.text) {
        Ok(stream) => stream,
        Err(error) => {
            return Err(LookupError {
                message: format!(
                    "the document in {} is not valid YAML (its line {}): {}",
                    here(way),
                    error.position.line,
                    error.message
                ),
                position: frame.position(decoded.source_near(error.offset)),
                obstacle: Obstacle::InvalidDocument,
            });
        }
    };
    let inner = Frame {
        text: &decoded.text,
        stream: &stream,
        outer: Some((frame, &decoded)),
        chain: chain(frame, id),
    };
    let mut hits = Vec::new();
    let mut failure: Option<LookupError> = None;
    let length = way.path.len();
    for root in stream.roots() {
        // A plain string is its own document: there is nothing to go on in.
        let leads_on = stream.node(*root).scalar().is_none_or(|value| {
            value.len() < decoded.text.trim_end().len()
                && stream.decoded(inner.text, *root).is_some()
        });
        let mut places = Vec::new();
        let outcome = if leads_on {
            walk(&inner, *root, steps, way, &mut places)
        } else {
            frame.missing(
                id,
                format!("{} is a string, not a map or a list", here(way)),
            )
        };
        way.path.truncate(length);
        match outcome {
            Ok(()) => hits.push(places),
            Err(error) if failure.as_ref().is_none_or(LookupError::is_missing) => {
                failure = Some(error);
            }
            Err(_) => {}
        }
    }
    match (hits.len(), failure) {
        (_, Some(error)) if !error.is_missing() => Err(error),
        (1, _) => {
            found.extend(hits.into_iter().flatten());
            Ok(())
        }
        (0, Some(error)) => Err(error),
        (0, None) => frame.missing(id, format!("{} holds no document", here(way))),
        (several, _) => frame.refuse(
            id,
            format!(
                "{several} of the documents in {} have this field",
                here(way)
            ),
        ),
    }
}

/// The value of a key that stands once in a map and is written there.
fn key_of(
    frame: &Frame<'_>,
    id: NodeId,
    entries: &[(NodeId, NodeId)],
    key: &str,
    way: &Way,
) -> Result<Option<NodeId>, LookupError> {
    let same = |(name, _): &&(NodeId, NodeId)| frame.stream.node(*name).scalar() == Some(key);
    let mut matching = entries.iter().filter(same);
    let first = matching.next();
    if let Some((second, _)) = matching.next() {
        return frame.refuse(
            *second,
            format!(
                "{} has the key {key:?} twice, and readers disagree about which one counts; \
                 remove one",
                here(way)
            ),
        );
    }
    let is_merge = |(name, _): &(NodeId, NodeId)| frame.stream.node(*name).scalar() == Some("<<");
    if first.is_none() && entries.iter().any(is_merge) {
        return frame.refuse(
            id,
            format!(
                "{} has {key:?} at most through a merge (<<), which is used elsewhere too; write \
                 the key out",
                here(way)
            ),
        );
    }
    Ok(first.map(|(_, value)| *value))
}

fn matches_field(stream: &Stream, item: NodeId, key: &str, value: &str) -> bool {
    let item = match &stream.node(item).content {
        Content::Alias(Some(target)) => *target,
        _ => item,
    };
    let field = if key.is_empty() {
        Some(item)
    } else {
        stream.get(item, key)
    };
    field.is_some_and(|field| stream.node(field).scalar() == Some(value))
}

/// The end of the path: a string, or with `create` null.
fn arrive(frame: &Frame<'_>, id: NodeId, way: &Way) -> Result<Located, LookupError> {
    let node = frame.stream.node(id);
    check_editable(node, way.create).or_else(|problem| match problem {
        Problem::Null => frame.missing(
            id,
            format!(
                "{} is null; set `create: true` on the target to fill it",
                here(way)
            ),
        ),
        Problem::Other(problem) => frame.refuse(id, format!("{} {problem}", here(way))),
    })?;
    let is_null = node.is_null();
    Ok(Located {
        nodes: chain(frame, id),
        site: if is_null { Site::Fill } else { Site::Replace },
        value: node.scalar().filter(|_| !is_null).map(str::to_owned),
        path: way.path.clone(),
        position: frame.position(node.span.start),
        aliases: node.aliases,
    })
}

enum Problem {
    Null,
    Other(String),
}

fn check_editable(node: &Node, create: bool) -> Result<(), Problem> {
    let other = |text: &str| Err(Problem::Other(text.to_owned()));
    match &node.content {
        Content::Alias(_) => other(
            "is an alias, and what it stands for is used elsewhere too; point the target at the \
             anchor or write the value out",
        ),
        Content::Mapping { .. } | Content::Sequence { .. } => {
            other(&format!("is {}, not a string", node.describe()))
        }
        Content::Scalar { .. } => match node.tag.as_deref() {
            None | Some("tag:yaml.org,2002:str" | "!") if !node.is_null() => Ok(()),
            None if create => Ok(()),
            None => Err(Problem::Null),
            Some(tag) => {
                let tag = tag
                    .strip_prefix("tag:yaml.org,2002:")
                    .map_or_else(|| tag.to_owned(), |short| format!("!!{short}"));
                other(&format!(
                    "has the tag {tag}, so it is not a string; remove the tag"
                ))
            }
        },
    }
}

/// Whether a scalar may be replaced; the problem as words that follow its name.
///
/// # Errors
/// It is an alias, null, a collection, or tagged as something that is not a string.
pub fn check_replaceable(node: &Node) -> Result<(), String> {
    check_editable(node, false).map_err(|problem| match problem {
        Problem::Null => "is null".to_owned(),
        Problem::Other(problem) => problem,
    })
}

fn chain(frame: &Frame<'_>, id: NodeId) -> Vec<NodeId> {
    frame.chain.iter().copied().chain([id]).collect()
}

/// The printed path from `root` to a node; `None` when the node is elsewhere, or a key.
#[must_use]
pub fn path_to(stream: &Stream, root: NodeId, wanted: NodeId) -> Option<String> {
    if root == wanted {
        return Some(String::new());
    }
    let (child, name) = match &stream.node(root).content {
        Content::Sequence { items, .. } => {
            let index = items.partition_point(|id| *id <= wanted).checked_sub(1)?;
            (items[index], format!("[{index}]"))
        }
        Content::Mapping { entries, .. } => {
            let after = entries.partition_point(|(key, _)| *key <= wanted);
            let (key, value) = entries[after.checked_sub(1)?];
            (
                value,
                format!(".{}", escape_key(stream.node(key).scalar().unwrap_or("?"))),
            )
        }
        _ => return None,
    };
    let rest = path_to(stream, child, wanted)?;
    let separator = if rest.is_empty() || rest.starts_with('[') {
        ""
    } else {
        "."
    };
    Some(format!("{}{separator}{rest}", name.trim_start_matches('.')))
}

/// Appends a step to a printed path.
#[must_use]
pub fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.trim_start_matches('.').to_owned()
    } else {
        format!("{path}{name}")
    }
}

/// A key as it stands in a printed path.
#[must_use]
pub fn escape_key(key: &str) -> String {
    key.replace('.', "\\.")
}

fn here(way: &Way) -> &str {
    if way.path.is_empty() {
        "the resource"
    } else {
        &way.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, path: &str) -> Result<Vec<Located>, LookupError> {
        let stream = Stream::parse(text).unwrap();
        locate(
            text,
            &stream,
            stream.roots()[0],
            &path.parse().unwrap(),
            false,
        )
    }

    const CONFIG: &str = "\
data:
  model_config.yaml: |
    # models
    orgs:
    - name: kubeflow
      automl_model: \"m1\" # here
    - name: other
      automl_model: m2
";

    #[test]
    fn goes_on_inside_a_string() {
        let path = "data.[model_config.yaml].orgs.[name=kubeflow].automl_model";
        let found = find(CONFIG, path).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].value.as_deref(), Some("m1"));
        assert_eq!(
            found[0].path,
            r"data.model_config\.yaml.orgs[0].automl_model"
        );
        assert_eq!(
            found[0].position,
            Position {
                line: 6,
                column: 21
            }
        );
        assert_eq!(
            find(CONFIG, "data.[model_config.yaml].orgs.*.automl_model")
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn says_where_and_why_not() {
        for (text, path, position, message) in [
            ("a: {b: 1}\n", "a.c", (1, 4), "a has no key \"c\""),
            ("a: {b: 1}\n", "a", (1, 4), "a is a map, not a string"),
            ("a: &x 1\nb: *x\n", "b", (2, 4), "b is an alias"),
            ("a: &x {c: 1}\nb: *x\n", "b.c", (2, 4), "b is an alias"),
            (
                "x: &x {c: 1}\nb: {<<: *x}\n",
                "b.c",
                (2, 4),
                "through a merge",
            ),
            ("a: 1\na: 2\n", "a", (2, 1), "the key \"a\" twice"),
            (
                "a: [{n: 1, v: x}, {n: 1, v: y}]\n",
                "a.[n=1].v",
                (1, 19),
                "2 elements with [n=1]",
            ),
            ("a: ~\n", "a", (1, 4), "a is null; set `create: true`"),
            ("a: !!int 5\n", "a", (1, 10), "has the tag !!int"),
            ("a: word\n", "a.b", (1, 4), "a is a string, not a map"),
            (
                "a: |\n  b: c\n  d: [\n",
                "a.b",
                (3, 6),
                "not valid YAML (its line",
            ),
            (
                "a: |\n  b: 1\n  ---\n  b: 2\n",
                "a.b",
                (1, 4),
                "2 of the documents",
            ),
            ("a: [x]\n", "a.3", (1, 4), "none number 3"),
        ] {
            let error = find(text, path).unwrap_err();
            assert!(error.message.contains(message), "{text:?}: {error:?}");
            let (line, column) = position;
            assert_eq!(
                error.position,
                Position { line, column },
                "{text:?}: {error:?}"
            );
        }
    }

    #[test]
    fn strings_in_strings() {
        let text = r#"a: '{"b": "{\"c\": \"v\"}"}'"#;
        assert_eq!(find(text, "a.b.c").unwrap()[0].value.as_deref(), Some("v"));
    }
}
