//! `modelsync pr`: what somebody has refused is not asked again, and what nobody has refused is.

use serde_json::Value;

use crate::harness::forge::github::GitHub;
use crate::harness::forge::server::{Fault, Moment, Server};
use crate::harness::git_project::{Project, catalog, config_map};

const BRANCH: &str = "modelsync/bot";

/// A project whose proposal of m2 somebody closed.
fn refused() -> (Project, Server<GitHub>) {
    let project = Project::new();
    let github = project.github();
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(run["outcome"], "created");
    github.state().close(1);
    github.no_faults();
    (project, github)
}

/// A run that changes nothing and says why.
fn is_refused(project: &Project, github: &Server<GitHub>, flags: &[&str]) {
    let before = project.repository.branch(BRANCH);
    github.no_faults();
    let run = project.pr_with(github, flags).json();
    assert_eq!(run["outcome"], "unchanged");
    let said = run["reasons"][0].as_str().unwrap();
    assert_eq!(
        said,
        "bot: not proposing m2 again, for somebody closed https://github.com/team/models/pull/1 \
         without merging it: reopen it, add the model to spec.policy.exclude, or run with --reopen"
    );
    assert_eq!(run["pullRequest"], Value::Null);
    assert_eq!(github.writes(), 0);
    assert_eq!(project.repository.branch(BRANCH), before);
}

#[test]
fn a_closed_pull_request_stays_closed() {
    let (project, github) = refused();
    for _ in 0..5 {
        is_refused(&project, &github, &[]);
        // One list of open ones, as ever, and one look at the last.
        assert_eq!(github.reads(), 2);
    }
    is_refused(&project, &github, &["--dry-run"]);
    // Other words for the same model, and a base that moved elsewhere, are the same question.
    let title = project.scratch.path().join("title.txt");
    std::fs::write(&title, "Use {{ model.shortName }} now").unwrap();
    is_refused(
        &project,
        &github,
        &["--title-template", title.to_str().unwrap()],
    );
    project.commit("main", "other/file.txt", "moved\n");
    is_refused(&project, &github, &[]);
    // Also without the branch.
    let name = format!("refs/heads/{BRANCH}");
    let removed = project.repository.git(&["update-ref", "-d", &name], b"");
    removed.unwrap();
    is_refused(&project, &github, &[]);
    // And when somebody has taken our marks away.
    github.state().pulls[0].body = "No, thank you.".to_owned();
    is_refused(&project, &github, &[]);
    let text = project.pr_with(&github, &[]).run();
    assert_eq!((text.code, text.stdout.as_str()), (0, ""));
    assert_eq!(text.stderr.lines().count(), 1, "{}", text.stderr);
    assert!(
        text.stderr.contains("somebody closed https://"),
        "{}",
        text.stderr
    );
}

#[test]
fn another_question_is_asked() {
    // A newer model.
    let (project, github) = refused();
    project.commit("main", "package/models.yaml", &catalog(3));
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(
        (&run["outcome"], &run["model"]),
        (&"created".into(), &"m3".into())
    );
    assert_eq!(project.map(BRANCH), config_map("m3"));
    // Another model in the base.
    let (project, github) = refused();
    project.commit("main", "package/map.yaml", &config_map("m0"));
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(
        (&run["outcome"], &run["previousModel"]),
        (&"created".into(), &"m0".into())
    );
}

#[test]
fn it_is_asked_again_on_demand() {
    for name in ["", "MODELSYNC_REOPEN"] {
        let (project, github) = refused();
        let run = match name {
            "" => project.pr_with(&github, &["--reopen"]).json(),
            name => project.pr_with(&github, &[]).env(name, "true").json(),
        };
        assert_eq!(run["outcome"], "created");
        let url = "https://github.com/team/models/pull/2";
        assert_eq!(run["pullRequest"]["url"], url);
        // Which is followed as any other.
        assert_eq!(project.pr_with(&github, &[]).json()["outcome"], "unchanged");
        assert_eq!(github.state().pulls.len(), 2);
    }
    // Or by reopening it.
    let (project, github) = refused();
    github.state().pulls[0].is_open = true;
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(run["outcome"], "unchanged");
    assert_eq!(
        run["pullRequest"]["url"],
        "https://github.com/team/models/pull/1"
    );
}

#[test]
fn a_model_that_was_merged_and_taken_back_is_asked_for() {
    let (project, github) = refused();
    github.state().pulls[0].is_merged = true;
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(run["outcome"], "created");
}

#[test]
fn what_we_closed_ourselves_nobody_has_refused() {
    // Nothing was left to change, until somebody went back.
    let project = Project::new();
    let github = project.github();
    project.pr_with(&github, &[]).json();
    project.commit("main", "package/map.yaml", &config_map("m2"));
    project.pr_with(&github, &["--close-obsolete"]).json();
    assert!(github.state().open_pulls().is_empty());
    project.commit("main", "package/map.yaml", &config_map("m1"));
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(run["outcome"], "created");

    // Another model came and went.
    let project = Project::new();
    let github = project.github();
    let flags = ["--branch-per-model"];
    project.pr_with(&github, &flags).json();
    project.commit("main", "package/models.yaml", &catalog(3));
    project.pr_with(&github, &flags).json();
    project.commit("main", "package/models.yaml", &catalog(2));
    let run = project.pr_with(&github, &flags).json();
    assert_eq!(
        (&run["outcome"], &run["model"]),
        (&"created".into(), &"m2".into())
    );
}

/// Killed before or after any call of a withdrawal: it leaves nothing that looks like a refusal.
#[test]
fn a_withdrawal_that_was_cut_short_is_no_refusal() {
    let mut cut = 0;
    for moment in [Moment::Before, Moment::After] {
        for number in 0.. {
            let project = Project::new();
            let github = project.github();
            project.pr_with(&github, &[]).json();
            project.commit("main", "package/map.yaml", &config_map("m2"));
            github.no_faults();
            github.hook(move |at, _, when| {
                let is_cut = at > number || (at == number && when == moment);
                if is_cut { Fault::HangUp } else { Fault::None }
            });
            let run = project.pr_with(&github, &["--close-obsolete"]).run();
            github.no_faults();
            project.commit("main", "package/map.yaml", &config_map("m1"));
            project.pr_with(&github, &[]).json();
            assert_eq!(github.state().open_pulls().len(), 1, "{moment:?} {number}");
            if run.code == 0 {
                break;
            }
            cut += 1;
        }
    }
    assert!(cut >= 6, "{cut}");
}

/// Killed between the push and the opening: nobody has refused anything.
#[test]
fn a_proposal_that_was_cut_short_is_completed() {
    let (project, github) = refused();
    project.commit("main", "package/models.yaml", &catalog(3));
    github.no_faults();
    github.hook(|_, call, when| {
        let is_opening = call.is_write() && when == Moment::Before;
        if is_opening {
            Fault::HangUp
        } else {
            Fault::None
        }
    });
    assert_eq!(project.pr_with(&github, &[]).run().code, 1);
    assert_eq!(project.map(BRANCH), config_map("m3"));
    github.no_faults();
    let run = project.pr_with(&github, &[]).json();
    assert_eq!(run["outcome"], "created");
    assert_eq!(github.state().open_pulls().len(), 1);
}
