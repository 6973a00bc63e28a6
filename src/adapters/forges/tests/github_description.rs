//! GitHub's own description of its API as the judge: of what is sent, and of what the fake answers.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use super::super::fake::server::{Answer, Fault, Moment};
use super::super::{FileChange, WantedBlob, WantedCommit};
use super::descriptions::{judgement, packages, script};
use super::*;
use crate::adapters::http::{Http, Method, Request, StatusCode, Url};
use crate::core::proposal::{Fate, MergeMethod};

/// A proxy that lets only through what the description allows. It ends with the value.
struct Proxy {
    process: Child,
    url: String,
    _description: tempfile::NamedTempFile,
}

impl Proxy {
    fn start(modules: &Path, server: &Server<GitHub>) -> Self {
        let whole = modules.join("@octokit/openapi/generated/api.github.com.json");
        let cut = Command::new("node")
            .arg(script("cut-github-description"))
            .arg(whole)
            .output()
            .unwrap();
        assert!(cut.status.success(), "{cut:?}");
        let mut description = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
        description.write_all(&cut.stdout).unwrap();
        let mut process = Command::new("node")
            .arg(modules.join("@stoplight/prism-cli/dist/index.js"))
            .args(["proxy", "--errors", "--host", "127.0.0.1", "--port", "0"])
            .arg(description.path())
            .arg(server.url())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut url = None;
        let mut said = Vec::new();
        let mut lines = lines.map_while(Result::ok);
        for line in lines.by_ref() {
            if let Some((_, rest)) = line.split_once("listening on ") {
                let end = rest.find(|c: char| !c.is_ascii_graphic() || c == '\u{1b}');
                url = Some(rest[..end.unwrap_or(rest.len())].to_owned());
                break;
            }
            said.push(line);
        }
        // It waits when nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            url: url.unwrap_or_else(|| panic!("no proxy: {said:?}")),
            _description: description,
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn through(proxy: &Proxy, settings: Settings) -> Box<dyn Forge> {
    let settings = Settings {
        url: Some(proxy.url.clone()),
        ..settings
    };
    // Validation takes its time.
    let limits = Limits {
        attempt: Duration::from_secs(30),
        total: Duration::from_secs(60),
        attempts: 1,
        ..QUICK
    };
    connect_with(
        "git@github.com:team/models.git",
        &settings,
        limits,
        &|variable| (variable == "GITHUB_TOKEN").then(|| Secret::new(TOKEN)),
    )
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn github_would_understand_every_request_and_give_these_answers() {
    let Some(modules) = packages() else { return };
    let world = World::new();
    let proxy = Proxy::start(&modules, &world.server);
    let forge = through(&proxy, Settings::default());
    let reviewers = names(&["alice", "team/reviewers"]);

    let opened = forge.open(&wanted()).await.unwrap();
    forge.edit(&opened, "Title", "Body").await.unwrap();
    forge.add_labels(1, &names(&["model"])).await.unwrap();
    forge.request_reviewers(1, &reviewers).await.unwrap();
    forge.add_assignees(1, &names(&["bob"])).await.unwrap();
    forge.comment(1, "Hello").await.unwrap();
    world
        .forge()
        .enable_auto_merge(1, MergeMethod::Squash)
        .await
        .unwrap();
    world.server.state().review(1, "alice", Some("reviewers"));
    let found = forge.find(&head(), "main", &reviewers).await.unwrap();
    assert!(found[0].has_auto_merge, "{found:?}");
    assert!(forge.open(&wanted()).await.unwrap_err().is_duplicate);
    forge.close(1).await.unwrap();
    let last = forge.last(&head(), "main").await.unwrap().unwrap();
    assert_eq!(last.fate, Fate::Closed);

    // GraphQL the description does not have.
    let api = forge.commits().unwrap();
    assert_eq!(api.default_branch().await.unwrap(), "main");
    let main = api.branch("main").await.unwrap().unwrap();
    let branches = api.branches("modelsync/").await.unwrap();
    let (_, branch) = &branches[0];
    let details = api.commit_details(branch).await.unwrap();
    assert_eq!(details.parent_ids, std::slice::from_ref(&main.id));
    assert!(!api.is_in(&main.id, branch).await.unwrap());
    let entries = api.tree(&main.tree_id, true).await.unwrap().unwrap();
    assert!(api.tree(&main.tree_id, false).await.unwrap().is_some());
    let readme = entries.iter().find(|entry| entry.path == b"README.md");
    assert_eq!(api.blob(&readme.unwrap().id).await.unwrap(), b"models\n");

    // The judge judges: an answer that is not GitHub's, and a request.
    let answer = Answer::json(200, &serde_json::json!([{"number": 1}]));
    world.server.fail(0, Moment::Before, Fault::Answer(answer));
    let error = forge.find(&head(), "main", &[]).await.unwrap_err();
    assert!(message(&error).contains("answered 500"), "{error}");
    let http = Http::new(QUICK).unwrap();
    let url = Url::parse(&format!("{}/repos/team/models/pulls", proxy.url)).unwrap();
    let request = Request::new(Method::POST, url)
        .header("authorization", &format!("Bearer {TOKEN}"))
        .json(&serde_json::json!({"head": "a"}));
    let error = http.send(&request).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNPROCESSABLE_ENTITY));
}

#[tokio::test(flavor = "multi_thread")]
async fn github_would_understand_an_app() {
    let Some(modules) = packages() else { return };
    let world = github_app::world();
    let proxy = Proxy::start(&modules, &world.server);
    let forge = through(&proxy, github_app::settings("1234", "app-key.pkcs1.pem"));
    let credential = forge.push_credential().await.unwrap().unwrap();
    assert_eq!(credential.password.expose(), "ghs_installation1");
}

#[tokio::test]
async fn github_would_understand_the_graphql() {
    let Some(modules) = packages() else { return };
    let world = World::new();
    let forge = world.forge();
    forge.open(&wanted()).await.unwrap();
    forge
        .enable_auto_merge(1, MergeMethod::Rebase)
        .await
        .unwrap();
    let commit = WantedCommit {
        branch: "new".to_owned(),
        seen: None,
        base_id: world.repository.branch("main").unwrap(),
        message: "Subject\n\nBody".to_owned(),
        changes: vec![
            FileChange {
                path: "a".to_owned(),
                contents: Some(b"a".to_vec()),
            },
            FileChange {
                path: "README.md".to_owned(),
                contents: None,
            },
        ],
    };
    let api = forge.commits().unwrap();
    let made = api.commit(&commit).await.unwrap();
    api.remove_branch("new", &made.id).await.unwrap();
    let blobs = ["main:README.md", "main:prod/model.yaml"].map(|name| WantedBlob {
        id: world.repository.line(&["rev-parse", name]).unwrap(),
        size: 0,
    });
    api.texts(&blobs).await.unwrap();
    let tree = world.repository.line(&["rev-parse", "main:prod"]).unwrap();
    assert_eq!(api.exact_tree(&tree).await.unwrap().len(), 1);
    let calls = world.server.calls();
    let documents = calls.iter().filter(|call| call.path == ["graphql"]);
    let documents: Vec<_> = documents.map(|call| call.body.clone()).collect();
    assert_eq!(documents.len(), 7);
    let check = |requests: &[serde_json::Value]| {
        let mut command = Command::new("node");
        command.arg(script("check-graphql")).arg(&modules);
        judgement(command, &requests.to_vec().into())
    };
    assert_eq!(check(&documents), (true, "7 checked\n".to_owned()));
    // The judge judges.
    let mut wrong = documents[0].clone();
    wrong["variables"]["method"] = serde_json::json!("FAST");
    let (is_right, said) = check(&[wrong]);
    assert!(
        !is_right && said.contains("PullRequestMergeMethod"),
        "{said}"
    );
}
