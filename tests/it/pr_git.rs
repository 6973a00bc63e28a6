//! `modelsync pr`: what Git repositories, histories and configurations it meets.

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
