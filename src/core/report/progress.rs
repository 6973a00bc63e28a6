//! How far something is, on one line.

use std::time::Duration;

use crate::core::policy::duration;

/// How wide a bar is, in columns.
const WIDTH: usize = 20;

/// A bar where the share is known, and the time that has passed.
#[must_use]
pub fn line(what: &str, percent: Option<u8>, since: Duration) -> String {
    let seconds = duration::format(Duration::from_secs(since.as_secs()));
    match percent {
        None => format!("{what} ({seconds})"),
        Some(percent) => {
            let percent = percent.min(100);
            let done = WIDTH * usize::from(percent) / 100;
            let bar = "#".repeat(done) + &".".repeat(WIDTH - done);
            format!("{what} [{bar}] {percent}% ({seconds})")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_the_share() {
        let since = Duration::from_millis(61_900);
        assert_eq!(line("x", None, since), "x (1m1s)");
        assert_eq!(
            line("x", Some(45), since),
            "x [#########...........] 45% (1m1s)"
        );
        assert_eq!(
            line("x", Some(200), Duration::ZERO),
            format!("x [{}] 100% (0s)", "#".repeat(20))
        );
    }
}
