//! Figures of evaluations, for people.

/// A figure with four decimals at most, and in short where it is huge or tiny.
pub(super) fn figure(value: f64) -> String {
    let size = value.abs();
    // What four decimals would show as nothing, and what nobody counts the digits of.
    if size != 0.0 && !(5e-5..1e9).contains(&size) {
        let text = format!("{value:.3e}");
        return match text.split_once('e') {
            Some((digits, exponent)) => format!("{}e{exponent}", without_zeros(digits)),
            None => text,
        };
    }
    let text = format!("{value:.4}");
    without_zeros(&text).to_owned()
}

fn without_zeros(decimals: &str) -> &str {
    decimals.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (value, expected) in [
            (0.0, "0"),
            (0.72, "0.72"),
            (1.0, "1"),
            (-0.12345, "-0.1235"),
            (0.000_05, "0.0001"),
            (0.000_012, "1.2e-5"),
            (-5e-324, "-4.941e-324"),
            (1200.0, "1200"),
            (123_456_789.0, "123456789"),
            (1e300, "1e300"),
            (-1.234_56e9, "-1.235e9"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(figure(value), expected);
        }
    }
}
