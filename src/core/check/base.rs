//! Limiting findings to what a branch changes.

use std::collections::BTreeSet;

use similar::{ChangeTag, TextDiff};

use super::report::{Finding, Report};
use crate::core::package::Package;
use crate::core::yaml::Position;

impl Report {
    /// Drops the findings on lines that are the same in `old`, which gives a file's text before
    /// the branch. Findings about no file stay; those about a file as a whole stay when it changed.
    ///
    /// # Errors
    /// Those of `old`.
    pub fn only_changed<E>(
        &mut self,
        package: &Package<'_>,
        mut old: impl FnMut(&str) -> Result<Option<String>, E>,
    ) -> Result<(), E> {
        let mut kept = Vec::new();
        for finding in std::mem::take(&mut self.findings) {
            let Some((part, _)) = &finding.place else {
                kept.push(finding);
                continue;
            };
            let part = package.part(*part);
            let changed = match old(part.path().unwrap_or_default())? {
                None => true,
                Some(old) => is_changed(&finding, &old, part.text()),
            };
            if changed {
                kept.push(finding);
            }
        }
        self.findings = kept;
        Ok(())
    }
}

fn is_changed(finding: &Finding, old: &str, new: &str) -> bool {
    let lines = changed_lines(old, new);
    match (&finding.place, finding.item.position) {
        (Some((_, span)), Some(_)) => {
            let (first, last) = (Position::of(new, span.start), Position::of(new, span.end));
            (first.line..=last.line).any(|line| lines.contains(&line))
        }
        _ => !lines.is_empty() || old != new,
    }
}

/// The lines of `new`, from 1, that are not in `old`.
fn changed_lines(old: &str, new: &str) -> BTreeSet<usize> {
    let diff = TextDiff::from_lines(old, new);
    let added = diff
        .iter_all_changes()
        .filter(|change| change.tag() == ChangeTag::Insert);
    added
        .filter_map(|change| Some(change.new_index()? + 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_changed_lines() {
        let lines = changed_lines("a\nb\nc\n", "a\nx\nc\nd\n");
        assert_eq!(lines.into_iter().collect::<Vec<_>>(), [2, 4]);
    }
}
