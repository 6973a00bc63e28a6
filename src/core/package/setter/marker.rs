//! What a comment says, in all spellings.

use super::pattern::Pattern;

/// What a comment says, if it is a marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Setter(String),
    Substitution(String),
    /// A setter, or else a substitution.
    Either(String),
    Pattern(Pattern),
    /// Values that stand somewhere in the field.
    Partial(Vec<(String, String)>),
}

/// Reads a comment; `None` when it is no marker.
pub(super) fn parse(comment: &str) -> Option<Marker> {
    const DEFINITIONS: &str = "#/definitions/io.k8s.cli.";
    let text = comment.trim_start_matches('#').trim();
    if let Some(pattern) = text.strip_prefix("kpt-set: ") {
        return Some(Marker::Pattern(Pattern::of_text(pattern.trim())));
    }
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    if let Some(reference) = json.get("$ref").and_then(serde_json::Value::as_str) {
        let (kind, name) = reference.strip_prefix(DEFINITIONS)?.split_once('.')?;
        return match kind {
            "setters" => Some(Marker::Setter(name.to_owned())),
            "substitutions" => Some(Marker::Substitution(name.to_owned())),
            _ => None,
        };
    }
    for key in ["$openapi", "$kpt-set"] {
        if let Some(name) = json.get(key).and_then(serde_json::Value::as_str) {
            return Some(Marker::Either(name.to_owned()));
        }
    }
    let inline = json.get("x-kustomize")?;
    let named = |value: &serde_json::Value| Some(value.get("name")?.as_str()?.to_owned());
    if let Some(setter) = inline.get("setter") {
        return Some(Marker::Setter(named(setter)?));
    }
    let partial = inline
        .get("partialSetters")?
        .as_array()?
        .iter()
        .map(|setter| Some((named(setter)?, setter.get("value")?.as_str()?.to_owned())));
    Some(Marker::Partial(partial.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_spelling() {
        for text in [
            r##"# {"$ref":"#/definitions/io.k8s.cli.setters.m"}"##,
            r##"# {"type":"string","x-kustomize":{"setter":{"name":"m","value":"V"}}}"##,
            r#"# {"type":"string","x-kustomize":{"setBy":"me","setter":{"name":"m","value":"V"}}}"#,
        ] {
            assert_eq!(parse(text), Some(Marker::Setter("m".to_owned())), "{text}");
        }
        for text in [r#"# {"$openapi":"m"}"#, r#"# {"$kpt-set":"m"}"#] {
            assert_eq!(parse(text), Some(Marker::Either("m".to_owned())), "{text}");
        }
        for text in [
            "# kpt-set ${m}",
            "#kpt-set:${m}",
            r#"# {"$imagepolicy": "ns:m"}"#,
            "# m",
            "# {",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
