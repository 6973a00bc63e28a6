//! The models that one source reported, and when.

use jiff::Timestamp;

use super::Model;

/// All models of one source. A source that could not read every page gives no listing at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The models, in the source's order, which means nothing.
    pub models: Vec<Model>,
    /// When the source was read. Ages are measured at this time, so that a catalog gives the same
    /// answer whenever it is read.
    pub observed_at: Option<Timestamp>,
    /// Where the models come from, for messages: `ModelCatalog label-bot-models (models.yaml)`.
    pub origin: String,
}

impl Listing {
    /// Finds the model with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }
}
