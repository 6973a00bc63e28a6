//! The `ModelSync` resource and what its controller decides: when to ask, when to start a
//! PipelineRun, which one, and what to report. Nothing here talks to a cluster.
//!
//! ```text
//! ModelSync, its runs, the answer, the time ─► decide ─► delete these, then ask, create or wait
//!                                                    └─► status
//! ```

mod backoff;
mod condition;
mod decide;
mod history;
mod merge_patch;
mod pipeline_run;
pub mod resource;
mod run;
mod template;

pub use backoff::doubled;
pub use condition::{Reason, event};
pub use decide::{Decision, Memory, Observed, Refusal, Step, Unlisted, decide};
pub use merge_patch::merge_patch;
pub use pipeline_run::{MANAGED_BY, NewRun, UID_LABEL};
pub use resource::{ModelSync, ModelSyncStatus};
pub use run::{Run, RunKey};
