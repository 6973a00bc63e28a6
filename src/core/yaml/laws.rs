//! The editor's promise, for random documents, paths and values. `PROPTEST_CASES` says how many.

#![expect(clippy::disallowed_methods, reason = "a test reads the test data")]

mod generate;
mod hold;

use std::fs;

use proptest::prelude::*;

use self::generate::Choices;
use self::hold::Outcome;
use super::{FieldPath, Stream, encode};
use crate::core::laws::cases;

/// Text that looks like YAML to a scanner.
const SOUP: &str = "([ab1]|[ab1]|: |:|\n|\n|\n  |\n - |- |  | |#| # |\"|'|\\[|\\]|\\{|\\}|,|\\||>|\\|-|>\\+|\\|2|\t|\r\n|\r|&x|\\*x|!|!!str |~|<<|\\?|\\\\|\\\\n|\\\\u00e9|%|@|---|\\.\\.\\.|\u{85}|\u{2028}|\u{FEFF}|é|😁){0,40}";

const AWKWARD: &str = "(yes|~|null|1e3|0x1|012|1_0|2020-07-24|a|/|:|: | #|#|-|- |\"|'|\\\\|\n| |\t|\r|\u{0}|\u{7f}|\u{85}|\u{a0}|\u{2028}|\u{feff}|\u{fffd}|\u{10ffff}|é|😁|,|\\[|\\]|\\{|\\}|&|\\*|!|\\||>|%|@|`|\\?|=|<<|\\.){0,5}";

fn value() -> impl Strategy<Value = String> {
    prop_oneof![AWKWARD, "\\PC{0,8}", any::<String>()]
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn documents_are_edited_in_place(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        value in value(),
        number in any::<prop::sample::Index>(),
        create in any::<bool>(),
    ) {
        let text = generate::stream(&mut Choices::new(&bytes));
        hold::text(&text);
        let paths = hold::paths(&text, 200);
        if !paths.is_empty() {
            hold::edit(&text, &paths[number.index(paths.len())], &value, create);
        }
    }

    #[test]
    fn soup_is_edited_in_place(text in SOUP, value in value(), path in "(a|b|1|0|\\*|[ab]\\.[ab01])") {
        hold::text(&text);
        let path: FieldPath = path.parse().expect("a path");
        hold::edit(&text, &path, &value, true);
        for path in hold::paths(&text, 20) {
            hold::edit(&text, &path, &value, false);
        }
    }

    #[test]
    fn soup_in_a_string_is_edited_in_place(text in SOUP, value in value()) {
        let outer = format!("a: {}", encode::double_quoted(&text));
        hold::text(&outer);
        for path in hold::paths(&outer, 20) {
            hold::edit(&outer, &path, &value, false);
        }
    }

    #[test]
    fn nothing_panics(text in any::<String>(), path in any::<String>(), value in any::<String>()) {
        hold::text(&text);
        if let Ok(path) = path.parse::<FieldPath>() {
            hold::edit(&text, &path, &value, true);
        }
    }

    #[test]
    fn paths_are_printed_as_they_are_read(path in "([a.\\[\\]=*\\\\0]){1,8}") {
        if let Ok(path) = path.parse::<FieldPath>() {
            prop_assert_eq!(path.to_string().parse::<FieldPath>(), Ok(path));
        }
    }
}

/// Files as users have them.
#[test]
fn test_data_is_decoded_and_edited() {
    let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/testdata").into()];
    let mut written = 0;
    while let Some(folder) = folders.pop() {
        let folder: std::path::PathBuf = folder;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                hold::text(&text);
                // Each edit is verified against the whole text.
                let count = if text.len() > 20_000 { 5 } else { 1000 };
                for path in hold::paths(&text, count) {
                    let outcome = hold::edit(&text, &path, "yes", false);
                    written += usize::from(outcome == Outcome::Written);
                }
            }
        }
    }
    assert!(written > 50, "{written}");
}

/// Refusals are for what cannot be written. Most random edits can be.
#[test]
fn most_edits_are_made() {
    let mut counts = [0_usize; 3];
    let mut seed = 1_u32;
    let mut parsed = 0;
    for _ in 0..300 {
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()[0]
        };
        let bytes: Vec<u8> = (0..200).map(|_| next()).collect();
        let text = generate::stream(&mut Choices::new(&bytes));
        parsed += usize::from(Stream::parse(&text).is_ok());
        for path in hold::paths(&text, 200) {
            counts[match hold::edit(&text, &path, "projects/1/models/TCN5", false) {
                Outcome::NoPlace => 0,
                Outcome::Refused => 1,
                Outcome::Written => 2,
            }] += 1;
        }
    }
    let [no_place, refused, written] = counts;
    println!("{parsed} of 300 are YAML; {written} written, {refused} refused, {no_place} no place");
    assert!(parsed > 200, "{parsed} of 300 generated texts are YAML");
    assert!(
        refused * 4 < written,
        "{refused} refused, {written} written"
    );
}
