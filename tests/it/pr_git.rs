//! `modelsync pr`: what Git repositories, histories and configurations it meets.

use std::os::unix::fs::PermissionsExt;

use crate::cli::Run;
use crate::harness::git_project::{Project, catalog, config_map};

const BRANCH: &str = "modelsync/bot";

#[test]
fn an_amended_commit_is_not_ours_any_more() {
    let project = Project::new();
    let url = project.url();
    // Long ago, so that amending is later.
    let run = || {
        project
            .pr(&["package", "--repo", &url, "--forge=none"])
            .env("SOURCE_DATE_EPOCH", "1600000000")
    };
    assert_eq!(run().json()["outcome"], "created");
    // In the same name, as on a laptop.
    let clone = project.clone_to("clone");
    project.git(&clone, &["checkout", "-q", BRANCH]);
    std::fs::write(clone.join("other/file.txt"), "a person's work\n").unwrap();
    project.git(&clone, &["commit", "-q", "-a", "--amend", "--no-edit"]);
    project.git(&clone, &["push", "-q", "--force", "origin", BRANCH]);
    let amended = project.repository.branch(BRANCH);
    project.commit("main", "package/models.yaml", &catalog(3));
    let refused = run().run();
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("is not ours and would be lost"),
        "{}",
        refused.stderr
    );
    assert_eq!(project.repository.branch(BRANCH), amended);
}

#[test]
fn commits_of_others_that_were_merged_block_nothing() {
    let project = Project::new();
    let url = project.url();
    let run = || project.pr(&["package", "--repo", &url, "--forge=none"]);
    assert_eq!(run().json()["outcome"], "created");
    project.commit(BRANCH, "other/note.txt", "a reviewer's fix\n");
    let clone = project.clone_to("clone");
    let theirs = format!("origin/{BRANCH}");
    project.git(&clone, &["merge", "-q", "--no-ff", "-m", "Merge", &theirs]);
    project.git(&clone, &["push", "-q", "origin", "main"]);
    project.commit("main", "package/models.yaml", &catalog(3));
    assert_eq!(run().json()["outcome"], "updated");
    assert_eq!(project.map(BRANCH), config_map("m3"));
    // Nor does a branch whose tip is a merge that the base has.
    let clone = project.clone_to("second");
    let theirs = format!("origin/{BRANCH}");
    project.git(&clone, &["merge", "-q", "--no-ff", "-m", "Merge", &theirs]);
    project.git(
        &clone,
        &["push", "-q", "origin", "main", &format!("HEAD:{BRANCH}")],
    );
    project.commit("main", "package/models.yaml", &catalog(4));
    assert_eq!(run().json()["outcome"], "updated");
    assert_eq!(project.map(BRANCH), config_map("m4"));
}

#[test]
fn the_users_own_ssh_command_is_used() {
    let project = Project::new();
    let called = project.scratch.path().join("called");
    // Instead of a connection: the server's side here. Arguments are host and command.
    let script = project.scratch.path().join("my-ssh");
    std::fs::write(
        &script,
        format!(
            "#!/bin/sh\necho called >> '{}'\nfor last; do :; done\nexec sh -c \"$last\"\n",
            called.display()
        ),
    )
    .unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).unwrap();
    let home = project.scratch.path().join("home");
    let command = script.to_str().unwrap();
    project.git(&home, &["config", "--global", "core.sshCommand", command]);
    let url = format!(
        "ssh://git@nowhere.invalid{}",
        project.repository.path().display()
    );
    let run = project.pr(&["package", "--repo", &url, "--forge=none"]);
    assert_eq!(run.json()["outcome"], "created");
    assert!(called.exists());
    assert_eq!(project.map(BRANCH), config_map("m2"));
}

#[test]
fn a_repository_with_sha256_is_told() {
    let project = Project::new();
    let other = project.scratch.path().join("other");
    let path = other.to_str().unwrap();
    let here = project.scratch.path();
    project.git(
        here,
        &["init", "-q", "-b", "main", "--object-format=sha256", path],
    );
    project.git(&other, &["commit", "-q", "--allow-empty", "-m", "Begin"]);
    let refused = project
        .pr(&["package", "--repo", path, "--forge=none"])
        .run();
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("SHA-256"), "{}", refused.stderr);
}

#[test]
fn a_clones_pushurl_is_pushed_to() {
    let project = Project::new();
    let clone = project.clone_to("clone");
    let pushed = project.scratch.path().join("pushed");
    let script = project.scratch.path().join("my-ssh");
    let text = format!(
        "#!/bin/sh\necho >> '{}'\nexec git receive-pack '{}'\n",
        pushed.display(),
        project.repository.path().display()
    );
    std::fs::write(&script, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).unwrap();
    let instead = format!("url.{}.insteadOf", project.url());
    let https = "https://h.invalid/team/models";
    for (key, value) in [
        (instead.as_str(), https),
        ("core.sshCommand", script.to_str().unwrap()),
        ("ssh.variant", "simple"),
        ("remote.origin.url", https),
        ("remote.origin.pushurl", "git@h.invalid:team/models.git"),
    ] {
        project.git(&clone, &["config", key, value]);
    }
    let package = clone.join("package");
    let run = || project.pr(&[package.to_str().unwrap(), "--forge=none"]);
    assert_eq!(run().json()["outcome"], "created");
    assert!(pushed.exists(), "it was pushed to the other URL");
    assert_eq!(run().json()["outcome"], "unchanged");
    // Another repository is no place for the branch, unless it is given as the fork.
    let other = "git@h.invalid:someone/models.git";
    project.git(&clone, &["config", "remote.origin.pushurl", other]);
    let refused = run().run();
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("pushurl names another repository")
            && refused.stderr.contains("--fork"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_fork_that_is_behind_gets_the_branch() {
    let project = Project::new();
    let fork = project.repositories().join("bot/models.git");
    std::fs::create_dir_all(fork.parent().unwrap()).unwrap();
    let path = fork.to_str().unwrap();
    let here = project.scratch.path();
    project.git(here, &["clone", "-q", "--bare", &project.url(), path]);
    project.commit("main", "other/one.txt", "one\n");
    project.commit("main", "other/two/file.txt", "two\n");
    project.commit("main", "other/one.txt", "three\n");
    let (url, fork_url) = (project.url(), format!("file://{path}"));
    let run = || {
        project.pr(&[
            "package",
            "--repo",
            &url,
            "--fork",
            &fork_url,
            "--forge=none",
        ])
    };
    assert_eq!(run().json()["outcome"], "created");
    let fork = crate::harness::forge::repository::Repository::at(&fork);
    assert_eq!(
        fork.text(BRANCH, "package/map.yaml"),
        Some(config_map("m2"))
    );
    assert_eq!(fork.text(BRANCH, "other/one.txt").unwrap(), "three\n");
    fork.git(&["fsck", "--strict"], b"").unwrap();
    assert_eq!(run().json()["outcome"], "unchanged");
    project.commit("main", "package/models.yaml", &catalog(3));
    assert_eq!(run().json()["outcome"], "updated");
    // A reviewer's commit in the fork is seen as well.
    let tip = fork.branch(BRANCH);
    let change = ("other/note.txt".to_owned(), Some(b"fix\n".to_vec()));
    let theirs = fork.commit_on(tip.as_deref(), &[change], "Fix").unwrap();
    fork.set_branch(BRANCH, &theirs);
    assert_eq!(run().json()["outcome"], "unchanged");
    project.commit("main", "package/models.yaml", &catalog(4));
    assert_eq!(run().run().code, 1);
    assert_eq!(fork.branch(BRANCH), Some(theirs));
}

#[test]
fn a_run_that_is_asked_to_end_leaves_nothing_behind() {
    for signal in ["TERM", "INT"] {
        let project = Project::new();
        let url = project.url();
        let scratch = project.scratch.path();
        let (marker, temporary) = (scratch.join("hook-pid"), scratch.join("temporary"));
        std::fs::create_dir(&temporary).unwrap();
        let hook = project.repository.path().join("hooks/pre-receive");
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        let (part, shown) = (marker.with_extension("part"), marker.display());
        let write = format!("echo $$ > '{0}' && mv '{0}' '{shown}'", part.display());
        std::fs::write(&hook, format!("#!/bin/sh\n{write}\nexec sleep 600\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&hook, mode).unwrap();
        let run = project
            .pr(&["package", "--repo", &url, "--forge=none"])
            .env("TMPDIR", &temporary)
            .start();
        let is_there = eventually(|| marker.exists());
        let process = run.id().to_string();
        let asked = std::process::Command::new("kill")
            .args(["-s", signal, &process])
            .status();
        assert!(asked.unwrap().success());
        let Run { code, stderr, .. } = run.wait();
        assert!(is_there, "it never pushed: {stderr}");
        assert_eq!(code, 1, "{stderr}");
        assert!(stderr.contains("asked to end"), "{stderr}");
        let left: Vec<_> = std::fs::read_dir(&temporary).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        let process = std::fs::read_to_string(&marker).unwrap();
        let there = std::path::Path::new("/proc")
            .join(process.trim())
            .join("cmdline");
        let is_gone = || {
            !std::fs::read(&there)
                .unwrap_or_default()
                .starts_with(b"sleep")
        };
        assert!(eventually(is_gone), "the hook still runs");
    }
}

/// Whether something comes true within a minute.
fn eventually(is_true: impl Fn() -> bool) -> bool {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !is_true() {
        if std::time::Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    true
}

#[test]
fn a_signing_program_that_hangs_is_not_waited_for() {
    let project = Project::new();
    let url = project.url();
    let program = project.scratch.path().join("signer");
    std::fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let home = project.scratch.path().join("home/.gitconfig");
    let settings = format!(
        "[gpg]\nformat = ssh\n[gpg \"ssh\"]\nprogram = {}\n",
        program.display()
    );
    std::fs::write(home, settings).unwrap();
    let run = project
        .pr(&[
            "package",
            "--repo",
            &url,
            "--forge=none",
            "--signing-key=key::ssh-ed25519 AAAA",
            "--git-timeout=1s",
        ])
        .run();
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("cannot sign the commit: git gave no answer within 1s"),
        "{}",
        run.stderr
    );
    assert_eq!(project.repository.branches(), ["main"]);
}
