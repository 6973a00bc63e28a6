//! What is wrong with a package before it is merged: one file per rule, the table of them, and
//! what is done with what they find.

mod base;
mod dangling_reference;
mod disagreeing_targets;
mod downgrade;
mod failed_gate;
mod fix;
mod ineligible_model;
mod invalid_config;
mod invalid_document;
mod malformed_model;
mod old_catalog;
mod oversized_config_map;
mod report;
mod rule;
mod shared_place;
mod stale_model;
mod suppression;
mod unknown_model;
mod unmatched_target;
mod wrong_name_hash;

pub use fix::fix;
pub use report::{Finding, Options, Report, check};
pub use rule::{Facts, Level, RULES, Rule, Subject, rule};
