//! What goes wrong with GitHub: the sentence, the flags and the number of attempts.

use super::super::fake::github::Grant;
use super::super::fake::server::{Answer, Fault, Moment};
use super::*;

/// What one step came to.
struct Seen {
    error: ForgeError,
    attempts: usize,
}

async fn reading(world: &World, fault: Fault) -> Seen {
    let forge = world.forge();
    world.server.hook(move |_, _, moment| match moment {
        Moment::Before => fault.clone(),
        Moment::After => Fault::None,
    });
    let error = forge.find(&head(), "main", &[]).await.unwrap_err();
    Seen {
        error,
        attempts: world.server.calls().len(),
    }
}

async fn opening(world: &World, fault: Fault) -> Seen {
    let forge = world.forge();
    world.server.hook(move |_, _, moment| match moment {
        Moment::Before => fault.clone(),
        Moment::After => Fault::None,
    });
    let error = forge.open(&wanted()).await.unwrap_err();
    Seen {
        error,
        attempts: world.server.calls().len(),
    }
}

#[tokio::test]
async fn says_what_each_refusal_means() {
    let world = World::new();
    let not_accessible = "Resource not accessible by personal access token";
    for (answer, said) in [
        (
            Answer::refusal(401, "Bad credentials"),
            "answered 401 Unauthorized: Bad credentials; GITHUB_TOKEN is wrong, expired or revoked: make a new one",
        ),
        (
            Answer::refusal(403, not_accessible)
                .header("x-accepted-github-permissions", "pull_requests=write,contents=read; issues=write"),
            "GITHUB_TOKEN lacks the permission pull_requests=write and contents=read, or issues=write",
        ),
        (
            Answer::refusal(404, "Not Found")
                .header("x-oauth-scopes", "read:org, gist")
                .header("x-accepted-oauth-scopes", "repo"),
            "GITHUB_TOKEN has only read:org, gist and needs the scope repo",
        ),
        (
            Answer::refusal(404, "Not Found").header("x-oauth-scopes", ""),
            "GITHUB_TOKEN has no scope and needs the scope repo",
        ),
        (
            Answer::refusal(404, "Not Found").header("x-oauth-scopes", "repo"),
            "there is no such thing, or GITHUB_TOKEN has no access to the repository",
        ),
        (
            Answer::refusal(404, "Not Found"),
            "there is no such thing, or GITHUB_TOKEN has no access to the repository",
        ),
        (
            Answer::refusal(403, "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.")
                .header("x-github-sso", "required; url=https://github.com/orgs/team/sso?authorization_request=A"),
            "authorise the token for the organisation's single sign-on: https://github.com/orgs/team/sso?authorization_request=A",
        ),
        (
            Answer::refusal(403, "GitHub Actions is not permitted to create or approve pull requests."),
            "switch on \"Allow GitHub Actions to create and approve pull requests\" in the settings of the repository or its organisation, or give another token",
        ),
        (
            Answer::refusal(403, "Repository was archived so is read-only."),
            "take the repository out of the archive, or leave it alone",
        ),
        (
            Answer::refusal(403, "API rate limit exceeded for user ID 1.")
                .header("x-ratelimit-remaining", "0")
                .header("x-ratelimit-reset", "4102444800"),
            "the rate limit is used up: try again after 2100-01-01T00:00:00Z",
        ),
        (
            Answer::refusal(403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."),
            "GitHub is asked too often: try again in some minutes",
        ),
        (
            Answer::refusal(403, "You have exceeded a secondary rate limit.").header("retry-after", "600"),
            "GitHub is asked too often: try again in 600 seconds",
        ),
    ] {
        for seen in [
            reading(&world, Fault::Answer(answer.clone())).await,
            opening(&world, Fault::Answer(answer.clone())).await,
        ] {
            let text = message(&seen.error);
            assert!(text.ends_with(said), "{text}\nis not: {said}");
            assert!(!seen.error.is_uncertain && !seen.error.is_duplicate, "{text}");
            assert_eq!(seen.attempts, 1, "{text}");
        }
    }
    assert_eq!(world.server.state().pulls.len(), 0);
}

#[tokio::test]
async fn waits_when_it_is_asked_to() {
    let world = World::new();
    let forge = world.forge();
    for status in [403, 429, 503] {
        let answer = Answer::refusal(status, "slow down").header("retry-after", "0");
        world.server.fail(0, Moment::Before, Fault::Answer(answer));
        forge.find(&head(), "main", &[]).await.unwrap();
        assert_eq!(world.server.calls().len(), 2, "{status}");
    }
    // Even what creates, since it was refused before anything was done.
    let answer = Answer::refusal(429, "slow down").header("retry-after", "0");
    world.server.fail(0, Moment::Before, Fault::Answer(answer));
    forge.open(&wanted()).await.unwrap();
    assert_eq!(world.server.state().pulls.len(), 1);
}

#[tokio::test]
async fn repeats_reading_and_not_creating() {
    let failed = || Fault::Answer(Answer::refusal(502, "Server Error"));
    for (fault, reading_attempts, opening_attempts) in
        [(failed(), 3, 1), (Fault::HangUp, 3, 1), (Fault::Half, 3, 1)]
    {
        let world = World::new();
        let seen = reading(&world, fault.clone()).await;
        let text = message(&seen.error);
        assert_eq!(seen.attempts, reading_attempts, "{text}");
        assert!(!seen.error.is_uncertain, "{text}");
        assert!(text.ends_with("; try again later"), "{text}");

        let seen = opening(&world, fault).await;
        let text = message(&seen.error);
        assert_eq!(seen.attempts, opening_attempts, "{text}");
        assert!(seen.error.is_uncertain, "{text}");
        assert!(
            text.ends_with("; it may have been done all the same, which the next run will see"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_lost_answer_is_uncertain_and_the_next_look_tells() {
    for fault in [Fault::HangUp, Fault::Half] {
        let world = World::new();
        let forge = world.forge();
        world.server.fail(0, Moment::After, fault);
        let error = forge.open(&wanted()).await.unwrap_err();
        assert!(error.is_uncertain, "{error}");
        message(&error);
        assert_eq!(forge.find(&head(), "main", &[]).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn does_not_wait_for_ever() {
    let world = World::new();
    let limits = Limits {
        attempt: Duration::from_millis(50),
        total: Duration::from_millis(80),
        ..QUICK
    };
    let forge = world.forge_with(limits, "GITHUB_TOKEN", TOKEN);
    world.server.fail(0, Moment::Before, Fault::Silence);
    let error = forge.open(&wanted()).await.unwrap_err();
    let text = message(&error);
    assert!(
        text.contains("no answer within") && error.is_uncertain,
        "{text}"
    );
}

#[tokio::test]
async fn says_that_nobody_answers_or_somebody_else() {
    let world = World::new();
    let forge = world.forge();
    let page = Answer {
        body: "<html>Sign in</html>".to_owned(),
        ..Answer::empty(200)
    };
    world.server.fail(0, Moment::Before, Fault::Answer(page));
    let error = forge.find(&head(), "main", &[]).await.unwrap_err();
    let text = message(&error);
    assert!(
        text.ends_with("check that the forge's URL is that of its API"),
        "{text}"
    );
    drop(world);
    let error = forge.find(&head(), "main", &[]).await.unwrap_err();
    let text = message(&error);
    assert!(
        text.contains("no connection: ") && text.ends_with("check the forge's URL and the network"),
        "{text}"
    );
}

#[tokio::test]
async fn names_the_permission_that_a_token_lacks() {
    let world = World::new();
    for (grant, said) in [
        (
            Grant::fine(
                "octocat",
                &[("contents", "write"), ("pull_requests", "read")],
            ),
            "GITHUB_TOKEN lacks the permission pull_requests=write",
        ),
        (
            Grant::classic("octocat", &["gist"]),
            "GITHUB_TOKEN has only gist and needs the scope repo",
        ),
    ] {
        world.server.state().tokens.insert(TOKEN.to_owned(), grant);
        let error = world.forge().open(&wanted()).await.unwrap_err();
        let text = message(&error);
        assert!(text.ends_with(said), "{text}");
    }
    let stranger = world.forge_with(QUICK, "GITHUB_TOKEN", "ghp_unknown");
    let text = message(&stranger.open(&wanted()).await.unwrap_err());
    assert!(text.contains("Bad credentials"), "{text}");
    let nobody = world.forge_with(QUICK, "GITHUB_TOKEN", "");
    let text = message(&nobody.open(&wanted()).await.unwrap_err());
    assert!(text.ends_with("give a token in GITHUB_TOKEN"), "{text}");
}

#[tokio::test]
async fn does_not_repeat_a_secret_that_the_server_says() {
    let world = World::new();
    let echo = Answer::refusal(403, &format!("token {TOKEN} is bad"));
    let seen = reading(&world, Fault::Answer(echo)).await;
    let text = message(&seen.error);
    assert!(text.contains("token *** is bad"), "{text}");
}

#[tokio::test]
async fn assignees_that_are_passed_over_are_told() {
    let world = World::new();
    let forge = world.forge();
    // Whether bob can be assigned is asked first.
    let issue = Answer::json(201, &serde_json::json!({"assignees": []}));
    world.server.fail(1, Moment::Before, Fault::Answer(issue));
    let error = forge.add_assignees(1, &names(&["bob"])).await.unwrap_err();
    assert!(error.message.contains("passed over bob"), "{error}");
}
