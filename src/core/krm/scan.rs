//! Finds the items of a ResourceList by its lines, without parsing them.
//!
//! Parsing every event of a large list costs far more than looking for the lines that begin items.
//! The scan knows enough of YAML to tell such lines from the text of quoted and block scalars, and
//! gives up (`None`) on anything it does not expect; the caller then parses the whole text. A
//! property test holds the two against each other.

use std::ops::Range;

use crate::core::yaml::decode::{end_of_line, line_break};

/// A ResourceList by its lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// Top-level keys, each with the bytes from its first to the next key's first.
    pub(super) sections: Vec<(String, Range<usize>)>,
    /// Bytes of each item, from after its dash to the next one's line.
    pub(super) items: Vec<Range<usize>>,
}

/// What the lines so far leave open.
enum State {
    Nothing,
    /// Inside a quoted scalar.
    Quote(u8),
    /// Inside a block scalar whose lines are indented further than this.
    Block(usize),
}

/// Scans a text; `None` when anything looks unusual.
pub(super) fn scan(text: &str) -> Option<Scan> {
    let bytes = text.as_bytes();
    let mut scan = Scan::default();
    let mut state = State::Nothing;
    let mut item_column = None;
    let mut in_items = false;
    let mut at = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
    while at < bytes.len() {
        let end = end_of_line(text, at);
        if bytes[end..].starts_with(b"\r") && !bytes[end..].starts_with(b"\r\n") {
            return None;
        }
        let next = end + line_break(text, end);
        let line = &bytes[at..end];
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        let is_blank = indent == line.len();
        if let State::Block(parent) = state {
            if is_blank || indent > parent {
                at = next;
                continue;
            }
            state = State::Nothing;
        }
        if let State::Quote(quote) = state {
            state = after_quote(line, 0, quote)?;
            at = next;
            continue;
        }
        if is_blank || line[indent] == b'#' {
            at = next;
            continue;
        }
        if line[indent] == b'\t' {
            return None;
        }
        let is_dash = line[indent] == b'-' && line.get(indent + 1).is_none_or(|byte| *byte == b' ');
        if in_items && is_dash && item_column.is_none_or(|column| column == indent) {
            item_column = Some(indent);
            close_item(&mut scan, at);
            scan.items.push(at + indent + 1..at + indent + 1);
        } else if indent == 0 {
            if line == b"---" && scan.sections.is_empty() {
                at = next;
                continue;
            }
            let colon = memchr::memchr(b':', line)?;
            let key = &text[at..at + colon];
            let is_word = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let known = scan.sections.iter().any(|(known, _)| known == key);
            if !is_word || known || line.get(colon + 1).is_some_and(|byte| *byte != b' ') {
                return None;
            }
            close_item(&mut scan, at);
            if let Some((_, last)) = scan.sections.last_mut() {
                last.end = at;
            }
            scan.sections.push((key.to_owned(), at..at));
            in_items = key == "items";
            if in_items {
                let rest = text[at + colon + 1..end].trim();
                if !(rest.is_empty() || rest.starts_with('#') || rest == "[]") {
                    return None;
                }
            }
        } else if in_items && scan.items.is_empty() {
            return None;
        }
        state = after_line(line, indent)?;
        at = next;
    }
    if matches!(state, State::Quote(_)) {
        return None;
    }
    close_item(&mut scan, bytes.len());
    if let Some((_, last)) = scan.sections.last_mut() {
        last.end = bytes.len();
    }
    Some(scan)
}

/// Ends the open item; items are open while their range is empty.
fn close_item(scan: &mut Scan, end: usize) {
    if let Some(last) = scan.items.last_mut()
        && last.start == last.end
    {
        last.end = end;
    }
}

/// What a line leaves open. `None` for what only a parser should judge.
fn after_line(line: &[u8], indent: usize) -> Option<State> {
    // The column in which the line's own node begins, past the dashes of lists.
    let mut column = indent;
    let mut last_dash = None;
    while line.get(column) == Some(&b'-') && line.get(column + 1) == Some(&b' ') {
        last_dash = Some(column);
        column += 1;
        while line.get(column) == Some(&b' ') {
            column += 1;
        }
    }
    if line.get(column) == Some(&b'?') && line.get(column + 1).is_none_or(|byte| *byte == b' ') {
        return None;
    }
    let mut at = column;
    loop {
        let Some(found) = memchr::memchr3(b'"', b'\'', b'#', &line[at..]).map(|index| at + index)
        else {
            return Some(block_header(line, column, last_dash));
        };
        let before = if found == column {
            b' '
        } else {
            line[found - 1]
        };
        match line[found] {
            b'#' if before == b' ' || before == b'\t' => {
                return Some(block_header(&line[..found], column, last_dash));
            }
            quote @ (b'"' | b'\'')
                if matches!(before, b' ' | b'\t' | b'[' | b'{' | b',' | b':' | b'!') =>
            {
                match closing(line, found + 1, quote) {
                    Some(end) => at = end,
                    None => return Some(State::Quote(quote)),
                }
            }
            _ => at = found + 1,
        }
    }
}

/// Whether the line, without its comment, ends in `|` or `>` with indicators.
fn block_header(line: &[u8], column: usize, last_dash: Option<usize>) -> State {
    let trimmed = line.trim_ascii_end();
    let mut end = trimmed.len();
    while end > 0 && matches!(trimmed[end - 1], b'+' | b'-' | b'1'..=b'9') {
        end -= 1;
    }
    let is_header = end > 0
        && trimmed.len() - end <= 2
        && matches!(trimmed[end - 1], b'|' | b'>')
        && (end == 1 || matches!(trimmed[end - 2], b' ' | b'\t'));
    if !is_header {
        return State::Nothing;
    }
    // `- |`: the block belongs to the list, whose column is the dash's.
    State::Block(if end - 1 == column {
        last_dash.unwrap_or(column)
    } else {
        column
    })
}

/// The rest of a line that begins inside quotes.
fn after_quote(line: &[u8], from: usize, quote: u8) -> Option<State> {
    let Some(mut at) = closing(line, from, quote) else {
        return Some(State::Quote(quote));
    };
    // What follows a closing quote on its line is an indicator or a comment, or more of a flow
    // collection.
    while let Some(found) = memchr::memchr3(b'"', b'\'', b'#', &line[at..]).map(|index| at + index)
    {
        match line[found] {
            b'#' => return Some(State::Nothing),
            other => match closing(line, found + 1, other) {
                Some(end) => at = end,
                None => return Some(State::Quote(other)),
            },
        }
    }
    Some(State::Nothing)
}

/// The offset after the closing quote.
fn closing(line: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    loop {
        let found = at + memchr::memchr2(quote, b'\\', &line[at..])?;
        match line[found] {
            b'\\' if quote == b'"' => at = (found + 2).min(line.len()),
            b'\'' if line.get(found + 1) == Some(&b'\'') => at = found + 2,
            byte if byte == quote => return Some(found + 1),
            _ => at = found + 1,
        }
    }
}
