//! Durations as Go spells them, `1h30m`, with `d` for 24 hours.

use std::time::Duration;

use thiserror::Error;

const UNITS: [(&str, u128); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// The longest duration, which is Go's: about 292 years.
pub const LONGEST: Duration = Duration::from_nanos(i64::MAX.unsigned_abs());

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DurationError {
    /// The text has no digits, or something that is neither number nor unit.
    #[error("{text:?} is not a duration; write for instance 90s, 1h30m or 3d")]
    Malformed {
        /// The text.
        text: String,
    },
    /// A number has no unit.
    #[error("the duration {text:?} has no unit; write for instance {text}s or {text}h")]
    NoUnit {
        /// The text.
        text: String,
    },
    /// A unit is unknown.
    #[error("the duration {text:?} has the unknown unit {unit:?}; use d, h, m, s, ms, us or ns")]
    UnknownUnit {
        /// The text.
        text: String,
        /// The unit.
        unit: String,
    },
    /// The duration is below zero.
    #[error("the duration {text:?} is negative; use 0s or more")]
    Negative {
        /// The text.
        text: String,
    },
    /// The duration is too long.
    #[error("the duration {text:?} is too long; use at most 106751d")]
    TooLong {
        /// The text.
        text: String,
    },
}

/// Reads a duration: `1h30m`, `1.5h`, `90s`, `500ms`, `3d`, `0`.
///
/// # Errors
///
/// When the text is not a duration, is negative, or is longer than Go can hold (about 292 years).
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed {
        text: text.to_owned(),
    };
    let too_long = || DurationError::TooLong {
        text: text.to_owned(),
    };
    let trimmed = text.trim();
    if trimmed.starts_with('-') {
        return Err(DurationError::Negative {
            text: text.to_owned(),
        });
    }
    let mut rest = trimmed.strip_prefix('+').unwrap_or(trimmed);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(malformed());
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (whole, fraction, after) = number(rest).ok_or_else(malformed)?;
        let unit_end = after
            .find(|character: char| character.is_ascii_digit() || character == '.')
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        if unit.is_empty() {
            return Err(match next {
                "" if rest == trimmed => DurationError::NoUnit {
                    text: text.to_owned(),
                },
                _ => malformed(),
            });
        }
        let Some((_, nanoseconds)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(DurationError::UnknownUnit {
                text: text.to_owned(),
                unit: unit.to_owned(),
            });
        };
        total = part(whole, fraction, *nanoseconds)
            .and_then(|part| total.checked_add(part))
            .filter(|total| i64::try_from(*total).is_ok())
            .ok_or_else(too_long)?;
        rest = next;
    }
    let nanoseconds = u64::try_from(total).map_err(|_| too_long())?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// Writes a duration exactly, in the form that [`parse`] reads: `1d2h`, `90ms`, `0s`.
#[must_use]
pub fn format(duration: Duration) -> String {
    const CLOCK: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let mut text = String::new();
    let mut seconds = duration.as_secs();
    for (unit, size) in CLOCK {
        if seconds >= size {
            text.push_str(&format!("{}{unit}", seconds / size));
            seconds %= size;
        }
    }
    let mut nanoseconds = duration.subsec_nanos();
    for (unit, size) in [("ms", 1_000_000), ("us", 1_000), ("ns", 1)] {
        if nanoseconds >= size {
            text.push_str(&format!("{}{unit}", nanoseconds / size));
            nanoseconds %= size;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

/// Splits `1.5h` into the digits before the point, those after it, and what follows.
fn number(text: &str) -> Option<(&str, &str, &str)> {
    let digits_end = |text: &str| {
        text.find(|character: char| !character.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let (whole, rest) = text.split_at(digits_end(text));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits_end(rest)),
        None => ("", rest),
    };
    (!whole.is_empty() || !fraction.is_empty()).then_some((whole, fraction, rest))
}

fn part(whole: &str, fraction: &str, unit: u128) -> Option<u128> {
    let whole: u128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let whole = whole.checked_mul(unit)?;
    // Fifteen decimals of a day are less than a nanosecond.
    let fraction = &fraction[..fraction.len().min(15)];
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: u128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    whole.checked_add(fraction * unit / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_go_durations_and_days() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("0s", 0),
            ("+5s", 5_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("90s", 90_000_000_000),
            ("500ms", 500_000_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("3d", 259_200_000_000_000),
            ("1d12h", 129_600_000_000_000),
            ("7us", 7_000),
            ("7µs", 7_000),
            ("7μs", 7_000),
            ("3ns", 3),
            ("0.3333333333333333333333s", 333_333_333),
            (" 2m ", 120_000_000_000),
            ("106751d", 9_223_286_400_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanoseconds)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for (text, message) in [
            (
                "",
                r#""" is not a duration; write for instance 90s, 1h30m or 3d"#,
            ),
            (
                "soon",
                r#""soon" is not a duration; write for instance 90s, 1h30m or 3d"#,
            ),
            (
                "1h30",
                r#""1h30" is not a duration; write for instance 90s, 1h30m or 3d"#,
            ),
            (
                ".",
                r#""." is not a duration; write for instance 90s, 1h30m or 3d"#,
            ),
            (
                "30",
                r#"the duration "30" has no unit; write for instance 30s or 30h"#,
            ),
            (
                "1w",
                r#"the duration "1w" has the unknown unit "w"; use d, h, m, s, ms, us or ns"#,
            ),
            ("-1h", r#"the duration "-1h" is negative; use 0s or more"#),
            (
                "106752d",
                r#"the duration "106752d" is too long; use at most 106751d"#,
            ),
            (
                "99999999999999999999999999999999999999999h",
                "the duration \"99999999999999999999999999999999999999999h\" is too long; use at \
                 most 106751d",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn formats_what_it_parses() {
        for text in ["0s", "2m", "1h30m", "3d", "1d1h1m1s1ms1us1ns", "106751d"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
        assert_eq!(format(Duration::from_secs(90)), "1m30s");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn reads_back_what_it_formats(nanoseconds in 0..i64::MAX as u64) {
            let duration = Duration::from_nanos(nanoseconds);
            assert_eq!(parse(&format(duration)), Ok(duration));
        }
    }
}
