//! The time.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;

/// Now, or what `SOURCE_DATE_EPOCH` says, for runs that must be repeatable
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
///
/// # Errors
/// The variable is not a number of seconds.
pub(crate) fn now() -> anyhow::Result<Timestamp> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => {
            let problem =
                || format!("cannot read SOURCE_DATE_EPOCH {seconds:?}: give seconds since 1970");
            let seconds: i64 = seconds.trim().parse().with_context(problem)?;
            Timestamp::from_second(seconds).with_context(problem)
        }
        Err(_) => Ok(Timestamp::now()),
    }
}

/// The time of this moment, for processes that go on: for them it must not stand still.
pub(crate) fn current() -> Timestamp {
    Timestamp::now()
}

/// The time since the process first asked, which no change of the clock disturbs.
pub(crate) fn elapsed() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
