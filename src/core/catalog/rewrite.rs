//! One catalog's text: the splices that make it hold other models.
//!
//! Models that stay as they are keep their bytes. Of a model that changed, only the fields that
//! differ are rewritten; when that is not possible, the model is written anew. The result is tried
//! before it is handed out: it must read as the wanted catalog, and nothing outside of
//! `spec.models` and `spec.observedAt` may differ.

mod fields;
mod surroundings;
mod verify;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::arrange::Arrangement;
use super::compose::{Flow, Place};
use crate::core::config::DecodeError;
use crate::core::model::{Model, ModelCatalog};
use crate::core::package::Part;
use crate::core::yaml::decode::{Style, end_of_line};
use crate::core::yaml::encode::{self, Context};
use crate::core::yaml::pieces::{Insertion, line_break_of};
use crate::core::yaml::{Content, NodeId, Pieces, Position, Splice, Stream};

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
/// After [`apply`](crate::core::yaml::apply), the document reads as the wanted catalog; models that did not change, all other
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
}

#[cfg(test)]
mod tests;
