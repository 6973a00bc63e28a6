//! Places and a model to edits; or refusals, and no edit at all.

use std::collections::{BTreeMap, BTreeSet};

use super::edits::Change;
use super::locate::{Place, Places};
use super::rename;
use crate::core::krm::{Resource, ResultItem, Severity};
use crate::core::model::name;
use crate::core::package::{Package, PartId};
use crate::core::yaml::{Assignment, Content, NodeId, Stream, apply, decode::Style, replace};

/// Largest ConfigMap that the API server takes, in bytes of data
/// (<https://kubernetes.io/docs/concepts/configuration/configmap/>).
pub const MAX_CONFIG_MAP: usize = 1 << 20;

/// Values for places, collected before anything is spliced.
#[derive(Default)]
pub(super) struct Draft {
    /// What each text gets.
    pub(super) assignments: BTreeMap<PartId, Vec<Assignment>>,
    /// New paths of files.
    pub(super) moves: BTreeMap<PartId, String>,
    /// Texts whose ConfigMap got a new name.
    pub(super) renamed: BTreeSet<PartId>,
    /// What to say.
    pub(super) results: Vec<ResultItem>,
    /// Why not.
    pub(super) errors: Vec<ResultItem>,
}

impl Draft {
    pub(super) fn refuse(&mut self, resource: &Resource, message: String) {
        self.errors
            .push(ResultItem::new(Severity::Error, message).about(resource));
    }

    pub(super) fn assign(&mut self, part: PartId, assignment: Assignment) {
        self.assignments.entry(part).or_default().push(assignment);
    }
}

/// Plans the edits that make every place hold `model`.
///
/// # Errors
/// One result for each place that refuses, and no edit at all.
pub fn plan(
    package: &Package<'_>,
    places: &Places,
    model: &str,
) -> Result<Change, Vec<ResultItem>> {
    let mut draft = Draft {
        results: places.notes.clone(),
        ..Draft::default()
    };
    let outdated: Vec<&Place> = places
        .places
        .iter()
        .filter(|place| place.current.as_deref() != Some(model))
        .collect();
    for place in &outdated {
        write_place(package, place, model, &mut draft);
    }
    if draft.errors.is_empty() {
        for (part, resource) in changed_config_maps(package, &outdated) {
            follow_content(package, part, &resource, &mut draft);
        }
    }
    let edits = splice(package, &mut draft);
    if !draft.errors.is_empty() {
        return Err(draft.errors);
    }
    let mut seen = BTreeSet::new();
    let previous = outdated.iter().filter_map(|place| place.current.clone());
    Ok(Change {
        model: model.to_owned(),
        previous: previous.filter(|name| seen.insert(name.clone())).collect(),
        edits,
        moves: draft.moves,
        renamed: draft.renamed,
        results: draft.results,
    })
}

fn write_place(package: &Package<'_>, place: &Place, model: &str, draft: &mut Draft) {
    let resource = &place.resource;
    let path = &place.located.path;
    let is_foreign = place
        .current
        .as_deref()
        .is_some_and(name::is_google_resource_name)
        && !name::is_google_resource_name(model);
    if is_foreign {
        return draft.refuse(
            resource,
            format!(
                "{path} holds the Google resource name {}, and {model:?} is not one; give the \
                 model's full name, projects/…/locations/…/models/…",
                place.current.as_deref().unwrap_or_default()
            ),
        );
    }
    let Some(value) = place.with(model) else {
        return;
    };
    if is_folded(package, place) {
        let message = format!(
            "{path} is in a folded block (>), which kpt rewrites as a quoted line whenever it \
             writes the file; a literal block (|) stays as it is"
        );
        let note = ResultItem::new(Severity::Warning, message).about(resource);
        draft.results.push(note.at(place.located.position));
    }
    draft.assign(place.part, Assignment::new(&place.located, &value));
    let what = if place.is_stored {
        "set the setter's stored value"
    } else {
        "set the model"
    };
    let message = match &place.current {
        Some(current) => format!("{what} to {model}, was {current}"),
        None => format!("{what} to {model}, was not set"),
    };
    let result = ResultItem::new(Severity::Info, message)
        .about(resource)
        .at(place.located.position);
    let old = place.located.value.as_deref();
    draft.results.push(result.on_field(path, old, Some(&value)));
}

/// Whether the scalar, or a string around it, is a folded block.
fn is_folded(package: &Package<'_>, place: &Place) -> bool {
    let Ok(parsed) = package.part(place.part).parsed() else {
        return false;
    };
    place.located.nodes.first().is_some_and(|id| {
        matches!(
            parsed.stream.node(*id).content,
            Content::Scalar {
                style: Style::Folded,
                ..
            }
        )
    })
}

/// The ConfigMaps among the documents of some places, each once.
fn changed_config_maps(package: &Package<'_>, places: &[&Place]) -> Vec<(PartId, Resource)> {
    let mut seen = BTreeSet::<(PartId, NodeId)>::new();
    let documents = places.iter().map(|place| (place.part, &place.resource));
    documents
        .filter(|(part, resource)| {
            resource.id.is("", "ConfigMap")
                && package.part(*part).parsed().is_ok()
                && seen.insert((*part, resource.root))
        })
        .map(|(part, resource)| (part, resource.clone()))
        .collect()
}

/// What follows from a ConfigMap's new content: its size, and its name when that holds a hash.
fn follow_content(package: &Package<'_>, part: PartId, resource: &Resource, draft: &mut Draft) {
    let text = package.part(part).text();
    let Ok(parsed) = package.part(part).parsed() else {
        return;
    };
    let assignments = draft
        .assignments
        .get(&part)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let Ok(splices) = replace(text, &parsed.stream, assignments) else {
        // Reported when everything is spliced.
        return;
    };
    let Ok(new) = Stream::parse(&apply(text, &splices)) else {
        return;
    };
    let number = parsed
        .stream
        .roots()
        .iter()
        .position(|root| *root == resource.root);
    let Some(new_root) = number.and_then(|number| new.roots().get(number)).copied() else {
        return;
    };
    let size = data_size(&new, new_root);
    if size > MAX_CONFIG_MAP {
        let message = format!(
            "{} would hold {size} bytes, and a ConfigMap holds at most {MAX_CONFIG_MAP}",
            resource.id
        );
        return draft.refuse(resource, message);
    }
    rename::follow_hash(package, part, resource, (&new, new_root), draft);
}

/// Bytes of data in the ConfigMap at `root`, keys included.
#[must_use]
pub fn data_size(stream: &Stream, root: NodeId) -> usize {
    let maps = ["data", "binaryData"]
        .into_iter()
        .filter_map(|key| stream.get(root, key));
    let entries = maps.flat_map(|map| stream.entries(map));
    let length = |id: NodeId| stream.node(id).scalar().map_or(0, str::len);
    entries
        .map(|(key, value)| length(*key) + length(*value))
        .sum()
}

/// The splices of every text, each set tried by the editor.
fn splice(
    package: &Package<'_>,
    draft: &mut Draft,
) -> BTreeMap<PartId, Vec<crate::core::yaml::Splice>> {
    let mut edits = BTreeMap::new();
    for (part, assignments) in &draft.assignments {
        let text = package.part(*part).text();
        let Ok(parsed) = package.part(*part).parsed() else {
            continue;
        };
        match replace(text, &parsed.stream, assignments) {
            Ok(splices) => {
                if !splices.is_empty() {
                    edits.insert(*part, splices);
                }
            }
            Err(error) => {
                let message = format!("cannot write the value: {}", error.message);
                let mut result = ResultItem::new(Severity::Error, message).at(error.position);
                if let Some(resource) = parsed.resources.first() {
                    result = result.about(resource);
                }
                draft.errors.push(result);
            }
        }
    }
    edits
}
