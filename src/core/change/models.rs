//! Where the models of a config come from: a catalog in the package, or listings that the caller
//! brings along.

use std::borrow::Cow;

use crate::core::config::{DecodeError, GROUP, SetModel, Source};
use crate::core::krm::{Resource, ResultItem, Severity};
use crate::core::model::{Listing, ModelCatalog};
use crate::core::package::{Package, PartId};
use crate::core::yaml::Position;

/// Listings that the caller brings, beside the catalogs of the package.
#[derive(Clone, Debug, Default)]
pub struct Models {
    /// Stands for every source.
    pub given: Option<Listing>,
    /// What registries answered, or why they did not.
    pub asked: Vec<(Question, Result<Listing, String>)>,
}

/// What a registry is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The registry; never a catalog.
    pub source: Source,
    /// The policy's display name: what a registry that needs a name lists when the source has none.
    pub display_name: Option<String>,
}

impl Question {
    /// What a config wants to know from a registry; `None` when it names none.
    #[must_use]
    pub fn of(config: &SetModel) -> Option<Self> {
        let source = config
            .source
            .clone()
            .filter(|source| !matches!(source, Source::Catalog(_)))?;
        let display_name = config.policy.display_name.clone();
        Some(Self {
            source,
            display_name,
        })
    }

    /// What some configs want to know from registries, each once.
    #[must_use]
    pub fn all(configs: &[SetModel]) -> Vec<Self> {
        let mut questions = Vec::new();
        for question in configs.iter().filter_map(Self::of) {
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
        questions
    }
}

impl Models {
    /// One listing for every config.
    #[must_use]
    pub fn given(listing: Listing) -> Self {
        Self {
            given: Some(listing),
            asked: Vec::new(),
        }
    }

    /// The listing for a config; `None` when the package has no catalog and the config names no
    /// source.
    ///
    /// # Errors
    /// The catalog is missing, ambiguous or cannot be read; or the registry gave no answer.
    pub fn listing(
        &self,
        package: &Package<'_>,
        config: &SetModel,
    ) -> Result<Option<Cow<'_, Listing>>, ListingError> {
        if let Some(listing) = &self.given {
            return Ok(Some(Cow::Borrowed(listing)));
        }
        let question = Question::of(config);
        let asked = self
            .asked
            .iter()
            .find(|(asked, _)| Some(asked) == question.as_ref());
        match asked {
            Some((_, Ok(listing))) => Ok(Some(Cow::Borrowed(listing))),
            Some((_, Err(message))) => Err(not_here(message.clone())),
            None => Ok(in_package(package, config)?.map(Cow::Owned)),
        }
    }
}

/// Why there is no listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListingError {
    /// It is not in the package, it is not clear which, or the registry did not answer.
    NotHere(Box<ResultItem>),
    /// The catalog is there and cannot be read.
    Invalid(Box<ResultItem>),
}

impl ListingError {
    /// What to say.
    #[must_use]
    pub fn into_item(self) -> ResultItem {
        match self {
            Self::NotHere(item) | Self::Invalid(item) => *item,
        }
    }
}

fn error_item(message: String) -> Box<ResultItem> {
    Box::new(ResultItem::new(Severity::Error, message))
}

fn not_here(message: String) -> ListingError {
    ListingError::NotHere(error_item(message))
}

/// The listing of the catalog that a config names, or of the package's only one; `None` when the
/// package has none and the config names none.
fn in_package(package: &Package<'_>, config: &SetModel) -> Result<Option<Listing>, ListingError> {
    let wanted = match &config.source {
        None => None,
        Some(Source::Catalog(catalog)) => Some(catalog.name.as_str()),
        Some(other) => {
            return Err(not_here(format!(
                "source {} is a registry, which cannot be asked from here; put its models into a \
                 ModelCatalog and name that as the source",
                other.kind()
            )));
        }
    };
    let catalogs: Vec<_> = package.of_kind(GROUP, ModelCatalog::KIND).collect();
    let name = |resource: &Resource| resource.id.name.clone().unwrap_or_default();
    let matching: Vec<_> = catalogs
        .iter()
        .filter(|(_, _, resource)| wanted.is_none_or(|wanted| name(resource) == wanted))
        .collect();
    match (matching.as_slice(), wanted) {
        ([(part, _, resource)], _) => read(package, *part, resource).map(Some),
        ([], None) => match package.broken(ModelCatalog::KIND).next() {
            Some((_, text, error)) => {
                let path = text.path().unwrap_or("an item");
                let message = format!("cannot read {path}:{}: {error}", error.position);
                Err(ListingError::Invalid(error_item(message)))
            }
            None => Ok(None),
        },
        ([], Some(wanted)) if catalogs.is_empty() => Err(not_here(format!(
            "the package has no ModelCatalog {wanted:?}; add it, or give --catalog"
        ))),
        (found, _) => {
            let names: Vec<_> = catalogs
                .iter()
                .map(|(_, _, resource)| name(resource))
                .collect();
            let problem = match (wanted, found.len()) {
                (Some(wanted), 0) => format!("has no ModelCatalog {wanted:?}"),
                (Some(wanted), count) => format!("has {count} ModelCatalogs {wanted:?}"),
                (None, count) => format!("has {count} ModelCatalogs, and the config names none"),
            };
            Err(not_here(format!(
                "the package {problem}; set `source: {{catalog: {{name: …}}}}` to one of {}",
                names.join(", ")
            )))
        }
    }
}

fn read(package: &Package<'_>, part: PartId, resource: &Resource) -> Result<Listing, ListingError> {
    let text = package.part(part).document(resource);
    let path = if resource.path.is_empty() {
        "items"
    } else {
        &resource.path
    };
    match ModelCatalog::from_yaml(&text, path) {
        Ok(mut catalog) => {
            catalog.listing.origin = format!("ModelCatalog {}", catalog.name);
            Ok(catalog.listing)
        }
        Err(error) => {
            let item =
                ResultItem::new(Severity::Error, format!("cannot read the catalog: {error}"));
            Err(ListingError::Invalid(Box::new(located(
                item.about(resource),
                &error,
            ))))
        }
    }
}

/// Puts the place of a decoding error on the result.
pub(super) fn located(item: ResultItem, error: &DecodeError) -> ResultItem {
    let number = |number: Option<u64>| usize::try_from(number?).ok();
    match (number(error.line), number(error.column)) {
        (Some(line), Some(column)) => item.at(Position { line, column }),
        _ => item,
    }
}
