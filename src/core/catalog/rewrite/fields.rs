//! One model that changed: the splices of the fields that differ.

use serde_json::{Map, Value};

use super::super::compose::{Flow, Place, Written, scalar_text};
use super::{Rewriter, fields};
use crate::core::model::Model;
use crate::core::yaml::decode::{Style, end_of_line, start_of_line};
use crate::core::yaml::encode::Context;
use crate::core::yaml::pieces::{Insertion, line_break_of};
use crate::core::yaml::{Content, NodeId, Pieces, Splice};

impl Rewriter<'_> {
    /// What differs in one model.
    pub(super) fn change(
        &self,
        pieces: &Pieces<'_>,
        index: usize,
        item: NodeId,
        model: &Model,
    ) -> Option<Vec<Splice>> {
        let (old, new) = (fields(&self.old[index]), fields(model));
        if !self.is_whole && self.is_plain(item) {
            let opening = start_of_line(self.text, self.stream.node(item).span.start);
            return self.map(item, opening, &old, &new, &mut Vec::new());
        }
        let models = self.entry(self.entry(self.root, "spec")?.1, "models")?.1;
        let composer = self.composer_beside(models, index);
        let piece = &pieces.pieces[index];
        let (range, text) = match pieces.column {
            Some(column) => {
                let body = &self.text[piece.body.clone()];
                let end = piece.body.start + body.trim_end_matches(['\n', '\r']).len();
                (piece.body.start..end, composer.block_element(&new, column))
            }
            None => {
                let flow = Flow::on_one_line(Context::Flow);
                (piece.body.clone(), composer.flow_element(&new, &flow))
            }
        };
        Some(vec![Splice { range, text }])
    }

    /// What differs in a map with entries that stays a map with entries. `path` is where it is in
    /// the model.
    fn map<'m>(
        &self,
        map: NodeId,
        opening: usize,
        old: &'m Map<String, Value>,
        new: &'m Map<String, Value>,
        path: &mut Vec<&'m str>,
    ) -> Option<Vec<Splice>> {
        let entries = self.stream.entries(map);
        let place = self.place_in(map);
        let pieces = Pieces::of(self.text, self.stream, map, opening)?;
        let mut splices = Vec::new();
        let mut removed = vec![false; entries.len()];
        for (index, (key, value)) in entries.iter().enumerate() {
            let name = self.stream.node(*key).scalar()?;
            match (old.get_key_value(name), new.get_key_value(name)) {
                (Some(_), None) => removed[index] = true,
                (None, None) => {}
                (before, Some((name, after))) => {
                    let before = before.map(|(_, before)| before);
                    if before == Some(after) {
                        continue;
                    }
                    path.push(name);
                    splices.extend(self.value((*key, *value), before, after, &place, path)?);
                    path.pop();
                }
            }
        }
        let names: Vec<&str> = entries
            .iter()
            .map(|(key, _)| self.stream.node(*key).scalar())
            .collect::<Option<_>>()?;
        let mut insertions: Vec<Insertion> = Vec::new();
        // The old entry behind which a new one goes: the last one before it that is there.
        let mut after = 0;
        for (name, value) in new {
            if let Some(index) = names.iter().position(|known| known == name) {
                after = index + 1;
                continue;
            }
            path.push(name);
            let text = self.composer_of(map).entry(path, value, &place);
            path.pop();
            insertions.push((after, vec![text]));
        }
        splices.extend(pieces.edit(&removed, &insertions)?);
        Some(splices)
    }

    fn value<'m>(
        &self,
        (key, value): (NodeId, NodeId),
        old: Option<&'m Value>,
        new: &'m Value,
        place: &Place,
        path: &mut Vec<&'m str>,
    ) -> Option<Vec<Splice>> {
        let has_entries = !self.stream.entries(value).is_empty();
        if let (Some(Value::Object(old)), Value::Object(new)) = (old, new)
            && has_entries
            && !new.is_empty()
        {
            let opening = self.stream.node(key).span.end;
            return self.map(value, opening, old, new, path);
        }
        match self.composer_of(value).value(path, new, place) {
            Written::Inline(text) if has_entries => {
                let colon = self.colon(key)?;
                let range = colon..self.stream.node(value).span.end;
                Some(vec![Splice {
                    range,
                    text: format!(" {text}"),
                }])
            }
            Written::Inline(_) if new.is_string() || new.is_number() => {
                self.replace(key, value, new, place)
            }
            Written::Inline(text) => self.write(key, value, text),
            Written::Lines(lines) => {
                let colon = self.colon(key)?;
                let written = self.stream.node(value).span.end.max(colon);
                let end = end_of_line(self.text, written);
                Some(vec![
                    Splice {
                        range: colon..written,
                        text: String::new(),
                    },
                    Splice {
                        range: end..end,
                        text: format!("{}{lines}", line_break_of(self.text)),
                    },
                ])
            }
        }
    }

    /// Gives a key another scalar in the style of the old one.
    pub(super) fn replace(
        &self,
        key: NodeId,
        value: NodeId,
        new: &Value,
        place: &Place,
    ) -> Option<Vec<Splice>> {
        let style = match &self.stream.node(value).content {
            Content::Scalar {
                style: style @ (Style::Single | Style::Double),
                ..
            } => *style,
            Content::Scalar { .. } => Style::Plain,
            _ => return None,
        };
        let context = match place {
            Place::Block(_) => Context::Block,
            Place::Flow(flow) => flow.context,
        };
        self.write(key, value, scalar_text(new, style, context))
    }

    /// Puts a text where a value is, or where it would be.
    fn write(&self, key: NodeId, value: NodeId, text: String) -> Option<Vec<Splice>> {
        let node = self.stream.node(value);
        if node.is_empty() {
            let colon = self.colon(key)?;
            return Some(vec![Splice {
                range: colon..colon,
                text: format!(" {text}"),
            }]);
        }
        let written = &self.text[node.span.clone()];
        let end = node.span.start + written.trim_end_matches(['\n', '\r']).len();
        Some(vec![Splice {
            range: node.span.start..end,
            text,
        }])
    }
}
