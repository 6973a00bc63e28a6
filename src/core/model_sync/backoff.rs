//! Waits that double.

use std::time::Duration;

/// `first`, doubled for each failure after the first, and at most `longest`. No failure, no wait.
#[must_use]
pub fn doubled(first: Duration, longest: Duration, failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else {
        return Duration::ZERO;
    };
    first
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_longest() {
        let waits: Vec<u64> = [0, 1, 2, 3, 7, 8, 40, u32::MAX]
            .into_iter()
            .map(|failures| {
                let minute = Duration::from_secs(60);
                doubled(minute, minute * 60, failures).as_secs() / 60
            })
            .collect();
        assert_eq!(waits, [0, 1, 2, 4, 60, 60, 60, 60]);
    }
}
