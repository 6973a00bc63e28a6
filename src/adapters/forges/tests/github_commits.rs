//! Commits that GitHub makes: the same steps as with git, cut short anywhere and overtaken anywhere.

use super::super::fake::server::{Fault, Moment};
use super::super::{FileChange, WantedCommit};
use super::*;

const BRANCH: &str = "modelsync/label-bot";

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
async fn reads_what_a_clone_would_show() {
    let world = World::new();
    let forge = world.forge();
    let api = forge.commits().unwrap();
    let branch = api.branch(BRANCH).await.unwrap().unwrap();
    let main = api.branch("main").await.unwrap().unwrap();
    assert_eq!(Some(&branch.id), world.repository.branch(BRANCH).as_ref());
    assert_eq!(branch.parent_ids, std::slice::from_ref(&main.id));
    assert_eq!(branch.message.trim(), "Use TCN2");
    assert_eq!(branch.author_email, "octocat@users.noreply.github.com");
    let tree = world
        .repository
        .line(&["rev-parse", &format!("{BRANCH}^{{tree}}")]);
    assert_eq!(Some(branch.tree_id.clone()), tree);
    assert_eq!(api.branch("gone").await.unwrap(), None);
    assert_eq!(api.default_branch().await.unwrap(), "main");
    assert_eq!(
        api.commits_beyond(&main.id, &branch.id).await.unwrap(),
        std::slice::from_ref(&branch)
    );
    assert_eq!(
        api.commits_beyond(&branch.id, &branch.id).await.unwrap(),
        []
    );
    let paths = async |directory: &str| {
        let files = api.files(&branch.id, directory).await.unwrap();
        let paths = files.iter().map(|file| file.path.clone());
        paths.collect::<Vec<_>>()
    };
    assert_eq!(paths("").await, ["README.md", "prod/model.yaml"]);
    assert_eq!(paths("prod").await, ["prod/model.yaml"]);
    assert_eq!(paths("README.md").await, names(&[]));
    assert_eq!(paths("gone/deep").await, names(&[]));
    let file = &api.files(&branch.id, "prod").await.unwrap()[0];
    assert_eq!((file.mode.as_str(), file.size), ("100644", 12));
    assert_eq!(api.file(&file.blob_id).await.unwrap(), b"model: TCN2\n");
    assert_eq!(world.server.writes(), 0);
}

#[tokio::test]
async fn lists_files_that_are_too_many_for_one_answer() {
    let world = World::new();
    let forge = world.forge();
    let main = world.repository.branch("main");
    let changes: Vec<_> = ["a/1", "a/b/2", "a/b/3", "c/4"]
        .map(|path| (path.to_owned(), Some(path.as_bytes().to_vec())))
        .into();
    let id = world
        .repository
        .commit_on(main.as_deref(), &changes, "Many")
        .unwrap();
    world.server.state().page_size = 2;
    let files = forge.commits().unwrap().files(&id, "").await.unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "README.md",
            "a/1",
            "a/b/2",
            "a/b/3",
            "c/4",
            "prod/model.yaml"
        ]
    );
}

#[tokio::test]
async fn a_repository_that_is_hidden_is_not_one_without_the_branch() {
    let world = World::new();
    world.server.state().name = "other".to_owned();
    let forge = world.forge();
    let error = forge.commits().unwrap().branch("main").await.unwrap_err();
    let text = message(&error);
    assert!(
        text.starts_with("cannot read the repository team/models: "),
        "{text}"
    );
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
    assert_eq!(world.repository.branch(BRANCH), Some(commit.id.clone()));
    // On the way the branch was never at its base, for that closes the pull request.
    assert_eq!(world.server.state().open_pulls().len(), 1);

    api.delete_branch(BRANCH, &commit.id).await.unwrap();
    assert_eq!(world.repository.branch(BRANCH), None);
    api.commit(&wanted_commit(&world, None)).await.unwrap();
    check_branch(&world);
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
        races += 1;
    }
    assert_eq!(races, 4);
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
                repository.set_branch(&format!("modelsync-staging/{BRANCH}"), &other);
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
async fn deletes_only_what_was_seen() {
    let world = World::new();
    let forge = world.forge();
    let main = world.repository.branch("main").unwrap();
    let api = forge.commits().unwrap();
    let error = api.delete_branch(BRANCH, &main).await.unwrap_err();
    message(&error);
    assert!(world.repository.branch(BRANCH).is_some());
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
