//! One catalog's text: the splices that make it hold other models.
//!
//! Models that stay as they are keep their bytes. Of a model that changed, only the fields that
//! differ are rewritten; when that is not possible, the model is written anew. The result is tried
//! before it is handed out: it must read as the wanted catalog, and nothing outside of
//! `spec.models` and `spec.observedAt` may differ.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::arrange::Arrangement;
use super::compose::{Composer, Flow, Place, Written, scalar_text};
use crate::core::config::DecodeError;
use crate::core::model::{Model, ModelCatalog};
use crate::core::package::Part;
use crate::core::yaml::decode::{Style, end_of_line, start_of_line};
use crate::core::yaml::encode::{self, Context};
use crate::core::yaml::pieces::{Insertion, flow_context, line_break_of};
use crate::core::yaml::{Content, NodeId, Pieces, Position, Splice, Stream, apply};

/// How many models are looked at for the manner in which a new one is written.
const NEIGHBOURS: usize = 8;

/// A catalog that cannot be rewritten.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// It cannot be read. The fault is in the text.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It is written in a way that cannot be edited without changing something else.
    #[error(
        "{position}: the models are written in a way that cannot be edited without changing \
         something else; write this model without anchors, aliases and tags"
    )]
    Unusual {
        /// Where.
        position: Position,
    },
}

/// A model as its fields are written in YAML: text, figures and maps.
pub(super) fn fields(model: &Model) -> Map<String, Value> {
    match serde_json::to_value(model) {
        Ok(Value::Object(map)) => map,
        _ => unreachable!("because a model is a struct whose maps have text as keys"),
    }
}

/// The splices that make the catalog at document `number` of `part` hold the arranged models, and
/// say `observed_at` when that is given. `old` is what the catalog holds now.
///
/// # Guarantees
/// After [`apply`], the document reads as the wanted catalog; models that did not change, all other
/// documents and everything outside of `spec.models` and `spec.observedAt` have the same bytes.
///
/// # Errors
/// That cannot be kept to.
pub fn rewrite(
    part: &Part<'_>,
    number: usize,
    old: &ModelCatalog,
    arrangement: &Arrangement,
    observed_at: Option<Timestamp>,
) -> Result<Vec<Splice>, RewriteError> {
    if arrangement.is_unchanged() && observed_at.is_none() {
        return Ok(Vec::new());
    }
    let text = part.text();
    let unusual = |offset: usize| RewriteError::Unusual {
        position: Position::of(text, offset),
    };
    let Ok(parsed) = part.parsed() else {
        return Err(unusual(0));
    };
    let root = parsed.resources[number].root;
    let mut rewriter = Rewriter {
        text,
        stream: &parsed.stream,
        root,
        old: &old.listing.models,
        arrangement,
        observed_at,
        is_whole: false,
    };
    for is_whole in [false, true] {
        rewriter.is_whole = is_whole;
        if let Some(splices) = rewriter.splices()
            && rewriter.verify(part, number, old, &splices)
        {
            return Ok(splices);
        }
    }
    Err(unusual(rewriter.culprit()))
}

struct Rewriter<'a> {
    text: &'a str,
    stream: &'a Stream,
    root: NodeId,
    old: &'a [Model],
    arrangement: &'a Arrangement,
    observed_at: Option<Timestamp>,
    /// Whether models that changed are written anew as a whole.
    is_whole: bool,
}

impl<'a> Rewriter<'a> {
    fn splices(&self) -> Option<Vec<Splice>> {
        let (spec_key, spec) = self.entry(self.root, "spec")?;
        let models = self.entry(spec, "models");
        let mut splices = Vec::new();
        // Entries that spec does not have yet, by the index of the entry before which they go.
        let count = self.stream.entries(spec).len();
        let mut missing: Vec<Insertion> = Vec::new();
        let place = self.place_in(spec);
        if let Some(time) = self.observed_at {
            let time = Value::from(time.to_string());
            match self.entry(spec, "observedAt") {
                Some((key, value)) => splices.extend(self.replace(key, value, &time, &place)?),
                None => {
                    let entries = self.stream.entries(spec);
                    let before = entries.iter().position(|entry| Some(*entry) == models);
                    let text = self.composer(0).entry(&["observedAt"], &time, &place);
                    missing.push((before.unwrap_or(count), vec![text]));
                }
            }
        }
        if !self.arrangement.is_unchanged() {
            match models {
                Some((key, value)) if self.stream.items(value).is_empty() => {
                    splices.extend(self.fill(key, value, &place)?);
                }
                Some((key, value)) => splices.extend(self.list(key, value)?),
                None => missing.push((count, vec![self.new_list(&place)])),
            }
        }
        if !missing.is_empty() {
            let opening = self.stream.node(spec_key).span.end;
            let pieces = Pieces::of(self.text, self.stream, spec, opening)?;
            splices.extend(pieces.edit(&vec![false; count], &missing)?);
        }
        splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
        let overlap = |pair: &[Splice]| pair[0].range.end > pair[1].range.start;
        (!splices.windows(2).any(overlap)).then_some(splices)
    }

    /// The models of a list that has some.
    fn list(&self, key: NodeId, list: NodeId) -> Option<Vec<Splice>> {
        let items = self.stream.items(list);
        if items.len() != self.old.len() {
            return None;
        }
        let opening = self.stream.node(key).span.end;
        let pieces = Pieces::of(self.text, self.stream, list, opening)?;
        let mut removed = vec![true; items.len()];
        let mut insertions: Vec<Insertion> = Vec::new();
        let mut splices = Vec::new();
        // New models wait for the next one that stays.
        let mut waiting: Vec<&Model> = Vec::new();
        let arrangement = self.arrangement;
        for (model, origin) in arrangement.models.iter().zip(&arrangement.origins) {
            let Some(index) = *origin else {
                waiting.push(model);
                continue;
            };
            removed[index] = false;
            insertions.push((index, self.elements(&waiting, index, pieces.column, list)));
            waiting.clear();
            if self.old[index] != *model {
                splices.extend(self.change(&pieces, index, items[index], model)?);
            }
        }
        let at_end = items.len();
        insertions.push((
            at_end,
            self.elements(&waiting, at_end - 1, pieces.column, list),
        ));
        if arrangement.models.is_empty() {
            return self.empty(key, list, &pieces);
        }
        splices.extend(pieces.edit(&removed, &insertions)?);
        Some(splices)
    }

    /// Takes out every model, and leaves `[]`.
    fn empty(&self, key: NodeId, list: NodeId, pieces: &Pieces<'_>) -> Option<Vec<Splice>> {
        if pieces.column.is_none() {
            return Some(vec![Splice {
                range: self.stream.node(list).span.clone(),
                text: "[]".to_owned(),
            }]);
        }
        let colon = self.colon(key)?;
        let mut splices = pieces.edit(&vec![true; pieces.pieces.len()], &[])?;
        splices.push(Splice {
            range: colon..colon,
            text: " []".to_owned(),
        });
        Some(splices)
    }

    /// Puts models into a list that has none, is null or is not there.
    fn fill(&self, key: NodeId, list: NodeId, place: &Place) -> Option<Vec<Splice>> {
        let node = self.stream.node(list);
        if node.anchored || node.tag.is_some() || matches!(node.content, Content::Alias(_)) {
            return None;
        }
        let colon = self.colon(key)?;
        let written = node.span.start.max(colon)..node.span.end.max(colon);
        let list = self.new_elements(place);
        Some(match place {
            Place::Flow(_) if node.is_empty() => vec![Splice {
                range: colon..colon,
                text: format!(" {list}"),
            }],
            Place::Flow(_) => vec![Splice {
                range: written,
                text: list,
            }],
            Place::Block(_) => {
                let end = end_of_line(self.text, written.end);
                vec![
                    Splice {
                        range: colon..written.end,
                        text: String::new(),
                    },
                    Splice {
                        range: end..end,
                        text: format!("{}{list}", line_break_of(self.text)),
                    },
                ]
            }
        })
    }

    /// `models:` with all models, as an entry of spec.
    fn new_list(&self, place: &Place) -> String {
        let list = self.new_elements(place);
        match place {
            Place::Block(column) => {
                let indent = " ".repeat(*column);
                format!("{indent}models:{}{list}", line_break_of(self.text))
            }
            Place::Flow(flow) => {
                let key = encode::scalar("models", Style::Plain, flow.context);
                format!("{key}: {list}")
            }
        }
    }

    /// All models without a neighbour: lines without the last line break, or `[…]`.
    fn new_elements(&self, place: &Place) -> String {
        let composer = self.composer(0);
        let models = self.arrangement.models.iter().map(fields);
        match place {
            Place::Block(column) => {
                let elements = models.map(|model| composer.block_element(&model, *column));
                elements.collect::<Vec<_>>().join(composer.line_break)
            }
            Place::Flow(flow) => {
                let flow = Flow::on_one_line(flow.context);
                let elements = models.map(|model| composer.flow_element(&model, &flow));
                format!("[{}]", elements.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// New models as elements beside the old one of this index.
    fn elements(
        &self,
        models: &[&Model],
        nearest: usize,
        column: Option<usize>,
        list: NodeId,
    ) -> Vec<String> {
        if models.is_empty() {
            return Vec::new();
        }
        let composer = self.composer_beside(list, nearest);
        let flow = Flow::on_one_line(Context::Flow);
        let element = |model: &&Model| match column {
            Some(column) => composer.block_element(&fields(model), column),
            None => composer.flow_element(&fields(model), &flow),
        };
        models.iter().map(element).collect()
    }

    /// What differs in one model.
    fn change(
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
    fn replace(
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

    /// The offset behind the colon of a key.
    fn colon(&self, key: NodeId) -> Option<usize> {
        let end = self.stream.node(key).span.end;
        let rest = self.text[end..].trim_start_matches([' ', '\t']);
        rest.starts_with(':')
            .then(|| self.text.len() - rest.len() + 1)
    }

    /// Key and value of an entry that is there once.
    fn entry(&self, map: NodeId, name: &str) -> Option<(NodeId, NodeId)> {
        let is_it = |(key, _): &&(NodeId, NodeId)| self.stream.node(*key).scalar() == Some(name);
        self.stream.entries(map).iter().find(is_it).copied()
    }

    fn place_in(&self, map: NodeId) -> Place {
        let entries = self.stream.entries(map);
        match &self.stream.node(map).content {
            Content::Mapping { flow: true, .. } => {
                let start = self.stream.node(map).span.start;
                let line = start_of_line(self.text, start);
                let line = &self.text[line..start];
                let indent = line.len() - line.trim_start_matches(' ').len();
                let mut flow = self.composer(0).flow_of(map, indent);
                flow.context = flow_context(self.stream, entries);
                Place::Flow(flow)
            }
            _ => {
                let first = entries.first().map_or(0, |(key, _)| {
                    let start = self.stream.node(*key).span.start;
                    start - start_of_line(self.text, start)
                });
                Place::Block(first)
            }
        }
    }

    fn composer(&self, nearest: usize) -> Composer<'a> {
        let models = self
            .entry(self.root, "spec")
            .and_then(|(_, spec)| self.entry(spec, "models"));
        match models {
            Some((_, list)) => self.composer_beside(list, nearest),
            None => self.composer_with(Vec::new()),
        }
    }

    /// In the manner of the model of this index, and of those around it.
    fn composer_beside(&self, list: NodeId, nearest: usize) -> Composer<'a> {
        let items = self.stream.items(list);
        let from = nearest.saturating_sub(NEIGHBOURS / 2).min(items.len());
        let around = items[from..].iter().take(NEIGHBOURS);
        let nearest = items.get(nearest).into_iter().chain(around);
        self.composer_with(
            nearest
                .copied()
                .filter(|item| self.is_plain(*item))
                .collect(),
        )
    }

    /// In the manner of the model that holds a node.
    fn composer_of(&self, node: NodeId) -> Composer<'a> {
        let list = self
            .entry(self.root, "spec")
            .and_then(|(_, spec)| self.entry(spec, "models"));
        let items = list.map_or(&[][..], |(_, list)| self.stream.items(list));
        let index = items
            .partition_point(|item| *item <= node)
            .saturating_sub(1);
        self.composer(index)
    }

    fn composer_with(&self, neighbours: Vec<NodeId>) -> Composer<'a> {
        Composer {
            text: self.text,
            stream: self.stream,
            neighbours,
            line_break: line_break_of(self.text),
        }
    }

    /// Whether a model is a map without anchors, aliases, tags and keys that are no scalars.
    fn is_plain(&self, id: NodeId) -> bool {
        let node = self.stream.node(id);
        if node.anchored || node.tag.is_some() {
            return false;
        }
        match &node.content {
            Content::Scalar { .. } => true,
            Content::Alias(_) => false,
            Content::Sequence { items, .. } => items.iter().all(|item| self.is_plain(*item)),
            Content::Mapping { entries, .. } => entries.iter().all(|(key, value)| {
                let key = self.stream.node(*key);
                key.scalar().is_some_and(|name| name != "<<")
                    && !key.anchored
                    && self.is_plain(*value)
            }),
        }
    }

    /// The first model that is not plain, or the list, or the document.
    fn culprit(&self) -> usize {
        let start = |id: NodeId| self.stream.node(id).span.start;
        let spec = self.entry(self.root, "spec");
        let Some((key, list)) = spec.and_then(|(_, spec)| self.entry(spec, "models")) else {
            return start(spec.map_or(self.root, |(key, _)| key));
        };
        let mut items = self.stream.items(list).iter();
        items
            .find(|item| !self.is_plain(**item))
            .map_or(start(key), |item| start(*item))
    }

    /// Whether the spliced text reads as the wanted catalog, with everything else as it was.
    fn verify(
        &self,
        part: &Part<'_>,
        number: usize,
        old: &ModelCatalog,
        splices: &[Splice],
    ) -> bool {
        let spliced = Part::file(part.path().unwrap_or_default(), apply(self.text, splices));
        let (Ok(before), Ok(after)) = (part.parsed(), spliced.parsed()) else {
            return false;
        };
        let Some(resource) = after.resources.get(number) else {
            return false;
        };
        let Ok(read) = ModelCatalog::from_yaml(&spliced.document(resource), "") else {
            return false;
        };
        let wanted = (&old.name, &old.source, &self.arrangement.models);
        let time = self.observed_at.or(old.listing.observed_at);
        if (&read.name, &read.source, &read.listing.models) != wanted
            || read.listing.observed_at != time
        {
            return false;
        }
        let comparison = Comparison {
            before: (self.text, &before.stream),
            after: (spliced.text(), &after.stream),
        };
        comparison.documents(number) && comparison.spec(number) && comparison.models(number, self)
    }
}

/// Two texts and their nodes, side by side.
struct Comparison<'a> {
    before: (&'a str, &'a Stream),
    after: (&'a str, &'a Stream),
}

impl Comparison<'_> {
    fn same(&self, before: NodeId, after: NodeId) -> bool {
        let slice = |(text, stream): (&'_ str, &'_ Stream), id: NodeId| {
            text[stream.node(id).span.clone()].to_owned()
        };
        slice(self.before, before) == slice(self.after, after)
    }

    /// Whether all documents but one are the same.
    fn documents(&self, number: usize) -> bool {
        let (before, after) = (self.before.1.roots(), self.after.1.roots());
        before.len() == after.len()
            && before
                .iter()
                .zip(after)
                .enumerate()
                .all(|(index, (before, after))| index == number || self.same(*before, *after))
    }

    /// Whether the document differs in `spec.models` and `spec.observedAt` at most.
    fn spec(&self, number: usize) -> bool {
        let (before, after) = (self.before.1, self.after.1);
        let (old, new) = (before.roots()[number], after.roots()[number]);
        self.entries(old, new, &["spec"])
            && match (before.get(old, "spec"), after.get(new, "spec")) {
                (Some(old), Some(new)) => self.entries(old, new, &["models", "observedAt"]),
                _ => false,
            }
    }

    /// Whether two maps have the same entries but for those named.
    fn entries(&self, old: NodeId, new: NodeId, except: &[&str]) -> bool {
        let others = |stream: &Stream, id: NodeId| -> Vec<(NodeId, NodeId)> {
            let entries = stream.entries(id).iter().copied();
            let is_other = |(key, _): &(NodeId, NodeId)| {
                !stream
                    .node(*key)
                    .scalar()
                    .is_some_and(|key| except.contains(&key))
            };
            entries.filter(is_other).collect()
        };
        let (old, new) = (others(self.before.1, old), others(self.after.1, new));
        old.len() == new.len()
            && old
                .iter()
                .zip(&new)
                .all(|(old, new)| self.same(old.0, new.0) && self.same(old.1, new.1))
    }

    /// Whether every model that did not change has its bytes.
    fn models(&self, number: usize, rewriter: &Rewriter<'_>) -> bool {
        let items = |stream: &Stream| -> Vec<NodeId> {
            let list = stream.get_path(stream.roots()[number], &["spec", "models"]);
            list.map_or(Vec::new(), |list| stream.items(list).to_vec())
        };
        let (old, new) = (items(self.before.1), items(self.after.1));
        let arrangement = rewriter.arrangement;
        arrangement
            .models
            .iter()
            .zip(&arrangement.origins)
            .enumerate()
            .all(|(place, (model, origin))| match origin {
                Some(index) if rewriter.old[*index] == *model => {
                    match (old.get(*index), new.get(place)) {
                        (Some(old), Some(new)) => self.same(*old, *new),
                        _ => false,
                    }
                }
                _ => true,
            })
    }
}

#[cfg(test)]
mod tests;
