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
    /// Inside a quoted scalar of a block collection.
    Quote(u8),
    /// Inside a block scalar whose lines are indented further than this.
    Block(usize),
    /// After a line of a plain scalar, which goes on on lines that are indented further than this.
    Plain(usize),
    /// Inside a flow collection.
    Flow(Flow),
}

/// An open flow collection.
#[derive(Clone, Copy)]
struct Flow {
    depth: usize,
    /// The quote of the open scalar.
    quote: Option<u8>,
    /// Whether a quote would begin a scalar here, as against stand in one.
    at_start: bool,
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
        match state {
            State::Block(parent) if is_blank || indent > parent => {
                at = next;
                continue;
            }
            State::Quote(quote) => {
                state = after_quote(line, quote)?;
                at = next;
                continue;
            }
            State::Flow(flow) => {
                state = after_flow(line, 0, flow)?;
                at = next;
                continue;
            }
            State::Plain(parent) if !is_blank && indent > parent => {
                // A top-level value of several lines is not what the section's line says.
                if parent == 0 && !in_items {
                    return None;
                }
                state = after_plain(line, indent, parent)?;
                at = next;
                continue;
            }
            State::Plain(_) if is_blank => {
                at = next;
                continue;
            }
            _ => state = State::Nothing,
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
        } else if in_items && item_column.is_none_or(|column| indent <= column) {
            return None;
        }
        state = after_line(line, indent)?;
        if let (true, State::Block(parent)) = (in_items, &state)
            && item_column == Some(*parent)
            && indent == *parent
        {
            // An item that is a block scalar cannot stand alone.
            return None;
        }
        at = next;
    }
    if matches!(state, State::Quote(_) | State::Flow(_)) {
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

fn is_blank_or_end(line: &[u8], at: usize) -> bool {
    matches!(line.get(at), None | Some(b' ' | b'\t'))
}

fn skip_blanks(line: &[u8], mut at: usize) -> usize {
    while matches!(line.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    at
}

/// What a line that begins outside of any scalar leaves open. `None` for what only a parser should
/// judge.
fn after_line(line: &[u8], indent: usize) -> Option<State> {
    // The column in which the line's own node begins, past the dashes of lists.
    let mut column = indent;
    let mut last_dash = None;
    while line.get(column) == Some(&b'-') && is_blank_or_end(line, column + 1) {
        last_dash = Some(column);
        column += 1;
        while line.get(column) == Some(&b' ') {
            column += 1;
        }
    }
    let mut at = column;
    let mut after_key = false;
    loop {
        at = skip_blanks(line, at);
        while matches!(line.get(at), Some(b'!' | b'&')) {
            while !is_blank_or_end(line, at) {
                at += 1;
            }
            at = skip_blanks(line, at);
        }
        // A value belongs to its key, an element to its list.
        let parent = if after_key {
            column
        } else {
            last_dash.unwrap_or(column)
        };
        let Some(first) = line.get(at) else {
            return Some(State::Nothing);
        };
        match first {
            b'#' => return Some(State::Nothing),
            b'|' | b'>' => return block_header(line, at + 1).then_some(State::Block(parent)),
            b'[' | b'{' => {
                let flow = Flow {
                    depth: 0,
                    quote: None,
                    at_start: true,
                };
                return after_flow(line, at, flow);
            }
            quote @ (b'"' | b'\'') => match closing(line, at + 1, *quote) {
                None => return Some(State::Quote(*quote)),
                Some(end) => {
                    let rest = skip_blanks(line, end);
                    if line.get(rest) != Some(&b':') {
                        return ends_here(line, end).then_some(State::Nothing);
                    }
                    if after_key || !is_blank_or_end(line, rest + 1) {
                        return None;
                    }
                    at = rest + 1;
                }
            },
            b'-' | b'?' | b':' if is_blank_or_end(line, at + 1) => return None,
            b'\t' | b',' | b']' | b'}' | b'%' | b'@' | b'`' => return None,
            _ => match plain_end(line, at) {
                (end, true) if !after_key => at = end,
                (_, true) => return None,
                (end, false) if end < line.len() => return Some(State::Nothing),
                _ => return Some(State::Plain(parent)),
            },
        }
        after_key = true;
    }
}

/// Where a plain scalar ends, at a comment or the line's end; or after the colon (`true`) that
/// makes it a key.
fn plain_end(line: &[u8], from: usize) -> (usize, bool) {
    for found in memchr::memchr2_iter(b':', b'#', &line[from..]).map(|index| from + index) {
        match line[found] {
            b':' if is_blank_or_end(line, found + 1) => return (found + 1, true),
            b'#' if found > from && matches!(line[found - 1], b' ' | b'\t') => {
                return (found, false);
            }
            _ => {}
        }
    }
    (line.len(), false)
}

/// A further line of a plain scalar.
fn after_plain(line: &[u8], indent: usize, parent: usize) -> Option<State> {
    if line[indent] == b'#' {
        return Some(State::Nothing);
    }
    match plain_end(line, indent) {
        (_, true) => None,
        (end, false) if end < line.len() => Some(State::Nothing),
        _ => Some(State::Plain(parent)),
    }
}

/// Whether nothing but a comment follows.
fn ends_here(line: &[u8], at: usize) -> bool {
    let rest = skip_blanks(line, at);
    rest == line.len() || (line[rest] == b'#' && rest > at)
}

/// Whether indicators and a comment are all that follows `|` or `>`.
fn block_header(line: &[u8], mut at: usize) -> bool {
    while matches!(line.get(at), Some(b'+' | b'-' | b'1'..=b'9')) {
        at += 1;
    }
    ends_here(line, at)
}

/// The rest of a line that begins inside quotes.
fn after_quote(line: &[u8], quote: u8) -> Option<State> {
    match closing(line, 0, quote) {
        None => Some(State::Quote(quote)),
        // A key cannot have several lines.
        Some(end) => ends_here(line, end).then_some(State::Nothing),
    }
}

/// What a line leaves open that is, from `at` on, inside a flow collection.
fn after_flow(line: &[u8], mut at: usize, mut flow: Flow) -> Option<State> {
    if let Some(quote) = flow.quote {
        let Some(end) = closing(line, 0, quote) else {
            return Some(State::Flow(flow));
        };
        flow.quote = None;
        at = end;
    }
    while at < line.len() {
        match line[at] {
            b' ' | b'\t' => {}
            b'#' if at == 0 || matches!(line[at - 1], b' ' | b'\t') => break,
            quote @ (b'"' | b'\'') if flow.at_start => {
                flow.at_start = false;
                match closing(line, at + 1, quote) {
                    None => {
                        flow.quote = Some(quote);
                        return Some(State::Flow(flow));
                    }
                    // A colon may touch a quoted key, and its value the colon.
                    Some(end) if line.get(end) == Some(&b':') => {
                        flow.at_start = true;
                        at = end + 1;
                        continue;
                    }
                    Some(end) => {
                        at = end;
                        continue;
                    }
                }
            }
            b'!' | b'&' if flow.at_start => {
                while at < line.len() && !b" \t,]}".contains(&line[at]) {
                    at += 1;
                }
                continue;
            }
            b'[' | b'{' => {
                flow.depth += 1;
                flow.at_start = true;
            }
            b']' | b'}' => {
                flow.depth -= 1;
                flow.at_start = false;
                if flow.depth == 0 {
                    return ends_here(line, at + 1).then_some(State::Nothing);
                }
            }
            b',' => flow.at_start = true,
            b':' if is_blank_or_end(line, at + 1) => flow.at_start = true,
            _ => flow.at_start = false,
        }
        at += 1;
    }
    Some(State::Flow(flow))
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
