//! `modelsync pr`: what is proposed, what is left alone, and what is said of it.

use crate::harness::git_project::{CONFIG, Project, TOKEN, catalog, config_map};
use crate::label_bot::{NEW, OLD, copy, tree};
use crate::pr_forges::{self, Forge, Kind};

const BRANCH: &str = "modelsync/bot";

#[test]
fn proposes_once_and_then_has_nothing_to_do() {
    let project = Project::new();
    let github = project.github();
    let flags = ["--label=models", "--reviewer=alice", "--assignee=bob"];
    let first = project.pr_with(&github, &flags).json();
    assert_eq!(first["outcome"], "created");
    assert_eq!(first["branch"], BRANCH);
    assert_eq!(first["model"], "m2");
    assert_eq!(first["previousModel"], "m1");
    let pulls = github.state().open_pulls();
    assert_eq!(pulls.len(), 1);
    let pull = &pulls[0];
    assert_eq!(pull.title, "bot: update the model to m2");
    assert!(pull.labels.contains("models"));
    assert!(pull.assignees.contains("bob"));
    assert!(pull.asked_users.contains("alice"));
    assert_eq!(project.map(BRANCH), config_map("m2"));
    let id = project.repository.branch(BRANCH);
    assert_eq!(first["commit"].as_str(), id.as_deref());
    // Nothing else changed, and the commit is on the base.
    let names = ["diff", "--name-only", "main", BRANCH];
    assert_eq!(project.repository.line(&names).unwrap(), "package/map.yaml");
    let message = project
        .repository
        .line(&["log", "-1", "--format=%B", BRANCH]);
    insta::assert_snapshot!(message.unwrap(), @"
    bot: update the model to m2

    was m1
    chose m2 (created 2020-02-01T00:00:00Z), newest of 2 models

    Model: m2
    Previous-Model: m1
    Model-Create-Time: 2020-02-01T00:00:00Z
    Source: ModelCatalog models
    Config: bot
    Package: package
    ");
    github.no_faults();
    for _ in 0..20 {
        let again = project.pr_with(&github, &flags).json();
        assert_eq!(again["outcome"], "unchanged");
        assert_eq!(again["pullRequest"], first["pullRequest"]);
        assert_eq!(again["commit"], first["commit"]);
    }
    assert_eq!(github.writes(), 0);
    assert_eq!(project.repository.branch(BRANCH), id);
}

#[test]
fn follows_the_newest_model_and_keeps_what_people_wrote() {
    let project = Project::new();
    let github = project.github();
    project.pr_with(&github, &[]).json();
    {
        let mut state = github.state();
        let pull = &mut state.pulls[0];
        pull.title = "Please look at this".to_owned();
        pull.body = format!("Mine.\n\n{}\nMine too.", pull.body);
    }
    github.no_faults();
    project.pr_with(&github, &[]).json();
    assert_eq!(github.writes(), 0, "people's words are theirs");
    project.commit("main", "package/models.yaml", &catalog(3));
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(run["outcome"], "updated");
    let pulls = github.state().open_pulls();
    assert_eq!(pulls.len(), 1);
    assert_eq!(pulls[0].title, "bot: update the model to m3");
    assert!(pulls[0].body.starts_with("Mine.\n\n<!-- modelsync begin"));
    assert!(pulls[0].body.trim_end().ends_with("Mine too."));
    assert!(pulls[0].body.contains("`m3`"));
    assert_eq!(project.map(BRANCH), config_map("m3"));
    let parent = project
        .repository
        .line(&["rev-parse", &format!("{BRANCH}^")]);
    assert_eq!(parent, project.repository.branch("main"));
}

#[test]
fn who_cannot_be_assigned_is_told_and_not_written_again() {
    let project = Project::new();
    let github = project.github();
    for _ in 0..2 {
        github.no_faults();
        let run = project.pr_with(&github, &["--assignee=stranger"]).run();
        assert_eq!(run.code, 1);
        assert!(
            run.stderr.contains("stranger cannot be assigned there"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(github.writes(), 0);
    assert_eq!(github.state().open_pulls().len(), 1);
}

#[test]
fn an_extra_that_is_refused_keeps_nothing_else_from_being_done() {
    let project = Project::new();
    let github = project.github();
    let flags = [
        "--assignee=stranger",
        "--reviewer=alice",
        "--label=model",
        "--output=json",
    ];
    let run = project.pr_with(&github, &flags).run();
    assert_eq!(run.code, 1);
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(object["outcome"], "failed");
    assert_eq!(object["reasons"].as_array().unwrap().len(), 1);
    let reason = object["reasons"][0].as_str().unwrap();
    assert!(reason.contains("stranger cannot be assigned"), "{reason}");
    assert!(object["pullRequest"]["url"].is_string(), "{object}");
    let pulls = github.state().open_pulls();
    assert!(pulls[0].asked_users.contains("alice"));
    assert!(pulls[0].labels.contains("model"));
}

#[test]
fn never_replaces_the_commits_of_others() {
    let project = Project::new();
    let github = project.github();
    project.pr_with(&github, &[]).json();
    let theirs = project.commit(BRANCH, "other/note.txt", "a reviewer's fix\n");
    // It says the wanted model: nothing to do.
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(run["outcome"], "unchanged");
    // It does not: refused, in words.
    project.commit("main", "package/models.yaml", &catalog(3));
    let run = project.pr_with(&github, &[]).run();
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains(&format!(
            "the commit {} of octocat <octocat@users.noreply.github.com> is not ours and would be lost",
            &theirs[..12]
        )),
        "{}",
        run.stderr
    );
    assert_eq!(project.repository.branch(BRANCH), Some(theirs));
}

#[test]
fn a_commit_below_ours_is_not_lost_either() {
    let project = Project::new();
    let url = project.url();
    let run = || project.pr(&["package", "--repo", &url, "--forge=none"]);
    run().json();
    // Somebody puts a commit between the base and ours, and leaves ours as it is.
    let ours = project.repository.branch(BRANCH).unwrap();
    let main = project.repository.branch("main").unwrap();
    let change = ("other/work.txt".to_owned(), Some(b"work\n".to_vec()));
    let below = project
        .repository
        .commit_on(Some(&main), &[change], "Somebody's work")
        .unwrap();
    let raw = project
        .repository
        .git(&["cat-file", "commit", &ours], b"")
        .unwrap();
    let raw = String::from_utf8(raw).unwrap().replace(&main, &below);
    let moved = project
        .repository
        .git(
            &["hash-object", "-t", "commit", "-w", "--stdin"],
            raw.as_bytes(),
        )
        .unwrap();
    let moved = String::from_utf8(moved).unwrap();
    project.repository.set_branch(BRANCH, moved.trim());
    let clone = project.clone_to("clone");
    project.commit("main", "package/models.yaml", &catalog(3));
    for run in [
        run().run(),
        project
            .pr(&[clone.join("package").to_str().unwrap(), "--forge=none"])
            .run(),
    ] {
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains(&below[..12]), "{}", run.stderr);
    }
    assert_eq!(
        project.repository.branch(BRANCH).as_deref(),
        Some(moved.trim())
    );
}

#[test]
fn a_branch_that_was_removed_is_made_again() {
    let project = Project::new();
    let run = || project.pr(&["package", "--repo", &project.url(), "--forge=none"]);
    run().json();
    let name = format!("refs/heads/{BRANCH}");
    project
        .repository
        .git(&["update-ref", "-d", &name], b"")
        .unwrap();
    assert_eq!(run().json()["outcome"], "created");
}

#[test]
fn touches_nothing_of_the_clone() {
    let project = Project::new();
    let clone = project.clone_to("clone");
    // The base is ahead of the clone, whose user is in the middle of something.
    project.commit("main", "other/file.txt", "ahead\n");
    std::fs::write(clone.join("other/file.txt"), "in the middle\n").unwrap();
    project.git(&clone, &["config", "user.name", "Somebody"]);
    let listing = |directory: &std::path::Path| {
        let mut seen = Vec::new();
        let mut folders = vec![directory.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    seen.push((path.clone(), std::fs::read(path).unwrap()));
                }
            }
        }
        seen.sort();
        seen
    };
    let before = listing(&clone);
    let package = clone.join("package");
    let run = project
        .pr(&[package.to_str().unwrap(), "--forge=none"])
        .json();
    assert_eq!(run["outcome"], "created");
    assert!(listing(&clone) == before, "the clone was touched");
    assert_eq!(project.map(BRANCH), config_map("m2"));
    assert_eq!(
        project.repository.text(BRANCH, "other/file.txt").unwrap(),
        "ahead\n"
    );
}

#[test]
fn all_ways_to_the_package_make_the_same_tree() {
    let project = Project::new();
    let url = project.url();
    let clone = project.clone_to("clone");
    let shallow = project.scratch.path().join("shallow");
    let arguments = ["clone", "-q", "--depth=1", &url, shallow.to_str().unwrap()];
    project.git(project.scratch.path(), &arguments);
    let partial = project.scratch.path().join("partial");
    let arguments = [
        "clone",
        "-q",
        "--filter=blob:none",
        "--no-checkout",
        &url,
        partial.to_str().unwrap(),
    ];
    project.git(project.scratch.path(), &arguments);
    std::fs::create_dir(partial.join("package")).unwrap();
    project.commit("main", "other/file.txt", "ahead\n");
    let config = project.scratch.path().join("set-model.yaml");
    std::fs::write(&config, CONFIG).unwrap();
    let inside = |path: &std::path::Path| path.join("package").to_str().unwrap().to_owned();
    let (clone, shallow, partial) = (inside(&clone), inside(&shallow), inside(&partial));
    let bare = project.repository.path().to_str().unwrap();
    let config = config.to_str().unwrap();
    let ways: [(&str, &[&str]); 9] = [
        ("clone", &[&clone]),
        ("shallow", &[&shallow]),
        ("partial", &[&partial]),
        ("clone-url", &[&clone, "--repo", &url]),
        ("url", &["package", "--repo", &url]),
        ("path", &["./package/", "--repo", bare]),
        ("root", &[".", "--repo", &url]),
        ("config", &["package", "--repo", &url, "--config", config]),
        (
            "config-in-package",
            &["package", "--repo", &url, "--config", "./set-model.yaml"],
        ),
    ];
    let mut trees = std::collections::BTreeSet::new();
    for (name, arguments) in ways {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--forge=none", "--branch", name]);
        let run = project.pr(&arguments).json();
        assert_eq!(run["outcome"], "created", "{name}");
        trees.insert(project.tree(name));
        let parent = project.repository.line(&["rev-parse", &format!("{name}^")]);
        assert_eq!(parent, project.repository.branch("main"), "{name}");
    }
    assert_eq!(trees.len(), 1);
}

#[test]
fn says_why_there_is_nothing_to_propose() {
    let project = Project::new();
    let github = project.github();
    project.commit("main", "package/map.yaml", &config_map("m2"));
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(run["outcome"], "up-to-date");
    assert_eq!(run["branch"], serde_json::Value::Null);
    assert_eq!(
        run["reasons"][0],
        "bot: m2 is current: chose m2 (created 2020-02-01T00:00:00Z), newest of 2 models"
    );
    assert_eq!(github.writes(), 0);
    assert_eq!(project.repository.branches(), ["main"]);
}

#[test]
fn closes_what_nobody_needs_when_asked_to() {
    let project = Project::new();
    let github = project.github();
    project.pr_with(&github, &[]).json();
    project.commit("main", "package/map.yaml", &config_map("m2"));
    project.pr_with(&github, &[]).json();
    assert_eq!(github.state().open_pulls().len(), 1);
    let run = project.pr_with(&github, &["--close-obsolete"]).json();
    assert_eq!(run["outcome"], "up-to-date");
    assert!(github.state().open_pulls().is_empty());
    assert!(github.state().pulls[0].comments[0].contains("nothing is left to change"));
    assert_eq!(project.repository.branches(), ["main"]);
    github.no_faults();
    project.pr_with(&github, &["--close-obsolete"]).json();
    assert_eq!(github.writes(), 0);
}

#[test]
fn a_branch_for_each_model_closes_the_older_ones() {
    let project = Project::new();
    let github = project.github();
    let flags = ["--branch-per-model"];
    let run = project.pr_with(&github, &flags).json();
    assert_eq!(run["branch"], "modelsync/bot-to-m2");
    project.commit("main", "package/models.yaml", &catalog(3));
    let run = project.pr_with(&github, &flags).json();
    assert_eq!(run["outcome"], "created");
    assert_eq!(run["branch"], "modelsync/bot-to-m3");
    let open = github.state().open_pulls();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].head, "modelsync/bot-to-m3");
    assert!(github.state().pulls[0].comments[0].contains("proposes another model"));
    assert_eq!(
        project.repository.branches(),
        ["main", "modelsync/bot-to-m3"]
    );
}

#[test]
fn each_config_has_its_own_proposal() {
    let project = Project::new();
    let github = project.github();
    let second = CONFIG
        .replace("name: bot\nspec", "name: second\nspec")
        .replace("data.model", "data.other");
    project.commit("main", "package/second.yaml", &second);
    project.commit(
        "main",
        "package/map.yaml",
        &format!("{}  other: m1\n", config_map("m1")),
    );
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(run["outcome"], "created");
    assert_eq!(run["proposals"].as_array().unwrap().len(), 2);
    assert_eq!(github.state().open_pulls().len(), 2);
    assert!(project.map(BRANCH).contains("other: m1"));
    assert!(project.map("modelsync/second").contains("model: m1"));
    assert!(project.map("modelsync/second").contains("other: m2"));
    let run = project.pr_with(&github, &["--branch=x"]).run();
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("name one with --config"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_fork_holds_the_branch() {
    let project = Project::new();
    let github = project.github();
    let fork = project.repositories().join("bot/models.git");
    std::fs::create_dir_all(fork.parent().unwrap()).unwrap();
    let arguments = [
        "clone",
        "-q",
        "--bare",
        &project.url(),
        fork.to_str().unwrap(),
    ];
    project.git(project.scratch.path(), &arguments);
    let fork = crate::harness::forge::repository::Repository::at(&fork);
    github
        .state()
        .forks
        .insert("bot/models".to_owned(), fork.clone());
    let url = format!("file://{}", fork.path().display());
    let flags = ["--fork", &url];
    let run = project.pr_with(&github, &flags).json();
    assert_eq!(run["outcome"], "created");
    assert_eq!(project.repository.branches(), ["main"]);
    assert!(fork.branches().contains(&BRANCH.to_owned()));
    assert_eq!(github.state().open_pulls()[0].head_repository, "bot/models");
    assert_eq!(
        project.pr_with(&github, &flags).json()["outcome"],
        "unchanged"
    );
}

#[test]
fn a_broken_template_stops_before_the_push() {
    let project = Project::new();
    let github = project.github();
    for flag in ["--title-template", "--body-template", "--commit-template"] {
        let path = project.scratch.path().join("t.txt");
        std::fs::write(&path, "fine\n{{ modle.name }}\n").unwrap();
        let run = project
            .pr_with(&github, &[flag, path.to_str().unwrap()])
            .run();
        assert_eq!(run.code, 1);
        assert!(
            run.stderr.contains("t.txt:2: undefined value"),
            "{}",
            run.stderr
        );
        assert_eq!(project.repository.branches(), ["main"]);
        assert_eq!(github.writes(), 0);
    }
}

#[test]
fn a_preview_changes_nothing() {
    let project = Project::new();
    let github = project.github();
    let run = project.pr_with(&github, &["--dry-run"]).run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout
            .contains("diff --git a/package/map.yaml b/package/map.yaml")
    );
    assert!(run.stdout.contains("    Config: bot"));
    assert!(
        run.stdout
            .contains("pull request: bot: update the model to m2")
    );
    insta::assert_snapshot!(run.stderr, @"
    bot: would push a new branch modelsync/bot
    bot: would open a pull request from modelsync/bot into main
    ");
    assert_eq!(github.writes(), 0);
    assert_eq!(project.repository.branches(), ["main"]);
}

#[test]
fn results_for_tekton_and_parameters_from_it() {
    let project = Project::new();
    let github = project.github();
    let results = project.scratch.path().join("results");
    std::fs::create_dir(&results).unwrap();
    // Tekton passes what is not set as empty strings.
    let run = project
        .pr_with(
            &github,
            &[
                "--branch=",
                "--base=",
                "--fork=",
                "--model=",
                "--auto-merge=",
            ],
        )
        .env("MODELSYNC_TEKTON_RESULTS", &results)
        .env("MODELSYNC_LABEL", "")
        .env("MODELSYNC_DRAFT", "true")
        .env("MODELSYNC_SIGNOFF", "false")
        .env("MODELSYNC_AUTHOR", "")
        .json();
    let read = |name: &str| std::fs::read_to_string(results.join(name)).unwrap();
    assert_eq!(read("pr-url"), run["pullRequest"]["url"].as_str().unwrap());
    assert_eq!(read("commit"), run["commit"].as_str().unwrap());
    assert_eq!(read("model"), "m2");
    assert!(github.state().open_pulls()[0].is_draft);
}

/// `check --base` has a variable of its own: a pipeline that sets one must not move the other.
#[test]
fn base_and_output_come_from_the_environment() {
    let project = Project::new();
    let main = project.repository.branch("main").unwrap();
    project.repository.set_branch("next", &main);
    let url = project.url();
    let flags = ["package", "--repo", &url, "--forge=none", "--dry-run"];
    let run = |base: &str, output: &str| {
        project
            .pr(&flags)
            .env("MODELSYNC_BASE", "nowhere")
            .env("MODELSYNC_BASE_BRANCH", base)
            .env("MODELSYNC_OUTPUT", output)
            .run()
    };
    let object: serde_json::Value = serde_json::from_str(&run("next", "json").stdout).unwrap();
    assert_eq!(object["base"], "next");
    let blank = run("", "");
    assert_eq!(blank.code, 0, "{}", blank.stderr);
    assert!(blank.stdout.starts_with("commit\n"), "{}", blank.stdout);
    let wrong = run("next", "yaml");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("there are text and json"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn commits_in_the_name_that_was_asked_for() {
    let project = Project::new();
    let url = project.url();
    let key = project.scratch.path().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let signers = project.scratch.path().join("signers");
    std::fs::write(&signers, format!("c@d {public}")).unwrap();
    let config = format!(
        "[gpg]\n\tformat = ssh\n[gpg \"ssh\"]\n\tallowedSignersFile = {}\n",
        signers.display()
    );
    std::fs::write(project.scratch.path().join("home/.gitconfig"), &config).unwrap();
    let arguments = [
        "package",
        "--repo",
        &url,
        "--forge=none",
        "--author=A <a@b>",
        "--committer=C <c@d>",
        "--signoff",
        "--signing-key",
        key.to_str().unwrap(),
    ];
    project
        .pr(&arguments)
        .env("SOURCE_DATE_EPOCH", "1600000000")
        .json();
    let line = project
        .repository
        .line(&["log", "-1", "--format=%an %ae %cn %ce %ct", BRANCH]);
    assert_eq!(line.unwrap(), "A a@b C c@d 1600000000");
    let message = project
        .repository
        .line(&["log", "-1", "--format=%B", BRANCH])
        .unwrap();
    assert!(message.ends_with("Signed-off-by: C <c@d>"), "{message}");
    let branch = project.repository.branch(BRANCH).unwrap();
    let verify = ["verify-commit", &branch];
    project.git(project.repository.path(), &verify);
    let again = project.pr(&arguments).json();
    assert_eq!(again["outcome"], "unchanged");
}

#[test]
fn wrong_input_is_told_in_one_sentence() {
    let project = Project::new();
    let url = project.url();
    let clone = project.clone_to("clone");
    let clone = clone.to_str().unwrap();
    let secret = format!("https://bot:{TOKEN}@127.0.0.1:1/a/b");
    let rows: &[(&[&str], &str)] = &[
        (
            &["package", "--repo", &url, "--base=nowhere"],
            "cannot find the branch nowhere of",
        ),
        (
            &["nowhere", "--repo", &url],
            "cannot find the directory nowhere",
        ),
        (
            &["../x", "--repo", &url],
            "give it from the repository's root",
        ),
        (&["."], "it is in no Git repository; name one with --repo"),
        (
            &[clone, "--remote=upstream"],
            "it has origin; name one with --remote",
        ),
        (
            &["package", "--repo", "/nowhere"],
            "there is no such repository",
        ),
        (
            &["package", "--repo", &secret],
            "the server cannot be reached",
        ),
        (&["other", "--repo", &url], "holds no SetModel"),
        (
            &["package", "--repo", &url, "--branch=a..b"],
            "Git does not allow this name",
        ),
        (
            &["package", "--repo", &url, "--branch=main"],
            "it is the base",
        ),
        (&["package", "--repo", "fd::17"], "no such kind of URL"),
        (
            &["package", "--repo", "ext::sh -c false"],
            "no such kind of URL",
        ),
        (
            &["package", "--repo", "nothing://host/a"],
            "a URL that begins with https://",
        ),
        (&["package", "--repo", &url, "--model=m9"], "m9"),
    ];
    for (arguments, words) in rows {
        let mut all = arguments.to_vec();
        all.push("--forge=none");
        let run = project.pr(&all).run();
        assert_eq!(run.code, 1, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    let run = project.pr(&["package", "--repo", &url]).run();
    assert!(run.stderr.contains("say --forge"), "{}", run.stderr);
    assert_eq!(project.repository.branches(), ["main"]);
}

#[test]
fn wrong_usage_ends_with_2() {
    let project = Project::new();
    let url = project.url();
    let rows: &[(&[&str], &str)] = &[
        (&["--forge=svn"], "svn"),
        (&["--author=nobody"], "write \"Name <address>\""),
        (
            &["--rebase-when=never"],
            "behind-base-branch and conflicted",
        ),
        (
            &["--branch=x", "--branch-per-model"],
            "leave one of them out",
        ),
        (&["--github-app-id=1"], "give --github-app-key"),
        (&["--github-app-key=x"], "give --github-app-id"),
        (
            &["--commit-via=api", "--fork=https://github.com/bot/x"],
            "leave --commit-via or --fork out",
        ),
        (
            &["--commit-via=api", "--forge=none"],
            "leave --commit-via or --forge out",
        ),
        (
            &["--commit-via=api", "--author=A <a@b.c>"],
            "leave --commit-via or --author out",
        ),
    ];
    for (arguments, words) in rows {
        let all = [&["package", "--repo", &url], *arguments].concat();
        let run = project.pr(&all).run();
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
    }
    let run = project.pr(&["--branch=x", "--branch-per-model", "--output=json"]);
    let run = run.run();
    assert_eq!(run.code, 2);
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(object["outcome"], "failed");
    assert_eq!(project.repository.branches(), ["main"]);
}

#[test]
fn a_failure_is_an_object_too() {
    let project = Project::new();
    let url = project.url();
    let run = project
        .pr(&["nowhere", "--repo", &url, "--forge=none", "--output=json"])
        .run();
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(object["outcome"], "failed");
    assert_eq!(project.repository.branches(), ["main"]);
}

#[test]
fn github_makes_the_commit_itself() {
    let project = Project::new();
    let github = project.github();
    let flags = ["--commit-via=api"];
    let run = project.pr_with(&github, &flags).json();
    assert_eq!(run["outcome"], "created");
    assert_eq!(project.map(BRANCH), config_map("m2"));
    let committer = project
        .repository
        .line(&["log", "-1", "--format=%cn", BRANCH]);
    assert_eq!(committer.as_deref(), Some("GitHub"));
    github.no_faults();
    assert_eq!(
        project.pr_with(&github, &flags).json()["outcome"],
        "unchanged"
    );
    assert_eq!(github.writes(), 0);
    project.commit("main", "package/models.yaml", &catalog(3));
    assert_eq!(
        project.pr_with(&github, &flags).json()["outcome"],
        "updated"
    );
    assert_eq!(project.map(BRANCH), config_map("m3"));
    let path = project.repository.path().with_extension("");
    let path = path.to_str().unwrap().trim_matches('/');
    let gitlab = Forge::start(Kind::GitLab, &project, path);
    let flags = ["--commit-via=api", "--branch=x"];
    let refused = pr_forges::run(Kind::GitLab, &project, &gitlab, &project.url(), &flags).run();
    assert!(
        refused.stderr.contains("only GitHub can do that"),
        "{}",
        refused.stderr
    );
}

#[test]
fn the_api_is_not_asked_for_what_it_cannot_do() {
    let project = Project::new();
    let github = project.github();
    // An executable file, which would come out as a plain one.
    let clone = project.clone_to("clone");
    project.git(&clone, &["update-index", "--chmod=+x", "package/map.yaml"]);
    project.git(&clone, &["commit", "-qm", "executable"]);
    project.git(&clone, &["push", "-q", "origin", "HEAD:main"]);
    let run = project.pr_with(&github, &["--commit-via=api"]).run();
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("cannot commit package/map.yaml through"),
        "{}",
        run.stderr
    );
    assert_eq!(github.writes(), 0);
    assert_eq!(project.repository.branches(), ["main"]);
    assert_eq!(project.pr_with(&github, &[]).json()["outcome"], "created");
}

#[test]
fn proposes_what_was_merged_into_the_label_bots_repository() {
    let project = Project::new();
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/label-bot");
    let clone = project.clone_to("clone");
    project.git(&clone, &["checkout", "-q", "--orphan", "bot"]);
    project.git(&clone, &["rm", "-rfq", "."]);
    copy(&data.join("before"), &clone);
    project.git(&clone, &["add", "-A"]);
    project.git(&clone, &["commit", "-qm", "before"]);
    project.git(&clone, &["push", "-q", "origin", "bot"]);
    let config = project.scratch.path().join("config.yaml");
    let text = CONFIG.replace(
        "resource: {kind: ConfigMap, name: bot}\n    field: data.model",
        "setter: automl-model",
    );
    std::fs::write(&config, text).unwrap();
    let models = project.scratch.path().join("models.yaml");
    let text = catalog(2).replace("m1", OLD).replace("m2", NEW);
    std::fs::write(&models, text).unwrap();
    let flags = [
        clone.to_str().unwrap(),
        "--forge=none",
        "--base=bot",
        "--config",
        config.to_str().unwrap(),
        "--catalog",
        models.to_str().unwrap(),
    ];
    assert_eq!(project.pr(&flags).json()["outcome"], "created");
    let result = project.scratch.path().join("result");
    let (url, path) = (project.url(), result.to_str().unwrap());
    project.git(
        project.scratch.path(),
        &["clone", "-q", "-b", BRANCH, &url, path],
    );
    std::fs::remove_dir_all(result.join(".git")).unwrap();
    assert_eq!(tree(&result), tree(&data.join("after")));
}
