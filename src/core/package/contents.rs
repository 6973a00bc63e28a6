//! Named texts in a fixed order, parsed when someone needs them and not before.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use memchr::memmem::Finder;

use crate::core::krm::{Resource, ResourceId};
use crate::core::yaml::decode::end_of_line;
use crate::core::yaml::{Position, Stream, YamlError};

/// Where the texts came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Each text is an item of a ResourceList; annotations say which file it belongs to.
    ResourceList,
    /// Each text is a file.
    Directory,
}

/// Index of a text in its package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartId(pub usize);

/// One text: a file, or an item of a ResourceList.
#[derive(Debug)]
pub struct Part<'a> {
    /// What is searched; the text but for spaces before it.
    source: Cow<'a, str>,
    /// How many spaces stand before the source.
    column: usize,
    /// The text where that is more than the source. Few items of a long list are ever asked for
    /// it.
    padded: OnceCell<Box<str>>,
    path: Option<String>,
    parsed: OnceCell<Box<Result<Parsed, YamlError>>>,
    has_escapes: OnceCell<bool>,
}

/// A parsed text.
#[derive(Debug)]
pub struct Parsed {
    /// Its nodes.
    pub stream: Stream,
    /// Its documents.
    pub resources: Vec<Resource>,
}

impl<'a> Part<'a> {
    /// A file of a directory.
    #[must_use]
    pub fn file(path: impl Into<String>, text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(Some(path.into()), text.into(), 0)
    }

    /// An item of a ResourceList, as a text of its own.
    #[must_use]
    pub fn item(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(None, text.into(), 0)
    }

    /// An item where it stands in its list: `source` with `column` spaces before it.
    #[must_use]
    pub fn embedded(source: &'a str, column: usize) -> Self {
        Self::new(None, source.into(), column)
    }

    fn new(path: Option<String>, source: Cow<'a, str>, column: usize) -> Self {
        Self {
            source,
            column,
            padded: OnceCell::new(),
            path,
            parsed: OnceCell::new(),
            has_escapes: OnceCell::new(),
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self.column {
            0 => &self.source,
            column => self
                .padded
                .get_or_init(|| format!("{}{}", " ".repeat(column), self.source).into()),
        }
    }

    /// Whether two parts have the same path and text.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.path == other.path && self.text() == other.text())
    }

    /// The path of a file; none for an item.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The text, parsed once.
    ///
    /// # Errors
    /// It is not YAML.
    pub fn parsed(&self) -> Result<&Parsed, &YamlError> {
        self.parsed
            .get_or_init(|| Box::new(self.parse()))
            .as_ref()
            .as_ref()
    }

    fn parse(&self) -> Result<Parsed, YamlError> {
        let stream = Stream::parse(self.text())?;
        let resources = stream.roots().iter().enumerate().map(|(number, root)| {
            let id = ResourceId::of(&stream, *root);
            match &self.path {
                Some(path) => Resource {
                    root: *root,
                    id,
                    package: String::new(),
                    path: path.clone(),
                    index: Some(number),
                },
                None => {
                    let annotation = |names: &[&str]| {
                        names.iter().find_map(|name| {
                            stream.get_str(*root, &["metadata", "annotations", name])
                        })
                    };
                    let path = annotation(&[PATH, LEGACY_PATH]).unwrap_or_default();
                    let index = annotation(&[INDEX, LEGACY_INDEX]);
                    Resource {
                        root: *root,
                        id,
                        package: annotation(&[PACKAGE_PATH]).unwrap_or_default().to_owned(),
                        path: path.to_owned(),
                        index: index.and_then(|index| index.parse().ok()),
                    }
                }
            }
        });
        let resources = resources.collect();
        Ok(Parsed { stream, resources })
    }

    /// One of the text's documents as a text of its own, whose lines and columns are those of the
    /// whole text.
    #[must_use]
    pub fn document(&self, resource: &Resource) -> String {
        let Ok(parsed) = self.parsed() else {
            return String::new();
        };
        let (text, span) = (self.text(), &parsed.stream.node(resource.root).span);
        let place = Position::of(text, span.start);
        let lead = "\n".repeat(place.line - 1) + &" ".repeat(place.column - 1);
        // A last value that is not written leaves its colon behind the span.
        let end = match text[..span.end].ends_with('\n') {
            true => span.end,
            false => end_of_line(text, span.end),
        };
        format!("{lead}{}\n", &text[span.start..end])
    }

    /// Whether the text may say `needle` in some scalar. Never wrong when it says no.
    #[must_use]
    pub fn may_say(&self, needle: &Finder<'_>) -> bool {
        needle.find(self.source.as_bytes()).is_some() || self.has_escapes()
    }

    /// Whether a double-quoted scalar may spell an ordinary character as an escape.
    fn has_escapes(&self) -> bool {
        *self.has_escapes.get_or_init(|| {
            let bytes = self.source.as_bytes();
            let mut slashes = memchr::memchr_iter(b'\\', bytes);
            slashes.any(|index| matches!(bytes.get(index + 1), Some(b'x' | b'u' | b'U')))
        })
    }
}

/// Annotation with an item's file (Resource Identifiers, KRM Functions Specification).
pub const PATH: &str = "internal.config.kubernetes.io/path";
/// The same under its old name; kpt refuses items whose two paths differ.
pub const LEGACY_PATH: &str = "config.kubernetes.io/path";
const INDEX: &str = "internal.config.kubernetes.io/index";
const LEGACY_INDEX: &str = "config.kubernetes.io/index";
const PACKAGE_PATH: &str = "internal.config.kubernetes.io/package-path";

/// The texts of one run.
#[derive(Debug)]
pub struct Package<'a> {
    /// Where they came from.
    pub layout: Layout,
    /// Shared between the states of a run, with what was parsed.
    parts: Vec<Rc<Part<'a>>>,
}

impl<'a> Package<'a> {
    /// A package of texts, whose order decides the order of everything that is reported.
    #[must_use]
    pub fn new(layout: Layout, parts: impl IntoIterator<Item = Part<'a>>) -> Self {
        let parts = parts.into_iter().map(Rc::new).collect();
        Self { layout, parts }
    }

    /// A text.
    #[must_use]
    pub fn part(&self, id: PartId) -> &Part<'a> {
        &self.parts[id.0]
    }

    /// The package with other parts in the places that `replacement` gives one for.
    #[must_use]
    pub fn with(&self, replacement: impl Fn(PartId, &Part<'a>) -> Option<Part<'a>>) -> Self {
        let parts = self.parts.iter().enumerate().map(|(index, part)| {
            replacement(PartId(index), part).map_or_else(|| Rc::clone(part), Rc::new)
        });
        Self {
            layout: self.layout,
            parts: parts.collect(),
        }
    }

    /// All texts.
    pub fn parts(&self) -> impl Iterator<Item = (PartId, &Part<'a>)> {
        self.parts
            .iter()
            .enumerate()
            .map(|(index, part)| (PartId(index), &**part))
    }

    /// The parsed texts that may say one of `needles`. Texts that are not YAML are left out here;
    /// [`broken`](Self::broken) lists them.
    pub fn saying<'p>(
        &'p self,
        needles: &[&str],
    ) -> impl Iterator<Item = (PartId, &'p Part<'a>, &'p Parsed)> + use<'p, 'a> {
        let finders: Vec<_> = needles
            .iter()
            .map(|needle| Finder::new(needle).into_owned())
            .collect();
        self.parts().filter_map(move |(id, part)| {
            let may = finders.iter().any(|finder| part.may_say(finder));
            Some((id, part, may.then(|| part.parsed().ok()).flatten()?))
        })
    }

    /// The texts that say `needle` literally and are not YAML, with what is wrong.
    pub fn broken<'p>(
        &'p self,
        needle: &str,
    ) -> impl Iterator<Item = (PartId, &'p Part<'a>, &'p YamlError)> + use<'p, 'a> {
        let finder = Finder::new(needle).into_owned();
        self.parts().filter_map(move |(id, part)| {
            finder.find(part.source.as_bytes())?;
            Some((id, part, part.parsed().err()?))
        })
    }

    /// All documents of kind `kind` in API group `group`.
    pub fn of_kind<'p>(
        &'p self,
        group: &'p str,
        kind: &'p str,
    ) -> impl Iterator<Item = (PartId, &'p Part<'a>, &'p Resource)> {
        self.saying(&[group]).flat_map(move |(id, part, parsed)| {
            let matching = parsed
                .resources
                .iter()
                .filter(move |resource| resource.id.is(group, kind));
            matching.map(move |resource| (id, part, resource))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_keep_their_places_and_last_colons() {
        let part = Part::file(
            "a.yaml",
            "a: 1\n--- # c\nb:\n  c: # d\n---\ne: |\n  f\n--- 1\n",
        );
        let documents: Vec<String> = part
            .parsed()
            .unwrap()
            .resources
            .iter()
            .map(|resource| part.document(resource))
            .collect();
        assert_eq!(documents[1], "\n\nb:\n  c: # d\n");
        assert_eq!(documents[2], "\n\n\n\n\ne: |\n  f\n\n");
    }
}
