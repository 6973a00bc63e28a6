//! Random documents: every style, comments and blank lines in odd places, documents in strings.

use std::fmt::Write as _;

/// A source of choices; when it is used up, every choice is the first.
pub(crate) struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes: bytes.iter(),
        }
    }

    /// A number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.bytes.next().map_or(0, |byte| usize::from(*byte)) % count
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn is_empty(&self) -> bool {
        self.bytes.len() == 0
    }
}

const WORDS: [&str; 40] = [
    "model",
    "a",
    "b",
    "kubeflow",
    "v1",
    "a.b",
    "x-y",
    "yes",
    "~",
    "1e3",
    "it's",
    "\"q\"",
    "# no",
    "a #b",
    "a: b",
    "- a",
    "tab\tin",
    "é",
    "😁",
    "\u{85}",
    "\u{2028}",
    "\u{FEFF}",
    "\u{7}",
    "\\n",
    "[x]",
    "{y",
    "a, b",
    "!tag",
    "&x",
    "*y",
    "%d",
    "@",
    "`",
    "|",
    ">",
    "null",
    "",
    " lead",
    "trail ",
    "projects/1/locations/us-central1/models/TCN5",
];

const COMMENTS: [&str; 6] = ["# c", "# it's", "# \"open", "#", "# - item", "# é: |"];

/// A text of one or more documents.
pub(crate) fn stream(choices: &mut Choices<'_>) -> String {
    let mut text = String::new();
    if choices.one_in(8) {
        text.push('\u{FEFF}');
    }
    let count = if choices.one_in(6) { 2 } else { 1 };
    for number in 0..count {
        if number > 0 || choices.one_in(8) {
            text.push_str(choices.of(&["---\n", "--- # d\n", "---  \n", "...\n---\n"]));
        }
        text.push_str(&document(choices, 0));
    }
    if choices.one_in(6) {
        text = text.replace('\n', "\r\n");
    }
    if choices.one_in(6) {
        text.truncate(text.trim_end_matches(['\n', '\r']).len());
    }
    text
}

/// One document, with a map or list as its root.
pub(crate) fn document(choices: &mut Choices<'_>, depth: usize) -> String {
    let mut writer = Writer {
        choices,
        text: String::new(),
        depth,
        anchors: 0,
    };
    writer.fillers(0);
    if writer.choices.one_in(5) {
        writer.flow(0);
        writer.text.push('\n');
    } else {
        writer.block(0, 0);
    }
    writer.text
}

struct Writer<'a, 'b> {
    choices: &'a mut Choices<'b>,
    text: String,
    /// How many strings this document is inside of.
    depth: usize,
    anchors: usize,
}

impl Writer<'_, '_> {
    fn fillers(&mut self, indent: usize) {
        while self.choices.one_in(6) {
            match self.choices.below(3) {
                0 => self.text.push('\n'),
                1 => {
                    let comment = self.choices.of(&COMMENTS);
                    let _ = writeln!(self.text, "{}{comment}", " ".repeat(indent));
                }
                _ => {
                    let spaces = self.choices.below(5);
                    let _ = writeln!(self.text, "{}", " ".repeat(spaces));
                }
            }
        }
    }

    fn end_line(&mut self) {
        if self.choices.one_in(5) {
            let comment = self.choices.of(&COMMENTS);
            let gap = self.choices.of(&[" ", "  ", "\t"]);
            let _ = write!(self.text, "{gap}{comment}");
        } else if self.choices.one_in(10) {
            self.text.push(' ');
        }
        self.text.push('\n');
    }

    fn block(&mut self, indent: usize, level: usize) {
        let is_list = self.choices.one_in(3);
        for number in 0..=self.choices.below(4) {
            if number > 0 {
                self.fillers(indent);
            }
            self.entry(indent, level, is_list, number);
        }
    }

    /// An entry whose line begins at `indent`, further ones included.
    fn entry(&mut self, indent: usize, level: usize, is_list: bool, number: usize) {
        self.text.push_str(&" ".repeat(indent));
        self.entry_here(indent, level, is_list, number);
    }

    fn entry_here(&mut self, indent: usize, level: usize, is_list: bool, number: usize) {
        if is_list {
            self.text.push('-');
            if level < 3 && !self.choices.is_empty() && self.choices.one_in(3) {
                // `- a: b`, with the rest of the map below.
                self.text.push(' ');
                for number in 0..=self.choices.below(3) {
                    if number > 0 {
                        self.text.push_str(&" ".repeat(indent + 2));
                    }
                    self.entry_here(indent + 2, level + 1, false, number);
                }
                return;
            }
        } else {
            let key = match self.choices.below(6) {
                0..=3 => format!("k{number}"),
                4 => format!("k{number}.yaml"),
                _ => format!("\"k {number}\""),
            };
            let _ = write!(self.text, "{key}:");
        }
        self.value(indent, level, is_list);
    }

    fn value(&mut self, indent: usize, level: usize, in_list: bool) {
        match self.choices.below(16) {
            0 if self.anchors == 0 => {
                self.anchors += 1;
                let _ = write!(self.text, " &m{}", self.depth);
            }
            1 if self.anchors > 0 => {
                let _ = write!(self.text, " *m{}", self.depth);
                return self.end_line();
            }
            2 => self.text.push_str(" !!str"),
            _ => {}
        }
        let has_property = !self.text.ends_with([':', '-']);
        match self.choices.below(8) {
            0..=3 => self.scalar(indent),
            4 => {
                self.text.push(' ');
                self.flow(level);
                self.end_line();
            }
            5 | 6 if level < 3 && !has_property => {
                self.end_line();
                let same_column = !in_list && self.choices.one_in(3);
                if same_column {
                    // Lists may stand in the column of their key.
                    self.fillers(indent);
                    self.entry(indent, level + 1, true, 0);
                } else {
                    let more = 1 + self.choices.below(4);
                    self.fillers(indent + more);
                    self.block(indent + more, level + 1);
                }
            }
            7 if !has_property => self.end_line(),
            _ => self.scalar(indent),
        }
    }

    fn word(&mut self) -> &'static str {
        self.choices.of(&WORDS)
    }

    fn string(&mut self) -> String {
        if self.depth < 2 && !self.choices.is_empty() && self.choices.one_in(3) {
            return document(self.choices, self.depth + 1);
        }
        let mut text = self.word().to_owned();
        while self.choices.one_in(3) {
            text.push_str(self.choices.of(&[" ", "\n", "\n\n", "\n  ", "  "]));
            text.push_str(self.word());
        }
        text
    }

    fn scalar(&mut self, indent: usize) {
        let value = self.string();
        match self.choices.below(6) {
            0 => {
                self.text.push(' ');
                self.plain(indent);
                self.end_line();
            }
            1 => {
                self.text.push(' ');
                self.single(&value, indent);
                self.end_line();
            }
            2 => {
                self.text.push(' ');
                self.double(&value, indent);
                self.end_line();
            }
            3 | 4 => self.lines('|', &value, indent),
            _ => {
                let spaced = value.replace('\n', "\n\n");
                self.lines('>', &spaced, indent);
            }
        }
    }

    fn plain(&mut self, indent: usize) {
        self.text
            .push_str(self.choices.of(&["word", "v1", "a/b", "m1", "it's", "a#b"]));
        while self.choices.one_in(4) {
            let gap = self.choices.below(4);
            if gap == 3 {
                let _ = write!(self.text, "\n{}", " ".repeat(indent + 1));
            } else {
                self.text.push(' ');
            }
            self.text
                .push_str(self.choices.of(&["word", "x:y", "'q'", "\"", "z"]));
        }
    }

    fn fold(&mut self, indent: usize, breaks: usize) {
        self.text.push_str(self.choices.of(&["", " ", "\t"]));
        for _ in 0..breaks {
            self.text.push('\n');
        }
        self.text
            .push_str(&" ".repeat(indent + 1 + self.choices.below(3)));
    }

    fn single(&mut self, value: &str, indent: usize) {
        self.text.push('\'');
        for character in value.chars().filter(|it| is_text(*it)) {
            match character {
                '\'' => self.text.push_str("''"),
                '\n' => self.fold(indent, 2),
                ' ' if self.choices.one_in(5) => self.fold(indent, 1),
                other => self.text.push(other),
            }
        }
        self.text.push('\'');
    }

    fn double(&mut self, value: &str, indent: usize) {
        self.text.push('"');
        for character in value.chars() {
            match character {
                '"' | '\\' => {
                    let _ = write!(self.text, "\\{character}");
                }
                '\n' if self.choices.one_in(5) => self.fold(indent, 2),
                '\n' => self.text.push_str("\\n"),
                '\t' => self.text.push_str("\\t"),
                ' ' if self.choices.one_in(5) => self.fold(indent, 1),
                other if self.choices.one_in(20) && u32::from(other) < 0x100 => {
                    let _ = write!(self.text, "\\x{:02x}", u32::from(other));
                }
                other if self.choices.one_in(20) => {
                    let mut units = [0; 2];
                    for unit in other.encode_utf16(&mut units) {
                        let _ = write!(self.text, "\\u{unit:04X}");
                    }
                }
                other if !is_text(other) => {
                    let _ = write!(self.text, "\\U{:08x}", u32::from(other));
                }
                other => self.text.push(other),
            }
            if self.choices.one_in(40) {
                // A break that reads as nothing.
                let _ = write!(self.text, "\\\n{}", " ".repeat(indent + 1));
            }
        }
        self.text.push('"');
    }

    fn lines(&mut self, indicator: char, value: &str, indent: usize) {
        let more = 1 + self.choices.below(3);
        let starts_blank = value.trim_start_matches('\n').starts_with([' ', '\t']);
        let explicit = starts_blank || self.choices.one_in(5);
        let chomping = self.choices.of(&["", "-", "+", ""]);
        let digit = if explicit && indent > 0 {
            // A list in the column of its key counts from the key: leave those to the parser.
            more.to_string()
        } else if explicit {
            more.to_string()
        } else {
            String::new()
        };
        let _ = write!(self.text, " {indicator}{digit}{chomping}");
        self.end_line();
        for line in value.split('\n') {
            let line: String = line.chars().filter(|it| is_text(*it)).collect();
            if !line.is_empty() {
                self.text.push_str(&" ".repeat(indent + more));
                self.text.push_str(&line);
            } else if self.choices.one_in(6) {
                self.text
                    .push_str(&" ".repeat(self.choices.below(more + 1)));
            }
            self.text.push('\n');
        }
    }

    fn flow(&mut self, level: usize) {
        let is_json = self.choices.one_in(2);
        let is_list = self.choices.one_in(3);
        self.text.push(if is_list { '[' } else { '{' });
        let count = self.choices.below(4);
        for number in 0..count {
            if number > 0 {
                self.text.push(',');
                self.text
                    .push_str(self.choices.of(&[" ", "", "\n     ", " # c\n     "]));
            }
            if !is_list {
                let key = if is_json {
                    format!("\"j{number}\"")
                } else {
                    format!("j{number}")
                };
                let _ = write!(self.text, "{key}: ");
            }
            if level < 4 && self.choices.one_in(4) {
                self.flow(level + 1);
            } else {
                let value = self.string();
                match self.choices.below(4) {
                    0 if !is_json => {
                        let word = self.choices.of(&["word", "v1", "~", "null", "a b"]);
                        self.text.push_str(word);
                    }
                    1 if !is_json => self.single(&value, 4),
                    _ => self.double(&value, 4),
                }
            }
        }
        self.text.push(if is_list { ']' } else { '}' });
    }
}

/// What may stand in a text unescaped.
fn is_text(character: char) -> bool {
    !matches!(character, '\u{7}' | '\u{FEFF}' | '\u{85}' | '\u{2028}') && character != '\r'
}
