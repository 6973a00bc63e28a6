//! A model as YAML text, written as the models beside it are: block or flow, indentation, order of
//! fields, quotes, spaces.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::core::yaml::decode::{Style, start_of_line};
use crate::core::yaml::encode::{Context, scalar};
use crate::core::yaml::pieces::flow_context;
use crate::core::yaml::{Content, NodeId, Stream};

/// Writes values in the manner of the models around them.
pub(super) struct Composer<'a> {
    pub(super) text: &'a str,
    pub(super) stream: &'a Stream,
    /// Models to look at, the nearest first.
    pub(super) neighbours: Vec<NodeId>,
    pub(super) line_break: &'static str,
}

/// Where a value stands.
#[derive(Clone)]
pub(super) enum Place {
    /// In a block map whose keys are in this column.
    Block(usize),
    /// In a flow map.
    Flow(Flow),
}

/// How a flow map is laid out.
#[derive(Clone)]
pub(super) struct Flow {
    pub(super) context: Context,
    /// From a key to its value: `: `.
    colon: String,
    /// From an entry to the next, when they are on one line: `, `.
    comma: String,
    /// After the opening brace and before the closing one, when they are on one line.
    padding: String,
    /// When each entry has a line: how much further right it begins than the line with the brace.
    step: Option<usize>,
    /// The indentation of the line on which the map is opened.
    indent: usize,
}

impl Flow {
    pub(super) fn on_one_line(context: Context) -> Self {
        Self {
            context,
            colon: ": ".to_owned(),
            comma: ", ".to_owned(),
            padding: String::new(),
            step: None,
            indent: 0,
        }
    }

    fn deeper(&self) -> Self {
        Self {
            indent: self.indent + self.step.unwrap_or_default(),
            ..self.clone()
        }
    }
}

/// A value as text.
pub(super) enum Written {
    /// Goes on the line of its key.
    Inline(String),
    /// Lines below the key, without the last line break.
    Lines(String),
}

impl Composer<'_> {
    /// A model as an element of a block list whose dashes are in this column; without the last line
    /// break.
    pub(super) fn block_element(&self, model: &Map<String, Value>, column: usize) -> String {
        let dash = " ".repeat(column) + "-";
        let nearest = self.neighbours.first().map(|id| self.stream.node(*id));
        match nearest.map(|node| (&node.content, node.span.start)) {
            Some((
                Content::Mapping {
                    entries,
                    flow: true,
                },
                _,
            )) if !entries.is_empty() => {
                let flow = self.flow_of(self.neighbours[0], column);
                format!("{dash} {}", self.flow_map(model, &[], &flow))
            }
            Some((Content::Mapping { .. }, start)) => {
                let gap = (self.column(start)).saturating_sub(column + 1).clamp(1, 8);
                self.after_dash(&dash, gap, model, column)
            }
            _ => self.after_dash(&dash, 1, model, column),
        }
    }

    fn after_dash(
        &self,
        dash: &str,
        gap: usize,
        model: &Map<String, Value>,
        column: usize,
    ) -> String {
        let lines = self.block_map(model, &[], column + 1 + gap);
        format!("{dash}{}{}", " ".repeat(gap), lines.trim_start_matches(' '))
    }

    /// A model as an element of a flow list; `flow` says how when there are no neighbours.
    pub(super) fn flow_element(&self, model: &Map<String, Value>, flow: &Flow) -> String {
        match self.neighbours.first() {
            Some(id) => {
                let start = self.stream.node(*id).span.start;
                let flow = self.flow_of(*id, self.indent_of_line(start));
                self.flow_map(model, &[], &flow)
            }
            None => self.flow_map(model, &[], flow),
        }
    }

    /// An entry of a map, as a piece of it.
    pub(super) fn entry(&self, path: &[&str], value: &Value, place: &Place) -> String {
        let key = path.last().copied().unwrap_or_default();
        let written = self.value(path, value, place);
        match place {
            Place::Block(column) => {
                let key = scalar(key, self.key_style(path), Context::Block);
                let indent = " ".repeat(*column);
                match written {
                    Written::Inline(text) => format!("{indent}{key}: {text}"),
                    Written::Lines(lines) => format!("{indent}{key}:{}{lines}", self.line_break),
                }
            }
            Place::Flow(flow) => {
                let key = scalar(key, self.key_style(path), flow.context);
                let (Written::Inline(text) | Written::Lines(text)) = written;
                format!("{key}{}{text}", flow.colon)
            }
        }
    }

    /// The value at `path` of a model.
    pub(super) fn value(&self, path: &[&str], value: &Value, place: &Place) -> Written {
        let map = match value {
            Value::Object(map) if map.is_empty() => return Written::Inline("{}".to_owned()),
            Value::Object(map) => map,
            other => return Written::Inline(self.scalar(path, other, place)),
        };
        let alike = self.find(path);
        let flow_alike = alike.map(|(_, node)| node).filter(|id| {
            matches!(&self.stream.node(*id).content, Content::Mapping { entries, flow: true } if !entries.is_empty())
        });
        let column = match place {
            Place::Flow(flow) => {
                return Written::Inline(self.flow_map(map, path, &flow.deeper()));
            }
            Place::Block(column) => *column,
        };
        if let Some(id) = flow_alike {
            return Written::Inline(self.flow_map(map, path, &self.flow_of(id, column)));
        }
        let block_alike = alike.and_then(|(key, node)| {
            let (first, _) = self.stream.entries(node).first()?;
            let inner = self.column(self.stream.node(*first).span.start);
            let outer = self.column(self.stream.node(key).span.start);
            inner.checked_sub(outer).filter(|step| *step > 0)
        });
        let is_leaf = map.values().all(|value| !value.is_object());
        match block_alike {
            Some(step) => Written::Lines(self.block_map(map, path, column + step)),
            None if is_leaf => {
                let flow = Flow::on_one_line(Context::Flow);
                Written::Inline(self.flow_map(map, path, &flow))
            }
            None => Written::Lines(self.block_map(map, path, column + 2)),
        }
    }

    /// Lines without the last line break.
    fn block_map(&self, map: &Map<String, Value>, path: &[&str], column: usize) -> String {
        let place = Place::Block(column);
        let entries = self.ordered(map, path).into_iter().map(|key| {
            let path: Vec<&str> = path.iter().copied().chain([key]).collect();
            self.entry(&path, &map[key], &place)
        });
        entries.collect::<Vec<_>>().join(self.line_break)
    }

    fn flow_map(&self, map: &Map<String, Value>, path: &[&str], flow: &Flow) -> String {
        let place = Place::Flow(flow.clone());
        let entries = self.ordered(map, path).into_iter().map(|key| {
            let path: Vec<&str> = path.iter().copied().chain([key]).collect();
            self.entry(&path, &map[key], &place)
        });
        let entries: Vec<String> = entries.collect();
        match flow.step {
            None => {
                let padding = &flow.padding;
                format!("{{{padding}{}{padding}}}", entries.join(&flow.comma))
            }
            Some(step) => {
                let line = |indent: usize| format!("{}{}", self.line_break, " ".repeat(indent));
                let inner = line(flow.indent + step);
                let entries = entries.join(&format!(",{inner}"));
                format!("{{{inner}{entries}{}}}", line(flow.indent))
            }
        }
    }

    /// One line.
    fn scalar(&self, path: &[&str], value: &Value, place: &Place) -> String {
        let context = match place {
            Place::Block(_) => Context::Block,
            Place::Flow(flow) => flow.context,
        };
        let alike = self
            .find(path)
            .map(|(_, node)| &self.stream.node(node).content);
        let style = match alike {
            Some(Content::Scalar {
                style: style @ (Style::Single | Style::Double),
                ..
            }) => *style,
            _ => Style::Plain,
        };
        scalar_text(value, style, context)
    }

    /// The style of the keys beside this one.
    fn key_style(&self, path: &[&str]) -> Style {
        let parent = &path[..path.len().saturating_sub(1)];
        let maps = self
            .neighbours
            .iter()
            .filter_map(|id| self.find_in(*id, parent));
        let first = maps
            .filter_map(|(_, map)| self.stream.entries(map).first())
            .next();
        match first.map(|(key, _)| &self.stream.node(*key).content) {
            Some(Content::Scalar {
                style: style @ (Style::Single | Style::Double),
                ..
            }) => *style,
            _ => Style::Plain,
        }
    }

    /// The keys of a map in the order in which the neighbours have them; a key that they do not
    /// have comes after the one that it follows in `map`.
    fn ordered<'m>(&self, map: &'m Map<String, Value>, path: &[&str]) -> Vec<&'m str> {
        let mut keys: Vec<&str> = Vec::new();
        if !has_free_keys(path)
            && let Some((_, alike)) = self.find(path)
        {
            let theirs = self.stream.entries(alike).iter();
            let theirs = theirs.filter_map(|(key, _)| self.stream.node(*key).scalar());
            keys.extend(
                theirs
                    .filter_map(|key| map.get_key_value(key))
                    .map(|(key, _)| key.as_str()),
            );
        }
        let mut previous: Option<&str> = None;
        for key in map.keys().map(String::as_str) {
            if !keys.contains(&key) {
                let after = previous.and_then(|it| keys.iter().position(|key| *key == it));
                keys.insert(after.map_or(0, |index| index + 1), key);
            }
            previous = Some(key);
        }
        keys
    }

    /// Key and value at `path` of the nearest neighbour that has one. Below a map with free keys,
    /// any entry is as good as another.
    fn find(&self, path: &[&str]) -> Option<(NodeId, NodeId)> {
        self.neighbours
            .iter()
            .find_map(|id| self.find_in(*id, path))
    }

    fn find_in(&self, id: NodeId, path: &[&str]) -> Option<(NodeId, NodeId)> {
        let mut found = (id, id);
        for (depth, step) in path.iter().enumerate() {
            let entries = self.stream.entries(found.1);
            let exact = entries
                .iter()
                .find(|(key, _)| self.stream.node(*key).scalar() == Some(step));
            let any = entries.first().filter(|_| has_free_keys(&path[..depth]));
            found = *exact.or(any)?;
        }
        Some(found)
    }

    /// How the flow map `id` is laid out, for one that is opened on a line with this indentation.
    pub(super) fn flow_of(&self, id: NodeId, indent: usize) -> Flow {
        let entries = self.stream.entries(id);
        let mut flow = Flow::on_one_line(flow_context(self.stream, entries));
        flow.indent = indent;
        let Some((key, value)) = entries.first() else {
            return flow;
        };
        let (key, value) = (self.stream.node(*key), self.stream.node(*value));
        let is_gap = |text: &&str, mark: char| {
            text.starts_with(mark) && text[1..].chars().all(|character| character == ' ')
        };
        let between = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        let colon = between(key.span.end, value.span.start);
        // `a:1` is one string unless the key is quoted.
        if is_gap(&colon, ':') && (colon.len() > 1 || flow.context == Context::Json) {
            flow.colon = colon.to_owned();
        }
        let start = self.stream.node(id).span.start;
        let lead = between(start + 1, key.span.start);
        if lead.contains('\n') {
            let step = self
                .column(key.span.start)
                .saturating_sub(self.indent_of_line(start));
            flow.step = Some(step);
        } else if lead.chars().all(|character| character == ' ') {
            flow.padding = lead.to_owned();
        }
        if let Some((next, _)) = entries.get(1) {
            let comma = between(value.span.end, self.stream.node(*next).span.start);
            if is_gap(&comma, ',') {
                flow.comma = comma.to_owned();
            }
        }
        flow
    }

    fn column(&self, offset: usize) -> usize {
        offset - start_of_line(self.text, offset)
    }

    fn indent_of_line(&self, offset: usize) -> usize {
        let line = &self.text[start_of_line(self.text, offset)..offset];
        line.len() - line.trim_start_matches(' ').len()
    }
}

/// Whether the keys of the map at `path` of a model are anybody's choice.
fn has_free_keys(path: &[&str]) -> bool {
    matches!(
        path,
        ["labels"] | ["evaluation", "metrics"] | ["evaluation", "perLabel", ..]
    )
}

/// A text, figure or time on one line, in a style where it may have one.
pub(super) fn scalar_text(value: &Value, style: Style, context: Context) -> String {
    match value {
        Value::String(text)
            if is_time(text) && style == Style::Plain && context != Context::Json =>
        {
            // Our reader takes it for text, and kubectl writes the same time again.
            text.clone()
        }
        Value::String(text) => scalar(text, style, context),
        Value::Number(number) => figure(number.as_f64().unwrap_or_default()),
        // A model holds nothing else.
        other => other.to_string(),
    }
}

/// Whether a text is a time as we write times, and not merely one that reads as a time.
fn is_time(text: &str) -> bool {
    text.ends_with('Z')
        && text
            .parse::<Timestamp>()
            .is_ok_and(|time| time.to_string() == text)
}

/// A number so that it reads back as the same one.
fn figure(value: f64) -> String {
    // The shortest digits; with an exponent where there would be many zeros. YAML 1.1 wants a point
    // and a sign then (https://yaml.org/type/float.html).
    let text = format!("{value:?}");
    match text.split_once('e') {
        None => format!("{value}"),
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{digits}{point}e{sign}{exponent}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_back() {
        for (value, text) in [
            (0.72, "0.72"),
            (1.0, "1"),
            (0.0, "0"),
            (1e-9, "1.0e-9"),
            (1.5e300, "1.5e+300"),
            (0.1 + 0.2, "0.30000000000000004"),
            (-3.5, "-3.5"),
        ] {
            assert_eq!(figure(value), text);
            assert_eq!(text.parse::<f64>(), Ok(value));
        }
    }

    #[test]
    fn times_need_no_quotes_and_dates_do() {
        let write = |text: &str, context| scalar_text(&Value::from(text), Style::Plain, context);
        assert_eq!(
            write("2020-06-03T01:02:03Z", Context::Flow),
            "2020-06-03T01:02:03Z"
        );
        assert_eq!(
            write("2020-06-03T01:02:03Z", Context::Json),
            "\"2020-06-03T01:02:03Z\""
        );
        assert_eq!(write("2020-06-03", Context::Block), "\"2020-06-03\"");
        assert_eq!(write("5.10", Context::Block), "\"5.10\"");
    }
}
