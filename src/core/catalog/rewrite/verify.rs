//! Trying a rewritten text before it is handed out.

use super::Rewriter;
use crate::core::model::ModelCatalog;
use crate::core::package::Part;
use crate::core::yaml::{NodeId, Splice, Stream, apply};

impl Rewriter<'_> {
    /// Whether the spliced text reads as the wanted catalog, with everything else as it was.
    pub(super) fn verify(
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
