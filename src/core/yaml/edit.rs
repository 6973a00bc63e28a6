//! The only place that builds output: values for places become splices of the text's bytes.
//!
//! Every set of splices is tried before it is handed out: the spliced text is parsed and compared
//! with the old one node by node. What would change anything but the assigned scalars is refused.

use std::collections::BTreeMap;
use std::ops::Range;

use super::decode::{Chomping, Decoded, Style, end_of_line, start_of_line};
use super::document::{Content, NodeId, Stream};
use super::encode::{self, Context};
use super::lookup::{Located, Site};
use super::pieces::{flow_context, line_break_of};
use super::position::Position;

/// Bytes to be replaced. Ranges of one set do not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// What is replaced; empty to insert.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub text: String,
}

/// A value for a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// As in [`Located::nodes`].
    pub nodes: Vec<NodeId>,
    /// As in [`Located::site`].
    pub site: Site,
    /// The new value.
    pub value: String,
}

impl Assignment {
    /// Gives `value` to a place.
    #[must_use]
    pub fn new(place: &Located, value: &str) -> Self {
        Self {
            nodes: place.nodes.clone(),
            site: place.site.clone(),
            value: value.to_owned(),
        }
    }
}

/// Why a value cannot be written without changing something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EditError {
    /// What is wrong and what to do.
    pub message: String,
    /// Where in the text.
    pub position: Position,
}

/// Applies splices, which must be sorted as [`replace`] returns them.
#[must_use]
pub fn apply(text: &str, splices: &[Splice]) -> String {
    let added: usize = splices.iter().map(|splice| splice.text.len()).sum();
    let mut output = String::with_capacity(text.len() + added);
    let mut at = 0;
    for splice in splices {
        output.push_str(&text[at..splice.range.start]);
        output.push_str(&splice.text);
        at = splice.range.end;
    }
    output.push_str(&text[at..]);
    output
}

/// As [`apply`], in the text's own memory where few splices make that cheap.
#[must_use]
pub fn apply_in_place(mut text: String, splices: &[Splice]) -> String {
    // Each splice moves all that follows it.
    const FEW: usize = 32;
    if splices.len() > FEW {
        return apply(&text, splices);
    }
    for splice in splices.iter().rev() {
        text.replace_range(splice.range.clone(), &splice.text);
    }
    text
}

/// The splices that give each place its value. `stream` must be the parse of `text`.
///
/// # Guarantees
/// Sorted, not overlapping; after [`apply`], the text parses to the same nodes except that the
/// assigned scalars have the assigned values.
///
/// # Errors
/// A value cannot be written in the style of its place, or of a string around it; or two values
/// are meant for one place.
pub fn replace(
    text: &str,
    stream: &Stream,
    assignments: &[Assignment],
) -> Result<Vec<Splice>, EditError> {
    let mut by_node: BTreeMap<NodeId, Vec<&Assignment>> = BTreeMap::new();
    for assignment in assignments {
        let node = *assignment
            .nodes
            .first()
            .expect("a place has at least one node");
        by_node.entry(node).or_default().push(assignment);
    }
    let mut splices = Vec::new();
    let mut expected = BTreeMap::new();
    for (node, group) in &by_node {
        let edit = Edit {
            text,
            stream,
            node: *node,
        };
        if let Some(first) = group.iter().find(|assignment| assignment.nodes.len() == 1) {
            let is_same = |other: &&Assignment| {
                other.nodes == first.nodes && other.value == first.value && other.site == first.site
            };
            if !group.iter().all(is_same) {
                return Err(edit.error("two different values are meant for this place"));
            }
            splices.push(edit.write(&first.site, &first.value)?);
            let change = match &first.site {
                Site::Insert(key) => Expected::Entry(key.clone(), first.value.clone()),
                _ => Expected::Value(first.value.clone()),
            };
            expected.insert(*node, change);
        } else {
            let (inner, value) = edit.write_inside(group)?;
            splices.extend(inner);
            expected.insert(*node, Expected::Value(value));
        }
    }
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    verify(text, stream, &splices, &expected)?;
    Ok(splices)
}

/// What a changed node must read as afterwards.
enum Expected {
    Value(String),
    Entry(String, String),
}

struct Edit<'a> {
    text: &'a str,
    stream: &'a Stream,
    node: NodeId,
}

impl Edit<'_> {
    fn error(&self, message: impl Into<String>) -> EditError {
        let offset = self.stream.node(self.node).span.start;
        EditError {
            message: message.into(),
            position: Position::of(self.text, offset),
        }
    }

    fn write(&self, site: &Site, value: &str) -> Result<Splice, EditError> {
        let node = self.stream.node(self.node);
        match (site, &node.content) {
            (Site::Insert(key), Content::Mapping { entries, flow }) => Ok(if *flow {
                self.insert_flow(entries, key, value)
            } else {
                self.insert_block(entries, key, value)
            }),
            (Site::Replace | Site::Fill, Content::Scalar { style, .. }) => match style {
                Style::Literal | Style::Folded => self.write_block(value),
                _ if node.is_empty() => self.fill_empty(value),
                _ => Ok(Splice {
                    range: node.span.clone(),
                    text: encode::scalar(value, *style, self.context()),
                }),
            },
            _ => Err(self.error("this is not a place for a string")),
        }
    }

    /// Where the node stands: in flow collections, in JSON, or in neither.
    fn context(&self) -> Context {
        // Nodes are numbered in the order of the text: the way down is by the last child that is
        // not past the node.
        let last = |ids: &[NodeId]| {
            let after = ids.partition_point(|id| *id <= self.node);
            after.checked_sub(1).map(|index| ids[index])
        };
        let mut context = Context::Block;
        let mut outer = last(self.stream.roots());
        while let Some(id) = outer.filter(|id| *id != self.node) {
            outer = match &self.stream.node(id).content {
                Content::Sequence { items, flow } => {
                    if *flow && context == Context::Block {
                        context = Context::Flow;
                    }
                    last(items)
                }
                Content::Mapping { entries, flow } => {
                    if *flow {
                        context = flow_context(self.stream, entries);
                    }
                    let after = entries.partition_point(|(key, _)| *key <= self.node);
                    after.checked_sub(1).map(|index| {
                        let (key, value) = entries[index];
                        if value <= self.node { value } else { key }
                    })
                }
                _ => None,
            };
        }
        context
    }

    /// Replaces the lines of a block scalar and keeps its header.
    fn write_block(&self, value: &str) -> Result<Splice, EditError> {
        let Some(block) = self.stream.block(self.text, self.node) else {
            return Err(self.error("this block is written in a way that cannot be edited"));
        };
        let Some(indent) = block.indent else {
            return Err(self.error("this block is empty; write `\"\"` in its place first"));
        };
        let ends_with_break = value.ends_with('\n');
        match block.chomping {
            Chomping::Strip if ends_with_break => {
                return Err(
                    self.error("a `|-` block cannot hold a value that ends with a line break")
                );
            }
            Chomping::Clip | Chomping::Keep if !ends_with_break => {
                return Err(self.error(
                    "a block that keeps its final line break cannot hold this value, which has \
                     none; write `|-` or quotes",
                ));
            }
            _ => {}
        }
        // Go YAML takes a tab before the first text of a block for indentation, and refuses or
        // breaks lines at what is not printable; nothing can be escaped here.
        let is_text =
            |character| matches!(character, '\n' | '\t') || encode::is_printable(character);
        if value.trim_start_matches('\n').starts_with('\t') || !value.chars().all(is_text) {
            return Err(self.error("a block cannot hold this value; write quotes in its place"));
        }
        let line_break = self.line_break();
        // The last line break stays: the lines after it may have an indentation of their own.
        let mut text = String::new();
        for (number, line) in value
            .strip_suffix('\n')
            .unwrap_or(value)
            .split('\n')
            .enumerate()
        {
            if number > 0 {
                text.push_str(line_break);
            }
            if !line.is_empty() {
                text.push_str(&" ".repeat(indent));
                text.push_str(line);
            }
        }
        let kept = self.text[block.content.clone()]
            .trim_end_matches(['\n', '\r'])
            .len();
        let range = block.content.start..block.content.start + kept;
        Ok(Splice { range, text })
    }

    /// Writes a value after the colon or dash that has nothing.
    fn fill_empty(&self, value: &str) -> Result<Splice, EditError> {
        let node = self.stream.node(self.node);
        let at = node.span.start;
        let before = self.text[..at].trim_end();
        let rest = &self.text[at..end_of_line(self.text, at)];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let after = match rest[blank..].chars().next() {
            Some(':') => at + blank + 1,
            _ if before.ends_with(['-', ':']) => before.len(),
            _ => return Err(self.error("there is no place for a value here; write `~` first")),
        };
        let text = format!(" {}", encode::scalar(value, Style::Plain, self.context()));
        Ok(Splice {
            range: after..after,
            text,
        })
    }

    fn insert_flow(&self, entries: &[(NodeId, NodeId)], key: &str, value: &str) -> Splice {
        let context = flow_context(self.stream, entries);
        let key = encode::scalar(key, Style::Plain, context);
        let value = encode::scalar(value, Style::Plain, context);
        let (at, text) = match entries.last() {
            Some((_, last)) => (
                self.stream.node(*last).span.end,
                format!(", {key}: {value}"),
            ),
            None => (
                self.stream.node(self.node).span.start + 1,
                format!("{key}: {value}"),
            ),
        };
        Splice {
            range: at..at,
            text,
        }
    }

    /// A new last entry, on a line of its own with the indentation of the first.
    fn insert_block(&self, entries: &[(NodeId, NodeId)], key: &str, value: &str) -> Splice {
        let node = self.stream.node(self.node);
        let first = entries.first().map_or(node.span.start, |(key, _)| {
            self.stream.node(*key).span.start
        });
        let line_start = start_of_line(self.text, first);
        let indent = " ".repeat(
            self.text[line_start..first]
                .trim_start_matches('\u{FEFF}')
                .len(),
        );
        let key = encode::scalar(key, Style::Plain, Context::Block);
        let value = encode::scalar(value, Style::Plain, Context::Block);
        let end = node.span.end;
        let line_break = self.line_break();
        if self.text[..end].ends_with('\n') {
            // After a block scalar.
            return Splice {
                range: end..end,
                text: format!("{indent}{key}: {value}{line_break}"),
            };
        }
        let at = end_of_line(self.text, end);
        Splice {
            range: at..at,
            text: format!("{line_break}{indent}{key}: {value}"),
        }
    }

    fn line_break(&self) -> &'static str {
        line_break_of(self.text)
    }

    /// Edits the document inside a string; returns the splices and the string's new value.
    fn write_inside(&self, group: &[&Assignment]) -> Result<(Vec<Splice>, String), EditError> {
        let Some(decoded) = self.stream.decoded(self.text, self.node) else {
            return Err(self.error("this string is written in a way that cannot be edited"));
        };
        let outward = |offset| Position::of(self.text, decoded.source_near(offset));
        let inner = Stream::parse(&decoded.text).map_err(|error| EditError {
            position: outward(error.offset),
            message: error.to_string(),
        })?;
        let assignments: Vec<Assignment> = group
            .iter()
            .map(|assignment| Assignment {
                nodes: assignment.nodes[1..].to_vec(),
                site: assignment.site.clone(),
                value: assignment.value.clone(),
            })
            .collect();
        let splices = replace(&decoded.text, &inner, &assignments).map_err(|error| EditError {
            position: outward(offset_of(&decoded.text, error.position)),
            message: error.message,
        })?;
        let block = self.stream.block(self.text, self.node);
        let indent = block.and_then(|block| block.indent).unwrap_or_default();
        let outer = splices
            .iter()
            .map(|splice| self.outward(&decoded, indent, splice))
            .collect::<Result<Vec<_>, _>>()?;
        Ok((outer, apply(&decoded.text, &splices)))
    }

    /// A splice of the string's value as a splice of the text, in the string's style.
    /// `indent` is that of a block.
    fn outward(
        &self,
        decoded: &Decoded,
        indent: usize,
        splice: &Splice,
    ) -> Result<Splice, EditError> {
        let Content::Scalar { style, .. } = &self.stream.node(self.node).content else {
            return Err(self.error("this is not a string"));
        };
        let Some(range) = decoded.source(splice.range.clone()) else {
            return Err(self.error(
                "the value begins or ends inside an escape or a folded line of the string around \
                 it; write that string as a `|` block",
            ));
        };
        let is_line = splice.text.chars().all(encode::is_printable);
        let text = match style {
            Style::Double => {
                let mut text = String::new();
                encode::double_escape(&splice.text, &mut text);
                text
            }
            Style::Literal => {
                let line_break = self.line_break();
                splice
                    .text
                    .replace('\n', &format!("{line_break}{}", " ".repeat(indent)))
            }
            Style::Single if is_line => splice.text.replace('\'', "''"),
            Style::Plain | Style::Folded if is_line => splice.text.clone(),
            _ => {
                return Err(self.error(
                    "the change does not fit in the style of the string around it; write that \
                     string as a `|` block",
                ));
            }
        };
        Ok(Splice { range, text })
    }
}

fn offset_of(text: &str, position: Position) -> usize {
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(position.line - 1).map(str::len).sum();
    let line = lines.next().unwrap_or("");
    before
        + line
            .char_indices()
            .nth(position.column - 1)
            .map_or(line.len(), |(index, _)| index)
}

/// Parses the spliced text and compares it with the old one.
fn verify(
    text: &str,
    stream: &Stream,
    splices: &[Splice],
    expected: &BTreeMap<NodeId, Expected>,
) -> Result<(), EditError> {
    let place = splices.first().map_or(0, |splice| splice.range.start);
    let fail = || EditError {
        message: "the new value cannot be written here without changing something else; put the \
                  old one in double quotes first"
            .to_owned(),
        position: Position::of(text, place),
    };
    if splices
        .windows(2)
        .any(|pair| pair[0].range.end > pair[1].range.start)
    {
        return Err(fail());
    }
    let spliced = Stream::parse(&apply(text, splices)).map_err(|_| fail())?;
    let comparison = Comparison {
        old: stream,
        new: &spliced,
        expected,
    };
    let same_roots = stream.roots().len() == spliced.roots().len()
        && stream
            .roots()
            .iter()
            .zip(spliced.roots())
            .all(|(old, new)| comparison.same(*old, *new));
    if same_roots { Ok(()) } else { Err(fail()) }
}

struct Comparison<'a> {
    old: &'a Stream,
    new: &'a Stream,
    expected: &'a BTreeMap<NodeId, Expected>,
}

impl Comparison<'_> {
    fn same(&self, old_id: NodeId, new_id: NodeId) -> bool {
        let (old, new) = (self.old.node(old_id), self.new.node(new_id));
        if old.tag != new.tag || old.anchored != new.anchored || old.aliases != new.aliases {
            return false;
        }
        let expected = self.expected.get(&old_id);
        match (&old.content, &new.content, expected) {
            (
                Content::Scalar { .. },
                Content::Scalar { value, style },
                Some(Expected::Value(wanted)),
            ) => value == wanted && (*style != Style::Plain || !new.is_null()),
            (Content::Scalar { .. }, Content::Scalar { .. }, None) => old.content == new.content,
            (
                Content::Sequence { items: a, flow: f },
                Content::Sequence { items: b, flow: g },
                None,
            ) => f == g && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same(*a, *b)),
            (
                Content::Mapping {
                    entries: a,
                    flow: f,
                },
                Content::Mapping {
                    entries: b,
                    flow: g,
                },
                _,
            ) => {
                let added = match expected {
                    None => a.len() == b.len(),
                    Some(Expected::Entry(key, value)) => {
                        b.len() == a.len() + 1
                            && b.last().is_some_and(|(name, last)| {
                                self.new.node(*name).scalar() == Some(key)
                                    && self.new.node(*last).scalar() == Some(value)
                            })
                    }
                    Some(Expected::Value(_)) => false,
                };
                let pairs = a.iter().zip(b);
                f == g
                    && added
                    && pairs
                        .into_iter()
                        .all(|(a, b)| self.same(a.0, b.0) && self.same(a.1, b.1))
            }
            (Content::Alias(_), Content::Alias(_), None) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::yaml::locate;

    fn set(text: &str, path: &str, value: &str) -> Result<String, String> {
        let stream = Stream::parse(text).unwrap();
        let path = path.parse().unwrap();
        let places = locate(text, &stream, stream.roots()[0], &path, true)
            .map_err(|error| error.to_string())?;
        let assignments: Vec<_> = places
            .iter()
            .map(|place| Assignment::new(place, value))
            .collect();
        let splices = replace(text, &stream, &assignments).map_err(|error| error.to_string())?;
        Ok(apply(text, &splices))
    }

    #[test]
    fn changes_the_bytes_of_the_value_alone() {
        for (text, path, wanted) in [
            ("a: OLD # c\n", "a", "a: NEW # c\n"),
            ("a:  'OLD'\n", "a", "a:  'NEW'\n"),
            ("a: |-\n   OLD\n\nb: 1\n", "a", "a: |-\n   NEW\n\nb: 1\n"),
            (
                "a: |\n  c: OLD # x\n  d: 1\n",
                "a.c",
                "a: |\n  c: NEW # x\n  d: 1\n",
            ),
            ("a: |\r\n  c: OLD\r\n", "a.c", "a: |\r\n  c: NEW\r\n"),
            (
                "a: \"c: \\\"OLD\\\" # \\u00e9\\n\"\n",
                "a.c",
                "a: \"c: \\\"NEW\\\" # \\u00e9\\n\"\n",
            ),
            ("a: 'c: ''OLD'''\n", "a.c", "a: 'c: ''NEW'''\n"),
            (
                "a: >\n  {c: OLD,\n  d: 1}\n",
                "a.c",
                "a: >\n  {c: NEW,\n  d: 1}\n",
            ),
            ("a: {c: OLD, d: [1]}\n", "a.c", "a: {c: NEW, d: [1]}\n"),
            ("{\"a\": \"OLD\"}", "a", "{\"a\": \"NEW\"}"),
            ("{\"a\": null}", "a", "{\"a\": \"NEW\"}"),
            ("a: &x OLD\nb: *x\n", "a", "a: &x NEW\nb: *x\n"),
            ("a: !!str OLD\n", "a", "a: !!str NEW\n"),
            ("a:\n", "a", "a: NEW\n"),
            ("a: # c\nb: 1\n", "a", "a: NEW # c\nb: 1\n"),
            ("- \n", "0", "- NEW \n"),
            ("a: {}\n", "a.b", "a: {b: NEW}\n"),
            ("a: {c: 1}\n", "a.b", "a: {c: 1, b: NEW}\n"),
            (
                "a: '{\"c\": 1}'\n",
                "a.b",
                "a: '{\"c\": 1, \"b\": \"NEW\"}'\n",
            ),
            (
                "x:\n- c: 1 # k\n- d\n",
                "x.0.b",
                "x:\n- c: 1 # k\n  b: NEW\n- d\n",
            ),
            ("a: |\n  c: 1\n", "a.b", "a: |\n  c: 1\n  b: NEW\n"),
            ("a: \"c: 1\\n\"\n", "a.b", "a: \"c: 1\\nb: NEW\\n\"\n"),
            (
                "a:\n  c: |\n    x\nd: 1\n",
                "a.b",
                "a:\n  c: |\n    x\n  b: NEW\nd: 1\n",
            ),
            ("\u{FEFF}a: OLD\n", "a", "\u{FEFF}a: NEW\n"),
            ("a: O\n  L\n  D\n", "a", "a: NEW\n"),
            (
                "a: |\n  c: |-\n    OLD\n  d: 1\n",
                "a.c",
                "a: |\n  c: |-\n    NEW\n  d: 1\n",
            ),
        ] {
            assert_eq!(set(text, path, "NEW").as_deref(), Ok(wanted), "{text:?}");
        }
    }

    #[test]
    fn splices_in_place_come_to_the_same() {
        let splice = |range, text: &str| Splice {
            range,
            text: text.to_owned(),
        };
        let splices = [splice(0..1, ""), splice(2..2, "xyz"), splice(3..5, "é")];
        let wanted = apply("abcdef", &splices);
        assert_eq!(wanted, "bxyzcéf");
        assert_eq!(apply_in_place("abcdef".to_owned(), &splices), wanted);
        let many: Vec<_> = (0..40).map(|at| splice(at..at + 1, "yy")).collect();
        assert_eq!(apply_in_place("x".repeat(40), &many), "y".repeat(80));
    }

    #[test]
    fn quotes_where_plain_would_be_misread() {
        assert_eq!(set("a: OLD\n", "a", "yes").unwrap(), "a: \"yes\"\n");
        assert_eq!(
            set("a: |\n  c: OLD\n", "a.c", "1e3").unwrap(),
            "a: |\n  c: \"1e3\"\n"
        );
        assert_eq!(
            set("a: 'c: OLD'\n", "a.c", "it's").unwrap(),
            "a: 'c: it''s'\n"
        );
        assert_eq!(
            set("a: \"c: OLD\"\n", "a.c", "x: y").unwrap(),
            "a: \"c: \\\"x: y\\\"\"\n"
        );
    }

    #[test]
    fn refuses_what_a_style_cannot_hold() {
        for (text, path, value, reason) in [
            ("a: |\n  OLD\n", "a", "NEW", "write `|-` or quotes"),
            (
                "a: |-\n  OLD\n",
                "a",
                "NEW\n",
                "cannot hold a value that ends",
            ),
            ("a: |\n", "a", "NEW", "this block is empty"),
            ("a: |+\n\n\nb: 1\n", "a", "NEW\n", "this block is empty"),
            ("a: 'c: 1'\n", "a.b", "NEW", "does not fit"),
            ("a: |-\n  OLD\n", "a", "\tNEW", "a block cannot hold"),
            ("a: |-\n  OLD\n", "a", "N\u{85}W", "a block cannot hold"),
            (
                "a: |-\n  OLD\n",
                "a",
                " NEW",
                "without changing something else",
            ),
        ] {
            let error = set(text, path, value).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }
}
