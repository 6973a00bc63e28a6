//! Comments and the scalars they are attached to, as kyaml attaches them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::decode::{Style, end_of_line, line_break, start_of_line};
use super::document::{Content, NodeId, Stream};

/// A comment, from its `#` to the end of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its bytes.
    pub range: Range<usize>,
    /// The node it belongs to.
    pub owner: Owner,
}

/// What a comment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The value on the same line, or the list element on the line below.
    Value(NodeId),
    /// The key on the same line, whose value is on the lines below.
    Key(NodeId),
    /// No node that could be meant.
    Nothing,
}

/// The comments of a text that contain `needle`. `stream` must be the parse of `text`.
#[must_use]
pub fn find(text: &str, stream: &Stream, needle: &str) -> Vec<Comment> {
    let mut hits = memchr::memmem::find_iter(text.as_bytes(), needle.as_bytes()).peekable();
    if hits.peek().is_none() {
        return Vec::new();
    }
    let index = Index::new(text, stream);
    let mut comments: Vec<Comment> = Vec::new();
    for hit in hits {
        if comments
            .last()
            .is_some_and(|last| last.range.contains(&hit))
        {
            continue;
        }
        if let Some(range) = comment_around(text, &index, hit) {
            let owner = owner(text, stream, &index, &range);
            comments.push(Comment { range, owner });
        }
    }
    comments
}

/// The nodes of a text by their places: a long text may hold many comments.
struct Index {
    /// The bytes of each scalar, sorted; of a block scalar those after its header, which may end
    /// in a comment.
    scalars: Vec<Range<usize>>,
    /// The ends of all nodes but block collections, sorted; the end of a block scalar is its
    /// indicator's, where a comment can follow.
    ends: Vec<(usize, NodeId)>,
    /// List elements by their starts; of nested lists the outermost.
    elements: BTreeMap<usize, NodeId>,
    keys: BTreeSet<NodeId>,
}

impl Index {
    fn new(text: &str, stream: &Stream) -> Self {
        let mut index = Self {
            scalars: Vec::new(),
            ends: Vec::new(),
            elements: BTreeMap::new(),
            keys: BTreeSet::new(),
        };
        for (id, node) in stream.nodes() {
            let Range { start, end } = node.span;
            match &node.content {
                Content::Scalar {
                    style: Style::Literal | Style::Folded,
                    ..
                } => {
                    index.scalars.push(end_of_line(text, start).min(end)..end);
                    index.ends.push((start + 1, id));
                }
                Content::Scalar { .. } => {
                    index.scalars.push(start..end);
                    index.ends.push((end, id));
                }
                Content::Alias(_)
                | Content::Sequence { flow: true, .. }
                | Content::Mapping { flow: true, .. } => index.ends.push((end, id)),
                _ => {}
            }
            for item in stream.items(id) {
                let start = stream.node(*item).span.start;
                index.elements.entry(start).or_insert(*item);
            }
            index
                .keys
                .extend(stream.entries(id).iter().map(|(key, _)| *key));
        }
        index.scalars.retain(|range| !range.is_empty());
        index.scalars.sort_by_key(|range| range.start);
        index.ends.sort_unstable();
        index
    }

    /// Whether a byte belongs to a scalar.
    fn in_scalar(&self, offset: usize) -> bool {
        let after = self.scalars.partition_point(|range| range.start <= offset);
        after > 0 && self.scalars[after - 1].contains(&offset)
    }
}

/// The comment that the byte at `offset` is in.
fn comment_around(text: &str, index: &Index, offset: usize) -> Option<Range<usize>> {
    let line_start = start_of_line(text, offset);
    let line_end = end_of_line(text, offset);
    let starts = memchr::memchr_iter(
        b'#',
        &text.as_bytes()[line_start..=offset.min(text.len() - 1)],
    );
    starts.map(|index| line_start + index).find_map(|start| {
        let is_first = start == line_start;
        let after_blank = is_first || text[..start].ends_with([' ', '\t']);
        (after_blank && !index.in_scalar(start)).then_some(start..line_end)
    })
}

/// A comment at the end of a line belongs to the last value on it; one that fills its line belongs
/// to the list element that begins on the next line. (go-yaml attaches a comment above a map entry
/// to the key, where setters do not look.)
fn owner(text: &str, stream: &Stream, index: &Index, comment: &Range<usize>) -> Owner {
    let line_start = start_of_line(text, comment.start);
    let fills_line = text[line_start..comment.start].trim().is_empty();
    if !fills_line {
        return on_line(index, line_start, comment.start);
    }
    // Go past further comment lines to the next line of content.
    let mut at = comment.end;
    loop {
        at += line_break(text, at);
        let end = end_of_line(text, at);
        let line = text[at..end].trim_start();
        if !line.starts_with('#') {
            let Some(element) = line.strip_prefix("- ") else {
                return Owner::Nothing;
            };
            let first = end - element.trim_start().len();
            return element_at(stream, index, first);
        }
        if end == text.len() {
            return Owner::Nothing;
        }
        at = end;
    }
}

fn element_at(stream: &Stream, index: &Index, offset: usize) -> Owner {
    match index.elements.get(&offset) {
        Some(id) if !matches!(stream.node(*id).content, Content::Mapping { .. }) => {
            Owner::Value(*id)
        }
        _ => Owner::Nothing,
    }
}

/// The last node that ends on the line before the comment.
fn on_line(index: &Index, line_start: usize, comment_start: usize) -> Owner {
    let after = index.ends.partition_point(|(end, _)| *end <= comment_start);
    let last = after.checked_sub(1).map(|last| index.ends[last]);
    match last.filter(|(end, _)| *end > line_start) {
        None => Owner::Nothing,
        Some((_, id)) if index.keys.contains(&id) => Owner::Key(id),
        Some((_, id)) => Owner::Value(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner_text(text: &str) -> Vec<String> {
        let stream = Stream::parse(text).unwrap();
        let found = find(text, &stream, "mark");
        found
            .iter()
            .map(|comment| match comment.owner {
                Owner::Value(id) => format!("value {}", &text[stream.node(id).span.clone()]),
                Owner::Key(id) => format!("key {}", &text[stream.node(id).span.clone()]),
                Owner::Nothing => "nothing".to_owned(),
            })
            .collect()
    }

    #[test]
    fn comments_find_their_values() {
        assert_eq!(owner_text("a: 1 # mark\nb: 2\n"), ["value 1"]);
        assert_eq!(owner_text("a: 'x # mark'\n"), Vec::<String>::new());
        assert_eq!(owner_text("a: |\n  x # mark\n"), Vec::<String>::new());
        assert_eq!(owner_text("a: | # mark\n  x\n"), ["value | # mark\n  x\n"]);
        assert_eq!(owner_text("- name: x # mark\n"), ["value x"]);
        assert_eq!(owner_text("a: [x, y] # mark\n"), ["value [x, y]"]);
        assert_eq!(owner_text("a: # mark\n- x\n"), ["key a"]);
        assert_eq!(owner_text("a:\n# mark\n- x\n"), ["value x"]);
        assert_eq!(owner_text("# mark\na: x\n"), ["nothing"]);
        assert_eq!(owner_text("a: x#mark\n"), Vec::<String>::new());
    }
}
