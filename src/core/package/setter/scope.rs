//! Where the values of setters are stored.

use std::collections::{BTreeMap, BTreeSet};

use super::pattern::{Pattern, Segment};
use crate::core::krm::{Resource, join};
use crate::core::package::{Layout, Package, PartId};
use crate::core::yaml::{Located, NodeId, Position, Site, Stream, lookup::path_to};

/// A package (kpt's sense: a directory with a Kptfile) and the setter values it stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its directory.
    pub directory: String,
    /// Where each setter's value is stored; a kpt 1.0 package may do so in several places.
    pub stored: BTreeMap<String, Vec<Stored>>,
    pub(super) substitutions: BTreeMap<String, Substitution>,
}

/// A stored value of a setter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The text it is in.
    pub part: PartId,
    /// Where in that text.
    pub place: Located,
    /// Whether the definition allows only listed values.
    pub has_enum: bool,
}

/// A value made of several setters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Substitution {
    pattern: String,
    /// Marker in the pattern, and the definition it stands for.
    values: Vec<(String, String)>,
}

impl Scope {
    /// The values that are stored, by setter.
    pub(super) fn known(&self) -> BTreeMap<String, String> {
        let values = self.stored.iter().filter_map(|(name, stored)| {
            Some((name.clone(), stored.first()?.place.value.clone()?))
        });
        values.collect()
    }

    /// A substitution as a pattern of setters; nested ones are resolved.
    pub(super) fn substitution(&self, name: &str, depth: usize) -> Option<Pattern> {
        let substitution = self.substitutions.get(name).filter(|_| depth < 16)?;
        let mut segments = vec![Segment::Text(substitution.pattern.clone())];
        for (marker, reference) in &substitution.values {
            let inner = match reference.rsplit_once("io.k8s.cli.")?.1.split_once('.')? {
                ("setters", name) => Pattern::of_setter(name),
                ("substitutions", name) => self.substitution(name, depth + 1)?,
                _ => return None,
            };
            segments = segments
                .into_iter()
                .flat_map(|segment| match segment {
                    Segment::Text(text) if text.contains(marker.as_str()) => {
                        split_at(&text, marker, &inner)
                    }
                    other => vec![other],
                })
                .collect();
        }
        segments.retain(|segment| !matches!(segment, Segment::Text(text) if text.is_empty()));
        Some(Pattern(segments))
    }
}

fn split_at(text: &str, marker: &str, inner: &Pattern) -> Vec<Segment> {
    let mut segments = Vec::new();
    for (number, piece) in text.split(marker).enumerate() {
        if number > 0 {
            segments.extend(inner.0.iter().cloned());
        }
        segments.push(Segment::Text(piece.to_owned()));
    }
    segments
}

/// Every package that stores setter values.
#[must_use]
pub fn scopes(package: &Package<'_>) -> Vec<Scope> {
    let kptfiles: Vec<_> = package.of_kind("kpt.dev", "Kptfile").collect();
    let scope = |(part, resource): (PartId, &Resource)| {
        let Ok(parsed) = package.part(part).parsed() else {
            return None;
        };
        let mut scope = Scope {
            directory: resource.directory(),
            stored: BTreeMap::new(),
            substitutions: BTreeMap::new(),
        };
        read_definitions(package, part, &parsed.stream, resource, &mut scope);
        read_apply_setters(package, part, &parsed.stream, resource, &mut scope);
        Some(scope)
    };
    kptfiles
        .into_iter()
        .filter_map(|(part, _, resource)| scope((part, resource)))
        .collect()
}

/// v1alpha1: `openAPI.definitions`.
fn read_definitions(
    package: &Package<'_>,
    part: PartId,
    stream: &Stream,
    resource: &Resource,
    scope: &mut Scope,
) {
    let Some(definitions) = stream.get_path(resource.root, &["openAPI", "definitions"]) else {
        return;
    };
    for (key, definition) in stream.entries(definitions) {
        let key = stream.node(*key).scalar().unwrap_or_default();
        let extension = |kind: &str| stream.get_path(*definition, &["x-k8s-cli", kind]);
        if let (Some(name), Some(setter)) =
            (key.strip_prefix("io.k8s.cli.setters."), extension("setter"))
            && let Some(value) = stream.get(setter, "value")
        {
            let has_enum = stream.get(setter, "enumValues").is_some();
            let place = place_of(package.part(part).text(), stream, resource.root, value);
            let stored = Stored {
                part,
                place,
                has_enum,
            };
            scope
                .stored
                .entry(name.to_owned())
                .or_default()
                .push(stored);
        }
        if let (Some(name), Some(substitution)) = (
            key.strip_prefix("io.k8s.cli.substitutions."),
            extension("substitution"),
        ) {
            let values = stream
                .get(substitution, "values")
                .map(|values| stream.items(values));
            let string = |id, key| Some(stream.get_str(id, &[key])?.to_owned());
            let values = values
                .unwrap_or_default()
                .iter()
                .filter_map(|value| Some((string(*value, "marker")?, string(*value, "ref")?)));
            let pattern = string(substitution, "pattern").unwrap_or_default();
            let substitution = Substitution {
                pattern,
                values: values.collect(),
            };
            scope.substitutions.insert(name.to_owned(), substitution);
        }
    }
}

/// v1: the configuration of `apply-setters` in the pipeline, inline or in a file.
fn read_apply_setters(
    package: &Package<'_>,
    part: PartId,
    stream: &Stream,
    resource: &Resource,
    scope: &mut Scope,
) {
    let mutators = stream.get_path(resource.root, &["pipeline", "mutators"]);
    for function in mutators.map(|list| stream.items(list)).unwrap_or_default() {
        let image = stream.get_str(*function, &["image"]).unwrap_or_default();
        let name = image.rsplit('/').next().unwrap_or_default();
        if name.split([':', '@']).next() != Some("apply-setters") {
            continue;
        }
        if let Some(inline) = stream.get(*function, "configMap") {
            store_entries(package, part, stream, resource.root, inline, scope);
        }
        let Some(path) = stream.get_str(*function, &["configPath"]) else {
            continue;
        };
        let wanted = join(&scope.directory, path.trim_start_matches("./"));
        let file_name = path.rsplit('/').next().unwrap_or(path);
        let mut needles = vec!["ConfigMap"];
        if package.layout == Layout::ResourceList {
            needles = vec![file_name];
        }
        for (part, _, parsed) in package.saying(&needles) {
            for resource in parsed
                .resources
                .iter()
                .filter(|other| other.full_path() == wanted)
            {
                if let Some(data) = parsed.stream.get(resource.root, "data") {
                    store_entries(package, part, &parsed.stream, resource.root, data, scope);
                }
            }
        }
    }
}

fn store_entries(
    package: &Package<'_>,
    part: PartId,
    stream: &Stream,
    root: NodeId,
    map: NodeId,
    scope: &mut Scope,
) {
    for (key, value) in stream.entries(map) {
        let Some(name) = stream.node(*key).scalar() else {
            continue;
        };
        let place = place_of(package.part(part).text(), stream, root, *value);
        let stored = Stored {
            part,
            place,
            has_enum: false,
        };
        scope
            .stored
            .entry(name.to_owned())
            .or_default()
            .push(stored);
    }
}

fn place_of(text: &str, stream: &Stream, root: NodeId, id: NodeId) -> Located {
    let node = stream.node(id);
    let is_null = node.is_null();
    Located {
        nodes: vec![id],
        site: if is_null { Site::Fill } else { Site::Replace },
        value: node.scalar().filter(|_| !is_null).map(str::to_owned),
        path: path_to(stream, root, id).unwrap_or_default(),
        position: Position::of(text, node.span.start),
        aliases: node.aliases,
    }
}

/// Names of all setters that markers in the package mention, for messages.
#[must_use]
pub fn names(scopes: &[Scope]) -> BTreeSet<&str> {
    scopes
        .iter()
        .flat_map(|scope| scope.stored.keys().map(String::as_str))
        .collect()
}
