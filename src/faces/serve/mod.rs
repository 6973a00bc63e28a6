//! `modelsync serve`: whether something needs to be done, over HTTP.
//!
//! ```text
//! request ─► package (the directory now) ─► config ─► registries (kept, asked once) ─┐
//!                                                                                    ▼
//! NeedsSync (JSON) ◄─────────────────────────────────── core::needs_sync: the decision
//! ```

mod answers;
mod endpoints;
mod metrics;
mod package;
mod registries;
mod server;

pub(crate) use server::{Options, run};
