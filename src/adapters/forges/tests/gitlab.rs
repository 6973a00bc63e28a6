//! Merge requests on GitLab.

use super::super::fake::gitlab::{GitLab, Grant};
use super::super::fake::server::{Answer, Fault, Moment};
use super::*;
use crate::core::proposal::{Fate, MergeMethod};

struct World {
    server: Server<GitLab>,
    directory: tempfile::TempDir,
}

fn world() -> World {
    let (directory, git_dir, _) = repository();
    World {
        server: GitLab::start(&git_dir, TOKEN),
        directory,
    }
}

impl World {
    fn forge(&self) -> Box<dyn Forge> {
        self.forge_with("GITLAB_TOKEN", TOKEN)
    }

    fn forge_with(&self, variable: &str, token: &str) -> Box<dyn Forge> {
        let settings = Settings {
            url: Some(self.server.url()),
            ..Settings::default()
        };
        let remote = "git@gitlab.com:group/sub/models.git";
        connect_with(remote, &settings, QUICK, &|asked| {
            (asked == variable).then(|| Secret::new(token))
        })
        .unwrap()
    }
}

#[tokio::test]
async fn every_step_can_be_done_twice() {
    let world = world();
    let forge = world.forge();
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap(), []);
    let wanted = WantedPullRequest {
        is_draft: true,
        ..wanted()
    };
    let opened = forge.open(&wanted).await.unwrap();
    // The mark of a draft is GitLab's own, and no part of our title.
    assert!(opened.is_draft && opened.says(&wanted.title, &wanted.body));
    let title = |world: &World| world.server.state().merge_requests[0]["title"].clone();
    assert_eq!(title(&world), "Draft: Update the model of label-bot");
    for _ in 0..2 {
        forge.edit(&opened, "New", "Body").await.unwrap();
        forge
            .add_labels(1, &names(&["model", "bot"]))
            .await
            .unwrap();
        forge
            .request_reviewers(1, &names(&["alice"]))
            .await
            .unwrap();
        forge.request_reviewers(1, &names(&["bob"])).await.unwrap();
        forge.add_assignees(1, &names(&["bob"])).await.unwrap();
    }
    assert_eq!(title(&world), "Draft: New");
    let found = forge.find(&head(), "main", &[]).await.unwrap();
    let [found] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(found.is_draft && found.says("New", "Body"), "{found:?}");
    assert_eq!(found.labels, ["model", "bot"]);
    assert_eq!(found.reviewers, ["alice", "bob"]);
    assert_eq!(found.assignees, ["bob"]);
    assert_eq!(
        found.url,
        "https://gitlab.com/group/sub/models/-/merge_requests/1"
    );

    forge.comment(1, "Bye").await.unwrap();
    forge.close(1).await.unwrap();
    forge.close(1).await.unwrap();
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap(), []);
    assert_eq!(world.server.state().notes, ["Bye"]);
}

#[tokio::test]
async fn tells_branches_of_forks_apart() {
    let world = world();
    let fork = fork(world.directory.path());
    world
        .server
        .state()
        .projects
        .push(("bot/models".to_owned(), fork));
    let forge = world.forge();
    let from_fork = WantedPullRequest {
        head: Head {
            fork: Some("bot/models".to_owned()),
            ..head()
        },
        ..wanted()
    };
    let own = forge.open(&wanted()).await.unwrap();
    let other = forge.open(&from_fork).await.unwrap();
    // They are on the same page of GitLab's list, and a third would be on the next.
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap(), [own]);
    let found = forge.find(&from_fork.head, "main", &[]).await.unwrap();
    assert_eq!(found, [other]);
}

#[tokio::test]
async fn reads_every_page() {
    let world = world();
    let forge = world.forge();
    let opened = forge.open(&wanted()).await.unwrap();
    {
        // Four of other forks before ours.
        let mut gitlab = world.server.state();
        let mut other = gitlab.merge_requests[0].clone();
        other["source_project_id"] = serde_json::json!(999);
        for _ in 0..4 {
            gitlab.merge_requests.insert(0, other.clone());
        }
    }
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap(), [opened]);
}

#[tokio::test]
async fn a_second_one_for_a_branch_is_a_duplicate() {
    let world = world();
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    let error = forge.open(&wanted()).await.unwrap_err();
    assert!(error.is_duplicate && !error.is_uncertain, "{error}");
    assert!(message(&error).contains("already exists for this source branch: !1"));
}

#[tokio::test]
async fn merges_by_itself_when_there_is_something_to_wait_for() {
    let world = world();
    world.server.state().looks_until_ready = Some(3);
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    forge
        .enable_auto_merge(1, MergeMethod::Squash)
        .await
        .unwrap();
    let found = forge.find(&head(), "main", &[]).await.unwrap();
    assert!(found[0].has_auto_merge);
    let state = world.server.state().merge_requests[0].clone();
    assert_eq!(state["squash"], true);

    let error = forge
        .enable_auto_merge(1, MergeMethod::Rebase)
        .await
        .unwrap_err();
    assert!(message(&error).contains("choose merge or squash"));
}

/// GitLab would merge at once.
#[tokio::test]
async fn does_not_merge_what_nothing_checks() {
    let world = world();
    world.server.state().looks_until_ready = None;
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    let error = forge
        .enable_auto_merge(1, MergeMethod::Merge)
        .await
        .unwrap_err();
    assert!(message(&error).contains("there is no pipeline"), "{error}");
    let state = world.server.state().merge_requests[0].clone();
    assert_eq!(state["state"], "opened");
}

#[tokio::test]
async fn says_what_stands_in_the_way_of_a_merge() {
    let world = world();
    let forge = world.forge();
    let wanted = WantedPullRequest {
        is_draft: true,
        ..wanted()
    };
    forge.open(&wanted).await.unwrap();
    let error = forge
        .enable_auto_merge(1, MergeMethod::Merge)
        .await
        .unwrap_err();
    assert!(message(&error).contains("a draft, a conflict"), "{error}");
}

#[tokio::test]
async fn says_whom_gitlab_left_out() {
    let world = world();
    world.server.state().is_free = true;
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    let reviewers = names(&["alice", "bob"]);
    let error = forge.request_reviewers(1, &reviewers).await.unwrap_err();
    assert!(message(&error).contains("left out bob"), "{error}");
    let error = forge
        .add_assignees(1, &names(&["nobody"]))
        .await
        .unwrap_err();
    assert!(
        message(&error).contains("cannot look up the user nobody: there is none"),
        "{error}"
    );
}

#[tokio::test]
async fn says_what_each_refusal_means() {
    for (grant, said) in [
        (Some(Grant::ReadOnly), "GITLAB_TOKEN needs the scope api"),
        (
            Some(Grant::Guest),
            "GITLAB_TOKEN needs the scope api and the role Developer in the project",
        ),
        (
            None,
            "answered 401 Unauthorized: 401 Unauthorized; GITLAB_TOKEN is wrong, expired or revoked: make a new one",
        ),
    ] {
        let world = world();
        match grant {
            Some(grant) => world.server.state().tokens.insert(TOKEN.to_owned(), grant),
            None => world.server.state().tokens.remove(TOKEN),
        };
        let error = world.forge().open(&wanted()).await.unwrap_err();
        let text = message(&error);
        assert!(text.ends_with(said), "{text}");
        assert_eq!(world.server.calls().len(), 1);
    }
    let world = world();
    let nobody = world.forge_with("OTHER", TOKEN);
    let text = message(&nobody.open(&wanted()).await.unwrap_err());
    assert!(text.ends_with("give a token in GITLAB_TOKEN"), "{text}");
}

#[tokio::test]
async fn a_job_is_told_to_use_another_token() {
    let world = world();
    let token = "glcbt-Sup3rSecretT0ken";
    let grant = Grant::Job;
    world.server.state().tokens.insert(token.to_owned(), grant);
    let forge = world.forge_with("CI_JOB_TOKEN", token);
    let error = forge.find(&head(), "main", &[]).await.unwrap_err();
    let text = message(&error);
    assert!(
        text.ends_with("put a project access token into GITLAB_TOKEN") && !text.contains(token),
        "{text}"
    );
    let credential = forge.push_credential().await.unwrap().unwrap();
    assert_eq!(credential.user, "gitlab-ci-token");
}

#[tokio::test]
async fn a_lost_answer_is_uncertain_and_the_next_look_tells() {
    let world = world();
    let forge = world.forge();
    world.server.fail(0, Moment::After, Fault::Half);
    let error = forge.open(&wanted()).await.unwrap_err();
    assert!(error.is_uncertain && message(&error).contains("may have been done"));
    assert_eq!(forge.find(&head(), "main", &[]).await.unwrap().len(), 1);
    // What sets a value is repeated.
    let busy = Answer::refusal(502, "Bad Gateway");
    world.server.fail(0, Moment::Before, Fault::Answer(busy));
    forge.add_labels(1, &names(&["model"])).await.unwrap();
    assert_eq!(world.server.calls().len(), 2);
}

#[tokio::test]
async fn git_pushes_with_the_same_token() {
    let world = world();
    let credential = world.forge().push_credential().await.unwrap().unwrap();
    assert_eq!(credential.user, "oauth2");
    assert_eq!(credential.password.expose(), TOKEN);
    assert!(world.forge().commits().is_none());
}

#[tokio::test]
async fn finds_the_last_one_whatever_became_of_it() {
    let world = world();
    let fork = fork(world.directory.path());
    let fork = ("bot/models".to_owned(), fork);
    world.server.state().projects.push(fork);
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
    // Those of a fork, of which there are some, are others.
    let from_fork = WantedPullRequest {
        head: Head {
            fork: Some("bot/models".to_owned()),
            ..head()
        },
        ..wanted()
    };
    for number in 2..=2 {
        forge.open(&from_fork).await.unwrap();
        forge.close(number).await.unwrap();
    }
    assert_eq!(last().await, (1, Fate::Closed));
    forge.open(&wanted()).await.unwrap();
    assert_eq!(last().await, (3, Fate::Open));
    world.server.state().merge_requests[2]["state"] = serde_json::json!("merged");
    assert_eq!(last().await, (3, Fate::Merged));
    assert_eq!(forge.last(&head(), "next").await.unwrap(), None);
}
