//! Which model may be chosen, and why every other one may not.
//!
//! ```text
//! Listing ─┐
//! Policy ──┼► select ─► Selection { chosen, rejected: each with its Reason, warnings }
//! current ─┘
//! ```

pub mod duration;
mod error;
mod gate;
pub mod order;
mod reason;
mod rules;
mod select;
mod selection;

pub use error::SelectError;
pub use gate::{Gate, GateError, Missing};
pub use reason::Reason;
pub use rules::{Downgrade, Policy};
pub use select::{select, select_unlisted};
pub use selection::{Chosen, Rejected, Selection};
