//! GitHub Apps: keys, signatures, clocks, and tokens for one repository.

use std::collections::BTreeMap;

use super::super::fake::github::App as FakeApp;
use super::super::{Forge, GitHubApp};
use super::*;

fn key_file(name: &str) -> PathBuf {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/forges");
    testdata.join(name)
}

pub(super) fn world() -> World {
    let world = World::new();
    let permissions = [("contents", "write"), ("pull_requests", "write")];
    world.server.state().app = Some(FakeApp {
        id: "1234".to_owned(),
        public_key: std::fs::read(key_file("app-key.public.der")).unwrap(),
        permissions: BTreeMap::from(
            permissions.map(|(name, level)| (name.to_owned(), level.to_owned())),
        ),
        is_installed: true,
        clock_offset: 0,
        tokens: 0,
        token_life: 3600,
    });
    world
}

pub(super) fn settings(id: &str, key: &str) -> Settings {
    Settings {
        github_app: Some(GitHubApp {
            id: id.to_owned(),
            key_file: key_file(key),
        }),
        ..Settings::default()
    }
}

fn forge(world: &World, id: &str, key: &str) -> anyhow::Result<Box<dyn Forge>> {
    let settings = Settings {
        url: Some(world.server.url()),
        ..settings(id, key)
    };
    // The app goes before a token.
    connect_with(
        "https://git.example.com/team/models",
        &settings,
        QUICK,
        &|_| Some(Secret::new("another")),
    )
}

#[tokio::test]
async fn works_with_both_forms_of_key() {
    for key in ["app-key.pkcs1.pem", "app-key.pkcs8.pem"] {
        let world = world();
        let forge = forge(&world, "1234", key).unwrap();
        forge.open(&wanted()).await.unwrap();
        forge.find(&head(), "main", &[]).await.unwrap();
        let credential = forge.push_credential().await.unwrap().unwrap();
        assert_eq!(credential.user, "x-access-token");
        assert_eq!(credential.password.expose(), "ghs_installation1");
        // One token does for all of it.
        assert_eq!(world.server.state().app.as_ref().unwrap().tokens, 1);
    }
}

#[tokio::test]
async fn asks_for_this_repository_and_what_is_needed_only() {
    let world = world();
    let forge = forge(&world, "1234", "app-key.pkcs1.pem").unwrap();
    forge.find(&head(), "main", &[]).await.unwrap();
    let calls = world.server.calls();
    let call = calls.iter().find(|call| call.is_write()).unwrap();
    assert_eq!(
        call.body,
        serde_json::json!({
            "repositories": ["models"],
            "permissions": {"contents": "write", "pull_requests": "write"},
        })
    );
}

#[tokio::test]
async fn a_token_that_soon_expires_is_replaced() {
    let world = world();
    world.server.state().app.as_mut().unwrap().token_life = 200;
    let forge = forge(&world, "1234", "app-key.pkcs1.pem").unwrap();
    forge.push_credential().await.unwrap();
    let credential = forge.push_credential().await.unwrap().unwrap();
    assert_eq!(credential.password.expose(), "ghs_installation2");
}

#[tokio::test]
async fn goes_by_githubs_clock_when_they_differ() {
    // Behind and ahead: by less than a minute nothing needs to be asked twice.
    for (offset, calls) in [(0, 3), (-45, 3), (-4000, 5), (4000, 5)] {
        let world = world();
        world.server.state().app.as_mut().unwrap().clock_offset = offset;
        let forge = forge(&world, "1234", "app-key.pkcs1.pem").unwrap();
        forge.find(&head(), "main", &[]).await.unwrap();
        assert_eq!(world.server.calls().len(), calls, "{offset}");
    }
}

#[tokio::test]
async fn says_what_is_wrong_with_an_app() {
    let world = world();
    let fails = async |id: &str, key: &str| {
        let forge = forge(&world, id, key).unwrap();
        message(&forge.find(&head(), "main", &[]).await.unwrap_err())
    };
    let text = fails("4321", "app-key.pkcs1.pem").await;
    assert!(
        text.starts_with("cannot find the installation of the app 4321 on team/models: ")
            && text.contains(
                "what the app 4321 signs (its id, its key, or this machine's clock) is wrong"
            ),
        "{text}"
    );
    world.server.state().app.as_mut().unwrap().is_installed = false;
    let text = fails("1234", "app-key.pkcs1.pem").await;
    assert!(text.contains("install the app on the repository"), "{text}");
}

#[tokio::test]
async fn names_the_permissions_that_an_app_lacks() {
    let world = world();
    let remove = |app: &mut FakeApp| app.permissions.remove("contents");
    remove(world.server.state().app.as_mut().unwrap());
    let forge = forge(&world, "1234", "app-key.pkcs1.pem").unwrap();
    let error = forge.find(&head(), "main", &[]).await.unwrap_err();
    let text = message(&error);
    assert!(
        text.contains("not granted to this installation")
            && text.contains("give the app the permissions \"Contents\" and \"Pull requests\""),
        "{text}"
    );
}

#[test]
fn refuses_files_that_hold_no_key() {
    let world = world();
    for (file, said) in [
        ("missing.pem", "No such file"),
        ("README.md", "it is no private key in PEM form"),
    ] {
        let error = forge(&world, "1234", file).err().unwrap();
        let text = format!("{error:#}");
        assert!(
            text.starts_with("cannot use the key of the GitHub App 1234 in ")
                && text.contains(said),
            "{text}"
        );
    }
}
