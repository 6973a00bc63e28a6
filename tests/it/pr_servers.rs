//! `modelsync pr` against real Git servers: HTTP with a password, SSH with a deploy key, hooks that
//! reject or hang, servers that break off.

use std::os::unix::fs::PermissionsExt;

use crate::harness::git_project::{Project, TOKEN, catalog, config_map};
use crate::harness::git_server::{Access, GitServer};

const BRANCH: &str = "modelsync/bot";
const REPOSITORY: &str = "team/models.git";

fn hook(project: &Project, name: &str, script: &str) {
    let path = project.repository.path().join("hooks").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn http_with_the_forges_token() {
    let project = Project::new();
    let Some(server) = GitServer::http(&project.repositories(), TOKEN) else {
        return;
    };
    let github = project.github();
    let (url, forge_url) = (server.url(REPOSITORY), github.url());
    let arguments = [
        "package",
        "--repo",
        &url,
        "--forge=github",
        "--forge-url",
        &forge_url,
    ];
    let run = |token: &str| project.pr(&arguments).env("GITHUB_TOKEN", token);
    assert_eq!(run(TOKEN).json()["outcome"], "created");
    assert_eq!(project.map(BRANCH), config_map("m2"));
    assert_eq!(server.pushes(), 1);
    github.no_faults();
    for _ in 0..20 {
        assert_eq!(run(TOKEN).json()["outcome"], "unchanged");
    }
    assert_eq!((server.pushes(), github.writes()), (1, 0));
    let refused = run("wrong-token").run();
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("does not accept the credentials"),
        "{}",
        refused.stderr
    );
}

#[test]
fn http_with_a_password_in_the_url() {
    let project = Project::new();
    let Some(server) = GitServer::http(&project.repositories(), TOKEN) else {
        return;
    };
    let plain = server.url(REPOSITORY);
    let url = plain.replace("http://", &format!("http://x-access-token:{TOKEN}@"));
    let arguments = ["package", "--repo", &url, "--forge=none"];
    // A git that writes down how it was called: no argument holds the password.
    let bin = project.scratch.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let log = project.scratch.path().join("arguments");
    let path = std::env::var("PATH").unwrap();
    let wrapper = format!(
        "#!/bin/sh\nPATH='{path}'\necho \"$@\" >> '{}'\nexec git \"$@\"\n",
        log.display()
    );
    std::fs::write(bin.join("git"), wrapper).unwrap();
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = project
        .pr(&arguments)
        .env("PATH", format!("{}:{path}", bin.display()))
        .json();
    assert_eq!(run["outcome"], "created");
    let called = std::fs::read_to_string(log).unwrap();
    assert!(called.contains("ls-remote") && called.contains("push"));
    crate::harness::git_project::assert_no_token(&called);
    let refused = project
        .pr(&["package", "--repo", &plain, "--forge=none"])
        .run();
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("or wants some"),
        "{}",
        refused.stderr
    );
    let gone = url.replace("models.git", "nothing.git");
    let refused = project
        .pr(&["package", "--repo", &gone, "--forge=none"])
        .run();
    assert!(
        refused.stderr.contains("no such repository"),
        "{}",
        refused.stderr
    );
}

#[test]
fn ssh_with_a_deploy_key() {
    let project = Project::new();
    let Some(server) = GitServer::ssh(&project.repositories(), Access::ReadWrite) else {
        return;
    };
    let url = server.url(REPOSITORY);
    let ssh = server.ssh_command.clone().unwrap();
    let arguments = ["package", "--repo", &url, "--forge=none"];
    let run = || project.pr(&arguments).env("GIT_SSH_COMMAND", &ssh);
    assert_eq!(run().json()["outcome"], "created");
    for _ in 0..3 {
        assert_eq!(run().json()["outcome"], "unchanged");
    }
    assert_eq!(server.pushes(), 1);
    server.forget_host_key();
    let refused = run().run();
    assert_eq!(refused.code, 1);
    assert!(
        refused
            .stderr
            .contains("the server's host key is not the known one"),
        "{}",
        refused.stderr
    );
}

#[test]
fn ssh_with_a_deploy_key_that_may_only_read() {
    let project = Project::new();
    let Some(server) = GitServer::ssh(&project.repositories(), Access::ReadOnly) else {
        return;
    };
    let url = server.url(REPOSITORY);
    let ssh = server.ssh_command.clone().unwrap();
    let refused = project
        .pr(&["package", "--repo", &url, "--forge=none"])
        .env("GIT_SSH_COMMAND", ssh)
        .run();
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("the deploy key may only read"),
        "{}",
        refused.stderr
    );
}

#[test]
fn hooks_that_reject_are_quoted() {
    let project = Project::new();
    let url = project.url();
    let run = || {
        project
            .pr(&["package", "--repo", &url, "--forge=none"])
            .run()
    };
    hook(
        &project,
        "pre-receive",
        "echo 'No models on Fridays.' >&2; exit 1",
    );
    let refused = run();
    assert_eq!(refused.code, 1);
    insta::assert_snapshot!(refused.stderr.replace(&url, "URL"), @"error: bot: cannot push the branch modelsync/bot to URL: [remote rejected] (pre-receive hook declined) (the server says: No models on Fridays.); satisfy the hook of the server, or ask who runs it");
    assert_eq!(project.repository.branches(), ["main"]);
}

#[test]
fn a_hook_that_hangs_is_not_waited_for() {
    let project = Project::new();
    let url = project.url();
    let marker = project.scratch.path().join("hook-pid");
    hook(
        &project,
        "pre-receive",
        &format!("echo $$ > '{}'; exec sleep 600", marker.display()),
    );
    let arguments = [
        "package",
        "--repo",
        &url,
        "--forge=none",
        "--git-timeout=2s",
    ];
    let refused = project.pr(&arguments).run();
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("git gave no answer within 2s"),
        "{}",
        refused.stderr
    );
    // What it started is gone with it.
    let process = std::fs::read_to_string(marker).unwrap();
    let there = std::path::Path::new("/proc")
        .join(process.trim())
        .join("cmdline");
    let command = std::fs::read(there).unwrap_or_default();
    assert!(!command.starts_with(b"sleep"), "the hook still runs");
}

#[test]
fn a_race_is_lost_and_looked_at_again() {
    let project = Project::new();
    let url = project.url();
    // While the first push is on its way, another run's commit arrives.
    let clone = project.clone_to("clone");
    project.git(&clone, &["checkout", "-q", "-b", BRANCH]);
    std::fs::write(clone.join("package/map.yaml"), config_map("m2")).unwrap();
    project.git(
        &clone,
        &[
            "commit",
            "-qam",
            "bot\n\nAnother run\n\nConfig: bot\nPackage: package",
        ],
    );
    let theirs = project.git(&clone, &["rev-parse", "HEAD"]);
    project.git(
        &clone,
        &["push", "-q", "origin", &format!("{theirs}:refs/keep/other")],
    );
    let once = project.scratch.path().join("once");
    hook(
        &project,
        "pre-receive",
        &format!(
            "[ -e '{once}' ] && exit 0; touch '{once}'; unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES; git update-ref refs/heads/{BRANCH} {theirs}",
            once = once.display()
        ),
    );
    let run = project
        .pr(&["package", "--repo", &url, "--forge=none"])
        .json();
    assert_eq!(run["outcome"], "unchanged");
    assert_eq!(project.repository.branch(BRANCH), Some(theirs));
}

#[test]
fn a_server_that_breaks_off_is_told_and_survived() {
    let project = Project::new();
    let Some(server) = GitServer::http(&project.repositories(), TOKEN) else {
        return;
    };
    let url = server
        .url(REPOSITORY)
        .replace("http://", &format!("http://x-access-token:{TOKEN}@"));
    let run = || {
        project
            .pr(&["package", "--repo", &url, "--forge=none"])
            .run()
    };
    // Every request after the first, in turn: the backend dies without an answer.
    for step in ["git-upload-pack", "git-receive-pack"] {
        server.set_fault(&format!(
            "case \"$PATH_INFO\" in */{step}) kill -9 $$;; esac"
        ));
        let broken = run();
        assert_eq!(broken.code, 1, "{step}: {}", broken.stderr);
        assert!(broken.stderr.starts_with("error: "), "{}", broken.stderr);
        assert_eq!(broken.stderr.lines().count(), 1, "{}", broken.stderr);
    }
    server.set_fault("");
    assert_eq!(run().code, 0);
    assert_eq!(project.map(BRANCH), config_map("m2"));
    project.commit("main", "package/models.yaml", &catalog(3));
    assert_eq!(run().code, 0);
    assert_eq!(project.map(BRANCH), config_map("m3"));
}
