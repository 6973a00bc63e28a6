//! Pull requests on Gitea and Forgejo.

use super::super::fake::gitea::Gitea;
use super::super::fake::server::{Answer, Fault, Moment};
use super::*;
use crate::core::proposal::{Fate, MergeMethod};

struct World {
    server: Server<Gitea>,
    directory: tempfile::TempDir,
}

fn world() -> World {
    let (directory, git_dir, _) = repository();
    World {
        server: Gitea::start(&git_dir, TOKEN),
        directory,
    }
}

impl World {
    fn forge(&self) -> Box<dyn Forge> {
        self.forge_with("GITEA_TOKEN")
    }

    fn forge_with(&self, variable: &str) -> Box<dyn Forge> {
        let settings = Settings {
            url: Some(self.server.url()),
            ..Settings::default()
        };
        let remote = "https://codeberg.org/team/models";
        connect_with(remote, &settings, QUICK, &|asked| {
            (asked == variable).then(|| Secret::new(TOKEN))
        })
        .unwrap()
    }
}

#[tokio::test]
async fn every_step_can_be_done_twice() {
    let world = world();
    let forge = world.forge();
    let opened = forge.open(&wanted()).await.unwrap();
    let reviewers = names(&["alice", "team/reviewers"]);
    for _ in 0..2 {
        forge.edit(&opened, "New", "Body").await.unwrap();
        // One of the repository, one of the organisation, and one that is made.
        let labels = names(&["Bug", "shared", "model"]);
        forge.add_labels(1, &labels).await.unwrap();
        forge.add_assignees(1, &names(&["bob"])).await.unwrap();
        forge.add_assignees(1, &names(&["carol"])).await.unwrap();
        forge
            .enable_auto_merge(1, MergeMethod::Squash)
            .await
            .unwrap();
    }
    forge.request_reviewers(1, &reviewers).await.unwrap();
    let found = forge.find(&head(), "main", &reviewers).await.unwrap();
    let [found] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(
        found.says("New", "Body") && found.has_auto_merge,
        "{found:?}"
    );
    assert_eq!(found.labels, ["bug", "shared", "model"]);
    assert_eq!(found.assignees, ["bob", "carol"]);
    let missing = |found: &[String]| crate::core::proposal::not_among(&reviewers, found);
    assert_eq!(missing(&found.reviewers), names(&[]));
    assert_eq!(world.server.state().labels.len(), 3);

    // Once they have reviewed, only the history knows that they were asked.
    world.server.state().review(1);
    let found = forge.find(&head(), "main", &reviewers).await.unwrap();
    assert_eq!(missing(&found[0].reviewers), names(&[]));
    assert!(found[0].reviewers.contains(&"carol".to_owned()));

    forge.comment(1, "Bye").await.unwrap();
    forge.close(1).await.unwrap();
    forge.close(1).await.unwrap();
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap(), []);
    assert_eq!(world.server.state().comments, ["Bye"]);
}

#[tokio::test]
async fn a_cancelled_auto_merge_is_none() {
    let world = world();
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    forge
        .enable_auto_merge(1, MergeMethod::Merge)
        .await
        .unwrap();
    let event = serde_json::json!({"id": 1, "type": "pull_cancel_scheduled_merge"});
    world.server.state().events[0].push(event);
    let found = forge.find(&head(), "main", &[]).await.unwrap();
    assert!(!found[0].has_auto_merge);
}

#[tokio::test]
async fn a_draft_stays_one() {
    let world = world();
    let forge = world.forge();
    let wanted = WantedPullRequest {
        is_draft: true,
        ..wanted()
    };
    let opened = forge.open(&wanted).await.unwrap();
    assert!(opened.is_draft && opened.says(&wanted.title, &wanted.body));
    forge.edit(&opened, "New", "Body").await.unwrap();
    let title = world.server.state().pulls[0]["title"].clone();
    assert_eq!(title, "WIP: New");
    let error = forge
        .enable_auto_merge(1, MergeMethod::Merge)
        .await
        .unwrap_err();
    let text = message(&error);
    assert!(
        text.contains("Work in progress") && text.contains("; a draft"),
        "{text}"
    );
}

#[tokio::test]
async fn finds_its_own_among_many() {
    let world = world();
    let fork = fork(world.directory.path());
    world
        .server
        .state()
        .repositories
        .push(("bot/models".to_owned(), fork));
    let forge = world.forge();
    let from_fork = WantedPullRequest {
        head: Head {
            fork: Some("bot/models".to_owned()),
            ..head()
        },
        ..wanted()
    };
    forge.open(&from_fork).await.unwrap();
    {
        // On pages before ours.
        let mut gitea = world.server.state();
        let mut other = gitea.pulls[0].clone();
        other["head"]["ref"] = serde_json::json!("other");
        other["head"]["repo"] = serde_json::json!(null);
        for _ in 0..3 {
            gitea.pulls.push(other.clone());
            gitea.events.push(Vec::new());
        }
    }
    let own = forge.open(&wanted()).await.unwrap();
    assert_eq!(own.number, 5);
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap(), [own]);
    let found = forge.find(&from_fork.head, "main", &[]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].number, 1);
}

#[tokio::test]
async fn waits_until_gitea_has_worked_it_out() {
    let world = world();
    world.server.state().tries_until_ready = 3;
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    forge
        .enable_auto_merge(1, MergeMethod::Merge)
        .await
        .unwrap();
    world.server.state().tries_until_ready = 1000;
    let error = forge
        .enable_auto_merge(1, MergeMethod::Merge)
        .await
        .unwrap_err();
    assert!(message(&error).contains("try again later"), "{error}");
}

#[tokio::test]
async fn says_what_each_refusal_means() {
    let world = world();
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    let error = forge.open(&wanted()).await.unwrap_err();
    assert!(error.is_duplicate, "{error}");
    message(&error);
    let gone = WantedPullRequest {
        base: "gone".to_owned(),
        ..wanted()
    };
    let text = message(&forge.open(&gone).await.unwrap_err());
    assert!(
        text.ends_with("there is no such repository or branch, or GITEA_TOKEN has no access to it"),
        "{text}"
    );
    world.server.state().is_archived = true;
    let text = message(&forge.comment(1, "x").await.unwrap_err());
    assert!(
        text.ends_with("take the repository out of the archive, or leave it alone"),
        "{text}"
    );
    world.server.state().is_archived = false;
    world.server.state().tokens.insert(TOKEN.to_owned(), false);
    let text = message(&forge.close(1).await.unwrap_err());
    assert!(
        text.ends_with("GITEA_TOKEN lacks the scope write:repository"),
        "{text}"
    );
    world.server.state().tokens.clear();
    let text = message(&forge.close(1).await.unwrap_err());
    assert!(
        text.ends_with("is wrong, expired or revoked: make a new one"),
        "{text}"
    );
    let nobody = world.forge_with("OTHER");
    let text = message(&nobody.close(1).await.unwrap_err());
    assert!(text.ends_with("give a token in GITEA_TOKEN"), "{text}");
}

#[tokio::test]
async fn a_lost_answer_is_uncertain_and_the_next_look_tells() {
    let world = world();
    let forge = world.forge();
    world.server.fail(0, Moment::After, Fault::HangUp);
    let error = forge.open(&wanted()).await.unwrap_err();
    assert!(error.is_uncertain && message(&error).contains("may have been done"));
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap().len(), 1);
    let busy = Answer::refusal(500, "Internal Server Error");
    world.server.fail(0, Moment::Before, Fault::Answer(busy));
    forge.close(1).await.unwrap();
    assert_eq!(world.server.calls().len(), 2);
}

#[tokio::test]
async fn git_pushes_with_the_same_token() {
    let forgejo = world().forge_with("FORGEJO_TOKEN");
    let credential = forgejo.push_credential().await.unwrap().unwrap();
    assert_eq!(credential.user, "oauth2");
    assert_eq!(credential.password.expose(), TOKEN);
    assert!(forgejo.commits().is_none());
}

#[tokio::test]
async fn finds_the_last_one_whatever_became_of_it() {
    let world = world();
    let fork = fork(world.directory.path());
    let fork = ("bot/models".to_owned(), fork);
    world.server.state().repositories.push(fork);
    let forge = world.forge();
    assert_eq!(forge.last(&head(), "main").await.unwrap(), None);
    forge.open(&wanted()).await.unwrap();
    let last = async || {
        let last = forge.last(&head(), "main").await.unwrap().unwrap();
        (last.pull_request.number, last.fate)
    };
    assert_eq!(last().await, (1, Fate::Open));
    forge.close(1).await.unwrap();
    assert_eq!(last().await, (1, Fate::Closed));
    // Once the branch is gone, Gitea has another name for it.
    let name = format!("refs/heads/{}", head().branch);
    let repository = world.server.state().repositories[0].1.clone();
    let id = repository.branch(&head().branch).unwrap();
    repository.git(&["update-ref", "-d", &name], b"").unwrap();
    assert_eq!(last().await, (1, Fate::Closed));
    repository.set_branch(&head().branch, &id);
    // Those of a fork, of which there are more than fit on a page, are others.
    let from_fork = WantedPullRequest {
        head: Head {
            fork: Some("bot/models".to_owned()),
            ..head()
        },
        ..wanted()
    };
    for number in 2..=4 {
        forge.open(&from_fork).await.unwrap();
        forge.close(number).await.unwrap();
    }
    assert_eq!(last().await, (1, Fate::Closed));
    forge.open(&wanted()).await.unwrap();
    assert_eq!(last().await, (5, Fate::Open));
    {
        let mut gitea = world.server.state();
        gitea.pulls[4]["state"] = serde_json::json!("closed");
        gitea.pulls[4]["merged"] = serde_json::json!(true);
    }
    assert_eq!(last().await, (5, Fate::Merged));
    assert_eq!(forge.last(&head(), "next").await.unwrap(), None);
}
