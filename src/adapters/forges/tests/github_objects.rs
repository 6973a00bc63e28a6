//! A repository on GitHub, read through its API: what comes is what git says of it.

use super::super::fake::server::{Answer, Fault, Moment};
use super::super::{TreeEntry, WantedBlob};
use super::*;

const BRANCH: &str = "modelsync/label-bot";

/// Commits files to `main`.
fn commit(world: &World, files: &[(&str, &[u8])]) -> String {
    let main = world.repository.branch("main");
    let changes: Vec<_> = files
        .iter()
        .map(|(path, bytes)| ((*path).to_owned(), Some(bytes.to_vec())))
        .collect();
    let id = world
        .repository
        .commit_on(main.as_deref(), &changes, "More")
        .unwrap();
    world.repository.set_branch("main", &id);
    id
}

fn id_of(world: &World, revision: &str) -> String {
    world.repository.line(&["rev-parse", revision]).unwrap()
}

fn blob(world: &World, path: &str) -> WantedBlob {
    let id = id_of(world, &format!("main:{path}"));
    let size = world.repository.line(&["cat-file", "-s", &id]).unwrap();
    WantedBlob {
        id,
        size: size.parse().unwrap(),
    }
}

#[tokio::test]
async fn commits_are_as_git_shows_them() {
    let world = World::new();
    let forge = world.forge();
    let api = forge.commits().unwrap();
    let branch = api.branch(BRANCH).await.unwrap().unwrap();
    let main = id_of(&world, "main");
    assert_eq!(branch.id, id_of(&world, BRANCH));
    assert_eq!(branch.tree_id, id_of(&world, &format!("{BRANCH}^{{tree}}")));
    assert_eq!(branch.parent_ids, std::slice::from_ref(&main));
    assert_eq!(branch.author.name, "octocat");
    assert_eq!(branch.author.email, "octocat@users.noreply.github.com");
    assert_eq!(branch.committer.email, "noreply@github.com");
    let seconds = world
        .repository
        .line(&["show", "-s", "--format=%ct", BRANCH])
        .unwrap();
    let time = branch.committer.time.unwrap();
    assert_eq!(time.as_second().to_string(), seconds);
    assert_eq!(branch.message.trim(), "Use TCN2");
    assert_eq!(api.commit_details(&branch.id).await.unwrap(), branch);
    // Taken along by a branch that moved.
    let error = api.commit_details(&"1".repeat(40)).await.unwrap_err();
    assert!(error.is_outdated, "{error}");
    assert_eq!(api.branch("gone").await.unwrap(), None);
    assert_eq!(api.default_branch().await.unwrap(), "main");
    assert!(api.is_in(&branch.id, &main).await.unwrap());
    assert!(api.is_in(&main, &main).await.unwrap());
    assert!(!api.is_in(&main, &branch.id).await.unwrap());
    let other = world.repository.commit_on(None, &[], "Alone").unwrap();
    assert!(!api.is_in(&main, &other).await.unwrap());
    assert_eq!(world.server.writes(), 0);
}

#[tokio::test]
async fn lists_the_branches_that_begin_so() {
    let world = World::new();
    let forge = world.forge();
    let api = forge.commits().unwrap();
    let main = id_of(&world, "main");
    for name in ["modelsync/a", "modelsync-staging/modelsync/a", "modelsyn"] {
        world.repository.set_branch(name, &main);
    }
    // Also where it answers in pages.
    world.server.state().page_size = 2;
    let listed = api.branches("modelsync/").await.unwrap();
    let branch = id_of(&world, BRANCH);
    let wanted = [("modelsync/a", &main), (BRANCH, &branch)];
    assert_eq!(
        listed,
        wanted.map(|(name, id)| (name.to_owned(), id.clone()))
    );
    assert_eq!(api.branches("").await.unwrap().len(), 5);
    assert_eq!(api.branches("x").await.unwrap(), []);
}

#[tokio::test]
async fn an_empty_repository_has_no_branches() {
    let world = World::new();
    for branch in ["main", BRANCH] {
        let name = format!("refs/heads/{branch}");
        world
            .repository
            .git(&["update-ref", "-d", &name], b"")
            .unwrap();
    }
    let forge = world.forge();
    let api = forge.commits().unwrap();
    assert_eq!(api.branches("").await.unwrap(), []);
    assert_eq!(api.branch("main").await.unwrap(), None);
}

#[tokio::test]
async fn a_repository_that_is_hidden_is_not_one_without_the_branch() {
    let world = World::new();
    world.server.state().name = "other".to_owned();
    let forge = world.forge();
    let error = forge.commits().unwrap().branch("main").await.unwrap_err();
    let text = message(&error);
    assert!(
        text.starts_with("cannot read the repository team/models: ")
            && text.contains("has no access"),
        "{text}"
    );
}

#[tokio::test]
async fn trees_are_listed_with_all_below_them() {
    let world = World::new();
    commit(&world, &[("a/b/c.yaml", b"c: 1\n"), ("a/d.yaml", b"")]);
    let forge = world.forge();
    let api = forge.commits().unwrap();
    let tree = id_of(&world, "main:a");
    let paths = async |is_whole| {
        let entries = api.tree(&tree, is_whole).await.unwrap()?;
        let paths = entries.into_iter();
        let paths = paths.map(|entry| String::from_utf8(entry.path).unwrap());
        Some(paths.collect::<Vec<_>>())
    };
    assert_eq!(paths(true).await, Some(names(&["b", "b/c.yaml", "d.yaml"])));
    assert_eq!(paths(false).await, Some(names(&["b", "d.yaml"])));
    let entry = TreeEntry {
        path: b"b/c.yaml".to_vec(),
        mode: 0o100_644,
        id: id_of(&world, "main:a/b/c.yaml"),
        size: 5,
    };
    assert_eq!(api.tree(&tree, true).await.unwrap().unwrap()[1], entry);
    world.server.state().most_tree_entries = 2;
    assert_eq!(paths(true).await, None);
    assert_eq!(paths(false).await, Some(names(&["b", "d.yaml"])));
}

/// As JSON cannot hold it.
#[tokio::test]
async fn names_of_any_bytes_can_be_asked_for() {
    let world = World::new();
    let text = id_of(&world, "main:README.md");
    let lines = [
        format!("100755 blob {text}\tcaf").as_bytes(),
        b"\xe9\0",
        format!("160000 commit {}\tmodule\0", id_of(&world, "main")).as_bytes(),
    ]
    .concat();
    let tree = world.repository.git(&["mktree", "-z"], &lines).unwrap();
    let tree = String::from_utf8(tree).unwrap();
    let forge = world.forge();
    let api = forge.commits().unwrap();
    let entry = |path: &[u8], mode, id: &str, size| TreeEntry {
        path: path.to_vec(),
        mode,
        id: id.to_owned(),
        size,
    };
    assert_eq!(
        api.exact_tree(tree.trim()).await.unwrap(),
        [
            entry(b"caf\xe9", 0o100_755, &text, 7),
            entry(b"module", 0o160_000, &id_of(&world, "main"), 0),
        ]
    );
    assert_eq!(world.server.writes(), 0);
}

#[tokio::test]
async fn many_texts_come_with_few_requests() {
    let world = World::new();
    let texts: Vec<_> = (0..300)
        .map(|at| (format!("f{at:03}"), format!("file: {at} é\r\n")))
        .collect();
    let mut files: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_bytes()))
        .collect();
    let long = "x".repeat(600 << 10);
    let odd: [(&str, &[u8]); 3] = [
        ("binary", b"a\0b"),
        ("latin", b"caf\xe9"),
        ("long", long.as_bytes()),
    ];
    files.extend(odd);
    commit(&world, &files);
    let wanted: Vec<_> = files.iter().map(|(path, _)| blob(&world, path)).collect();
    world.server.no_faults();
    let forge = world.forge();
    let api = forge.commits().unwrap();
    let mut read = api.texts(&wanted).await.unwrap();
    assert_eq!(world.server.calls().len(), 4);
    // One more, which has been converted.
    read.retain(|text| text != "café");
    let all: Vec<_> = texts.iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(read, all);
    for (path, bytes) in odd {
        let id = blob(&world, path).id;
        assert_eq!(api.blob(&id).await.unwrap(), bytes, "{path}");
    }
    assert_eq!(world.server.writes(), 0);
}

/// A query is asked again as a GET is, and says nothing of what may have been done.
#[tokio::test]
async fn a_query_is_no_change() {
    let world = World::new();
    let wanted = [blob(&world, "README.md")];
    let forge = world.forge();
    let api = forge.commits().unwrap();
    world.server.fail(0, Moment::After, Fault::HangUp);
    assert_eq!(api.texts(&wanted).await.unwrap(), ["models\n"]);
    world.server.hook(|_, _, when| match when {
        Moment::Before => Fault::Answer(Answer::refusal(502, "Bad gateway")),
        Moment::After => Fault::None,
    });
    let error = api.texts(&wanted).await.unwrap_err();
    assert!(!error.is_uncertain, "{error}");
    let text = message(&error);
    assert!(
        text.starts_with("cannot read 1 files of team/models: ")
            && text.ends_with("; try again later"),
        "{text}"
    );
}

#[tokio::test]
async fn names_the_permission_that_is_missing() {
    use super::super::fake::github::Grant;
    let world = World::new();
    let grant = Grant::fine("octocat", &[("pull_requests", "write")]);
    world.server.state().tokens.insert(TOKEN.to_owned(), grant);
    let forge = world.forge();
    let error = forge.commits().unwrap().branch("main").await.unwrap_err();
    let text = message(&error);
    assert!(
        text.contains("GITHUB_TOKEN lacks the permission contents=read"),
        "{text}"
    );
}

#[tokio::test]
async fn removes_only_what_was_seen() {
    let world = World::new();
    let forge = world.forge();
    let api = forge.commits().unwrap();
    let (main, seen) = (id_of(&world, "main"), id_of(&world, BRANCH));
    let error = api.remove_branch(BRANCH, &main).await.unwrap_err();
    assert!(error.is_outdated, "{error}");
    message(&error);
    assert_eq!(id_of(&world, BRANCH), seen);
    // An answer that is lost.
    world.server.fail(1, Moment::After, Fault::HangUp);
    api.remove_branch(BRANCH, &seen).await.unwrap();
    assert_eq!(world.repository.branches(), ["main"]);
    api.remove_branch(BRANCH, &seen).await.unwrap();
}
