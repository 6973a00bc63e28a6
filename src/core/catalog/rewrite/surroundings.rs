//! What is around a place: its entry, its layout, the models beside it.

use super::super::compose::{Composer, Place};
use super::{NEIGHBOURS, Rewriter};
use crate::core::yaml::decode::{Style, start_of_line};
use crate::core::yaml::pieces::{flow_context, line_break_of};
use crate::core::yaml::{Content, NodeId};

impl<'a> Rewriter<'a> {
    /// The offset behind the colon of a key.
    pub(super) fn colon(&self, key: NodeId) -> Option<usize> {
        let end = self.stream.node(key).span.end;
        let rest = self.text[end..].trim_start_matches([' ', '\t']);
        rest.starts_with(':')
            .then(|| self.text.len() - rest.len() + 1)
    }

    /// Key and value of an entry that is there once.
    pub(super) fn entry(&self, map: NodeId, name: &str) -> Option<(NodeId, NodeId)> {
        let is_it = |(key, _): &&(NodeId, NodeId)| self.stream.node(*key).scalar() == Some(name);
        self.stream.entries(map).iter().find(is_it).copied()
    }

    pub(super) fn place_in(&self, map: NodeId) -> Place {
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

    pub(super) fn composer(&self, nearest: usize) -> Composer<'a> {
        let models = self
            .entry(self.root, "spec")
            .and_then(|(_, spec)| self.entry(spec, "models"));
        match models {
            Some((_, list)) => self.composer_beside(list, nearest),
            None => self.composer_with(Vec::new()),
        }
    }

    /// In the manner of the model of this index, and of those around it.
    pub(super) fn composer_beside(&self, list: NodeId, nearest: usize) -> Composer<'a> {
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
    pub(super) fn composer_of(&self, node: NodeId) -> Composer<'a> {
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
    pub(super) fn is_plain(&self, id: NodeId) -> bool {
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
                let is_merge = matches!(&key.content, Content::Scalar { style: Style::Plain, value } if value == "<<");
                key.scalar().is_some()
                    && !is_merge
                    && !key.anchored
                    && self.is_plain(*value)
            }),
        }
    }

    /// The first model that is not plain, or the list, or the document.
    pub(super) fn culprit(&self) -> usize {
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
}
