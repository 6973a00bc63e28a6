//! On how many random inputs the laws of this layer are tried.

#![expect(
    clippy::disallowed_methods,
    reason = "a test reads the number of cases"
)]

use proptest::test_runner::Config;

/// So many, unless `PROPTEST_CASES` says how many.
pub(super) fn cases(normal: u32) -> Config {
    let cases = std::env::var("PROPTEST_CASES");
    Config {
        cases: cases
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(normal),
        failure_persistence: None,
        ..Config::default()
    }
}
