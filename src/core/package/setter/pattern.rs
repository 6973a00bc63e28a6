//! How a field's value is made of setters, and exchanging one of them.

use std::collections::{BTreeMap, BTreeSet};

/// How a field's value is made of setters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub(super) Vec<Segment>);

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Text(String),
    Setter(String),
}

impl Pattern {
    pub(super) fn of_setter(name: &str) -> Self {
        Self(vec![Segment::Setter(name.to_owned())])
    }

    /// `text-${a}-${b}`, as `# kpt-set:` writes it.
    pub(super) fn of_text(text: &str) -> Self {
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, tail)) = after.split_once('}') else {
                break;
            };
            if !before.is_empty() {
                segments.push(Segment::Text(before.to_owned()));
            }
            segments.push(Segment::Setter(name.trim().to_owned()));
            rest = tail;
        }
        if !rest.is_empty() {
            segments.push(Segment::Text(rest.to_owned()));
        }
        Self(segments)
    }

    /// Whether the value depends on a setter.
    #[must_use]
    pub fn names(&self, setter: &str) -> bool {
        self.0
            .iter()
            .any(|segment| matches!(segment, Segment::Setter(name) if name == setter))
    }

    /// The setter's value inside `scalar`, and `scalar` with `value` in its place. `None` when
    /// `scalar` is not of this pattern, or in more than one way.
    #[must_use]
    pub fn apply(
        &self,
        setter: &str,
        scalar: &str,
        value: &str,
        known: &BTreeMap<String, String>,
    ) -> Option<(String, String)> {
        // Values that are known narrow the ways in which the scalar can be read; but a field that
        // was edited by hand may not agree with them.
        let is_other =
            |segment: &Segment| matches!(segment, Segment::Setter(name) if name != setter);
        let narrowed = Self(
            self.0
                .iter()
                .map(|segment| match segment {
                    Segment::Setter(name) if name != setter && known.contains_key(name) => {
                        Segment::Text(known[name].clone())
                    }
                    other => other.clone(),
                })
                .collect(),
        );
        let only = |pattern: &Self| {
            let mut readings = BTreeSet::new();
            pattern.readings(setter, scalar, &mut Vec::new(), value, &mut readings);
            if readings.len() == 1 {
                readings.pop_first()
            } else {
                None
            }
        };
        only(&narrowed).or_else(|| self.0.iter().any(is_other).then(|| only(self)).flatten())
    }

    /// Collects (old value, new scalar) for each way to read `rest`; two are enough.
    fn readings<'s>(
        &self,
        setter: &str,
        rest: &'s str,
        read: &mut Vec<(&'s str, bool)>,
        value: &str,
        readings: &mut BTreeSet<(String, String)>,
    ) {
        if readings.len() > 1 {
            return;
        }
        let Some(segment) = self.0.get(read.len()) else {
            let mut own = read
                .iter()
                .filter(|(_, is_setter)| *is_setter)
                .map(|(text, _)| *text);
            let first = own.next();
            if let (true, Some(old)) = (rest.is_empty(), first)
                && own.all(|other| other == old)
            {
                let parts = read
                    .iter()
                    .map(|(text, own)| if *own { value } else { text });
                readings.insert((old.to_owned(), parts.collect()));
            }
            return;
        };
        match segment {
            Segment::Text(text) => {
                if let Some(tail) = rest.strip_prefix(text.as_str()) {
                    read.push((&rest[..text.len()], false));
                    self.readings(setter, tail, read, value, readings);
                    read.pop();
                }
            }
            Segment::Setter(name) => {
                let is_last = read.len() + 1 == self.0.len();
                let ends = rest
                    .char_indices()
                    .map(|(index, _)| index)
                    .skip(1)
                    .chain([rest.len()]);
                for end in ends.filter(|end| !is_last || *end == rest.len()) {
                    if end == 0 && !is_last {
                        continue;
                    }
                    read.push((&rest[..end], name == setter));
                    self.readings(setter, &rest[end..], read, value, readings);
                    read.pop();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_their_value() {
        let known = BTreeMap::from([("b".to_owned(), "x-y".to_owned())]);
        for (pattern, scalar, wanted) in [
            ("${a}", "old", Some(("old", "NEW"))),
            ("img:${a}", "img:old", Some(("old", "img:NEW"))),
            ("${b}-${a}", "x-y-old", Some(("old", "x-y-NEW"))),
            ("${c}-${a}", "x-y-old", None),
            ("${c}-${a}", "x-old", Some(("old", "x-NEW"))),
            ("img:${a}", "other:old", None),
            ("${a}/${a}", "o/o", Some(("o", "NEW/NEW"))),
        ] {
            let found = Pattern::of_text(pattern).apply("a", scalar, "NEW", &known);
            let wanted = wanted.map(|(old, new)| (old.to_owned(), new.to_owned()));
            assert_eq!(found, wanted, "{pattern} {scalar}");
        }
    }
}
