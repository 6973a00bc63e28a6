//! A YAML text as nodes that know their bytes. This is the only file that names the parser.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

use super::decode::{self, Block, Decoded, Style};
use super::position::Position;

/// Index of a node in its [`Stream`]; equal texts have equal indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(usize);

/// A text that is not YAML.
#[derive(Clone, Debug, thiserror::Error)]
#[error("not valid YAML: {message}")]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// Byte offset of where it was noticed.
    pub offset: usize,
    /// The same as line and column.
    pub position: Position,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A scalar: its style and its value.
    Scalar {
        /// How it is written.
        style: Style,
        /// What it says; empty for [`is_empty`](Node::is_empty) nodes.
        value: String,
    },
    /// A list.
    Sequence {
        /// Its elements.
        items: Vec<NodeId>,
        /// Whether it is written in brackets.
        flow: bool,
    },
    /// A map.
    Mapping {
        /// Its keys and values in the order of the text, duplicates included.
        entries: Vec<(NodeId, NodeId)>,
        /// Whether it is written in braces.
        flow: bool,
    },
    /// `*anchor`, with the node it stands for.
    Alias(Option<NodeId>),
}

/// A node with its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Its bytes. For a scalar: quotes or block header included, anchor and tag not. For a
    /// collection: from its first to the end of its last node, brackets included.
    pub span: Range<usize>,
    /// The resolved tag (`tag:yaml.org,2002:str`) where one is written.
    pub tag: Option<String>,
    /// Whether the node carries an anchor (`&name`).
    pub anchored: bool,
    /// How many aliases stand for this node.
    pub aliases: usize,
}

impl Node {
    /// Whether nothing is written: `key:` or `- ` alone. Reads as null.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.span.is_empty()
            && matches!(
                self.content,
                Content::Scalar {
                    style: Style::Plain,
                    ..
                }
            )
    }

    /// Whether the node reads as null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        match &self.content {
            Content::Scalar {
                style: Style::Plain,
                value,
            } => self.is_empty() || matches!(value.as_str(), "~" | "null" | "Null" | "NULL"),
            _ => false,
        }
    }

    /// The value of a scalar.
    #[must_use]
    pub fn scalar(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    /// What the node is, for messages: `a map`, `a string`, …
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match &self.content {
            _ if self.is_null() => "null",
            Content::Scalar { .. } => "a scalar",
            Content::Sequence { .. } => "a list",
            Content::Mapping { .. } => "a map",
            Content::Alias(_) => "an alias",
        }
    }
}

/// All documents of a text. Holds no text: the functions that need it take it.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    nodes: Vec<Node>,
    roots: Vec<NodeId>,
}

impl Stream {
    /// Parses a text of any number of documents.
    ///
    /// # Errors
    /// The text is not YAML.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        Builder::new(text).run()
    }

    /// The root of each document, in the order of the text.
    #[must_use]
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    /// A node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// All nodes in the order of the text; a collection comes before what it holds.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (NodeId(index), node))
    }

    /// The value of `key` in a map; the last one where keys are doubled, as most readers have it.
    #[must_use]
    pub fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        let Content::Mapping { entries, .. } = &self.node(id).content else {
            return None;
        };
        let found = entries
            .iter()
            .rev()
            .find(|(name, _)| self.node(*name).scalar() == Some(key));
        found.map(|(_, value)| *value)
    }

    /// The node at the end of a path of map keys.
    #[must_use]
    pub fn get_path(&self, id: NodeId, keys: &[&str]) -> Option<NodeId> {
        keys.iter().try_fold(id, |id, key| self.get(id, key))
    }

    /// The scalar at the end of a path of map keys.
    #[must_use]
    pub fn get_str(&self, id: NodeId, keys: &[&str]) -> Option<&str> {
        let node = self.node(self.get_path(id, keys)?);
        if node.is_null() { None } else { node.scalar() }
    }

    /// The elements of a list; none for anything else.
    #[must_use]
    pub fn items(&self, id: NodeId) -> &[NodeId] {
        match &self.node(id).content {
            Content::Sequence { items, .. } => items,
            _ => &[],
        }
    }

    /// The entries of a map; none for anything else.
    #[must_use]
    pub fn entries(&self, id: NodeId) -> &[(NodeId, NodeId)] {
        match &self.node(id).content {
            Content::Mapping { entries, .. } => entries,
            _ => &[],
        }
    }

    /// A scalar's text with its map to the bytes of `text`, which must be the parsed text. `None`
    /// for other nodes, and where our reading differs from the parser's: such a scalar is not
    /// edited.
    #[must_use]
    pub fn decoded(&self, text: &str, id: NodeId) -> Option<Decoded> {
        let node = self.node(id);
        let Content::Scalar { style, value } = &node.content else {
            return None;
        };
        let decoded = match style {
            Style::Literal | Style::Folded => self.block(text, id)?.decoded,
            _ => decode::flow_scalar(text, node.span.clone(), *style)?,
        };
        (decoded.text == *value).then_some(decoded)
    }

    /// The layout of a block scalar; `None` for other nodes.
    #[must_use]
    pub fn block(&self, text: &str, id: NodeId) -> Option<Block> {
        let node = self.node(id);
        match &node.content {
            Content::Scalar {
                style: style @ (Style::Literal | Style::Folded),
                value,
            } => decode::block_scalar(text, node.span.start, *style, value),
            _ => None,
        }
    }
}

/// An open collection, and the key that waits for its value.
struct Open {
    id: NodeId,
    key: Option<NodeId>,
}

/// Builds the nodes from the parser's events.
struct Builder<'t> {
    text: &'t str,
    stream: Stream,
    open: Vec<Open>,
    /// Node of each anchor, by the parser's number.
    anchors: std::collections::BTreeMap<usize, NodeId>,
    /// End of the last token, from where the header of a block scalar is looked for.
    last_end: usize,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            stream: Stream::default(),
            open: Vec::new(),
            anchors: std::collections::BTreeMap::new(),
            last_end: 0,
        }
    }

    fn run(mut self) -> Result<Stream, YamlError> {
        let mut options = granit_parser::options! {
            // As libyaml and Go: a block scalar at the end of the file needs no final line break.
            block_scalar_eof_without_line_feed: true,
            emit_anchor_events: true
        };
        // With comments on, the 97th comment line in a row is an error.
        options.set_emit_comments(false);
        for event in Parser::new_from_str_with_options(self.text, options) {
            match event {
                Ok((event, span)) => self.event(event, &span),
                Err(error) => {
                    let offset = error
                        .marker()
                        .byte_offset()
                        .unwrap_or(0)
                        .min(self.text.len());
                    return Err(YamlError {
                        message: error.info().to_owned(),
                        offset,
                        position: Position::of(self.text, offset),
                    });
                }
            }
        }
        Ok(self.stream)
    }

    fn event(&mut self, event: Event<'_>, span: &Span) {
        let range = span.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(explicit, _) if explicit => self.last_end = range.end,
            Event::Scalar(value, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                let is_empty = range.is_empty() && style == Style::Plain;
                let value = if is_empty {
                    String::new()
                } else {
                    value.into_owned()
                };
                let span = match style {
                    Style::Literal | Style::Folded => self.block_span(range, style, &value),
                    _ => range,
                };
                self.last_end = self.last_end.max(span.end);
                let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
                self.add(Content::Scalar { style, value }, span, tag, anchor);
            }
            Event::SequenceStart(style, anchor, tag) => {
                let flow = matches!(style, StructureStyle::Flow);
                let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
                let content = Content::Sequence {
                    items: Vec::new(),
                    flow,
                };
                self.start(content, range, tag, anchor);
            }
            Event::MappingStart(style, anchor, tag) => {
                let flow = matches!(style, StructureStyle::Flow);
                let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
                let content = Content::Mapping {
                    entries: Vec::new(),
                    flow,
                };
                self.start(content, range, tag, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(range),
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied();
                if let Some(target) = target {
                    self.stream.nodes[target.0].aliases += 1;
                }
                self.last_end = range.end;
                self.add(Content::Alias(target), range, None, 0);
            }
            _ => {}
        }
    }

    fn start(&mut self, content: Content, range: Range<usize>, tag: Option<String>, anchor: usize) {
        if !range.is_empty() {
            self.last_end = range.end;
        }
        let id = self.add(content, range, tag, anchor);
        self.open.push(Open { id, key: None });
    }

    fn end(&mut self, range: Range<usize>) {
        let Some(Open { id, .. }) = self.open.pop() else {
            return;
        };
        let end = match &self.stream.node(id).content {
            Content::Sequence { flow: true, .. } | Content::Mapping { flow: true, .. } => {
                self.last_end = range.end;
                range.end
            }
            Content::Sequence { items, .. } => items
                .last()
                .map_or(0, |last| self.stream.node(*last).span.end),
            Content::Mapping { entries, .. } => {
                // An empty value's span is at the end of its key.
                entries
                    .last()
                    .map_or(0, |(_, last)| self.stream.node(*last).span.end)
            }
            _ => range.end,
        };
        let node = &mut self.stream.nodes[id.0];
        node.span.end = end.max(node.span.start);
    }

    fn add(
        &mut self,
        content: Content,
        span: Range<usize>,
        tag: Option<String>,
        anchor: usize,
    ) -> NodeId {
        let id = NodeId(self.stream.nodes.len());
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        self.stream.nodes.push(Node {
            content,
            span,
            tag,
            anchored: anchor != 0,
            aliases: 0,
        });
        match self.open.last_mut() {
            None => self.stream.roots.push(id),
            Some(parent) => match &mut self.stream.nodes[parent.id.0].content {
                Content::Sequence { items, .. } => items.push(id),
                Content::Mapping { entries, .. } => match parent.key.take() {
                    None => parent.key = Some(id),
                    Some(key) => entries.push((key, id)),
                },
                _ => {}
            },
        }
        id
    }

    /// The span of a block scalar from its header; the parser reports its text alone.
    fn block_span(&self, range: Range<usize>, style: Style, value: &str) -> Range<usize> {
        let header = self
            .find_header(style)
            .filter(|header| *header < range.start.max(1));
        match header {
            Some(start) => match decode::block_scalar(self.text, start, style, value) {
                Some(block) if block.content.is_empty() => block.header,
                Some(block) => start..block.content.end,
                None => start..range.end,
            },
            None => range,
        }
    }

    /// Looks for `|` or `>` after the last token, past indicators, tags, anchors and comments.
    fn find_header(&self, style: Style) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let indicator = if style == Style::Literal { b'|' } else { b'>' };
        let mut at = self.last_end;
        while at < bytes.len() {
            match bytes[at] {
                byte if byte == indicator => return Some(at),
                b'#' => at = decode::end_of_line(self.text, at),
                b'!' | b'&' => {
                    while at < bytes.len() && !bytes[at].is_ascii_whitespace() {
                        at += 1;
                    }
                }
                _ => at += 1,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str) -> Vec<&str> {
        let stream = Stream::parse(text).unwrap();
        let all = stream.nodes().filter(|(_, node)| node.scalar().is_some());
        all.map(|(id, node)| {
            assert!(stream.decoded(text, id).is_some(), "{node:?}");
            &text[node.span.clone()]
        })
        .collect()
    }

    #[test]
    fn scalars_know_their_bytes() {
        let text = "a: &x |2 # c\n    one\n\n  two\n\nb: !!str >-\n  x\n  y\n# end\nc: 'q'\nd:\n- {k: , \"l\": 5}\n- ? q\n  : |\n   z\ne:\n";
        let spans = spans(text);
        assert_eq!(spans[1], "|2 # c\n    one\n\n  two\n");
        assert_eq!(spans[3], ">-\n  x\n  y\n");
        assert_eq!(spans.last(), Some(&""));
    }

    #[test]
    fn empty_blocks_and_blocks_at_the_end() {
        assert_eq!(spans("a: |\nb: |-\n  x")[3], "|-\n  x");
        assert_eq!(spans("a: |\nb: 1\n")[1], "|");
        assert_eq!(spans("- |+\n  x\n\n- y\n")[0], "|+\n  x\n\n");
        assert_eq!(spans("--- |\ntext\n...\n")[0], "|\ntext\n");
        assert_eq!(spans("a: # why | not\n  |\n  x\n")[1], "|\n  x\n");
    }

    #[test]
    fn errors_have_a_place() {
        let error = Stream::parse("a: b\nc: [1,\n").unwrap_err();
        assert!(error.position.line >= 2, "{error:?}");
    }

    #[test]
    fn aliases_are_counted() {
        let text = "a: &x 1\nb: *x\nc: *x\n";
        let stream = Stream::parse(text).unwrap();
        let a = stream.get(stream.roots()[0], "a").unwrap();
        assert_eq!(stream.node(a).aliases, 2);
    }
}
