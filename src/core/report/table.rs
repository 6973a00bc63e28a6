//! Text in columns.

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What a table is shown on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Screen {
    /// How many columns a line has, where lines are to be broken.
    pub width: Option<usize>,
    /// Whether it shows colours.
    pub has_colour: bool,
}

/// How a cell is to be seen. The text says the same without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Good news.
    Good,
    /// Bad news.
    Bad,
}

/// A text in a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
    is_figure: bool,
}

impl Cell {
    /// A text. Control characters are shown as escapes: names come from registries, and a terminal
    /// would obey them.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut shown = String::with_capacity(text.len());
        for character in text.chars() {
            if character.is_control() {
                shown.extend(character.escape_default());
            } else {
                shown.push(character);
            }
        }
        Self {
            text: shown,
            ..Self::default()
        }
    }

    /// A figure, which stands at the right of its column.
    #[must_use]
    pub fn figure(text: &str) -> Self {
        Self {
            is_figure: true,
            ..Self::new(text)
        }
    }

    /// The same in another tone.
    #[must_use]
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// Rows of cells below a header.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The names of the columns; none for a table without a header.
    pub header: Vec<String>,
    /// The rows, each with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// Between two columns.
const GAP: usize = 2;
/// A last column narrower than this is not broken into lines.
const LEAST: usize = 20;

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(header: &[&str]) -> Self {
        Self {
            header: header.iter().map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// The table as lines. Where the screen has a width, the last column is broken into lines that
    /// fit.
    #[must_use]
    pub fn render(&self, screen: Screen) -> String {
        let is_figure = |column: usize| {
            self.rows
                .iter()
                .any(|row| row.get(column).is_some_and(|cell| cell.is_figure))
        };
        let header = self.header.iter().enumerate().map(|(column, name)| Cell {
            text: name.clone(),
            tone: Tone::Plain,
            is_figure: is_figure(column),
        });
        let header: Vec<Cell> = header.collect();
        let columns = self.rows.iter().map(Vec::len).chain([header.len()]).max();
        let widths: Vec<usize> = (0..columns.unwrap_or(0))
            .map(|column| {
                let rows = self.rows.iter().chain([&header]);
                let cells = rows.filter_map(|row| row.get(column));
                cells.map(|cell| cell.text.width()).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        let bold = Style::new().bold();
        if !header.is_empty() {
            row(&header, &widths, screen, Some(bold), &mut text);
        }
        for cells in &self.rows {
            row(cells, &widths, screen, None, &mut text);
        }
        text
    }
}

fn row(cells: &[Cell], widths: &[usize], screen: Screen, style: Option<Style>, text: &mut String) {
    let mut line = String::new();
    let mut indent = 0;
    for (column, cell) in cells.iter().enumerate() {
        let is_last = column + 1 == cells.len();
        let style = style.unwrap_or(match cell.tone {
            Tone::Plain => Style::new(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default(),
        });
        let paint = |part: &str| {
            if screen.has_colour && !part.is_empty() {
                format!("{style}{part}{style:#}")
            } else {
                part.to_owned()
            }
        };
        let missing = " ".repeat(widths[column].saturating_sub(cell.text.width()));
        if is_last && !cell.is_figure {
            let room = screen.width.map(|width| width.saturating_sub(indent));
            let lines = match room.filter(|room| *room >= LEAST) {
                Some(room) => wrap(&cell.text, room),
                None => vec![cell.text.clone()],
            };
            let lines: Vec<String> = lines.iter().map(|line| paint(line)).collect();
            line.push_str(&lines.join(&format!("\n{}", " ".repeat(indent))));
        } else if cell.is_figure {
            line.push_str(&missing);
            line.push_str(&paint(&cell.text));
        } else {
            line.push_str(&paint(&cell.text));
            line.push_str(&missing);
        }
        if !is_last {
            line.push_str(&" ".repeat(GAP));
        }
        indent += widths[column] + GAP;
    }
    text.push_str(line.trim_end_matches(' '));
    text.push('\n');
}

/// A text in lines of at most `room` columns, broken at spaces; a word that is longer is cut.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let width = word.width();
        let line = lines
            .last_mut()
            .expect("because there is a line from the start");
        if used > 0 && used + 1 + width <= room {
            line.push(' ');
            line.push_str(word);
            used += 1 + width;
            continue;
        }
        if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for character in word.chars() {
            let width = character.width().unwrap_or(0);
            if used + width > room {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(character);
            }
            used += width;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "P", "WHY"]);
        table.rows.push(vec![
            Cell::new("é😁"),
            Cell::figure("0.5"),
            Cell::new("older than the chosen model").toned(Tone::Bad),
        ]);
        table.rows.push(vec![
            Cell::new("long name\u{1b}[2J"),
            Cell::figure("0.25"),
            Cell::new(""),
        ]);
        table
    }

    #[test]
    fn columns_are_aligned_and_nothing_is_obeyed() {
        insta::assert_snapshot!(table().render(Screen::default()), @r"
        NAME                   P  WHY
        é😁                  0.5  older than the chosen model
        long name\u{1b}[2J  0.25
        ");
    }

    #[test]
    fn the_last_column_fits_the_screen() {
        let screen = Screen {
            width: Some(50),
            has_colour: false,
        };
        insta::assert_snapshot!(table().render(screen), @r"
        NAME                   P  WHY
        é😁                  0.5  older than the chosen
                                  model
        long name\u{1b}[2J  0.25
        ");
        let narrow = Screen {
            width: Some(30),
            has_colour: false,
        };
        assert_eq!(table().render(narrow), table().render(Screen::default()));
        assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrap("abcdef gh", 4), ["abcd", "ef", "gh"]);
    }

    #[test]
    fn colours_are_for_screens_that_show_them() {
        let screen = Screen {
            width: None,
            has_colour: true,
        };
        let text = table().render(screen);
        assert!(
            text.contains("\u{1b}[31molder than the chosen model\u{1b}[0m"),
            "{text:?}"
        );
        assert!(!table().render(Screen::default()).contains('\u{1b}'));
    }
}
