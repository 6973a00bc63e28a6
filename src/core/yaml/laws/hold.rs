//! The editor's laws for one text, path and value. The fuzz targets include this file too, so it
//! names the crate from outside.

use std::ops::Range;

use modelsync::core::yaml::decode::Style;
use modelsync::core::yaml::{
    Assignment, Content, FieldPath, Located, NodeId, Site, Splice, Stream, apply, comment, locate,
    lookup, replace,
};

/// What became of one edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The text is not YAML, or the path leads nowhere that may be edited.
    NoPlace,
    /// The editor refused the value.
    Refused,
    /// The value is written.
    Written,
}

/// Checks every law that holds for a text alone.
///
/// # Panics
/// A law is broken.
pub(crate) fn text(text: &str) {
    let Ok(stream) = Stream::parse(text) else {
        return;
    };
    for (id, node) in stream.nodes() {
        assert!(node.span.start <= node.span.end, "{node:?} in {text:?}");
        assert!(
            text.get(node.span.clone()).is_some(),
            "{node:?} in {text:?}"
        );
        if node.scalar().is_some() {
            assert!(
                stream.decoded(text, id).is_some(),
                "{node:?} is not decoded in {text:?}"
            );
        }
    }
    for root in stream.roots() {
        for (id, _) in stream.nodes().take(64) {
            let _ = lookup::path_to(&stream, *root, id);
        }
    }
    for needle in ["#", "a", "{"] {
        for found in comment::find(text, &stream, needle) {
            assert!(text[found.range.clone()].starts_with('#'));
        }
    }
}

/// Checks the two laws of the editor for one edit.
///
/// # Panics
/// A law is broken.
pub(crate) fn edit(text: &str, path: &FieldPath, value: &str, create: bool) -> Outcome {
    let Ok(stream) = Stream::parse(text) else {
        return Outcome::NoPlace;
    };
    let mut outcome = Outcome::NoPlace;
    for (number, root) in stream.roots().iter().enumerate() {
        let Ok(places) = locate(text, &stream, *root, path, create) else {
            continue;
        };
        let old = places.first().and_then(|place| place.value.clone());
        let Some(output) = written(text, &stream, &places, value) else {
            outcome = Outcome::Refused;
            continue;
        };
        outcome = Outcome::Written;
        let again = Stream::parse(&output).expect("law 2: the output is YAML");
        assert_eq!(stream.roots().len(), again.roots().len());
        let root = again.roots()[number];
        let found = locate(&output, &again, root, path, false)
            .unwrap_or_else(|error| panic!("{error} in {output:?} made from {text:?}"));
        for place in &found {
            assert_eq!(
                place.value.as_deref(),
                Some(value),
                "{output:?} from {text:?}"
            );
        }
        let is_replaced = places.iter().all(|place| place.site == Site::Replace);
        if let (true, Some(old)) = (is_replaced, old)
            && places
                .iter()
                .all(|place| place.value.as_ref() == Some(&old))
            && let Some(back) = written(&output, &again, &found, &old)
        {
            Stream::parse(&back).expect("law 2: the way back is YAML");
        }
    }
    outcome
}

/// Writes one value to places and checks the result; `None` when the editor refuses.
fn written(text: &str, stream: &Stream, places: &[Located], value: &str) -> Option<String> {
    let assignments: Vec<_> = places
        .iter()
        .map(|place| Assignment::new(place, value))
        .collect();
    let splices = replace(text, stream, &assignments).ok()?;
    let output = apply(text, &splices);
    law_1(text, stream, places, &splices, &output);
    let after = Stream::parse(&output).expect("law 2: the output is YAML");
    law_2(text, stream, &output, &after, places, value);
    Some(output)
}

/// The output is the input with the splices' ranges exchanged, and those lie in the targets.
fn law_1(text: &str, stream: &Stream, places: &[Located], splices: &[Splice], output: &str) {
    let mut from = 0;
    let mut rest = output;
    for splice in splices {
        let kept = &text[from..splice.range.start];
        rest = rest
            .strip_prefix(kept)
            .expect("law 1: bytes between splices");
        rest = rest.strip_prefix(&*splice.text).expect("law 1: the splice");
        from = splice.range.end;
        let is_inside = |place: &Located| {
            let node = stream.node(place.nodes[0]);
            let inside = |span: &Range<usize>| {
                span.start <= splice.range.start && splice.range.end <= span.end
            };
            match place.site {
                Site::Replace => inside(&node.span),
                // Beside what is there.
                Site::Fill | Site::Insert(_) if place.nodes.len() == 1 => {
                    splice.range.is_empty() || inside(&node.span)
                }
                Site::Fill | Site::Insert(_) => inside(&node.span),
            }
        };
        assert!(
            places.iter().any(is_inside),
            "law 1: {splice:?} outside of the targets in {text:?}"
        );
    }
    assert_eq!(rest, &text[from..], "law 1: bytes after the last splice");
}

/// Parsed, the output differs from the input at the targets alone.
fn law_2(
    text: &str,
    stream: &Stream,
    output: &str,
    after: &Stream,
    places: &[Located],
    value: &str,
) {
    if places
        .iter()
        .any(|place| matches!(place.site, Site::Insert(_)))
    {
        return;
    }
    let chains: Vec<&[NodeId]> = places.iter().map(|place| &*place.nodes).collect();
    differs_at(text, stream, output, after, &chains, value);
}

fn differs_at(
    text: &str,
    before: &Stream,
    output: &str,
    after: &Stream,
    chains: &[&[NodeId]],
    value: &str,
) {
    assert_eq!(
        before.nodes().count(),
        after.nodes().count(),
        "law 2: {output:?}"
    );
    for ((id, old), (_, new)) in before.nodes().zip(after.nodes()) {
        assert_eq!(old.tag, new.tag, "law 2: {output:?}");
        assert_eq!(old.anchored, new.anchored, "law 2: {output:?}");
        let here: Vec<&[NodeId]> = chains
            .iter()
            .filter(|chain| chain[0] == id)
            .map(|chain| &chain[1..])
            .collect();
        match here.first() {
            None => assert_eq!(old.content, new.content, "law 2: {output:?} from {text:?}"),
            Some([]) => assert_eq!(new.scalar(), Some(value), "law 2: {output:?}"),
            Some(_) => {
                let (Some(old), Some(new)) = (old.scalar(), new.scalar()) else {
                    panic!("law 2: no string around the target in {output:?}");
                };
                let before = Stream::parse(old).expect("law 2: the inner input");
                let after = Stream::parse(new).expect("law 2: the inner output");
                differs_at(old, &before, new, &after, &here, value);
            }
        }
    }
}

/// Paths to the scalars of the first document, documents in strings included.
pub(crate) fn paths(text: &str, limit: usize) -> Vec<FieldPath> {
    let mut found = Vec::new();
    collect(text, "", 0, limit, &mut found);
    found.iter().filter_map(|path| path.parse().ok()).collect()
}

fn collect(text: &str, prefix: &str, depth: usize, limit: usize, found: &mut Vec<String>) {
    let Ok(stream) = Stream::parse(text) else {
        return;
    };
    let Some(root) = stream.roots().first() else {
        return;
    };
    let mut open = vec![(*root, prefix.to_owned())];
    while let Some((id, path)) = open.pop() {
        if found.len() >= limit {
            return;
        }
        let below = |step: &str| {
            if path.is_empty() {
                step.to_owned()
            } else {
                format!("{path}.{step}")
            }
        };
        match &stream.node(id).content {
            Content::Mapping { entries, .. } => {
                for (key, value) in entries {
                    let key = stream.node(*key).scalar().unwrap_or_default();
                    let step = modelsync::core::yaml::Step::Key(key.to_owned());
                    open.push((*value, below(&step.to_string())));
                }
            }
            Content::Sequence { items, .. } => {
                for (number, item) in items.iter().enumerate() {
                    open.push((*item, below(&number.to_string())));
                }
            }
            Content::Scalar { value, style } => {
                found.push(path.clone());
                let may_hold = *style != Style::Plain || value.contains(':');
                if depth < 3 && may_hold && value.len() > 2 {
                    collect(value, &path, depth + 1, limit, found);
                }
            }
            Content::Alias(_) => found.push(path.clone()),
        }
    }
}
