//! `modelsync pr` where it makes its temporary repository: missing, not to be written to, or full.

use std::path::Path;

use crate::cli::Run;
use crate::harness::git_project::{Pr, Project, catalog, config_map};
use crate::harness::skipped;

const BRANCH: &str = "modelsync/bot";

/// A run that proposes, in a directory for what is temporary.
fn run(project: &Project, way: &str, temporary: &Path) -> Pr {
    let url = project.url();
    let clone = project.scratch.path().join("clone/package");
    let place = match way {
        "url" => vec!["package", "--repo", &url],
        _ => vec![clone.to_str().unwrap()],
    };
    project
        .pr(&[&place[..], &["--forge=none"]].concat())
        .env("TMPDIR", temporary)
}

/// One sentence, and nothing done.
fn assert_refused(project: &Project, run: &Run, context: &str) {
    let context = format!("{context}: {}", run.stderr);
    assert_eq!(run.code, 1, "{context}");
    assert_eq!(run.stderr.lines().count(), 1, "{context}");
    assert!(run.stderr.starts_with("error: "), "{context}");
    assert!(run.stderr.contains("cannot "), "{context}");
    assert_eq!(run.stdout, "", "{context}");
    assert_eq!(project.repository.branches(), ["main"], "{context}");
}

/// With a directory that can be written to, all is well.
fn assert_converges(project: &Project, way: &str) {
    let temporary = project.scratch.path().join("tmp");
    let run = run(project, way, &temporary).json();
    assert_eq!(run["outcome"], "created", "{way}");
    assert_eq!(project.map(BRANCH), config_map("m2"), "{way}");
    project.repository.git(&["fsck", "--strict"], b"").unwrap();
    let left: Vec<_> = std::fs::read_dir(temporary).unwrap().collect();
    assert!(left.is_empty(), "{way}: {left:?}");
}

#[test]
fn a_directory_that_is_missing_or_closed_is_named() {
    for way in ["url", "clone"] {
        let project = Project::new();
        project.clone_to("clone");
        let scratch = project.scratch.path();
        let file = scratch.join("file");
        std::fs::write(&file, "").unwrap();
        for temporary in [
            scratch.join("missing"),
            file,
            // Not even root makes a directory there.
            Path::new("/proc").to_owned(),
        ] {
            let refused = run(&project, way, &temporary).run();
            let name = temporary.to_str().unwrap();
            assert_refused(&project, &refused, &format!("{way}, {name}"));
            assert!(refused.stderr.contains(name), "{}", refused.stderr);
        }
        assert!(!scratch.join("missing").exists());
        assert_converges(&project, way);
    }
}

/// A file system with room for less and less, so that each of the things that are written is the one
/// that has no room.
#[test]
fn a_directory_that_is_full_is_told() {
    let script = "mount -t tmpfs -o size=\"$1\" none \"$TMPDIR\" && shift && exec \"$@\"";
    let namespace = ["--map-root-user", "--mount", "sh", "-c", script, "sh"];
    let allowed = std::process::Command::new("unshare")
        .args(namespace)
        .args(["4k", "true"])
        .env("TMPDIR", std::env::temp_dir())
        .output();
    if !allowed.is_ok_and(|allowed| allowed.status.success()) {
        return skipped("a mount in a namespace of one's own");
    }
    for way in ["url", "clone"] {
        let project = Project::new();
        project.clone_to("clone");
        // More than fits into the smaller ones, and into no page of a file system.
        let models = format!("{}# {}\n", catalog(2), "x".repeat(20_000));
        project.commit("main", "package/models.yaml", &models);
        let mount = project.scratch.path().join("mount");
        std::fs::create_dir(&mount).unwrap();
        let mut refusals = 0;
        for kilobytes in (4..400).step_by(4) {
            let size = format!("{kilobytes}k");
            let arguments = [&namespace[..], &[&size]].concat();
            let run = run(&project, way, &mount).by("unshare", &arguments).run();
            if run.code == 0 {
                break;
            }
            assert_refused(&project, &run, &format!("{way}, {size}"));
            let said = &run.stderr;
            let is_told = said.contains("No space left") || said.contains("no space is left");
            assert!(is_told && said.contains("TMPDIR"), "{way}, {size}: {said}");
            refusals += 1;
        }
        assert!(refusals >= 3, "{way}: {refusals}");
        assert_eq!(project.map(BRANCH), config_map("m2"), "{way}");
        let name = format!("refs/heads/{BRANCH}");
        let removed = project.repository.git(&["update-ref", "-d", &name], b"");
        removed.unwrap();
        assert_converges(&project, way);
    }
}
