//! `modelsync pr`: templates that do not end, results that cannot be written, and what else users get
//! wrong.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use crate::harness::git_project::{CONFIG, Pr, Project, catalog, config_map};

fn pr(project: &Project, flags: &[&str]) -> Pr {
    let url = project.url();
    let mut arguments = vec!["package", "--repo", &url, "--forge=none"];
    arguments.extend(flags);
    project.pr(&arguments)
}

#[test]
fn a_template_that_does_not_end_is_stopped() {
    let project = Project::new();
    let file = project.scratch.path().join("endless.txt");
    let endless =
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}";
    std::fs::write(&file, format!("a\n{endless}")).unwrap();
    for flag in ["--title-template", "--body-template", "--commit-template"] {
        let run = pr(&project, &[flag, "endless.txt"]).run();
        assert_eq!(run.code, 1, "{flag}");
        assert_eq!(
            run.stderr,
            "error: cannot use the template endless.txt:2: it takes too much work, or never ends; \
             let it loop and say less\n"
        );
        assert_eq!(project.repository.branches(), ["main"]);
    }
}

#[test]
fn a_directory_for_results_is_tried_before_anything_is_done() {
    let project = Project::new();
    let file = project.scratch.path().join("file");
    std::fs::write(&file, "").unwrap();
    let closed = project.scratch.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, Permissions::from_mode(0o500)).unwrap();
    let mut wrong = vec!["file", "file/below", "/proc/modelsync"];
    // Whoever may do everything is refused by no permission.
    if std::fs::write(closed.join("probe"), "").is_err() {
        wrong.push("closed");
    }
    for directory in wrong {
        let flags = ["--tekton-results", directory, "--output=json"];
        let run = pr(&project, &flags).run();
        assert_eq!(run.code, 1, "{directory}");
        let words = format!("error: cannot write results to {directory}: ");
        assert!(run.stderr.starts_with(&words), "{}", run.stderr);
        let hint = "; give --tekton-results a directory that can be written to\n";
        assert!(run.stderr.ends_with(hint), "{}", run.stderr);
        assert!(!run.stderr.contains(".modelsync-"), "{}", run.stderr);
        let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(object["outcome"], "failed");
        assert_eq!(project.repository.branches(), ["main"]);
    }
}

#[test]
fn a_directory_for_results_is_made_and_a_dry_run_leaves_it_alone() {
    let project = Project::new();
    let directory = project.scratch.path().join("results/deep");
    let flags = ["--tekton-results", "results/deep"];
    assert_eq!(
        pr(&project, &[&flags[..], &["--dry-run"]].concat())
            .run()
            .code,
        0
    );
    assert!(!directory.exists());
    assert_eq!(pr(&project, &flags).run().code, 0);
    let model = std::fs::read_to_string(directory.join("model")).unwrap();
    assert_eq!(model, "m2");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 3);
}

#[test]
fn results_that_cannot_be_written_at_last_do_not_hide_what_was_done() {
    let project = Project::new();
    let directory = project.scratch.path().join("results");
    // A directory in the place of a result cannot be replaced by a file.
    std::fs::create_dir_all(directory.join("commit")).unwrap();
    let flags = ["--tekton-results", "results", "--output=json"];
    let run = pr(&project, &flags).run();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("results/commit"), "{}", run.stderr);
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(object["outcome"], "created");
}

#[test]
fn dates_that_git_cannot_write_are_refused() {
    let project = Project::new();
    for seconds in ["-1", "253402300800", "tomorrow"] {
        let run = pr(&project, &[]).env("SOURCE_DATE_EPOCH", seconds).run();
        assert_eq!(run.code, 1);
        let words = format!(
            "error: cannot read SOURCE_DATE_EPOCH {seconds:?}: give the seconds since 1970, up to \
             the year 9999\n"
        );
        assert_eq!(run.stderr, words);
        assert_eq!(project.repository.branches(), ["main"]);
    }
    let latest = pr(&project, &[]).env("SOURCE_DATE_EPOCH", "253402207200");
    assert_eq!(latest.json()["outcome"], "created");
    let path = project.repository.path();
    project.git(path, &["fsck", "--strict"]);
    // An empty value is none.
    let other = Project::new();
    let now = pr(&other, &[]).env("SOURCE_DATE_EPOCH", "");
    assert_eq!(now.json()["outcome"], "created");
}

#[test]
fn switches_in_the_environment_are_words_that_say_so() {
    let project = Project::new();
    for name in ["DRY_RUN", "CLOSE_OBSOLETE", "REOPEN", "SIGN", "DRAFT"] {
        let name = format!("MODELSYNC_{name}");
        let run = pr(&project, &[]).env(&name, "flase").run();
        assert_eq!(run.code, 2, "{name}: {}", run.stderr);
        assert!(run.stderr.contains("'flase'"), "{}", run.stderr);
        assert!(run.stderr.contains("give true or false"), "{}", run.stderr);
    }
    for (word, is_dry) in [("True", true), ("on", true), ("", false)] {
        let run = pr(&project, &[]).env("MODELSYNC_DRY_RUN", word);
        let object = run.json();
        assert_eq!(object["dryRun"].is_object(), is_dry, "{word}");
        assert_eq!(project.repository.branches().len() == 1, is_dry, "{word}");
    }
}

#[test]
fn messages_say_names_and_places_once() {
    let cases = [
        (
            "package/models.yaml",
            catalog(2).replace("state: Trained", "state: Nothing"),
            "error: bot: cannot read the catalog: models.yaml:7:",
        ),
        (
            "package/map.yaml",
            config_map("m1").replace("model:", "other:"),
            "error: bot: map.yaml:",
        ),
        (
            "package/set-aa.yaml",
            CONFIG.replace("name: bot", "name: [bot"),
            "error: cannot read set-aa.yaml:",
        ),
        (
            "package/set-model.yaml",
            format!("{CONFIG}  policy: {{pin: m9}}\n"),
            "error: bot: the pinned model ",
        ),
    ];
    for (file, text, words) in cases {
        let project = Project::new();
        project.commit("main", file, &text);
        let run = pr(&project, &[]).run();
        assert_eq!(run.code, 1);
        let errors = run
            .stderr
            .lines()
            .filter(|line| line.starts_with("error: "));
        let [error] = errors.collect::<Vec<_>>()[..] else {
            panic!("{}", run.stderr);
        };
        assert!(error.starts_with(words), "{error}");
        let name = file.trim_start_matches("package/");
        assert!(error.matches(name).count() <= 1, "{error}");
        let rest = error.strip_prefix("error: bot").unwrap_or(error);
        assert!(!rest.contains(": bot: "), "{error}");
    }
}

#[test]
fn a_terminal_obeys_no_display_name() {
    let project = Project::new();
    let models = catalog(2).replacen("displayName: bot", "displayName: \"b\\e[2Jot\"", 1);
    project.commit("main", "package/models.yaml", &models);
    let run = pr(&project, &[]).run();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains(r"b\u{1b}[2Jot"), "{}", run.stderr);
    // In what is proposed it is a space.
    let models = catalog(2).replace("displayName: bot", "displayName: \"b\\e[2J\\0ot\"");
    project.commit("main", "package/models.yaml", &models);
    let title = project.scratch.path().join("title.txt");
    std::fs::write(&title, "to {{ model.displayName }}\u{7}\n").unwrap();
    let flags = ["--title-template=title.txt", "--commit-template=title.txt"];
    let object = pr(&project, &[&flags[..], &["--dry-run"]].concat()).json();
    assert_eq!(object["dryRun"]["title"], "to b [2J ot");
    pr(&project, &flags).json();
    let line = ["log", "-1", "--format=%s", "modelsync/bot"];
    let subject = project.repository.line(&line).unwrap();
    assert_eq!(subject, "to b [2J ot");
    let path = project.repository.path();
    project.git(path, &["fsck", "--strict"]);
}
