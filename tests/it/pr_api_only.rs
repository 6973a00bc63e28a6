//! `modelsync pr --commit-via api`: everything through GitHub's API, where there is no git.

use std::path::Path;

use serde_json::json;

use crate::harness::forge::github::GitHub;
use crate::harness::forge::server::{Answer, Call, Fault, Moment, Server};
use crate::harness::git_project::{CONFIG, Pr, Project, TOKEN, catalog, config_map};
use crate::pr_trees::{Entry, assert_sound, commit, odd_tree};

const BRANCH: &str = "modelsync/bot";

/// A run that finds no program at all.
fn run(project: &Project, github: &Server<GitHub>, flags: &[&str]) -> Pr {
    let flags = [&["--commit-via=api"], flags].concat();
    without_programs(project, project.pr_with(github, &flags))
}

fn without_programs(project: &Project, pr: Pr) -> Pr {
    pr.env("PATH", project.scratch.path().join("home"))
}

/// The same for a package that is elsewhere.
fn run_at(project: &Project, github: &Server<GitHub>, place: &[&str]) -> Pr {
    let forge_url = github.url();
    let forge = ["--forge=github", "--forge-url", &forge_url];
    let flags = [place, &forge, &["--commit-via=api"]].concat();
    without_programs(project, project.pr(&flags).env("GITHUB_TOKEN", TOKEN))
}

fn outcome(run: Pr) -> String {
    run.json()["outcome"].as_str().unwrap().to_owned()
}

/// Proposes, and looks whether git would have made the same tree.
fn is_as_with_git(project: &Project, github: &Server<GitHub>) {
    assert_eq!(outcome(run(project, github, &[])), "created");
    let url = project.url();
    let arguments = ["--repo", &url, "--forge=none", "--branch=by-git"];
    assert_eq!(
        outcome(project.pr(&[&["package"], &arguments[..]].concat())),
        "created"
    );
    assert_eq!(project.tree(BRANCH), project.tree("by-git"));
    let parent = format!("{BRANCH}^");
    let line = |arguments: &[&str]| project.repository.line(arguments);
    assert_eq!(line(&["rev-parse", &parent]), line(&["rev-parse", "main"]));
    assert_eq!(outcome(run(project, github, &[])), "unchanged");
}

fn lines(github: &Server<GitHub>) -> Vec<String> {
    let calls = github.calls();
    let ids = |call: &Call| {
        let path = call.path.iter().map(|part| match part.len() {
            40 => "ID".to_owned(),
            _ => part.clone(),
        });
        let is_whole = call.query.contains_key("recursive");
        let path: Vec<_> = path.collect();
        let query = if is_whole { "?recursive" } else { "" };
        format!("{} {}{query}", call.method, path.join("/"))
    };
    calls.iter().map(ids).collect()
}

#[test]
fn proposes_without_git() {
    let project = Project::new();
    let github = project.github();
    let pushed = without_programs(&project, project.pr_with(&github, &[])).run();
    assert!(
        pushed.stderr.contains("the git program cannot be run"),
        "{}",
        pushed.stderr
    );
    let run = |flags: &[&str]| run(&project, &github, flags);
    assert_eq!(outcome(run(&["--dry-run"])), "created");
    assert_eq!(project.repository.branches(), ["main"]);
    assert_eq!(outcome(run(&[])), "created");
    assert_eq!(project.map(BRANCH), config_map("m2"));
    github.no_faults();
    assert_eq!(outcome(run(&[])), "unchanged");
    assert_eq!(github.writes(), 0);
    assert_eq!(
        lines(&github),
        [
            "GET repos/team/models",
            "GET repos/team/models/branches/main",
            "GET repos/team/models/git/matching-refs/heads/modelsync",
            "GET repos/team/models/git/trees/ID",
            "GET repos/team/models/git/trees/ID?recursive",
            "POST graphql",
            "GET repos/team/models/git/commits/ID",
            "GET repos/team/models/pulls",
        ]
    );
    github.no_faults();
    assert_eq!(outcome(run(&["--base=main"])), "unchanged");
    assert_eq!(github.reads(), 7);
    project.commit("main", "package/models.yaml", &catalog(3));
    assert_eq!(outcome(run(&[])), "updated");
    assert_eq!(project.map(BRANCH), config_map("m3"));
    assert_eq!(github.state().pulls.len(), 1);
    assert_eq!(outcome(run(&["--branch=of-mine"])), "created");
    assert_eq!(project.tree("of-mine"), project.tree(BRANCH));
    assert_eq!(outcome(run(&["--branch=of-mine"])), "unchanged");
    assert_sound(&project);
}

/// With git the same commit is pushed over, and known again.
#[test]
fn both_ways_know_each_others_commits() {
    let project = Project::new();
    let github = project.github();
    assert_eq!(outcome(project.pr_with(&github, &[])), "created");
    assert_eq!(outcome(run(&project, &github, &[])), "unchanged");
    project.commit("main", "package/models.yaml", &catalog(3));
    assert_eq!(outcome(run(&project, &github, &[])), "updated");
    assert_eq!(project.map(BRANCH), config_map("m3"));
}

#[test]
fn a_package_at_the_root_is_read_too() {
    let project = Project::new();
    let github = project.github();
    let (map, models) = (config_map("m1"), catalog(2));
    for (path, text) in [
        ("root/set-model.yaml", CONFIG),
        ("root/deep/er/models.yaml", &models),
        ("root/deep/map.yaml", &map),
    ] {
        project.commit("main", path, text);
    }
    let line = |arguments: &[&str]| project.repository.line(arguments).unwrap();
    let tree = line(&["rev-parse", "main:root"]);
    let id = line(&["commit-tree", &tree, "-m", "Only the root"]);
    project.repository.set_branch("main", &id);
    let url = project.url();
    let run = || outcome(run_at(&project, &github, &[".", "--repo", &url]));
    assert_eq!(run(), "created");
    let text = project.repository.text(BRANCH, "deep/map.yaml");
    assert_eq!(text, Some(config_map("m2")));
    github.no_faults();
    assert_eq!(run(), "unchanged");
    let trees = lines(&github);
    let trees = trees.iter().filter(|line| line.contains("/git/trees/"));
    assert_eq!(
        trees.collect::<Vec<_>>(),
        ["GET repos/team/models/git/trees/ID?recursive"]
    );
}

/// GitHub counts requests, and modelsync runs every minute.
#[test]
fn a_large_package_takes_few_requests() {
    let project = Project::new();
    let github = project.github();
    let hidden: Vec<_> = (0..50).map(|at| format!("package/old/{at}.yaml")).collect();
    let manifests: Vec<_> = (0..300)
        .map(|at| {
            let text = format!("kind: ConfigMap\nmetadata:\n  name: n{at}\n");
            (format!("package/d{}/{at}.yaml", at % 20), text)
        })
        .collect();
    let mut entries = vec![(&b"package/.krmignore"[..], Entry::File("old/\n"))];
    entries.extend(
        manifests
            .iter()
            .map(|(path, text)| (path.as_bytes(), Entry::File(text))),
    );
    let broken = "not: [yaml";
    entries.extend(
        hidden
            .iter()
            .map(|path| (path.as_bytes(), Entry::File(broken))),
    );
    commit(&project, &entries);
    is_as_with_git(&project, &github);
    github.no_faults();
    assert_eq!(outcome(run(&project, &github, &[])), "unchanged");
    assert_eq!((github.reads(), github.writes()), (12, 0));
    let is_texts = |call: &&Call| call.path == ["graphql"];
    let calls = github.calls();
    let asked = calls.iter().filter(is_texts);
    let asked: Vec<_> = asked
        .map(|call| call.body["variables"].as_object().unwrap().len() - 2)
        .collect();
    // What hides files first, and then only those that it does not hide.
    assert_eq!(asked, [1, 100, 100, 100, 3]);
}

/// Symbolic links, submodules, names and texts that are not UTF-8, ignored directories.
#[test]
fn odd_neighbours_stay() {
    let project = Project::new();
    let github = project.github();
    odd_tree(&project, Entry::File(&config_map("m1")));
    let latin = [b"# caf".as_slice(), b"\xe9\n"].concat();
    let changes = [
        ("package/latin.yaml".to_owned(), Some(latin)),
        ("package/binary.yaml".to_owned(), Some(b"a\0b".to_vec())),
        // What is not the bytes once it was text.
        (
            "package/mark.yaml".to_owned(),
            Some("\u{feff}kind: ConfigMap\r\n".into()),
        ),
    ];
    let main = project.repository.branch("main");
    let id = project
        .repository
        .commit_on(main.as_deref(), &changes, "More")
        .unwrap();
    project.repository.set_branch("main", &id);
    is_as_with_git(&project, &github);
    assert_sound(&project);
}

#[test]
fn a_listing_that_is_cut_short_is_read_in_parts() {
    let project = Project::new();
    let github = project.github();
    for at in 0..6 {
        let path = format!("package/d{}/{at}.yaml", at % 2);
        project.commit("main", &path, "kind: ConfigMap\n");
    }
    github.state().most_tree_entries = 4;
    is_as_with_git(&project, &github);
    github.no_faults();
    assert_eq!(outcome(run(&project, &github, &[])), "unchanged");
    let trees = lines(&github);
    let trees = trees.iter().filter(|line| line.contains("/git/trees/"));
    let is_whole: Vec<_> = trees.map(|line| line.ends_with("?recursive")).collect();
    // The root; the package whole and by itself; its two directories.
    assert_eq!(is_whole, [false, true, false, true, true]);
}

#[test]
fn a_large_manifest_is_read_whole() {
    let project = Project::new();
    let github = project.github();
    let map = format!("{}# {}\n", config_map("m1"), "é".repeat(1 << 20));
    project.commit("main", "package/map.yaml", &map);
    is_as_with_git(&project, &github);
    assert_eq!(project.map(BRANCH), map.replace("model: m1", "model: m2"));
}

#[test]
fn commits_of_somebody_else_are_never_replaced() {
    let project = Project::new();
    let github = project.github();
    assert_eq!(outcome(run(&project, &github, &[])), "created");
    let theirs = project.commit(BRANCH, "package/map.yaml", &config_map("m1"));
    project.commit("main", "package/models.yaml", &catalog(3));
    github.no_faults();
    let refused = run(&project, &github, &[]).run();
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("is not ours and would be lost")
            && refused.stderr.contains(&theirs[..12]),
        "{}",
        refused.stderr
    );
    assert_eq!(github.writes(), 0);
    // Also where it is merged already, and nothing of it can be lost.
    project.repository.set_branch("main", &theirs);
    project.commit("main", "package/models.yaml", &catalog(3));
    assert_eq!(outcome(run(&project, &github, &[])), "updated");
    assert_eq!(project.map(BRANCH), config_map("m3"));
}

/// Nothing in common: a branch that somebody made from nothing.
#[test]
fn a_branch_of_another_history_is_not_in_the_base() {
    let project = Project::new();
    let github = project.github();
    let map = config_map("m1").into_bytes();
    let changes = [("package/map.yaml".to_owned(), Some(map))];
    let theirs = project
        .repository
        .commit_on(None, &changes, "Alone")
        .unwrap();
    project.repository.set_branch(BRANCH, &theirs);
    let refused = run(&project, &github, &[]).run();
    assert!(
        refused.stderr.contains("is not ours and would be lost"),
        "{}",
        refused.stderr
    );
    assert_eq!(project.repository.branch(BRANCH), Some(theirs));
}

/// Somebody pushes to the base before any call of a run: what the run leaves is whole, and the next
/// run follows.
#[test]
fn the_base_may_move_at_any_time() {
    let calls = {
        let project = Project::new();
        let github = project.github();
        github.no_faults();
        run(&project, &github, &[]).json();
        github.calls().len()
    };
    assert!(calls > 8);
    for number in 0..calls {
        let project = Project::new();
        let github = project.github();
        let repository = project.repository.clone();
        github.hook(move |at, _, when| {
            if at == number && when == Moment::Before {
                let change = (
                    "package/models.yaml".to_owned(),
                    Some(catalog(3).into_bytes()),
                );
                let main = repository.branch("main");
                let id = repository
                    .commit_on(main.as_deref(), &[change], "A model")
                    .unwrap();
                repository.set_branch("main", &id);
            }
            Fault::None
        });
        run(&project, &github, &[]).json();
        github.no_faults();
        run(&project, &github, &[]).json();
        assert_eq!(project.map(BRANCH), config_map("m3"), "{number}");
        let parent = project
            .repository
            .line(&["rev-parse", &format!("{BRANCH}^")]);
        assert_eq!(parent, project.repository.branch("main"), "{number}");
        assert_eq!(github.state().open_pulls().len(), 1, "{number}");
        assert_eq!(project.repository.branches(), ["main", BRANCH], "{number}");
    }
}

/// Lets GitHub lie where it is asked for something, and runs.
fn lied_to(project: &Project, lie: impl Fn(&Call) -> Option<Answer> + Send + 'static) {
    let github = project.github();
    github.hook(move |_, call, when| match lie(call) {
        Some(answer) if when == Moment::Before => Fault::Answer(answer),
        _ => Fault::None,
    });
    let run = run(project, &github, &[]).run();
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("cannot read the ")
            && run
                .stderr
                .contains("; run again, or leave --commit-via out"),
        "{}",
        run.stderr
    );
    assert_eq!(github.writes(), 0);
    assert_eq!(project.repository.branches(), ["main"]);
}

#[test]
fn an_object_that_is_not_what_was_asked_for_is_not_used() {
    let project = Project::new();
    let id = |revision: &str| project.repository.line(&["rev-parse", revision]).unwrap();
    // Another tree, whichever way it is asked for.
    let blob = id("main:other/file.txt");
    lied_to(&project, move |call| {
        let entry = json!({"path": "a", "mode": "100644", "type": "blob", "sha": blob});
        let node = json!({"nameRaw": "YQ==", "mode": 0o100_644, "oid": blob, "size": 1});
        let data = json!({"repository": {"object": {"entries": [node]}}});
        let body = match call.text("query") {
            query if query.contains("... on Tree") => json!({"data": data}),
            "" if call.path.contains(&"trees".to_owned()) => {
                json!({"sha": call.path.last(), "tree": [entry], "truncated": false})
            }
            _ => return None,
        };
        Some(Answer::json(200, &body))
    });
    // The bytes of another blob for one that is no text.
    let changes = [("package/binary.yaml".to_owned(), Some(b"\0".to_vec()))];
    let main = project.repository.branch("main");
    let with_binary = project
        .repository
        .commit_on(main.as_deref(), &changes, "Binary")
        .unwrap();
    project.repository.set_branch("main", &with_binary);
    lied_to(&project, |call| {
        let body = json!({"content": "YQ==\n", "encoding": "base64"});
        let is_blob = call.path.contains(&"blobs".to_owned());
        is_blob.then(|| Answer::json(200, &body))
    });
    // Another commit.
    let other = project.commit(BRANCH, "other/file.txt", "other\n");
    let base = project.repository.branch("main").unwrap();
    project
        .repository
        .git(&["update-ref", "-d", "refs/heads/modelsync/bot"], b"")
        .unwrap();
    lied_to(&project, move |call| {
        let is_refs = call.path.contains(&"matching-refs".to_owned());
        let reference = json!({"ref": "refs/heads/modelsync/bot", "object": {"sha": other}});
        let person = json!({"name": "A", "email": "a@b.c", "date": "2020-01-01T00:00:00Z"});
        let commit = json!({
            "sha": base, "author": person, "committer": person, "message": "", "parents": [],
            "tree": {"sha": base},
        });
        let body = match call.path.contains(&"commits".to_owned()) {
            true => commit,
            false if is_refs => json!([reference]),
            false => return None,
        };
        Some(Answer::json(200, &body))
    });
}

/// Texts that are not those of the blobs are asked for again, byte by byte.
#[test]
fn a_text_that_is_not_the_blob_is_read_again() {
    let project = Project::new();
    let github = project.github();
    github.hook(|_, call, when| {
        let is_asked = call.text("query").contains("... on Blob");
        if is_asked && when == Moment::Before {
            let data = json!({"repository": {"blob0": {"text": "model: m9\n"}, "blob1": null}});
            Fault::Answer(Answer::json(200, &json!({"data": data})))
        } else {
            Fault::None
        }
    });
    assert_eq!(outcome(run(&project, &github, &[])), "created");
    assert_eq!(project.map(BRANCH), config_map("m2"));
    let lines = lines(&github);
    let blobs = lines.iter().filter(|line| line.contains("/git/blobs/"));
    assert_eq!(blobs.count(), 3);
}

#[test]
fn what_is_not_needed_any_more_goes() {
    let project = Project::new();
    let github = project.github();
    let run = |flags: &[&str]| run(&project, &github, flags);
    assert_eq!(outcome(run(&[])), "created");
    project.commit("main", "package/map.yaml", &config_map("m2"));
    assert_eq!(outcome(run(&[])), "up-to-date");
    assert_eq!(project.repository.branches(), ["main", BRANCH]);
    assert_eq!(outcome(run(&["--close-obsolete"])), "up-to-date");
    assert_eq!(project.repository.branches(), ["main"]);
    assert!(github.state().open_pulls().is_empty());
    // A branch for each model, of which one stays.
    project.commit("main", "package/models.yaml", &catalog(3));
    assert_eq!(outcome(run(&["--branch-per-model"])), "created");
    project.commit("main", "package/models.yaml", &catalog(4));
    assert_eq!(outcome(run(&["--branch-per-model"])), "created");
    let kept = "modelsync/bot-to-m4";
    assert_eq!(project.repository.branches(), ["main", kept]);
    assert_eq!(github.state().open_pulls().len(), 1);
    assert_eq!(project.map(kept), config_map("m4"));
}

#[test]
fn what_merges_as_wanted_stays() {
    let project = Project::new();
    let github = project.github();
    let run = || outcome(run(&project, &github, &["--rebase-when=conflicted"]));
    assert_eq!(run(), "created");
    let first = project.repository.branch(BRANCH);
    project.commit("main", "package/more.yaml", "kind: ConfigMap\n");
    github.no_faults();
    assert_eq!(run(), "unchanged");
    assert_eq!(github.writes(), 0);
    assert_eq!(project.repository.branch(BRANCH), first);
    let base = project.commit(
        "main",
        "package/map.yaml",
        &format!("{}\n", config_map("m1")),
    );
    assert_eq!(run(), "updated");
    let parent = project
        .repository
        .line(&["rev-parse", &format!("{BRANCH}^")]);
    assert_eq!(parent, Some(base));
}

/// A clone that is here spares questions, also when it is behind.
#[test]
fn a_clone_lends_its_objects() {
    let project = Project::new();
    let github = project.github();
    let clone = project.clone_to("clone");
    let package = clone.join("package");
    let package = package.to_str().unwrap();
    let run = || outcome(run_at(&project, &github, &[package]));
    assert_eq!(run(), "created");
    let is_object = |line: &&String| line.contains("/git/trees/") || line.contains("/git/blobs/");
    let objects = || lines(&github).iter().filter(is_object).count();
    let texts = |call: &Call| call.text("query").contains("... on Blob");
    assert_eq!(objects(), 0);
    assert!(!github.calls().iter().any(texts));
    project.commit("main", "package/models.yaml", &catalog(3));
    github.no_faults();
    assert_eq!(run(), "updated");
    assert_eq!(project.map(BRANCH), config_map("m3"));
    assert_eq!(objects(), 2);
    let asked: Vec<_> = github.calls().into_iter().filter(texts).collect();
    // The one file that is new.
    assert_eq!(asked[0].body["variables"].as_object().unwrap().len(), 3);
    // The clone is as it was.
    let status = project.git(&clone, &["status", "--porcelain"]);
    assert_eq!(status, "");
    assert!(!Path::exists(&clone.join(".git/FETCH_HEAD")));
}

#[test]
fn says_what_is_missing() {
    let project = Project::new();
    let github = project.github();
    let fails = |flags: &[&str], words: &[&str]| {
        let run = run(&project, &github, flags).run();
        assert_eq!(run.code, 1, "{}", run.stderr);
        let line = run.stderr.lines().last().unwrap();
        assert!(line.starts_with("error: cannot "), "{line}");
        for word in words {
            assert!(line.contains(word), "{word}: {line}");
        }
    };
    fails(
        &["--base=mian"],
        &["cannot find the branch mian of ", "it has main"],
    );
    project
        .repository
        .git(&["update-ref", "-d", "refs/heads/main"], b"")
        .unwrap();
    fails(&[], &["it has no branches; push one first"]);
    project.commit("main", "package/map.yaml", &config_map("m1"));
    let anonymous = run(&project, &github, &["--dry-run"]).env("GITHUB_TOKEN", "");
    let anonymous = anonymous.run();
    assert_eq!(anonymous.code, 1);
    assert!(
        anonymous
            .stderr
            .ends_with("; give a token in GITHUB_TOKEN\n"),
        "{}",
        anonymous.stderr
    );
    github.state().tokens.clear();
    fails(&[], &["GITHUB_TOKEN is wrong, expired or revoked"]);
    github.state().name = "other".to_owned();
    fails(&[], &["team/models"]);
}

/// Git has no branch inside another.
#[test]
fn branches_that_are_in_the_way_are_named() {
    let project = Project::new();
    let github = project.github();
    let main = project.repository.branch("main").unwrap();
    for branch in ["a/b", "a/bc", "c/d/e", "x"] {
        project.repository.set_branch(branch, &main);
    }
    for (branch, other) in [
        ("a", "a/b"),
        ("c/d", "c/d/e"),
        ("x/y/z", "x"),
        ("a/b/c", "a/b"),
    ] {
        let flag = format!("--branch={branch}");
        let refused = run(&project, &github, &[&flag]).run();
        let words = format!("there is {other}, and Git has no branch inside another");
        assert!(refused.stderr.contains(&words), "{}", refused.stderr);
    }
    assert_eq!(
        outcome(run(&project, &github, &["--branch=a/c"])),
        "created"
    );
    assert_eq!(
        outcome(run(&project, &github, &["--branch=a/c"])),
        "unchanged"
    );
    project.repository.set_branch("modelsync", &main);
    let refused = run(&project, &github, &[]).run();
    assert!(
        refused.stderr.contains("there is modelsync, and Git"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_directory_that_is_not_there_is_said() {
    let project = Project::new();
    let github = project.github();
    let url = project.url();
    let run = run_at(&project, &github, &["other/nowhere", "--repo", &url]).run();
    assert!(
        run.stderr
            .contains("cannot find the directory other/nowhere in "),
        "{}",
        run.stderr
    );
}
