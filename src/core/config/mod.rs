//! What the user asked for: the function configs, and how YAML becomes typed values.

pub mod decode;
mod flat;
mod function_config;
pub mod nearest;
pub(crate) mod resource;
mod set_model;
mod source;
mod target;

pub use decode::{DecodeError, decode};
pub use function_config::FunctionConfig;
pub use resource::{API_VERSION, GROUP};
pub use set_model::{CheckModel, SetModel};
pub use source::{CatalogSource, GoogleSource, MlflowSource, ModelRegistrySource, Source};
pub use target::{ResourceSelector, Target};
