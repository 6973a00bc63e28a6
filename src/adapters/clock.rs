//! The time.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;

/// Now, or what `SOURCE_DATE_EPOCH` says, for runs that must be repeatable
/// (<https://reproducible-builds.org/specs/source-date-epoch/>). An empty value says nothing.
///
/// # Errors
/// The variable is not a number of seconds since 1970, or lies after the year 9999, which Git and RFC
/// 3339 cannot write.
pub(crate) fn now() -> anyhow::Result<Timestamp> {
    match std::env::var_os("SOURCE_DATE_EPOCH") {
        Some(seconds) if !seconds.is_empty() => parsed(&seconds.to_string_lossy()),
        _ => Ok(Timestamp::now()),
    }
}

fn parsed(seconds: &str) -> anyhow::Result<Timestamp> {
    let number: Option<i64> = seconds.trim().parse().ok();
    // Git's own check of objects calls times before 1970 a bad date.
    let number = number.filter(|number| *number >= 0);
    let time = number.and_then(|number| Timestamp::from_second(number).ok());
    time.with_context(|| {
        format!(
            "cannot read SOURCE_DATE_EPOCH {seconds:?}: give the seconds since 1970, up to the year \
             9999"
        )
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_seconds_that_git_can_write() {
        let read = |text| parsed(text).map(|time| time.to_string()).ok();
        assert_eq!(read("0").as_deref(), Some("1970-01-01T00:00:00Z"));
        let last_year = Some("9999-12-30T22:00:00Z");
        assert_eq!(read(" 253402207200\n").as_deref(), last_year);
        for text in [
            "-1",
            "1.5",
            "now",
            " ",
            "253402300800",
            "99999999999999999999",
        ] {
            let error = parsed(text).unwrap_err();
            assert_eq!(error.chain().count(), 1);
            assert!(error.to_string().contains("up to the year 9999"), "{error}");
        }
    }
}
