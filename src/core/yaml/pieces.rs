//! The elements of a list or the entries of a map as pieces of text that can be taken out, and new
//! ones put between them. What a piece says is for the caller; this file knows where it begins and
//! ends.
//!
//! In a block collection a piece is whole lines. To it belong the comment lines directly above it,
//! when they begin in its column, and the comment lines directly below it, when they begin further
//! right. Comment lines directly below the line that opens the collection belong to the first piece
//! when another piece has comment lines above it, and else to the collection as a whole. In a flow
//! collection a piece is the bytes of the element.

use std::collections::BTreeMap;
use std::ops::Range;

use super::decode::{Style, end_of_line, line_break, start_of_line};
use super::document::{Content, NodeId, Stream};
use super::edit::Splice;
use super::encode::Context;

/// One element or entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Everything that belongs to it.
    pub whole: Range<usize>,
    /// The same without comment lines above and below.
    pub body: Range<usize>,
    /// Whether it shares its first line with something else, as the first entry of a map in a list
    /// does: `- name: a`. It cannot be taken out, nor anything put before it.
    pub is_fixed: bool,
}

/// The pieces of one collection.
#[derive(Clone, Debug)]
pub struct Pieces<'t> {
    text: &'t str,
    /// In the order of the text.
    pub pieces: Vec<Piece>,
    /// The column of the dashes or keys, from 0; none in a flow collection.
    pub column: Option<usize>,
    /// What stands between two elements of a flow collection.
    separator: String,
    /// How many blank lines stand between the first two elements of a block list.
    blank_lines: usize,
}

/// Pieces to be put before the old piece of this index; the number of old pieces to append.
pub type Insertion = (usize, Vec<String>);

impl<'t> Pieces<'t> {
    /// The pieces of a list or map that has at least one; `opening` is where the line ends that
    /// opens it. `None` for other nodes, and for maps with `? ` keys.
    #[must_use]
    pub fn of(text: &'t str, stream: &Stream, id: NodeId, opening: usize) -> Option<Self> {
        let (parts, is_flow) = parts(stream, id);
        if parts.is_empty() {
            return None;
        }
        if is_flow {
            return Some(Self::flow(text, stream.node(id).span.start, &parts));
        }
        let is_list = matches!(stream.node(id).content, Content::Sequence { .. });
        let mut pieces: Vec<Piece> = Vec::new();
        let mut columns = Vec::new();
        let mut floor = next_line(text, opening);
        for part in &parts {
            let start = if is_list {
                dash_before(text, floor, part.start)?
            } else {
                part.start
            };
            let column = start - start_of_line(text, start);
            columns.push(column);
            let piece = block_piece(text, start..part.end, column, floor);
            floor = piece.body.end;
            if let Some(last) = pieces.last_mut() {
                last.whole.end = last.whole.end.min(piece.whole.start);
            }
            pieces.push(piece);
        }
        let has_comment = |piece: &Piece| piece.whole.start < piece.body.start;
        let is_below_opening = pieces[0].whole.start <= next_line(text, opening);
        if is_below_opening && !pieces[1..].iter().any(has_comment) {
            pieces[0].whole.start = pieces[0].body.start;
        }
        // A key after `? ` begins further right than the others.
        let column = columns.first().copied()?;
        if !columns.iter().all(|other| *other == column) {
            return None;
        }
        let blank_lines =
            match pieces.as_slice() {
                // Entries of a map are not set apart as regularly as the elements of a list.
                [first, second, ..] if is_list => blank_below(text, first.whole.end)
                    .min(blank_above(text, second.whole.start, first.whole.end)),
                _ => 0,
            };
        Some(Self {
            text,
            pieces,
            column: Some(column),
            separator: String::new(),
            blank_lines,
        })
    }

    fn flow(text: &'t str, open: usize, parts: &[Range<usize>]) -> Self {
        let is_separator = |between: &&str| {
            between.matches(',').count() == 1
                && between
                    .chars()
                    .all(|character| character == ',' || character.is_whitespace())
        };
        let between = match parts {
            [first, second, ..] => text.get(first.end..second.start).filter(is_separator),
            _ => None,
        };
        let lead = text.get(open + 1..parts[0].start).unwrap_or_default();
        let separator = match between {
            Some(between) => between.to_owned(),
            None if lead.contains('\n') && lead.trim().is_empty() => format!(",{lead}"),
            None => ", ".to_owned(),
        };
        let pieces = parts.iter().map(|part| Piece {
            whole: part.clone(),
            body: part.clone(),
            is_fixed: false,
        });
        Self {
            text,
            pieces: pieces.collect(),
            column: None,
            separator,
            blank_lines: 0,
        }
    }

    /// The splices that take out the pieces marked in `removed` and put new ones in. In a block
    /// collection a new piece is lines without the last line break; one of which nothing is left
    /// reads as null. `None` when a piece is fixed.
    ///
    /// New pieces stand directly behind the last piece before their place that stays, or else
    /// before the first one that stays.
    #[must_use]
    pub fn edit(&self, removed: &[bool], insertions: &[Insertion]) -> Option<Vec<Splice>> {
        let is_kept = |index: &usize| !removed[*index];
        let is_fixed = |index: usize| self.pieces[index].is_fixed;
        if (0..self.pieces.len()).any(|index| removed[index] && is_fixed(index)) {
            return None;
        }
        let mut splices: Vec<Splice> = Vec::new();
        for range in self.removals(removed) {
            match splices.last_mut() {
                Some(last) if last.range.end >= range.start => {
                    last.range.end = last.range.end.max(range.end);
                }
                _ => splices.push(Splice {
                    range,
                    text: String::new(),
                }),
            }
        }
        // By the piece that they stand behind, or ahead of: several may come to the same place.
        let mut inserted: BTreeMap<(Option<usize>, Option<usize>), Vec<&str>> = BTreeMap::new();
        for (index, texts) in insertions.iter().filter(|(_, texts)| !texts.is_empty()) {
            let before = (0..*index).rev().find(is_kept);
            let after = (*index..self.pieces.len()).find(is_kept);
            let place = (before, after.filter(|_| before.is_none()));
            let texts = texts.iter().map(String::as_str);
            inserted.entry(place).or_default().extend(texts);
        }
        for (place, texts) in inserted {
            splices.push(match place {
                (Some(before), _) => self.behind(before, &texts),
                (None, Some(after)) if is_fixed(after) => return None,
                (None, Some(after)) => self.ahead(self.pieces[after].whole.start, &texts, true),
                (None, None) => self.ahead(self.pieces[0].whole.start, &texts, false),
            });
        }
        splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
        Some(splices)
    }

    fn behind(&self, index: usize, texts: &[&str]) -> Splice {
        let at = self.pieces[index].whole.end;
        let mut text = String::new();
        if self.column.is_none() {
            for new in texts {
                text.push_str(&self.separator);
                text.push_str(new);
            }
        } else {
            let line_break = self.line_break();
            let ends_line = at == 0 || self.text[..at].ends_with(['\n', '\r']);
            for new in texts {
                text.push_str(&line_break.repeat(self.blank_lines));
                text.push_str(new);
                text.push_str(line_break);
            }
            if !ends_line {
                // At the end of a text without a final line break.
                text.truncate(text.len() - line_break.len());
                text.insert_str(0, line_break);
            }
        }
        Splice {
            range: at..at,
            text,
        }
    }

    fn ahead(&self, at: usize, texts: &[&str], has_next: bool) -> Splice {
        let mut text = String::new();
        for (number, new) in texts.iter().enumerate() {
            let is_last = number + 1 == texts.len() && !has_next;
            text.push_str(new);
            if self.column.is_some() {
                text.push_str(self.line_break());
            }
            if !is_last {
                text.push_str(&self.separator);
                text.push_str(&self.line_break().repeat(self.blank_lines));
            }
        }
        Splice {
            range: at..at,
            text,
        }
    }

    /// What to delete, with the separators of flow collections and the blank lines of block ones.
    fn removals(&self, removed: &[bool]) -> Vec<Range<usize>> {
        let last = self.pieces.len() - 1;
        let mut ranges = Vec::new();
        for (index, piece) in self.pieces.iter().enumerate() {
            if !removed[index] {
                continue;
            }
            let has_before = removed[..index].iter().any(|removed| !removed);
            let has_after = removed[index..].iter().any(|removed| !removed);
            let Range { mut start, mut end } = piece.whole;
            if self.column.is_none() {
                if has_after {
                    end = self.pieces[index + 1].whole.start;
                } else if index > 0 && (removed[index - 1] || !self.has_comment_before(index)) {
                    start = self.pieces[index - 1].whole.end;
                    if !has_before {
                        // All go: what is before the first stays.
                        start = start.max(self.pieces[0].whole.start);
                    }
                }
            } else {
                let floor = index
                    .checked_sub(1)
                    .map_or(start, |before| self.pieces[before].whole.end);
                let above = blank_above(self.text, start, floor);
                let below = blank_below(self.text, end);
                if !has_before && has_after {
                    end = lines_down(self.text, end, below);
                } else if below > 0 || index == last {
                    start = lines_up(self.text, start, above);
                }
            }
            ranges.push(start..end);
        }
        ranges
    }

    /// Whether a comment stands between an element of a flow collection and the one before. It
    /// belongs to that one; the comma before it may stay, as there are no comments in JSON.
    fn has_comment_before(&self, index: usize) -> bool {
        let between = self.pieces[index - 1].whole.end..self.pieces[index].whole.start;
        self.text[between].contains('#')
    }

    fn line_break(&self) -> &'static str {
        line_break_of(self.text)
    }
}

/// The line break of a text, as its first line has it.
#[must_use]
pub fn line_break_of(text: &str) -> &'static str {
    match line_break(text, end_of_line(text, 0)) {
        2 => "\r\n",
        _ => "\n",
    }
}

/// How strings stand in a flow map with these entries: its first key tells whether it may be JSON.
#[must_use]
pub fn flow_context(stream: &Stream, entries: &[(NodeId, NodeId)]) -> Context {
    let first = entries.first().map(|(key, _)| &stream.node(*key).content);
    match first {
        Some(Content::Scalar {
            style: Style::Double,
            ..
        }) => Context::Json,
        _ => Context::Flow,
    }
}

/// Elements and entries, from the first byte of what is written to the last.
fn parts(stream: &Stream, id: NodeId) -> (Vec<Range<usize>>, bool) {
    let span = |id: NodeId| stream.node(id).span.clone();
    match &stream.node(id).content {
        Content::Sequence { items, flow } => {
            (items.iter().map(|item| span(*item)).collect(), *flow)
        }
        Content::Mapping { entries, flow } => {
            let entry = |(key, value): &(NodeId, NodeId)| {
                span(*key).start..span(*value).end.max(span(*key).end)
            };
            (entries.iter().map(entry).collect(), *flow)
        }
        _ => (Vec::new(), false),
    }
}

/// The dash of the element that begins at `start`: the first one from `floor` on that begins a
/// line.
fn dash_before(text: &str, floor: usize, start: usize) -> Option<usize> {
    let mut at = floor;
    while at <= start && at < text.len() {
        let end = end_of_line(text, at);
        let line = &text[at..end];
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line[indent..].starts_with('-') {
            return Some(at + indent);
        }
        at = next_line(text, at);
    }
    None
}

fn block_piece(text: &str, written: Range<usize>, column: usize, floor: usize) -> Piece {
    let line = start_of_line(text, written.start);
    let is_fixed = !text[line..written.start]
        .trim_start_matches('\u{FEFF}')
        .trim()
        .is_empty();
    let body_end = if written.end > written.start && text[..written.end].ends_with(['\n', '\r']) {
        // After a block scalar.
        written.end
    } else {
        next_line(text, written.end)
    };
    let mut start = line;
    while start > floor {
        let above = start_of_line(text, start - line_break_before(text, start));
        if above < floor || comment_column(text, above) != Some(column) {
            break;
        }
        start = above;
    }
    let mut end = body_end;
    while end < text.len() && comment_column(text, end).is_some_and(|other| other > column) {
        end = next_line(text, end);
    }
    Piece {
        whole: start..end,
        body: line..body_end,
        is_fixed,
    }
}

/// The column of the comment that fills the line at `start`.
fn comment_column(text: &str, start: usize) -> Option<usize> {
    let line = &text[start..end_of_line(text, start)];
    let rest = line.trim_start_matches([' ', '\t']);
    rest.starts_with('#').then_some(line.len() - rest.len())
}

/// The start of the line after that of `offset`, or the end of the text.
fn next_line(text: &str, offset: usize) -> usize {
    let end = end_of_line(text, offset);
    end + line_break(text, end)
}

/// The length of the line break that ends at `offset`.
fn line_break_before(text: &str, offset: usize) -> usize {
    match &text.as_bytes()[..offset] {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n' | b'\r'] => 1,
        _ => 0,
    }
}

fn is_blank(text: &str, start: usize) -> bool {
    start < text.len() && text[start..end_of_line(text, start)].trim().is_empty()
}

fn blank_below(text: &str, start: usize) -> usize {
    let mut at = start;
    let mut count = 0;
    while is_blank(text, at) {
        at = next_line(text, at);
        count += 1;
    }
    count
}

fn blank_above(text: &str, start: usize, floor: usize) -> usize {
    let mut at = start;
    let mut count = 0;
    while at > floor {
        let above = start_of_line(text, at - line_break_before(text, at));
        if above < floor || !is_blank(text, above) {
            break;
        }
        at = above;
        count += 1;
    }
    count
}

fn lines_up(text: &str, start: usize, count: usize) -> usize {
    (0..count).fold(start, |at, _| {
        start_of_line(text, at - line_break_before(text, at))
    })
}

fn lines_down(text: &str, start: usize, count: usize) -> usize {
    (0..count).fold(start, |at, _| next_line(text, at))
}

#[cfg(test)]
mod tests;
