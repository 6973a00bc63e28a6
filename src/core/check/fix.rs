//! The edits that have one right answer: models that are stale or disagree, and references whose
//! ConfigMap can only be one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::dangling_reference;
use crate::core::change::{Change, FileChange, Models, OwnConfig, Place, locate, update};
use crate::core::config::SetModel;
use crate::core::package::Package;
use crate::core::yaml::{Assignment, Site, replace};

/// Computes the edits. What has no one right answer is left, and found again by the next check.
#[must_use]
pub fn fix(
    package: &Package<'_>,
    configs: &[SetModel],
    models: &Models,
    now: Timestamp,
) -> Vec<FileChange> {
    let own = OwnConfig::default();
    let mut state = Change::default().apply(package);
    let mut last = BTreeSet::new();
    // Each config on its own: what stops one is no reason to leave the others.
    for config in configs {
        state = references(&state, config, &own).apply(&state);
        if let Ok(update) = update(&state, config, &own, models, now) {
            let next = update.change.apply(&state);
            last.extend(update.change.renamed);
            state = next;
        }
    }
    FileChange::between(package, &state, &last)
}

/// References to the config's ConfigMaps that can only mean one of them.
fn references(package: &Package<'_>, config: &SetModel, own: &OwnConfig) -> Change {
    let places = locate(package, &config.targets, own);
    let places: Vec<&Place> = places.places.iter().collect();
    let mut assignments = BTreeMap::<_, Vec<Assignment>>::new();
    for dangling in dangling_reference::find(package, &places) {
        let Some(value) = dangling.only_candidate else {
            continue;
        };
        let assignment = Assignment {
            nodes: vec![dangling.node],
            site: Site::Replace,
            value,
        };
        assignments
            .entry(dangling.part)
            .or_default()
            .push(assignment);
    }
    let mut change = Change::default();
    for (id, assignments) in assignments {
        let part = package.part(id);
        let Ok(parsed) = part.parsed() else { continue };
        if let Ok(splices) = replace(part.text(), &parsed.stream, &assignments) {
            change.edits.insert(id, splices);
        }
    }
    change
}
