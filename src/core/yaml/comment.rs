//! Comments and the scalars they are attached to, as kyaml attaches them.

use std::ops::Range;

use super::decode::{end_of_line, line_break, start_of_line};
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
    let hits = memchr::memmem::find_iter(text.as_bytes(), needle.as_bytes());
    let mut comments: Vec<Comment> = Vec::new();
    for hit in hits {
        if comments
            .last()
            .is_some_and(|last| last.range.contains(&hit))
        {
            continue;
        }
        if let Some(range) = comment_around(text, stream, hit) {
            let owner = owner(text, stream, &range);
            comments.push(Comment { range, owner });
        }
    }
    comments
}

/// The comment that the byte at `offset` is in.
fn comment_around(text: &str, stream: &Stream, offset: usize) -> Option<Range<usize>> {
    let line_start = start_of_line(text, offset);
    let line_end = end_of_line(text, offset);
    let starts = memchr::memchr_iter(
        b'#',
        &text.as_bytes()[line_start..=offset.min(text.len() - 1)],
    );
    starts.map(|index| line_start + index).find_map(|start| {
        let is_first = start == line_start;
        let after_blank = is_first || text[..start].ends_with([' ', '\t']);
        (after_blank && !in_scalar(text, stream, start)).then_some(start..line_end)
    })
}

/// Whether a byte belongs to a scalar. The line of a block scalar's header may end in a comment.
fn in_scalar(text: &str, stream: &Stream, offset: usize) -> bool {
    stream.nodes().any(|(id, node)| {
        node.span.contains(&offset)
            && node.scalar().is_some()
            && stream
                .block(text, id)
                .is_none_or(|block| !block.header.contains(&offset))
    })
}

/// A comment at the end of a line belongs to the last value on it; one that fills its line belongs
/// to the list element that begins on the next line. (go-yaml attaches a comment above a map entry
/// to the key, where setters do not look.)
fn owner(text: &str, stream: &Stream, comment: &Range<usize>) -> Owner {
    let line_start = start_of_line(text, comment.start);
    let fills_line = text[line_start..comment.start].trim().is_empty();
    if !fills_line {
        return on_line(text, stream, line_start, comment.start);
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
            return element_at(stream, first);
        }
        if end == text.len() {
            return Owner::Nothing;
        }
        at = end;
    }
}

fn element_at(stream: &Stream, offset: usize) -> Owner {
    let all = stream
        .nodes()
        .flat_map(|(id, _)| stream.items(id).iter().copied());
    let mut found = all.filter(|item| stream.node(*item).span.start == offset);
    match found.next() {
        Some(id) if !matches!(stream.node(id).content, Content::Mapping { .. }) => Owner::Value(id),
        _ => Owner::Nothing,
    }
}

/// The last node that ends on the line before the comment.
fn on_line(text: &str, stream: &Stream, line_start: usize, comment_start: usize) -> Owner {
    let mut last: Option<(usize, NodeId)> = None;
    for (id, node) in stream.nodes() {
        let is_block_collection = matches!(
            node.content,
            Content::Sequence { flow: false, .. } | Content::Mapping { flow: false, .. }
        );
        if is_block_collection {
            continue;
        }
        let end = stream.block(text, id).map_or(node.span.end, |block| {
            // The header is where the comment can be.
            block.header.start + 1
        });
        if end > line_start && end <= comment_start && last.is_none_or(|(known, _)| known <= end) {
            last = Some((end, id));
        }
    }
    match last {
        None => Owner::Nothing,
        Some((_, id)) if is_key(stream, id) => Owner::Key(id),
        Some((_, id)) => Owner::Value(id),
    }
}

fn is_key(stream: &Stream, id: NodeId) -> bool {
    stream
        .nodes()
        .any(|(map, _)| stream.entries(map).iter().any(|(key, _)| *key == id))
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
