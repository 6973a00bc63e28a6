//! What several scenarios need.

pub(crate) mod api_server;
pub(crate) mod controller;
pub(crate) mod lambda;
pub(crate) mod server;

use std::io::Write;

/// Whether a program can be run; says loudly that a test is skipped when not.
pub(crate) fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).any(|directory| directory.join(program).is_file());
    if !found {
        skipped(program);
    }
    found
}

/// Says that a real part is missing; in CI (`MODELSYNC_REQUIRE_ALL`) that is a failure.
pub(crate) fn skipped(what: &str) {
    assert!(
        std::env::var_os("MODELSYNC_REQUIRE_ALL").is_none(),
        "missing: {what}"
    );
    // Not `eprintln!`, which the test runner keeps to itself when the test passes.
    let line = format!("SKIPPED: missing: {what}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
