#![no_main]

#[expect(dead_code, reason = "each target uses one entry")]
#[path = "../entry.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::catalog(data));
