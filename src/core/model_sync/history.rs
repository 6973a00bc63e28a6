//! Which finished runs are too many.

use super::run::{Run, RunKey, RunState};

/// The finished runs beyond the limits, oldest start first. Never one that is active, and never the
/// newest, which tells what was done last and keeps its name from being used again.
#[must_use]
pub(super) fn beyond_limits(runs: &[Run], successful: usize, failed: usize) -> Vec<RunKey> {
    let newest = newest(runs).map(|run| &run.key);
    let mut succeeded = Vec::new();
    let mut not_succeeded = Vec::new();
    for run in runs {
        match run.state {
            RunState::Active => {}
            RunState::Succeeded { .. } => succeeded.push(run),
            RunState::Failed { .. } => not_succeeded.push(run),
        }
    }
    let mut beyond = Vec::new();
    for (mut runs, limit) in [(succeeded, successful), (not_succeeded, failed)] {
        runs.sort_by_key(|run| (run.start_time, run.number, &run.key));
        let count = runs.len().saturating_sub(limit);
        beyond.extend(runs.into_iter().take(count));
    }
    beyond.sort_by_key(|run| (run.start_time, run.number, &run.key));
    beyond
        .into_iter()
        .filter(|run| Some(&run.key) != newest && !run.is_being_deleted)
        .map(|run| run.key.clone())
        .collect()
}

/// The run that was created last.
pub(super) fn newest(runs: &[Run]) -> Option<&Run> {
    runs.iter()
        .max_by_key(|run| (run.number, run.created, &run.key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;

    /// A run from a word such as `s3@5`: its state, its number and when it was started.
    fn run(word: &str) -> Run {
        let (state, rest) = word.split_at(1);
        let (number, start) = rest.split_once('@').unwrap();
        let at = start
            .parse()
            .ok()
            .map(|second| Timestamp::from_second(second).unwrap());
        Run {
            key: RunKey {
                name: word.to_owned(),
                uid: word.to_owned(),
            },
            api_version: "tekton.dev/v1".to_owned(),
            number: number.parse().unwrap(),
            attempt: 1,
            input_hash: String::new(),
            parameters: BTreeMap::new(),
            state: match state {
                "s" => RunState::Succeeded { at },
                "f" => RunState::Failed {
                    at,
                    why: String::new(),
                },
                _ => RunState::Active,
            },
            created: at,
            start_time: at,
            is_being_deleted: false,
        }
    }

    #[test]
    fn oldest_first_by_kind_never_the_active_nor_the_newest() {
        for (runs, successful, failed, expected) in [
            ("", 0, 0, ""),
            ("s1@1 s2@2 s3@3", 3, 0, ""),
            ("s1@1 s2@2 s3@3", 2, 0, "s1@1"),
            // By start, not by number or order.
            ("s3@1 s1@3 s2@2 a9@9", 1, 0, "s3@1 s2@2"),
            ("s1@1 f2@2 s3@3 f4@4 a5@5", 1, 1, "s1@1 f2@2"),
            ("s1@1 f2@2 s3@3 f4@4 a5@5", 0, 0, "s1@1 f2@2 s3@3 f4@4"),
            ("s1@1 s2@2 s3@3", 0, 0, "s1@1 s2@2"),
            ("s1@1 s2@2 f3@3", 1, 0, "s1@1"),
            // Never started: it is the oldest.
            ("f1@1 f2@- f3@3", 0, 2, "f2@-"),
            ("a1@1 a2@2", 0, 0, ""),
        ] {
            let runs: Vec<Run> = runs.split_whitespace().map(run).collect();
            let names: Vec<String> = beyond_limits(&runs, successful, failed)
                .into_iter()
                .map(|key| key.name)
                .collect();
            assert_eq!(names.join(" "), expected);
        }
    }

    #[test]
    fn what_is_being_deleted_is_not_deleted_again() {
        let mut runs: Vec<Run> = ["s1@1", "s2@2", "s3@3"].map(run).into();
        runs[0].is_being_deleted = true;
        let names: Vec<String> = beyond_limits(&runs, 1, 0)
            .into_iter()
            .map(|key| key.name)
            .collect();
        assert_eq!(names, ["s2@2"]);
    }
}
