//! From a selection to bytes: which places hold the model id, and the edits that change it.

mod batch;
mod edits;
mod locate;
mod plan;
mod rename;
mod update;

pub use batch::{Batch, Task, configs_in, run};
pub use edits::{Change, FileChange};
pub use locate::{OwnConfig, Place, Places, Refusal, locate};
pub use plan::plan;
pub use update::{Models, Update, choose, listing, update};
