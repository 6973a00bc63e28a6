//! `modelsync pr`: whose a branch is, and which names a branch may have.

use crate::harness::git_project::{CONFIG, Project, catalog, config_map};

const BRANCH: &str = "modelsync/bot";

/// The same package once more, in another directory.
fn second_package(project: &Project) {
    for (path, text) in [
        ("stage/set-model.yaml", CONFIG.to_owned()),
        ("stage/models.yaml", catalog(2)),
        ("stage/map.yaml", config_map("m1")),
    ] {
        project.commit("main", path, &text);
    }
}

#[test]
fn packages_do_not_take_each_others_branch() {
    let project = Project::new();
    second_package(&project);
    let github = project.github();
    let url = project.url();
    let forge = github.url();
    let run = |package: &str, flags: &[&str]| {
        let mut all = vec![package, "--repo", &url, "--forge=github", "--forge-url"];
        all.push(&forge);
        all.extend(flags);
        let token = crate::harness::git_project::TOKEN;
        project.pr(&all).env("GITHUB_TOKEN", token)
    };
    assert_eq!(run("package", &[]).json()["outcome"], "created");
    let head = project.repository.branch(BRANCH);
    let refused = run("stage", &[]).run();
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains(
            "it is the proposal of the SetModel bot of the package in package; choose another \
             branch with --branch"
        ),
        "{}",
        refused.stderr
    );
    // Nor does it close what is not its own.
    project.commit("main", "stage/map.yaml", &config_map("m2"));
    let run_again = run("stage", &["--close-obsolete"]).json();
    assert_eq!(run_again["outcome"], "up-to-date");
    assert_eq!(run_again["steps"].as_array().unwrap().len(), 0);
    assert_eq!(github.state().open_pulls().len(), 1);
    assert_eq!(project.repository.branch(BRANCH), head);
    // With a branch of its own there is a place for both.
    project.commit("main", "stage/map.yaml", &config_map("m1"));
    let other = run("stage", &["--branch=modelsync/stage"]).json();
    assert_eq!(other["outcome"], "created");
    assert_eq!(github.state().open_pulls().len(), 2);
}

#[test]
fn a_proposal_for_one_base_is_none_for_another() {
    let project = Project::new();
    let github = project.github();
    let release = project.repository.branch("main").unwrap();
    project.repository.set_branch("release", &release);
    project.commit("main", "other/file.txt", "not released\n");
    let run = |base: &str| project.pr_with(&github, &[base]);
    assert_eq!(run("--base=main").json()["outcome"], "created");
    let refused = run("--base=release").run();
    assert_eq!(refused.code, 1);
    for words in ["which release does not have", "--branch"] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    let pulls = github.state().open_pulls();
    assert_eq!(pulls.len(), 1);
    assert_eq!(pulls[0].base, "main");
}

#[test]
fn what_was_taken_back_from_the_base_does_not_come_back() {
    let project = Project::new();
    let github = project.github();
    let good = project.repository.branch("main").unwrap();
    let bad = project.commit("main", "other/file.txt", "bad\n");
    let run = |flags: &[&str]| project.pr_with(&github, flags);
    assert_eq!(run(&[]).json()["outcome"], "created");
    project.repository.set_branch("main", &good);
    for flags in [&[][..], &["--rebase-when=conflicted"]] {
        let refused = run(flags).run();
        assert_eq!(refused.code, 1, "{}", refused.stdout);
        assert!(refused.stderr.contains(&bad[..12]), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("remove the branch"),
            "{}",
            refused.stderr
        );
        assert!(!refused.stderr.contains("merge it"), "{}", refused.stderr);
    }
}

#[test]
fn a_branch_that_is_kept_is_told() {
    let project = Project::new();
    let github = project.github();
    let run = |flags: &[&str]| project.pr_with(&github, flags);
    run(&[]).json();
    let theirs = project.commit(BRANCH, "other/file.txt", "theirs\n");
    project.commit("main", "package/map.yaml", &config_map("m2"));
    let kept = run(&["--close-obsolete"]).json();
    assert_eq!(kept["outcome"], "up-to-date");
    let step = kept["steps"][0].as_str().unwrap();
    assert!(step.starts_with("left the branch modelsync/bot"), "{step}");
    assert!(step.contains(&theirs[..12]), "{step}");
    assert_eq!(project.repository.branch(BRANCH), Some(theirs));
    assert_eq!(github.state().open_pulls().len(), 1);
}

#[test]
fn a_preview_says_what_would_be_closed() {
    let project = Project::new();
    let github = project.github();
    let run = |flags: &[&str]| project.pr_with(&github, flags);
    run(&["--branch-per-model"]).json();
    project.commit("main", "package/models.yaml", &catalog(3));
    github.no_faults();
    let preview = run(&["--branch-per-model", "--dry-run"]).json();
    assert_eq!(github.writes(), 0);
    let done = run(&["--branch-per-model"]).json();
    let steps = |object: &serde_json::Value| -> Vec<String> {
        let steps = object["steps"].as_array().unwrap().iter();
        steps.map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    let (would, did) = (steps(&preview), steps(&done));
    assert_eq!(would.len(), did.len(), "{would:#?}{did:#?}");
    assert!(did.len() > 4, "{did:#?}");
    assert!(
        would.iter().all(|it| it.starts_with("would ")),
        "{would:#?}"
    );
    // The same for what nobody needs any more.
    project.commit("main", "package/map.yaml", &config_map("m3"));
    let flags = ["--branch-per-model", "--close-obsolete", "--dry-run"];
    let preview = steps(&run(&flags).json());
    assert!(
        preview
            .iter()
            .any(|it| it == "would remove the branch modelsync/bot-to-m3"),
        "{preview:#?}"
    );
    assert_eq!(
        project.repository.branches(),
        ["main", "modelsync/bot-to-m3"]
    );
}

#[test]
fn names_that_no_branch_can_have_are_told_before_the_push() {
    let project = Project::new();
    let url = project.url();
    let main = project.repository.branch("main").unwrap();
    project.repository.set_branch("taken/inner", &main);
    let long = format!("--branch={}", "x".repeat(300));
    for (flag, words) in [
        (
            "--branch=taken",
            "there is taken/inner, and Git has no branch inside another",
        ),
        ("--branch=taken/inner/x", "there is taken/inner,"),
        ("--branch=-x", "Git does not allow this name"),
        ("--branch=HEAD", "Git does not allow this name"),
        (long.as_str(), "Git does not allow this name"),
    ] {
        let arguments = ["package", "--repo", &url, "--forge=none", flag];
        let run = project.pr(&arguments).run();
        assert_eq!(run.code, 1, "{flag}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{flag}: {}", run.stderr);
        assert!(run.stderr.contains("with --branch"), "{}", run.stderr);
    }
    assert_eq!(project.repository.branches(), ["main", "taken/inner"]);
    let run = project.pr(&[
        "package",
        "--repo",
        &url,
        "--forge=none",
        "--base=refs/heads/main",
        "--branch=refs/heads/x",
    ]);
    let run = run.json();
    assert_eq!(
        (&run["base"], &run["branch"]),
        (&"main".into(), &"x".into())
    );
    assert_eq!(project.repository.branches(), ["main", "taken/inner", "x"]);
}

#[test]
fn where_no_repository_is_is_told() {
    let project = Project::new();
    let clone = project.clone_to("clone");
    let other = project.scratch.path().join("sha256");
    project.git(
        project.scratch.path(),
        &["init", "-q", "--object-format=sha256", "sha256"],
    );
    let file = clone.join("package/map.yaml");
    for (place, words) in [
        (
            clone.join("typo"),
            "there is no such directory; check the path",
        ),
        (file, "it is a file; give the directory"),
        (other, "its repository cannot be read"),
    ] {
        let run = project.pr(&[place.to_str().unwrap(), "--forge=none"]).run();
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

#[test]
fn a_branch_without_the_package_is_somebodys() {
    let project = Project::new();
    let url = project.url();
    let run = |flags: &[&str]| {
        let arguments = ["package", "--repo", &url, "--forge=none"];
        project.pr(&[&arguments, flags].concat())
    };
    run(&[]).json();
    let clone = project.clone_to("clone");
    project.git(&clone, &["checkout", "-q", BRANCH]);
    project.git(&clone, &["rm", "-qr", "package"]);
    project.git(&clone, &["commit", "-qm", "Another place"]);
    project.git(&clone, &["push", "-q", "origin", BRANCH]);
    for flags in [&[][..], &["--rebase-when=conflicted"]] {
        let refused = run(flags).run();
        assert_eq!(refused.code, 1);
        assert!(
            refused.stderr.contains("is not ours and would be lost"),
            "{}",
            refused.stderr
        );
    }
    // Below, where the package was not there yet.
    let empty = project.repository.branch(BRANCH).unwrap();
    project.repository.set_branch("main", &empty);
    for (path, text) in [
        ("package/set-model.yaml", CONFIG.to_owned()),
        ("package/models.yaml", catalog(2)),
        ("package/map.yaml", config_map("m1")),
    ] {
        project.commit("main", path, &text);
    }
    let again = run(&["--rebase-when=conflicted"]).json();
    assert_eq!(again["outcome"], "updated");
    assert_eq!(project.map(BRANCH), config_map("m2"));
}
