//! Scenario tests, in one binary.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests reach outside, and a panic is how they fail"
)]

mod architecture;
mod catalog;
mod check;
mod cli;
mod controller;
mod controller_faults;
mod deploy;
mod edge_cases;
mod function_sources;
mod functions;
mod fuzz;
mod harness;
mod kpt;
mod label_bot;
mod lost_output;
mod models;
mod pr;
mod pr_api_commits;
mod pr_api_only;
mod pr_branches;
mod pr_declined;
mod pr_faults;
mod pr_forges;
mod pr_forks;
mod pr_git;
mod pr_permissions;
mod pr_rebase;
mod pr_servers;
mod pr_several;
mod pr_signing;
mod pr_temporary;
mod pr_trees;
mod pr_wrong_input;
mod quoting;
mod serve;
mod sources;
mod tekton;

#[test]
fn no_test_file_is_forgotten() {
    let listed = include_str!("main.rs");
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    for entry in std::fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        if name.starts_with('.') {
            continue;
        }
        assert!(
            module == "main" || listed.contains(&format!("mod {module};")),
            "{name}"
        );
    }
}
