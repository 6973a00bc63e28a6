//! Does anything need to be done? The questions that a lambda answers, as pure decisions, and their
//! wire form as data. Who asks, and what follows from an answer, is not here.
//!
//! ```text
//! package + config + listing ─► needs_sync ──┐
//! listing + what is training ─► needs_train ─┴► Decision ─► NeedsSync (JSON)
//! ```

mod answer;
mod decide;

pub use answer::{AnswerError, NeedsSync};
pub use decide::{Decision, needs_sync, needs_train};
