//! All edits of one run: the one value that everything shown to the user is rendered from.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::krm::ResultItem;
use crate::core::package::{Package, Part, PartId};
use crate::core::yaml::{Splice, apply};

/// All edits of one run with the old and the new model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The chosen model.
    pub model: String,
    /// The models that the changed places held before, each once.
    pub previous: Vec<String>,
    /// Splices by text; a text without any is not in it.
    pub edits: BTreeMap<PartId, Vec<Splice>>,
    /// New paths of files; always empty for a ResourceList, where annotations say them.
    pub moves: BTreeMap<PartId, String>,
    /// Texts whose ConfigMap got a new name. They are written last: a run that is cut short before
    /// that finds the old model again and goes on.
    pub renamed: BTreeSet<PartId>,
    /// One result for each changed scalar and moved file, then whatever else is worth saying.
    pub results: Vec<ResultItem>,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Its path before.
    pub from: String,
    /// Its path now; mostly the same.
    pub to: String,
    /// Its text before.
    pub old: String,
    /// Its text now.
    pub new: String,
}

impl Change {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.moves.is_empty()
    }

    /// The package after the change. Parts keep their ids.
    #[must_use]
    pub fn apply<'p>(&self, package: &Package<'p>) -> Package<'p> {
        package.with(|id, part| {
            let (splices, path) = (self.edits.get(&id), self.moves.get(&id));
            if splices.is_none() && path.is_none() {
                return None;
            }
            let splices = splices.map(Vec::as_slice).unwrap_or_default();
            let text = apply(part.text(), splices);
            Some(match path.map(String::as_str).or(part.path()) {
                Some(path) => Part::file(path, text),
                None => Part::item(text),
            })
        })
    }
}

impl FileChange {
    /// What differs between two states of a package, which must have the same parts; in the order
    /// in which it must be written, `last` last.
    #[must_use]
    pub fn between(
        before: &Package<'_>,
        after: &Package<'_>,
        last: &BTreeSet<PartId>,
    ) -> Vec<Self> {
        let (at_end, first): (Vec<_>, Vec<_>) = before
            .parts()
            .zip(after.parts())
            .partition(|((id, _), _)| last.contains(id));
        first
            .into_iter()
            .chain(at_end)
            .filter(|((_, old), (_, new))| !old.is_same(new))
            .map(|((_, old), (_, new))| Self {
                from: old.path().unwrap_or_default().to_owned(),
                to: new.path().unwrap_or_default().to_owned(),
                old: old.text().to_owned(),
                new: new.text().to_owned(),
            })
            .collect()
    }
}
