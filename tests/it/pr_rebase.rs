//! `modelsync pr --rebase-when`: what a base that moves does to a proposal.

use std::path::Path;

use crate::harness::git_project::{Project, catalog, config_map};

const BRANCH: &str = "modelsync/bot";

/// Runs in a clone, or with the URL alone, and gives the outcome.
fn outcome(project: &Project, clone: Option<&Path>, when: &str) -> String {
    let url = project.url();
    let clone = clone.map(|clone| clone.join("package"));
    let mut arguments = match &clone {
        Some(directory) => vec![directory.to_str().unwrap()],
        None => vec!["package", "--repo", &url],
    };
    let when = format!("--rebase-when={when}");
    arguments.extend(["--forge=none", &when]);
    let run = project.pr(&arguments).json();
    run["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn a_base_that_moved_is_followed() {
    let project = Project::new();
    let run = || outcome(&project, None, "");
    assert_eq!(run(), "created");
    let base = project.commit("main", "other/file.txt", "moved\n");
    assert_eq!(run(), "updated");
    let parent = project
        .repository
        .line(&["rev-parse", &format!("{BRANCH}^")]);
    assert_eq!(parent, Some(base));
    assert_eq!(
        project.repository.text(BRANCH, "other/file.txt").unwrap(),
        "moved\n"
    );
    assert_eq!(run(), "unchanged");
}

#[test]
fn what_merges_as_wanted_stays() {
    for has_clone in [true, false] {
        let project = Project::new();
        let clone = has_clone.then(|| project.clone_to("clone"));
        let run = || outcome(&project, clone.as_deref(), "conflicted");
        let head = || project.repository.branch(BRANCH).unwrap();
        assert_eq!(run(), "created");
        let first = head();
        // Elsewhere, and in the package.
        project.commit("main", "other/file.txt", "moved\n");
        assert_eq!(run(), "unchanged");
        project.commit("main", "package/more.yaml", "kind: ConfigMap\n");
        for _ in 0..3 {
            assert_eq!(run(), "unchanged");
        }
        assert_eq!(head(), first);
        // As the merge has it: what was wanted all along.
        let merged = project.git(
            project.repository.path(),
            &["merge-tree", "--write-tree", "main", BRANCH],
        );
        let text = project.git(
            project.repository.path(),
            &["show", &format!("{merged}:package/map.yaml")],
        );
        assert_eq!(text, config_map("m2").trim_end());
        // The user did not ask for it.
        assert_eq!(outcome(&project, clone.as_deref(), ""), "updated");
        assert_ne!(head(), first);
    }
}

#[test]
fn what_no_longer_merges_as_wanted_is_made_anew() {
    let other = config_map("m1").replace("# keep", "# kept");
    let nearby = format!("{}  other: x\n", config_map("m1"));
    let rows = [
        ("the line has changed", "package/map.yaml", other),
        ("the file has changed", "package/map.yaml", nearby),
        ("there is a newer model", "package/models.yaml", catalog(3)),
    ];
    for (what, path, text) in rows {
        for has_clone in [true, false] {
            let project = Project::new();
            let clone = has_clone.then(|| project.clone_to("clone"));
            let run = || outcome(&project, clone.as_deref(), "conflicted");
            assert_eq!(run(), "created", "{what}");
            let base = project.commit("main", path, &text);
            assert_eq!(run(), "updated", "{what}");
            let parent = project
                .repository
                .line(&["rev-parse", &format!("{BRANCH}^")]);
            assert_eq!(parent, Some(base), "{what}");
            assert_eq!(run(), "unchanged", "{what}");
            let map = project.map(BRANCH);
            let model = if path.ends_with("models.yaml") {
                "m3"
            } else {
                "m2"
            };
            assert!(map.contains(&format!("model: {model} # ke")), "{map}");
        }
    }
}
