//! Targets to places: which scalars of a package hold the model id.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobBuilder;

use crate::core::config::{GROUP, ResourceSelector, Target};
use crate::core::krm::{Resource, ResultItem, Severity};
use crate::core::package::setter::{self, Marked, Pattern, Scope, is_within};
use crate::core::package::{Layout, Package, Parsed, Part, PartId, name_hash};
use crate::core::yaml::{FieldPath, Located, LookupError, Obstacle, locate as walk};

/// A scalar that holds the model id, alone or with other text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text it is in.
    pub part: PartId,
    /// The document it is in.
    pub resource: Resource,
    /// Where.
    pub located: Located,
    /// The model id that it holds.
    pub current: Option<String>,
    /// For a field whose value is made of setters: how, and which.
    pattern: Option<(Pattern, String, BTreeMap<String, String>)>,
    /// Whether it is where a setter's value is stored, as against where it is used.
    pub is_stored: bool,
}

impl Place {
    /// What the scalar says when it holds `model`; `None` when its present text does not fit the
    /// pattern of its setters.
    #[must_use]
    pub fn with(&self, model: &str) -> Option<String> {
        match (&self.pattern, &self.located.value) {
            (Some((pattern, setter, known)), Some(value)) => pattern
                .apply(setter, value, model, known)
                .map(|(_, new)| new),
            _ => Some(model.to_owned()),
        }
    }
}

/// Every place of a config's targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The places, in the order of the package.
    pub places: Vec<Place>,
    /// What is worth saying about them.
    pub notes: Vec<ResultItem>,
    /// Targets, or places of targets, that cannot be edited. Nothing may be edited when there is
    /// one.
    pub refusals: Vec<Refusal>,
}

/// Why a target, or one of its places, cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of obstacle.
    pub obstacle: Obstacle,
    /// What to say.
    pub item: ResultItem,
}

impl Places {
    /// The model ids that are in Git now, each once, in the order of the package.
    #[must_use]
    pub fn current(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let current = self.places.iter().filter_map(|place| place.current.clone());
        current.filter(|model| seen.insert(model.clone())).collect()
    }
}

/// The document that the function was configured from, which is never a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnConfig {
    /// Its kind.
    pub kind: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its file.
    pub path: Option<String>,
}

/// Finds the places of all targets, and those that cannot be edited.
#[must_use]
pub fn locate(package: &Package<'_>, targets: &[Target], own: &OwnConfig) -> Places {
    let mut search = Search {
        package,
        own,
        found: Places::default(),
    };
    for target in targets {
        match target {
            Target::Field {
                resource,
                field,
                create,
            } => search.field(resource, field, *create),
            Target::Setter { name, package } => search.setter(name, package.as_deref()),
        }
    }
    let mut found = search.found;
    let mut seen = BTreeSet::new();
    found.places.retain(|place| {
        let site = format!("{:?}", place.located.site);
        seen.insert((place.part, place.located.nodes.clone(), site))
    });
    found
        .places
        .sort_by_key(|place| (place.part, place.located.position));
    found
}

struct Search<'a> {
    package: &'a Package<'a>,
    own: &'a OwnConfig,
    found: Places,
}

type Document<'p> = (PartId, &'p Part<'p>, &'p Parsed, &'p Resource);

impl<'a> Search<'a> {
    fn fail(&mut self, message: String) {
        self.refuse(Obstacle::Missing, ResultItem::new(Severity::Error, message));
    }

    fn refuse(&mut self, obstacle: Obstacle, item: ResultItem) {
        self.found.refusals.push(Refusal { obstacle, item });
    }

    fn field(&mut self, selector: &ResourceSelector, field: &str, create: bool) {
        let path: FieldPath = match field.parse() {
            Ok(path) => path,
            Err(error) => return self.fail(format!("cannot read the target's field: {error}")),
        };
        let documents = match self.documents(selector) {
            Ok(documents) => documents,
            Err(message) => return self.fail(message),
        };
        // A file may hold documents without names: the field tells them apart.
        let by_file = selector.kind.is_none() && selector.name.is_none();
        let mut failures: Vec<(Document<'a>, LookupError)> = Vec::new();
        let mut hits = Vec::new();
        for document in &documents {
            let (_, text, parsed, resource) = *document;
            match walk(text.text(), &parsed.stream, resource.root, &path, create) {
                Ok(located) => hits.push((*document, located)),
                Err(error) => failures.push((*document, error)),
            }
        }
        if by_file && !hits.is_empty() && failures.iter().all(|(_, error)| error.is_missing()) {
            failures.clear();
        }
        let (several, count) = if by_file {
            (hits.len() > 1, hits.len())
        } else {
            (documents.len() > 1, documents.len())
        };
        if several {
            let files: Vec<_> = documents
                .iter()
                .map(|(_, _, _, resource)| format!("{} in {}", resource.id, shown(resource)))
                .collect();
            return self.fail(format!(
                "{count} documents match the target {}: {}; narrow it with namespace or file",
                describe(selector),
                files.join(", ")
            ));
        }
        for ((_, _, parsed, resource), error) in failures {
            let stream = &parsed.stream;
            let only_binary = stream.get(resource.root, "binaryData").is_some()
                && stream.get(resource.root, "data").is_none();
            let hint = if only_binary {
                " (it has only binaryData, which is not text)"
            } else {
                ""
            };
            let message = format!(
                "cannot find field {field} in {}: {}{hint}",
                resource.id, error.message
            );
            let result = ResultItem::new(Severity::Error, message).about(resource);
            let result = result.at(error.position).on_field(field, None, None);
            self.refuse(error.obstacle, result);
        }
        for ((part, _, _, resource), located) in hits {
            for located in located {
                let current = located.value.clone();
                let resource = resource.clone();
                self.add(Place {
                    part,
                    resource,
                    located,
                    current,
                    pattern: None,
                    is_stored: false,
                });
            }
        }
    }

    /// The documents that a selector matches; at least one.
    fn documents(&self, selector: &ResourceSelector) -> Result<Vec<Document<'a>>, String> {
        let glob = match &selector.file {
            None => None,
            Some(file) => {
                let pattern = file.trim_start_matches("./");
                let glob = GlobBuilder::new(pattern).literal_separator(true).build();
                let glob = glob.map_err(|error| {
                    format!("cannot read the target's file {file:?}: {}", error.kind())
                })?;
                Some(glob.compile_matcher())
            }
        };
        let by_path = |path: &str| glob.as_ref().is_none_or(|glob| glob.is_match(path));
        let is_directory = self.package.layout == Layout::Directory;
        let needle = selector.name.as_deref().or(selector.kind.as_deref());
        let needle = needle.unwrap_or_default();
        let mut found = Vec::new();
        for (part, text, parsed) in self.package.saying(&[needle]) {
            if is_directory && !by_path(text.path().unwrap_or_default()) {
                continue;
            }
            for resource in &parsed.resources {
                if matches(selector, resource) && by_path(&resource.path) && !self.is_own(resource)
                {
                    found.push((part, text, parsed, resource));
                }
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let mut broken = self
            .package
            .broken(needle)
            .filter(|(_, text, _)| glob.is_some() && by_path(text.path().unwrap_or_default()));
        if let Some((_, text, error)) = broken.next() {
            let path = text.path().unwrap_or("the item");
            return Err(format!("cannot read {path}:{}: {error}", error.position));
        }
        let candidates = self.candidates(selector);
        let hint = if candidates.is_empty() {
            String::new()
        } else {
            format!("; there are {}", candidates.join(", "))
        };
        Err(format!(
            "no document matches the target {}{hint}",
            describe(selector)
        ))
    }

    /// Documents that the user may have meant: of the same kind, or of the same name.
    fn candidates(&self, selector: &ResourceSelector) -> Vec<String> {
        let needles: Vec<&str> = [&selector.kind, &selector.name]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        if needles.is_empty() {
            return Vec::new();
        }
        let documents = self
            .package
            .saying(&needles)
            .flat_map(|(_, _, parsed)| &parsed.resources);
        let similar = documents.filter(|resource| {
            let same =
                |wanted: &Option<String>, own: &Option<String>| wanted.is_some() && wanted == own;
            resource.id.is_resource()
                && (same(&selector.kind, &resource.id.kind)
                    || same(&selector.name, &resource.id.name))
        });
        similar
            .map(|resource| resource.id.to_string())
            .take(5)
            .collect()
    }

    /// Whether a document configures us, and so is never edited.
    fn is_own(&self, resource: &Resource) -> bool {
        let id = &resource.id;
        let is_config = ["SetModel", "CheckModel", "ModelCatalog"]
            .iter()
            .any(|kind| id.is(GROUP, kind));
        let own = self.own;
        let is_own = own
            .path
            .as_deref()
            .is_some_and(|path| path == resource.path)
            && own.kind == id.kind
            && own.name == id.name;
        is_config || is_own
    }

    fn setter(&mut self, name: &str, within: Option<&str>) {
        let package = self.package;
        let mut broken = false;
        for (_, text, error) in package.broken(name) {
            let path = text.path().unwrap_or("an item");
            let message = format!(
                "cannot read {path}:{}: {error}; it mentions setter {name}",
                error.position
            );
            let says_marker = has_marker(text.text(), name);
            let severity = if says_marker {
                Severity::Error
            } else {
                Severity::Warning
            };
            let mut result = ResultItem::new(severity, message);
            result.file = text.path().map(|path| (path.to_owned(), None));
            if says_marker {
                broken = true;
                self.refuse(Obstacle::Refused, result);
            } else {
                self.found.notes.push(result);
            }
        }
        if broken {
            return;
        }
        let scopes = setter::scopes(package);
        let (mut marked, misplaced) = setter::marked(package, &scopes, name);
        let is_chosen = |directory: &str| {
            within.is_none_or(|within| {
                is_within(directory, within.trim_start_matches("./"))
                    || directory.ends_with(&format!("/{within}"))
            })
        };
        marked.retain(|field| {
            is_chosen(&field.resource.directory()) && !self.is_own(&field.resource)
        });
        let storing: Vec<(usize, &Scope)> = scopes
            .iter()
            .enumerate()
            .filter(|(_, scope)| scope.stored.contains_key(name) && is_chosen(&scope.directory))
            .collect();
        for marker in misplaced {
            self.misplaced(name, &marker);
        }
        if marked.is_empty() && storing.is_empty() {
            let known = setter::names(&scopes);
            let hint = if known.is_empty() {
                "; mark the field with a comment, as in `model: m # kpt-set: ${NAME}`".to_owned()
            } else {
                format!(
                    "; the package has {}",
                    known.into_iter().collect::<Vec<_>>().join(", ")
                )
            };
            return self.fail(format!(
                "no field carries a marker of setter {name:?}{hint}"
            ));
        }
        if let Some(message) = disagreement(name, &storing) {
            return self.fail(message);
        }
        for (_, scope) in &storing {
            self.stored(name, scope);
        }
        if marked.is_empty() {
            self.found.notes.push(ResultItem::new(
                Severity::Warning,
                format!(
                    "no field carries a marker of setter {name:?}; only its stored value is set"
                ),
            ));
        }
        for field in marked {
            self.marked(name, field);
        }
    }

    fn misplaced(&mut self, name: &str, marker: &setter::Misplaced) {
        let Ok(parsed) = self.package.part(marker.part).parsed() else {
            return;
        };
        let severity = if marker.is_bound {
            Severity::Error
        } else {
            Severity::Warning
        };
        let message = format!("the marker of setter {name:?} {}", marker.problem);
        let mut result = ResultItem::new(severity, message).at(marker.position);
        if let Some(resource) = parsed.resources.first() {
            result = result.about(resource);
        }
        if marker.is_bound {
            self.refuse(Obstacle::Refused, result);
        } else {
            self.found.notes.push(result);
        }
    }

    /// Where a package stores the setter's value.
    fn stored(&mut self, name: &str, scope: &Scope) {
        for stored in scope.stored.get(name).into_iter().flatten() {
            let Ok(parsed) = self.package.part(stored.part).parsed() else {
                continue;
            };
            let Some(resource) = parsed.resources.iter().find(|resource| {
                crate::core::yaml::lookup::path_to(
                    &parsed.stream,
                    resource.root,
                    stored.place.nodes[0],
                )
                .is_some()
            }) else {
                continue;
            };
            if stored.has_enum {
                let message = format!(
                    "setter {name:?} allows only listed values (enumValues); set it with `kpt cfg set`"
                );
                let result = ResultItem::new(Severity::Error, message).about(resource);
                self.refuse(Obstacle::Refused, result.at(stored.place.position));
                continue;
            }
            self.add(Place {
                part: stored.part,
                resource: resource.clone(),
                located: stored.place.clone(),
                current: stored.place.value.clone(),
                pattern: None,
                is_stored: true,
            });
        }
    }

    fn marked(&mut self, name: &str, field: Marked) {
        let current = match &field.place.value {
            None => None,
            Some(value) => match field.pattern.apply(name, value, "", &field.known) {
                Some((current, _)) => Some(current),
                None => {
                    let message = format!(
                        "the value {value:?} of {} does not fit the pattern of its setters, so \
                         the part that is {name} is not known; set the field by hand once",
                        field.place.path
                    );
                    let result = ResultItem::new(Severity::Error, message).about(&field.resource);
                    self.refuse(Obstacle::Refused, result.at(field.place.position));
                    return;
                }
            },
        };
        self.add(Place {
            part: field.part,
            resource: field.resource,
            located: field.place,
            current,
            pattern: Some((field.pattern, name.to_owned(), field.known)),
            is_stored: false,
        });
    }

    fn add(&mut self, place: Place) {
        if place.located.aliases > 0 {
            let message = format!(
                "{} is an anchor; {} aliases of it change with it",
                place.located.path, place.located.aliases
            );
            let note = ResultItem::new(Severity::Info, message).about(&place.resource);
            self.found.notes.push(note.at(place.located.position));
        }
        self.found.places.push(place);
    }
}

/// Packages that store different values for one setter: which one is meant?
fn disagreement(name: &str, storing: &[(usize, &Scope)]) -> Option<String> {
    let values: BTreeSet<_> = storing
        .iter()
        .flat_map(|(_, scope)| scope.stored.get(name).into_iter().flatten())
        .map(|stored| stored.place.value.as_deref())
        .collect();
    if values.len() < 2 || storing.len() < 2 {
        return None;
    }
    let directories: Vec<_> = storing
        .iter()
        .map(|(_, scope)| {
            if scope.directory.is_empty() {
                "."
            } else {
                scope.directory.as_str()
            }
        })
        .collect();
    Some(format!(
        "setter {name:?} has different values in the packages {}; name one with `package:`",
        directories.join(", ")
    ))
}

/// Whether a line of a text that is not YAML looks as if it carried a marker.
fn has_marker(text: &str, name: &str) -> bool {
    const SIGNS: [&str; 5] = ["kpt-set", "$openapi", "io.k8s.cli.", "x-kustomize", "$ref"];
    text.lines().any(|line| {
        line.contains('#') && line.contains(name) && SIGNS.iter().any(|sign| line.contains(sign))
    })
}

fn matches(selector: &ResourceSelector, resource: &Resource) -> bool {
    let same = |wanted: &Option<String>, own: &Option<String>| wanted.is_none() || wanted == own;
    let own_name = resource.id.name.as_deref();
    let by_name = selector.name.as_deref().is_none_or(|wanted| {
        own_name == Some(wanted)
            || own_name
                .and_then(name_hash::split)
                .is_some_and(|(base, _)| base == wanted)
    });
    by_name
        && same(&selector.api_version, &resource.id.api_version)
        && same(&selector.kind, &resource.id.kind)
        && same(&selector.namespace, &resource.id.namespace)
}

fn describe(selector: &ResourceSelector) -> String {
    let parts = [
        ("apiVersion", &selector.api_version),
        ("kind", &selector.kind),
        ("name", &selector.name),
        ("namespace", &selector.namespace),
        ("file", &selector.file),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}: {}", value.as_deref()?)))
        .collect();
    format!("{{{}}}", parts.join(", "))
}

fn shown(resource: &Resource) -> String {
    match resource.full_path() {
        path if path.is_empty() => "an unnamed file".to_owned(),
        path => path,
    }
}
