//! The text of one scalar, and which source byte each byte of it came from.
//!
//! The YAML parser gives a scalar's value but not the way back, and the way back is what lets an
//! edit inside an embedded document touch only the bytes of one value. So the five scalar styles
//! are decoded here a second time, with a map; [`Stream`](super::Stream) compares the result with
//! the parser's value and refuses to edit where the two disagree.

use std::ops::Range;

/// How a scalar is written (YAML 1.2.2 §7.3 and §8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A scalar's text with a map back to the source.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// The value.
    pub text: String,
    segments: Vec<Segment>,
}

/// A run of the text that came from one run of the source: byte for byte, or as one indivisible
/// unit such as an escape or a fold.
#[derive(Clone, Debug)]
struct Segment {
    text: Range<usize>,
    source: Range<usize>,
    verbatim: bool,
}

impl Decoded {
    /// The source bytes of a range of the text; `None` when an end of the range lies inside an
    /// escape or a fold.
    #[must_use]
    pub fn source(&self, range: Range<usize>) -> Option<Range<usize>> {
        let start = self.source_start(range.start)?;
        if range.is_empty() {
            return Some(start..start);
        }
        let last = self.segment(range.end - 1)?;
        let end = if last.verbatim {
            last.source.start + (range.end - last.text.start)
        } else if range.end == last.text.end {
            last.source.end
        } else {
            return None;
        };
        (start <= end).then_some(start..end)
    }

    /// The source offset of the byte at `offset`, for messages: the start of the unit it is in.
    #[must_use]
    pub fn source_near(&self, offset: usize) -> usize {
        match self.segment(offset.min(self.text.len().saturating_sub(1))) {
            Some(segment) if segment.verbatim => {
                segment.source.start + (offset - segment.text.start).min(segment.source.len())
            }
            Some(segment) => segment.source.start,
            None => 0,
        }
    }

    fn source_start(&self, offset: usize) -> Option<usize> {
        if offset == self.text.len() {
            return self.segments.last().map(|segment| segment.source.end);
        }
        let segment = self.segment(offset)?;
        if segment.verbatim {
            Some(segment.source.start + (offset - segment.text.start))
        } else {
            (offset == segment.text.start).then_some(segment.source.start)
        }
    }

    fn segment(&self, offset: usize) -> Option<&Segment> {
        let index = self
            .segments
            .partition_point(|segment| segment.text.end <= offset);
        self.segments
            .get(index)
            .filter(|segment| segment.text.contains(&offset))
    }

    fn verbatim(&mut self, source: &str, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let text_start = self.text.len();
        self.text.push_str(&source[range.clone()]);
        let text = text_start..self.text.len();
        match self.segments.last_mut() {
            Some(last) if last.verbatim && last.source.end == range.start => {
                last.text.end = text.end;
                last.source.end = range.end;
            }
            _ => self.segments.push(Segment {
                text,
                source: range,
                verbatim: true,
            }),
        }
    }

    fn unit(&mut self, text: &str, source: Range<usize>) {
        if text.is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.segments.push(Segment {
            text: start..self.text.len(),
            source,
            verbatim: false,
        });
    }
}

/// Length of the line break at `offset`: 0 when there is none, 2 for CR LF.
#[must_use]
pub fn line_break(source: &str, offset: usize) -> usize {
    match source.as_bytes().get(offset..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([b'\n' | b'\r', ..]) => 1,
        _ => 0,
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Decodes a plain or quoted scalar; `span` includes the quotes. `None` for malformed text, which
/// the parser would have refused before.
#[must_use]
pub fn flow_scalar(source: &str, span: Range<usize>, style: Style) -> Option<Decoded> {
    let inner = match style {
        Style::Plain => span,
        _ => span.start + 1..span.end.checked_sub(1)?,
    };
    let bytes = source.as_bytes();
    let mut decoded = Decoded::default();
    let mut at = inner.start;
    while at < inner.end {
        let run = at;
        while at < inner.end && is_blank(bytes[at]) {
            at += 1;
        }
        if at < inner.end && line_break(source, at) > 0 {
            at = fold(source, run, at, inner.end, &mut decoded, false);
            continue;
        }
        decoded.verbatim(source, run..at);
        if at >= inner.end {
            break;
        }
        match (style, bytes[at]) {
            (Style::Single, b'\'') => {
                decoded.unit("'", at..at + 2);
                at += 2;
            }
            (Style::Double, b'\\') => {
                let next = at + 1;
                if line_break(source, next) > 0 {
                    at = fold(source, at, next, inner.end, &mut decoded, true);
                } else {
                    let (character, length) = escape(source.get(next..inner.end)?)?;
                    decoded.unit(character.encode_utf8(&mut [0; 4]), at..next + length);
                    at = next + length;
                }
            }
            _ => {
                let start = at;
                at += source[at..].chars().next()?.len_utf8();
                decoded.verbatim(source, start..at);
            }
        }
    }
    Some(decoded)
}

/// Folds the line break at `at` (YAML 1.2.2 §6.5): one break reads as a space, more as all but the
/// first. After a backslash (`escaped`) the first break reads as nothing.
fn fold(
    source: &str,
    from: usize,
    mut at: usize,
    end: usize,
    decoded: &mut Decoded,
    escaped: bool,
) -> usize {
    let mut breaks = 0;
    while at < end {
        let length = line_break(source, at);
        if length > 0 {
            breaks += 1;
            at += length;
        } else if is_blank(source.as_bytes()[at]) {
            at += 1;
        } else {
            break;
        }
    }
    match breaks {
        0 | 1 if escaped => {}
        0 | 1 => decoded.unit(" ", from..at),
        more => decoded.unit(&"\n".repeat(more - 1), from..at),
    }
    at
}

/// The character of the escape after a backslash and the length of what names it
/// (YAML 1.2.2 §5.7).
fn escape(rest: &str) -> Option<(char, usize)> {
    let letter = rest.chars().next()?;
    let hex = |digits: usize| {
        let code = u32::from_str_radix(rest.get(1..=digits)?, 16).ok()?;
        Some((char::from_u32(code)?, 1 + digits))
    };
    let character = match letter {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{B}',
        'f' => '\u{C}',
        'r' => '\r',
        'e' => '\u{1B}',
        ' ' | '"' | '/' | '\\' => letter,
        'N' => '\u{85}',
        '_' => '\u{A0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' => return hex(2),
        'u' => return surrogate_pair(rest).or_else(|| hex(4)),
        'U' => return hex(8),
        _ => return None,
    };
    Some((character, letter.len_utf8()))
}

/// JSON writes characters beyond U+FFFF as two `\u` escapes (RFC 8259 §7).
fn surrogate_pair(rest: &str) -> Option<(char, usize)> {
    let high = u32::from_str_radix(rest.get(1..5)?, 16).ok()?;
    let low = u32::from_str_radix(rest.get(5..11)?.strip_prefix("\\u")?, 16).ok()?;
    let in_range = (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(&low);
    let code = in_range.then(|| 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?;
    Some((char::from_u32(code)?, 11))
}

/// What becomes of the line breaks at the end of a block scalar (YAML 1.2.2 §8.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chomping {
    /// `-`: none is kept.
    Strip,
    /// One is kept.
    Clip,
    /// `+`: all are kept.
    Keep,
}

/// A block scalar laid out: `|` or `>` with its header, then lines of equal indentation.
#[derive(Clone, Debug)]
pub struct Block {
    /// From the `|` or `>` to the end of its line, without the line break.
    pub header: Range<usize>,
    /// From the first line after the header to the end of the last line that has text, its line
    /// break included, or all blank lines too when they are kept.
    pub content: Range<usize>,
    /// Number of spaces before each line's text; `None` when no line has text.
    pub indent: Option<usize>,
    /// What becomes of final line breaks.
    pub chomping: Chomping,
    /// The value and its map.
    pub decoded: Decoded,
}

/// Lays out the block scalar whose `|` or `>` is at `start`; `value` is what the parser read,
/// which decides between the indentations that an explicit indicator (`|2`) allows. `None` when the
/// lines do not read as that value.
#[must_use]
pub fn block_scalar(source: &str, start: usize, style: Style, value: &str) -> Option<Block> {
    let line_end = end_of_line(source, start);
    let mut chomping = Chomping::Clip;
    for byte in &source.as_bytes()[start + 1..line_end] {
        match byte {
            b'-' => chomping = Chomping::Strip,
            b'+' => chomping = Chomping::Keep,
            b'1'..=b'9' => {}
            _ => break,
        }
    }
    let first = line_end + line_break(source, line_end);
    let indent = indent_of(source, first, value);
    let (content, decoded) = block_lines(source, first, indent, style, chomping);
    (decoded.text == value).then_some(Block {
        header: start..line_end,
        content,
        indent,
        chomping,
        decoded,
    })
}

/// The offset of the line break that ends the line of `offset`, or the end of the text.
#[must_use]
pub fn end_of_line(source: &str, offset: usize) -> usize {
    memchr::memchr2(b'\n', b'\r', &source.as_bytes()[offset..])
        .map_or(source.len(), |index| offset + index)
}

/// The offset of the first byte of the line of `offset`.
#[must_use]
pub fn start_of_line(source: &str, offset: usize) -> usize {
    memchr::memrchr2(b'\n', b'\r', &source.as_bytes()[..offset]).map_or(0, |index| index + 1)
}

/// The indentation that makes the lines at `first` begin as `value` does, which an explicit
/// indicator (`|2`) leaves open here; `None` when there is no text.
fn indent_of(source: &str, first: usize, value: &str) -> Option<usize> {
    let spaces = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let text = value.trim_start_matches('\n');
    if text.is_empty() {
        return None;
    }
    // Blank lines before the first text read as line breaks in both block styles.
    let at = (text.len()..value.len()).fold(first, |at, _| {
        let end = end_of_line(source, at);
        end + line_break(source, end)
    });
    spaces(&source[at..end_of_line(source, at)]).checked_sub(spaces(text))
}

fn block_lines(
    source: &str,
    first: usize,
    indent: Option<usize>,
    style: Style,
    chomping: Chomping,
) -> (Range<usize>, Decoded) {
    // Deeper than any line: no line has text.
    let indent = indent.unwrap_or(usize::MAX);
    // Each line's text and where its line break ends.
    let mut lines: Vec<(Range<usize>, usize)> = Vec::new();
    let mut at = first;
    while at < source.len() {
        let end = end_of_line(source, at);
        let line = &source[at..end];
        let spaces = line.len() - line.trim_start_matches(' ').len();
        if (spaces < indent && spaces < line.len()) || (indent == 0 && is_marker(line)) {
            break;
        }
        let next = end + line_break(source, end);
        lines.push((at.saturating_add(indent).min(end)..end, next));
        at = next.max(at + 1);
    }
    let with_text = lines
        .iter()
        .rposition(|(text, _)| !text.is_empty())
        .map_or(0, |last| last + 1);
    let mut decoded = Decoded::default();
    let mut content_end = first;
    for (number, (text, next)) in lines.iter().enumerate() {
        if number >= with_text && chomping != Chomping::Keep {
            break;
        }
        content_end = *next;
        decoded.verbatim(source, text.clone());
        let is_last = number + 1 >= with_text;
        let following = lines.get(number + 1).map(|(text, _)| text);
        let breaks = if is_last {
            chomping != Chomping::Strip && *next > text.end
        } else if style == Style::Literal {
            true
        } else {
            // Folded: a break between two lines of text reads as a space; breaks beside blank
            // or further indented lines stay (YAML 1.2.2 §8.1.3).
            let starts_blank = |range: &Range<usize>| {
                source
                    .as_bytes()
                    .get(range.start)
                    .is_some_and(|byte| is_blank(*byte))
                    && !range.is_empty()
            };
            let plain = |range: &Range<usize>| !range.is_empty() && !starts_blank(range);
            if plain(text) && following.is_some_and(plain) {
                decoded.unit(" ", text.end..*next);
                continue;
            }
            !drops_break(source, &lines, number)
        };
        if breaks {
            if next - text.end == 1 && source.as_bytes()[text.end] == b'\n' {
                decoded.verbatim(source, text.end..*next);
            } else {
                decoded.unit("\n", text.end..*next);
            }
        }
    }
    (first..content_end, decoded)
}

/// Whether a line ends the document (YAML 1.2.2 §9.1.2).
fn is_marker(line: &str) -> bool {
    let rest = line
        .strip_prefix("---")
        .or_else(|| line.strip_prefix("..."));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Whether the break after line `number` of a folded scalar reads as nothing: the first of several
/// between two lines of ordinary text.
fn drops_break(source: &str, lines: &[(Range<usize>, usize)], number: usize) -> bool {
    let ordinary = |range: &Range<usize>| {
        source[range.clone()]
            .bytes()
            .next()
            .is_some_and(|byte| !is_blank(byte))
    };
    let (text, _) = &lines[number];
    let next_text = lines[number + 1..]
        .iter()
        .find(|(text, _)| !text.is_empty());
    ordinary(text) && next_text.is_some_and(|(text, _)| ordinary(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(source: &str, style: Style) -> String {
        flow_scalar(source, 0..source.len(), style).unwrap().text
    }

    #[test]
    fn decodes_escapes_and_folds() {
        assert_eq!(
            quoted(r#""a\n\x41\u00e9\U0001F601\"""#, Style::Double),
            "a\nAé😁\""
        );
        assert_eq!(quoted(r#""\ud83d\ude01""#, Style::Double), "😁");
        assert_eq!(quoted("\"a \\\n   b\"", Style::Double), "a b");
        assert_eq!(quoted("\"a  \n\n\n  b\"", Style::Double), "a\n\nb");
        assert_eq!(quoted("'it''s\n  x'", Style::Single), "it's x");
        assert_eq!(quoted("a\r\n  b", Style::Plain), "a b");
    }

    #[test]
    fn maps_text_back_to_source() {
        let source = r#""k: \"v\"""#;
        let decoded = flow_scalar(source, 0..source.len(), Style::Double).unwrap();
        assert_eq!(decoded.text, r#"k: "v""#);
        assert_eq!(decoded.source(3..6), Some(4..9));
        assert_eq!(decoded.source(0..0), Some(1..1));
    }

    #[test]
    fn lays_out_blocks() {
        let source = "a: |- # c\n\n    x\n      y\n\nb: 1\n";
        let block = block_scalar(source, 3, Style::Literal, "\nx\n  y").unwrap();
        assert_eq!(block.indent, Some(4));
        assert_eq!(&source[block.content.clone()], "\n    x\n      y\n");
        let source = "a: |2\n    x\n";
        assert_eq!(
            block_scalar(source, 3, Style::Literal, "  x\n")
                .unwrap()
                .indent,
            Some(2)
        );
        let source = "a: |1\n     \nb: 1\n";
        assert_eq!(
            block_scalar(source, 3, Style::Literal, "    \n")
                .unwrap()
                .indent,
            Some(1)
        );
        let source = "|\n---a\n--- b\n";
        assert!(block_scalar(source, 0, Style::Literal, "---a\n").is_some());
        let source = "a: |+\n\n\nb: 1\n";
        assert_eq!(
            block_scalar(source, 3, Style::Literal, "\n\n")
                .unwrap()
                .indent,
            None
        );
        let source = "a: >\n  x\n  y\n\n  z\n   more\n  w\n";
        assert!(block_scalar(source, 3, Style::Folded, "x y\nz\n more\nw\n").is_some());
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line() {
        let source = "|\n  x\r  y\n";
        assert!(block_scalar(source, 0, Style::Literal, "x\ny\n").is_some());
        assert_eq!(end_of_line(source, 2), 5);
        assert_eq!(start_of_line(source, 8), 6);
    }

    #[test]
    fn a_crlf_is_one_unit() {
        let source = "a: |\r\n  x: 1\r\n  y: 2\r\n";
        let block = block_scalar(source, 3, Style::Literal, "x: 1\ny: 2\n").unwrap();
        let range = block.decoded.source(8..9).unwrap();
        assert_eq!(&source[range], "2");
    }
}
