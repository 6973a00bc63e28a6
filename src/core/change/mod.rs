//! From a selection to bytes: which places hold the model id, and the edits that change it.

mod batch;
mod edits;
mod locate;
mod models;
mod plan;
mod rename;
mod update;

pub use batch::{Batch, Task, configs_in, read_configs, run};
pub use edits::{Change, FileChange};
pub use locate::{OwnConfig, Place, Places, Refusal, locate};
pub use models::{ListingError, Models, Question};
pub use plan::{MAX_CONFIG_MAP, data_size, plan};
pub use update::{Update, choose, select_from, update};
