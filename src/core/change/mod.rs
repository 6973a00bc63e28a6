//! From a selection to bytes: which places hold the model id, and the edits that change it.

mod batch;
mod edits;
mod locate;
mod plan;
mod rename;
mod update;

pub use batch::{Batch, Task, configs_in, read_configs, run};
pub use edits::{Change, FileChange};
pub use locate::{OwnConfig, Place, Places, Refusal, locate};
pub use plan::{MAX_CONFIG_MAP, data_size, plan};
pub use update::{ListingError, Models, Update, choose, listing, select_from, update};
