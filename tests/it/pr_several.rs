//! `modelsync pr` with several SetModels in one package.

use crate::harness::git_project::{CONFIG, Project, config_map};

/// `CONFIG` under another name.
fn named(name: &str) -> String {
    CONFIG.replacen("name: bot", &format!("name: {name}"), 1)
}

/// Each proposal's config and outcome.
fn outcomes(object: &serde_json::Value) -> Vec<(Option<&str>, Option<&str>)> {
    let proposals = object["proposals"].as_array().unwrap().iter();
    proposals
        .map(|it| (it["config"].as_str(), it["outcome"].as_str()))
        .collect()
}

#[test]
fn two_configs_of_one_name_are_refused() {
    let project = Project::new();
    project.commit("main", "package/twin.yaml", CONFIG);
    let url = project.url();
    let run = project
        .pr(&["package", "--repo", &url, "--forge=none"])
        .run();
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("they are in set-model.yaml and twin.yaml; rename one"),
        "{}",
        run.stderr
    );
    assert_eq!(project.repository.branches(), ["main"]);
    // Of those that are named none is a twin.
    let run = project.pr(&[
        "package",
        "--repo",
        &url,
        "--forge=none",
        "--config=twin.yaml",
    ]);
    assert_eq!(run.json()["outcome"], "created");
}

#[test]
fn a_config_that_cannot_be_read_does_not_stop_the_others() {
    let project = Project::new();
    let url = project.url();
    let arguments = ["package", "--repo", &url, "--forge=none", "--output=json"];
    let unknown = named("unknown").replace("spec:\n", "spec:\n  targetz: []\n");
    project.commit("main", "package/a.yaml", &unknown);
    project.commit(
        "main",
        "package/b.yaml",
        "kind: SetModel\nmetadata: {name: b\n",
    );
    let run = project.pr(&arguments).run();
    assert_eq!(run.code, 1);
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        outcomes(&object),
        [
            (Some("bot"), Some("created")),
            (Some("unknown"), Some("failed")),
            (Some("b.yaml"), Some("failed")),
        ]
    );
    for words in ["a.yaml:6:3", "targetz", "b.yaml:"] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    assert_eq!(project.map("modelsync/bot"), config_map("m2"));
}

#[test]
fn what_is_wrong_with_one_config_does_not_stop_the_others() {
    let project = Project::new();
    let broken = named("broken").replace("data.model", "data.nothing");
    project.commit("main", "package/broken.yaml", &broken);
    let url = project.url();
    let run = project
        .pr(&["package", "--repo", &url, "--forge=none", "--output=json"])
        .run();
    assert_eq!(run.code, 1);
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(object["outcome"], "failed");
    assert_eq!(
        outcomes(&object),
        [
            (Some("broken"), Some("failed")),
            (Some("bot"), Some("created"))
        ]
    );
    assert!(run.stderr.contains("error: broken: "), "{}", run.stderr);
    assert_eq!(project.repository.branches(), ["main", "modelsync/bot"]);
}
