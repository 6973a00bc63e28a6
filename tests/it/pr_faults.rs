//! Whatever fails and whenever a run is killed, the next run ends with one branch, one pull request,
//! the right tree, and nothing lost. Two at once do as well.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::harness::forge::github::GitHub;
use crate::harness::forge::server::{Answer, Fault, Moment, Server};
use crate::harness::git_project::{Pr, Project, catalog, config_map};

const BRANCH: &str = "modelsync/bot";
const FLAGS: [&str; 4] = [
    "--label=models",
    "--reviewer=alice",
    "--assignee=bob",
    "--auto-merge=squash",
];

/// What must hold after a run without faults.
fn assert_whole(project: &Project, github: &Server<GitHub>, model: &str, context: &str) {
    assert_eq!(project.repository.branches(), ["main", BRANCH], "{context}");
    assert_eq!(project.map(BRANCH), config_map(model), "{context}");
    let count = ["rev-list", "--count", &format!("main..{BRANCH}")];
    assert_eq!(project.repository.line(&count).unwrap(), "1", "{context}");
    let state = github.state();
    assert_eq!(state.pulls.len(), 1, "{context}");
    let pull = &state.pulls[0];
    assert!(pull.is_open, "{context}");
    assert_eq!(
        pull.title,
        format!("bot: update the model to {model}"),
        "{context}"
    );
    assert!(pull.labels.contains("models"), "{context}");
    assert!(pull.asked_users.contains("alice"), "{context}");
    assert!(pull.assignees.contains("bob"), "{context}");
    assert!(pull.auto_merge.is_some(), "{context}");
}

/// How many calls a run from the beginning makes.
fn calls() -> usize {
    let project = Project::new();
    let github = project.github();
    project.pr_with(&github, &FLAGS).json();
    github.calls().len()
}

fn fail_each_call(fault: impl Fn() -> Fault, moment: Moment) {
    let calls = calls();
    assert!(calls >= 6, "only {calls} calls");
    for number in 0..calls {
        let project = Project::new();
        let github = project.github();
        github.fail(number, moment, fault());
        let run = project
            .pr_with(&github, &FLAGS)
            .env("MODELSYNC_HTTP_TIMEOUT", "2s")
            .run();
        if run.code != 0 {
            let mut lines = run.stderr.lines();
            assert!(
                lines.any(|line| line.starts_with("error: ")),
                "{}",
                run.stderr
            );
        }
        github.no_faults();
        let context = format!("call {number}, {moment:?}: {}", run.stderr);
        project.pr_with(&github, &FLAGS).json();
        assert_whole(&project, &github, "m2", &context);
        github.no_faults();
        project.pr_with(&github, &FLAGS).json();
        assert_eq!(github.writes(), 0, "{context}");
    }
}

#[test]
fn a_run_that_fails_tells_what_it_did() {
    let project = Project::new();
    let github = project.github();
    let results = project.scratch.path().join("results");
    std::fs::create_dir(&results).unwrap();
    // The first write after the pull request is there.
    project.pr_with(&github, &["--dry-run"]).json();
    let opening = github.calls().len() + 1;
    github.no_faults();
    let fault = Fault::Answer(Answer::refusal(403, "Forbidden"));
    github.fail(opening, Moment::Before, fault);
    let run = project
        .pr_with(&github, &["--label=models", "--output=json"])
        .env("MODELSYNC_TEKTON_RESULTS", &results)
        .run();
    assert_eq!(run.code, 1);
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(object["outcome"], "failed");
    assert_eq!(object["branch"], BRANCH);
    assert_eq!(object["model"], "m2");
    assert_eq!(
        object["commit"].as_str(),
        project.repository.branch(BRANCH).as_deref()
    );
    let url = object["pullRequest"]["url"].as_str().unwrap();
    assert!(url.ends_with("/pull/1"), "{url}");
    assert_eq!(object["steps"].as_array().unwrap().len(), 2, "{object}");
    let read = |name: &str| std::fs::read_to_string(results.join(name)).unwrap();
    assert_eq!(read("pr-url"), url);
    assert_eq!(read("commit"), object["commit"].as_str().unwrap());
}

#[test]
fn any_call_may_be_refused() {
    fail_each_call(
        || Fault::Answer(Answer::refusal(403, "Forbidden")),
        Moment::Before,
    );
}

#[test]
fn any_call_may_end_without_an_answer() {
    fail_each_call(|| Fault::HangUp, Moment::Before);
}

#[test]
fn any_answer_may_be_lost() {
    fail_each_call(|| Fault::HangUp, Moment::After);
}

#[test]
fn any_answer_may_end_in_the_middle() {
    fail_each_call(|| Fault::Half, Moment::After);
}

#[test]
fn any_answer_may_be_an_error_although_it_was_done() {
    fail_each_call(
        || Fault::Answer(Answer::refusal(502, "Bad Gateway")),
        Moment::After,
    );
}

#[test]
fn killed_at_any_call() {
    let calls = calls();
    for moment in [Moment::Before, Moment::After] {
        for number in 0..calls {
            let project = Project::new();
            let github = project.github();
            kill_at(&github, number, moment, project.pr_with(&github, &FLAGS));
            project.pr_with(&github, &FLAGS).json();
            assert_whole(
                &project,
                &github,
                "m2",
                &format!("killed at call {number}, {moment:?}"),
            );
        }
    }
}

/// Kills a run, with SIGKILL, at the moment that a call reaches the forge, before or after it has its
/// effect.
pub(crate) fn kill_at(github: &Server<GitHub>, number: usize, moment: Moment, run: Pr) {
    let process = Arc::new(AtomicU32::new(0));
    let victim = Arc::clone(&process);
    github.hook(move |at, _, when| {
        if at != number || when != moment {
            return Fault::None;
        }
        // The id is there as soon as the process is.
        let mut id = victim.load(Ordering::SeqCst);
        while id == 0 {
            std::thread::yield_now();
            id = victim.load(Ordering::SeqCst);
        }
        kill(id);
        Fault::HangUp
    });
    let child = run.start();
    process.store(child.id(), Ordering::SeqCst);
    assert_eq!(child.wait().code, -1, "call {number}, {moment:?}");
    github.no_faults();
}

fn kill(process: u32) {
    let killed = std::process::Command::new("kill")
        .args(["-9", &process.to_string()])
        .status();
    assert!(killed.unwrap().success());
}

/// Kills a run before or after each run of git that it makes.
#[test]
fn killed_at_any_run_of_git() {
    for is_after in [false, true] {
        // First proposal, and then a renewal with one that is there.
        for is_renewal in [false, true] {
            for number in 1.. {
                let project = Project::new();
                let github = project.github();
                let mut model = "m2";
                if is_renewal {
                    project.pr_with(&github, &FLAGS).json();
                    project.commit("main", "package/models.yaml", &catalog(3));
                    model = "m3";
                }
                let path = killing_git(&project, number, is_after);
                let run = project.pr_with(&github, &FLAGS).env("PATH", path).run();
                let context = format!("git {number}, after: {is_after}, renewal: {is_renewal}");
                project.pr_with(&github, &FLAGS).json();
                assert_whole(&project, &github, model, &context);
                if run.code == 0 {
                    // There were no more runs of git.
                    assert!(number > 2, "{context}");
                    break;
                }
                assert_eq!(run.code, -1, "{context}: {}", run.stderr);
            }
        }
    }
}

/// A `PATH` with a git that ends who called it at its `number`th run, before or after its work.
fn killing_git(project: &Project, number: usize, is_after: bool) -> String {
    let bin = project.scratch.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let count = project.scratch.path().join("count");
    let path = std::env::var("PATH").unwrap();
    let (before, after) = if is_after {
        ("", "kill -9 $PPID")
    } else {
        ("kill -9 $PPID; exit 1", "")
    };
    let script = format!(
        "#!/bin/sh\nPATH='{path}'\necho >> '{count}'\nif [ $(wc -l < '{count}') = {number} ]; then\n{before}\ngit \"$@\" >/dev/null 2>&1\n{after}\nexit 1\nfi\nexec git \"$@\"\n",
        count = count.display()
    );
    std::fs::write(bin.join("git"), script).unwrap();
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{path}", bin.display())
}

#[test]
fn two_at_once_make_one() {
    for round in 0..5 {
        let project = Project::new();
        let github = project.github();
        let children: Vec<_> = (0..2)
            .map(|_| project.pr_with(&github, &FLAGS).start())
            .collect();
        for child in children {
            assert_ne!(child.wait().code, -1, "round {round}");
        }
        // Each on its own may have lost a race; the next run finds nothing wrong.
        project.pr_with(&github, &FLAGS).json();
        assert_whole(&project, &github, "m2", &format!("round {round}"));
    }
}
