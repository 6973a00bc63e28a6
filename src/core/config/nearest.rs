//! Which known word somebody may have meant.

/// Finds the known word nearest to `word`, when one is near enough to be a slip.
pub fn find<'a, S: AsRef<str>>(word: &str, known: &'a [S]) -> Option<&'a str> {
    let folded = word.to_lowercase();
    known
        .iter()
        .map(|candidate| {
            let candidate = candidate.as_ref();
            (
                strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()),
                candidate,
            )
        })
        // A third of the letters wrong is another word, except that short words may have one slip.
        .filter(|(distance, candidate)| {
            *distance <= (candidate.chars().count().max(folded.chars().count()) / 3).max(1)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Says what may have been meant: `did you mean "x"?`, or else every known word.
pub fn hint<S: AsRef<str>>(word: &str, known: &[S]) -> String {
    match find(word, known) {
        Some(candidate) => format!("did you mean {candidate:?}?"),
        None if known.is_empty() => "none is known here".to_owned(),
        None => format!("known are {}", join(known, "and")),
    }
}

/// Joins words for a sentence: `a, b and c`.
pub fn join<S: AsRef<str>>(words: &[S], conjunction: &str) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_but_not_other_words() {
        let known = ["displayName", "minAge", "pin", "gates"];
        for (word, nearest) in [
            ("displayNme", Some("displayName")),
            ("displayname", Some("displayName")),
            ("display_name", Some("displayName")),
            ("minage", Some("minAge")),
            ("gate", Some("gates")),
            ("pn", Some("pin")),
            ("threshold", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(find(word, &known), nearest, "{word}");
        }
    }

    #[test]
    fn hints_name_all_when_none_is_near() {
        assert_eq!(hint("minage", &["minAge"]), r#"did you mean "minAge"?"#);
        assert_eq!(
            hint("x", &["minAge", "pin", "gates"]),
            "known are minAge, pin and gates"
        );
        assert_eq!(hint("x", &[] as &[&str]), "none is known here");
    }

    #[test]
    fn joins_words() {
        assert_eq!(join(&[] as &[&str], "and"), "");
        assert_eq!(join(&["a"], "and"), "a");
        assert_eq!(join(&["a", "b"], "or"), "a or b");
        assert_eq!(join(&["a", "b", "c"], "or"), "a, b or c");
    }
}
