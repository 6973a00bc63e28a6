//! Which forge, which API, and which token.

use super::super::connect::connect_with;
use super::*;

fn settings(kind: Option<ForgeKind>, url: Option<&str>) -> Settings {
    Settings {
        kind,
        url: url.map(str::to_owned),
        github_app: None,
    }
}

/// The variable whose token is used, when all of these are set.
async fn origin(remote: &str, kind: ForgeKind, variables: &[&str]) -> Option<String> {
    let settings = settings(Some(kind), None);
    let forge = connect_with(remote, &settings, QUICK, &|variable| {
        let is_set = variables.contains(&variable);
        is_set.then(|| Secret::new(&format!("the-token-of-{variable}")))
    })
    .unwrap();
    let credential = forge.push_credential().await.unwrap()?;
    let token = credential.password.expose();
    Some(token.strip_prefix("the-token-of-").unwrap().to_owned())
}

#[tokio::test]
async fn takes_the_token_that_is_for_the_host() {
    use ForgeKind::{GitHub, GitLab, Gitea};
    let all = [
        "CI_JOB_TOKEN",
        "FORGEJO_TOKEN",
        "GH_ENTERPRISE_TOKEN",
        "GH_TOKEN",
        "GITEA_TOKEN",
        "GITHUB_ENTERPRISE_TOKEN",
        "GITHUB_TOKEN",
        "GITLAB_TOKEN",
    ];
    let enterprise = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
    for (remote, kind, variables, used) in [
        ("https://github.com/a/b", GitHub, &all[..], Some("GH_TOKEN")),
        ("https://x.ghe.com/a/b", GitHub, &all, Some("GH_TOKEN")),
        (
            "https://ghe.example.com/a/b",
            GitHub,
            &all,
            Some("GH_ENTERPRISE_TOKEN"),
        ),
        (
            "https://ghe.example.com/a/b",
            GitHub,
            &["GITHUB_TOKEN"],
            Some("GITHUB_TOKEN"),
        ),
        // A token of another server is not sent to github.com.
        ("https://github.com/a/b", GitHub, &enterprise, None),
        ("https://gitlab.com/a/b", GitLab, &all, Some("GITLAB_TOKEN")),
        (
            "https://gitlab.com/a/b",
            GitLab,
            &["CI_JOB_TOKEN"],
            Some("CI_JOB_TOKEN"),
        ),
        ("https://codeberg.org/a/b", Gitea, &all, Some("GITEA_TOKEN")),
        (
            "https://codeberg.org/a/b",
            Gitea,
            &["FORGEJO_TOKEN"],
            Some("FORGEJO_TOKEN"),
        ),
        ("https://codeberg.org/a/b", Gitea, &["GITHUB_TOKEN"], None),
    ] {
        let origin = origin(remote, kind, variables).await;
        assert_eq!(origin.as_deref(), used, "{remote} {kind} {variables:?}");
    }
}

#[test]
fn refuses_what_it_cannot_connect_to() {
    for (remote, kind, url, said) in [
        (
            "https://git.example.com/a/b",
            None,
            None,
            "cannot tell which forge git.example.com is: say --forge github, gitlab or gitea, or --forge none to push only",
        ),
        (
            "/srv/git/a/b.git",
            None,
            None,
            "cannot tell which forge a path on this machine belongs to: say --forge github, gitlab or gitea, or --forge none to push only",
        ),
        (
            "/srv/git/a/b.git",
            Some(ForgeKind::GitHub),
            None,
            "cannot tell where the API of github is from a path on this machine: say --forge-url",
        ),
        (
            "https://github.com/a/b",
            None,
            Some("api.github.com"),
            "cannot use the forge's URL: \"api.github.com\" is none; give one such as https://HOST/api/v4",
        ),
        (
            "https://github.com/a/b",
            None,
            Some("https://user:hidden@example.com/api"),
            "cannot use the forge's URL: it holds a user or a password; give tokens by the environment",
        ),
        (
            "https://github.com/b",
            None,
            None,
            "the remote names the repository \"b\" without its owner; give a URL such as https://HOST/OWNER/REPOSITORY",
        ),
    ] {
        let error = connect_with(remote, &settings(kind, url), QUICK, &|_| None);
        assert_eq!(format!("{:#}", error.err().unwrap()), said);
    }
}

#[test]
fn an_app_is_one_of_github() {
    let settings = Settings {
        github_app: Some(super::super::GitHubApp {
            id: "1".to_owned(),
            key_file: "gone.pem".into(),
        }),
        ..settings(None, None)
    };
    let error = connect_with("https://ghe.example.com/a/b", &settings, QUICK, &|_| None);
    let text = format!("{:#}", error.err().unwrap());
    assert!(
        text.starts_with("cannot use the key of the GitHub App 1 in gone.pem"),
        "{text}"
    );
}
