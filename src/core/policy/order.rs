//! The order of models from old to new. It is total: two models with different names are never
//! equal, so that the order of a listing cannot matter.

use std::cmp::Ordering;

use crate::core::model::Model;

/// Compares two models: older is less. Ties in time are broken by version, then by name.
#[must_use]
pub fn compare(left: &Model, right: &Model) -> Ordering {
    left.create_time
        .cmp(&right.create_time)
        .then_with(|| match (&left.version, &right.version) {
            (Some(left), Some(right)) => compare_versions(left, right),
            (left, right) => left.is_some().cmp(&right.is_some()),
        })
        .then_with(|| left.name.cmp(&right.name))
}

/// Compares two versions so that 9 comes before 10.
#[must_use]
pub fn compare_versions(left: &str, right: &str) -> Ordering {
    let (mut left_rest, mut right_rest) = (left, right);
    while !left_rest.is_empty() && !right_rest.is_empty() {
        let (left_run, right_run) = (first_run(left_rest), first_run(right_rest));
        let ordering = match (is_number(left_run), is_number(right_run)) {
            (true, true) => compare_numbers(left_run, right_run),
            _ => left_run.cmp(right_run),
        };
        if ordering.is_ne() {
            return ordering;
        }
        left_rest = &left_rest[left_run.len()..];
        right_rest = &right_rest[right_run.len()..];
    }
    // What is left over is longer. Equal up to leading zeros: any order will do, if it is one.
    left_rest
        .len()
        .cmp(&right_rest.len())
        .then_with(|| left.cmp(right))
}

/// The leading digits, or else everything up to the next digit.
fn first_run(text: &str) -> &str {
    let starts_with_digit = is_number(text);
    let end = text.find(|character: char| character.is_ascii_digit() != starts_with_digit);
    &text[..end.unwrap_or(text.len())]
}

fn is_number(run: &str) -> bool {
    run.starts_with(|character: char| character.is_ascii_digit())
}

/// Of any length, so that nothing overflows.
fn compare_numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn compares_versions_by_number() {
        for (older, newer) in [
            ("9", "10"),
            ("v1.9", "v1.10"),
            ("1", "1.1"),
            ("1.2-beta9", "1.2-beta10"),
            ("a", "b"),
            ("99999999999999999999999", "100000000000000000000000"),
            ("", "1"),
            ("01", "1.0"),
        ] {
            assert_eq!(
                compare_versions(older, newer),
                Ordering::Less,
                "{older} {newer}"
            );
            assert_eq!(
                compare_versions(newer, older),
                Ordering::Greater,
                "{newer} {older}"
            );
        }
        assert_eq!(compare_versions("7", "7"), Ordering::Equal);
        assert_ne!(compare_versions("07", "7"), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn versions_have_a_total_order(
            mut versions in prop::collection::vec("[0-2a.é]{0,4}", 0..8),
        ) {
            // Panics when the order is not total.
            versions.sort_by(|left, right| compare_versions(left, right));
            for pair in versions.windows(2) {
                let ordering = compare_versions(&pair[0], &pair[1]);
                prop_assert_eq!(ordering.is_eq(), pair[0] == pair[1]);
                prop_assert!(ordering.is_le());
            }
        }

        #[test]
        fn the_order_of_versions_is_transitive(
            a in "[0-2a.]{0,4}", b in "[0-2a.]{0,4}", c in "[0-2a.]{0,4}",
        ) {
            if compare_versions(&a, &b).is_le() && compare_versions(&b, &c).is_le() {
                prop_assert!(compare_versions(&a, &c).is_le());
            }
        }
    }
}
