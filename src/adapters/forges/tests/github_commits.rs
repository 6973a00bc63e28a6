//! Commits that GitHub makes: the same steps as with git, cut short anywhere and overtaken anywhere.

use super::super::fake::server::{Fault, Moment};
use super::super::{FileChange, WantedCommit};
use super::*;

const BRANCH: &str = "modelsync/label-bot";
const STAGING: &str = "modelsync-staging/modelsync/label-bot";

fn change(path: &str, contents: Option<&str>) -> FileChange {
    FileChange {
        path: path.to_owned(),
        contents: contents.map(|text| text.as_bytes().to_vec()),
    }
}

/// A commit that moves the model's file and changes it.
fn wanted_commit(world: &World, seen: Option<String>) -> WantedCommit {
    WantedCommit {
        branch: BRANCH.to_owned(),
        seen,
        base_id: world.repository.branch("main").unwrap(),
        message: "Use TCN3\n\nIt is better.\n\nModel: TCN3\n".to_owned(),
        changes: vec![
            change("prod/model-2.yaml", Some("model: TCN3 # é\r\n")),
            change("prod/model.yaml", None),
        ],
    }
}

fn check_branch(world: &World) {
    let repository = &world.repository;
    assert_eq!(
        repository.text(BRANCH, "prod/model-2.yaml").as_deref(),
        Some("model: TCN3 # é\r\n")
    );
    assert_eq!(repository.text(BRANCH, "prod/model.yaml"), None);
    assert_eq!(repository.text(BRANCH, "README.md").unwrap(), "models\n");
    assert_eq!(
        repository.line(&["rev-parse", &format!("{BRANCH}^")]),
        repository.branch("main")
    );
    assert_eq!(
        repository.line(&["show", "--no-patch", "--format=%B", BRANCH]),
        Some("Use TCN3\n\nIt is better.\n\nModel: TCN3".to_owned())
    );
    assert_eq!(repository.branches(), ["main", BRANCH]);
}

#[tokio::test]
async fn makes_and_replaces_a_branch() {
    let world = World::new();
    let forge = world.forge();
    let api = forge.commits().unwrap();
    forge.open(&super::wanted()).await.unwrap();
    let seen = world.repository.branch(BRANCH);
    let commit = api.commit(&wanted_commit(&world, seen)).await.unwrap();
    check_branch(&world);
    assert_eq!(world.repository.branch(BRANCH), Some(commit.id));
    assert_eq!(
        world
            .repository
            .line(&["rev-parse", &format!("{BRANCH}^{{tree}}")]),
        Some(commit.tree_id)
    );
    // On the way the branch was never at its base, for that closes the pull request.
    assert_eq!(world.server.state().open_pulls().len(), 1);
}

/// Killed before or after any call: the branch is the old one or the new one, and the next run ends
/// with the new one and nothing beside it.
#[tokio::test]
async fn a_run_that_is_cut_short_is_taken_over() {
    let mut cut = 0;
    for moment in [Moment::Before, Moment::After] {
        for number in 0.. {
            let world = World::new();
            let forge = world.forge();
            let api = forge.commits().unwrap();
            forge.open(&super::wanted()).await.unwrap();
            let old = world.repository.branch(BRANCH);
            // Whatever comes after the cut fails too.
            world.server.hook(move |at, _, when| {
                let is_cut = at > number || (at == number && when == moment);
                if is_cut { Fault::HangUp } else { Fault::None }
            });
            let result = api.commit(&wanted_commit(&world, old.clone())).await;
            if result.is_ok() {
                break;
            }
            cut += 1;
            message(&result.unwrap_err());
            world.server.no_faults();
            let seen = world.repository.branch(BRANCH);
            if seen == old {
                api.commit(&wanted_commit(&world, seen)).await.unwrap();
            }
            check_branch(&world);
            assert_eq!(world.server.state().open_pulls().len(), 1);
        }
    }
    // The repository's id, and three steps; a lost answer of the last is made good by a look, which
    // fails here too.
    assert_eq!(cut, 8);
}

/// Somebody pushes before any of our calls: theirs stays, and we are told.
#[tokio::test]
async fn never_overwrites_what_it_has_not_seen() {
    let mut races = 0;
    for number in 0..4 {
        let world = World::new();
        let forge = world.forge();
        let old = world.repository.branch(BRANCH);
        let theirs = world
            .repository
            .commit_on(
                old.as_deref(),
                &[("x".to_owned(), Some(b"x".to_vec()))],
                "Theirs",
            )
            .unwrap();
        let repository = world.repository.clone();
        let id = theirs.clone();
        world.server.hook(move |at, _, when| {
            if at == number && when == Moment::Before {
                repository.set_branch(BRANCH, &id);
            }
            Fault::None
        });
        let wanted = wanted_commit(&world, old);
        let error = forge.commits().unwrap().commit(&wanted).await.unwrap_err();
        assert!(error.is_outdated && !error.is_uncertain, "{error}");
        message(&error);
        assert_eq!(world.repository.branch(BRANCH), Some(theirs));
        assert_eq!(world.repository.branch(STAGING), None, "{number}");
        races += 1;
    }
    assert_eq!(races, 4);
}

/// Another run made the very same commit within the same second, and was first to move the branch.
#[tokio::test]
async fn one_commit_of_two_runs_is_as_good_as_ours() {
    let world = World::new();
    let forge = world.forge();
    let repository = world.repository.clone();
    // The last of the four calls moves the branch.
    world.server.hook(move |at, _, when| {
        if at == 3 && when == Moment::Before {
            let made = repository.branch(STAGING).unwrap();
            repository.set_branch(BRANCH, &made);
        }
        Fault::None
    });
    let wanted = wanted_commit(&world, world.repository.branch(BRANCH));
    let made = forge.commits().unwrap().commit(&wanted).await.unwrap();
    assert_eq!(world.repository.branch(BRANCH), Some(made.id));
    assert_eq!(world.repository.branch(STAGING), None);
}

/// Another run for the same branch takes the staging branch from under this one.
#[tokio::test]
async fn two_runs_do_not_mix() {
    for number in 0..4 {
        let world = World::new();
        let forge = world.forge();
        let old = world.repository.branch(BRANCH);
        let other = world
            .repository
            .commit_on(
                old.as_deref(),
                &[("x".to_owned(), Some(b"x".to_vec()))],
                "Other",
            )
            .unwrap();
        let repository = world.repository.clone();
        world.server.hook(move |at, _, when| {
            if at == number && when == Moment::Before {
                repository.set_branch(STAGING, &other);
            }
            Fault::None
        });
        let wanted = wanted_commit(&world, old.clone());
        match forge.commits().unwrap().commit(&wanted).await {
            Ok(_) => check_branch(&world),
            Err(error) => {
                assert!(error.is_outdated, "{number}: {error}");
                assert_eq!(world.repository.branch(BRANCH), old);
            }
        }
    }
}

#[tokio::test]
async fn says_that_a_file_to_remove_is_not_there() {
    let world = World::new();
    let forge = world.forge();
    let mut wanted = wanted_commit(&world, world.repository.branch(BRANCH));
    wanted.changes = vec![change("gone.yaml", None)];
    let error = forge.commits().unwrap().commit(&wanted).await.unwrap_err();
    let text = message(&error);
    assert!(
        text.starts_with("cannot commit on modelsync/label-bot of team/models: ")
            && text.contains("requested for deletion which does not exist"),
        "{text}"
    );
}
