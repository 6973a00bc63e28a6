//! Pull requests on GitHub: what each step does, and that it can be done again.

use super::*;
use crate::core::proposal::{Fate, MergeMethod};

#[tokio::test]
async fn opens_what_it_then_finds() {
    let world = World::new();
    let forge = world.forge();
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap(), []);
    let opened = forge.open(&wanted()).await.unwrap();
    assert_eq!(opened.number, 1);
    assert_eq!(opened.url, "https://github.com/team/models/pull/1");
    assert!(opened.says(&wanted().title, &wanted().body));
    assert!(!opened.is_draft);
    assert_eq!(
        forge.find(&head(), "main", &[]).await.unwrap(),
        std::slice::from_ref(&opened)
    );
    // Neither another base, nor another branch, nor the same branch of a fork.
    let other = Head {
        fork: None,
        branch: "modelsync/other".to_owned(),
    };
    let fork = Head {
        fork: Some("bot/models".to_owned()),
        ..head()
    };
    assert_eq!(forge.find(&head(), "next", &[]).await.unwrap(), []);
    assert_eq!(forge.find(&other, "main", &[]).await.unwrap(), []);
    assert_eq!(forge.find(&fork, "main", &[]).await.unwrap(), []);
    // Nor when GitHub lists all there are.
    world.server.state().ignores_filters = true;
    assert_eq!(forge.find(&head(), "next", &[]).await.unwrap(), []);
    assert_eq!(forge.find(&other, "main", &[]).await.unwrap(), []);
    assert_eq!(forge.find(&fork, "main", &[]).await.unwrap(), []);
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap().len(), 1);
    assert_eq!(world.server.writes(), 1);
}

#[tokio::test]
async fn every_step_can_be_done_twice() {
    let world = World::new();
    let forge = world.forge();
    let wanted = WantedPullRequest {
        is_draft: true,
        ..wanted()
    };
    let opened = forge.open(&wanted).await.unwrap();
    assert!(opened.is_draft);
    let reviewers = names(&["alice", "team/reviewers"]);
    for _ in 0..2 {
        forge.edit(&opened, "New title", "New body").await.unwrap();
        forge
            .add_labels(1, &names(&["model", "bot"]))
            .await
            .unwrap();
        forge.request_reviewers(1, &reviewers).await.unwrap();
        forge.add_assignees(1, &names(&["bob"])).await.unwrap();
        forge
            .enable_auto_merge(1, MergeMethod::Squash)
            .await
            .unwrap();
    }
    let found = forge.find(&head(), "main", &reviewers).await.unwrap();
    let [found] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(found.says("New title", "New body"));
    assert_eq!(found.labels, ["bot", "model"]);
    assert_eq!(found.reviewers, reviewers);
    assert_eq!(found.assignees, ["bob"]);
    assert!(found.has_auto_merge && found.is_draft);

    forge.comment(1, "A newer model is there.").await.unwrap();
    forge.close(1).await.unwrap();
    forge.close(1).await.unwrap();
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap(), []);
    let pull = world.server.state().pulls[0].clone();
    assert_eq!(pull.comments, ["A newer model is there."]);
    assert_eq!(pull.auto_merge.as_deref(), Some("squash"));
    assert!(!pull.is_open);
}

/// GitHub takes whoever has reviewed from those who are asked; asking again at each run would be a
/// write and a nuisance.
#[tokio::test]
async fn sees_who_has_reviewed() {
    let world = World::new();
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    let reviewers = names(&["alice", "team/reviewers"]);
    forge.request_reviewers(1, &reviewers).await.unwrap();
    {
        let mut github = world.server.state();
        // More than a page of them.
        github.page_size = 2;
        for login in ["x1", "x2", "x3", "x4"] {
            github.review(1, login, None);
        }
        github.review(1, "alice", Some("reviewers"));
    }
    world.server.no_faults();
    let found = forge.find(&head(), "main", &reviewers).await.unwrap();
    let missing = crate::core::proposal::not_among(&reviewers, &found[0].reviewers);
    assert_eq!(missing, names(&[]));
    // One list of pull requests, three pages of reviews, one of events.
    assert_eq!(world.server.reads(), 5);
    // Who is not looked for costs nothing.
    world.server.no_faults();
    forge.find(&head(), "main", &[]).await.unwrap();
    assert_eq!(world.server.reads(), 1);
}

#[tokio::test]
async fn opens_from_a_fork() {
    let world = World::new();
    let fork = fork(world.directory.path());
    world
        .server
        .state()
        .forks
        .insert("bot/models".to_owned(), fork);
    let wanted = WantedPullRequest {
        head: Head {
            fork: Some("bot/models".to_owned()),
            ..head()
        },
        ..wanted()
    };
    let forge = world.forge();
    let opened = forge.open(&wanted).await.unwrap();
    assert_eq!(
        forge.find(&wanted.head, "main", &[]).await.unwrap(),
        [opened]
    );
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap(), []);
    let pulls = world.server.state().open_pulls();
    assert_eq!(pulls[0].head_repository, "bot/models");
}

#[tokio::test]
async fn a_second_pull_request_for_a_branch_is_a_duplicate() {
    let world = World::new();
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    let error = forge.open(&wanted()).await.unwrap_err();
    assert!(error.is_duplicate && !error.is_uncertain, "{error}");
    let text = message(&error);
    assert!(
        text.contains("A pull request already exists for team:modelsync/label-bot."),
        "{text}"
    );
}

#[tokio::test]
async fn names_the_branch_that_is_missing() {
    let world = World::new();
    let forge = world.forge();
    for (head, base, said) in [
        ("gone", "main", "there is no branch gone: push it first"),
        ("modelsync/label-bot", "gone", "there is no branch gone"),
        ("main", "main", "No commits between main and main"),
    ] {
        let wanted = WantedPullRequest {
            base: base.to_owned(),
            head: Head {
                fork: None,
                branch: head.to_owned(),
            },
            ..wanted()
        };
        let error = forge.open(&wanted).await.unwrap_err();
        assert!(!error.is_duplicate, "{error}");
        let text = message(&error);
        assert!(text.contains(said), "{text}");
    }
}

#[tokio::test]
async fn refuses_reviewers_who_are_not_there() {
    let world = World::new();
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    let error = forge
        .request_reviewers(1, &names(&["nobody"]))
        .await
        .unwrap_err();
    let text = message(&error);
    assert!(
        text.starts_with("cannot ask nobody to review team/models#1: ")
            && text.contains("not a collaborator"),
        "{text}"
    );
}

#[tokio::test]
async fn says_how_to_allow_auto_merge() {
    let world = World::new();
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    world.server.state().allows_auto_merge = false;
    let error = forge
        .enable_auto_merge(1, MergeMethod::Merge)
        .await
        .unwrap_err();
    let text = message(&error);
    assert!(
        text.contains("switch on \"Allow auto-merge\"") && !error.is_uncertain,
        "{text}"
    );
}

#[tokio::test]
async fn git_pushes_with_the_same_token() {
    let world = World::new();
    let credential = world.forge().push_credential().await.unwrap().unwrap();
    assert_eq!(credential.user, "x-access-token");
    assert_eq!(credential.password.expose(), TOKEN);
    assert!(!format!("{credential:?}").contains(TOKEN));
    let nobody = world.forge_with(QUICK, "GITHUB_TOKEN", "");
    assert!(nobody.push_credential().await.unwrap().is_none());
}

#[tokio::test]
async fn finds_the_last_one_whatever_became_of_it() {
    let world = World::new();
    let forge = world.forge();
    assert_eq!(forge.last(&head(), "main").await.unwrap(), None);
    let first = forge.open(&wanted()).await.unwrap();
    let fate = async || {
        world.server.no_faults();
        let last = forge.last(&head(), "main").await.unwrap().unwrap();
        assert_eq!((world.server.reads(), world.server.writes()), (1, 0));
        (last.pull_request.number, last.fate)
    };
    assert_eq!(fate().await, (1, Fate::Open));
    forge.close(first.number).await.unwrap();
    assert_eq!(fate().await, (1, Fate::Closed));
    // Also when nothing is left of its branch.
    let name = format!("refs/heads/{}", head().branch);
    let id = world.repository.branch(&head().branch).unwrap();
    let removed = world.repository.git(&["update-ref", "-d", &name], b"");
    removed.unwrap();
    assert_eq!(fate().await, (1, Fate::Closed));
    world.repository.set_branch(&head().branch, &id);
    forge.open(&wanted()).await.unwrap();
    assert_eq!(fate().await, (2, Fate::Open));
    {
        let mut github = world.server.state();
        github.close(2);
        github.pulls[1].is_merged = true;
    }
    assert_eq!(fate().await, (2, Fate::Merged));
    // Neither another base nor a fork, also when GitHub lists all there are.
    let fork = Head {
        fork: Some("bot/models".to_owned()),
        ..head()
    };
    for ignores_filters in [false, true] {
        world.server.state().ignores_filters = ignores_filters;
        assert_eq!(forge.last(&head(), "next").await.unwrap(), None);
        assert_eq!(forge.last(&fork, "main").await.unwrap(), None);
        assert_eq!(fate().await, (2, Fate::Merged));
    }
}
