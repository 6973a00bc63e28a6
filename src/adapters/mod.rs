//! One outside thing each: the clock, files, Git. No policy and no printing.

#![expect(
    clippy::disallowed_methods,
    reason = "adapters are where reaching outside happens"
)]

pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod git;
