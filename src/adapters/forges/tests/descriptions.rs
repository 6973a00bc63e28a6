//! What others say of GitLab's and Gitea's API, as the judge of what is sent and of what the fakes
//! answer. GitLab has no description in a registry, so that the types of a client that others keep
//! stand for it; Gitea's models are made from its own description.
//!
//! `MODELSYNC_FORGE_DESCRIPTIONS` is a directory with the npm packages of all forges:
//! `@octokit/openapi`, `@stoplight/prism-cli`, `@octokit/graphql-schema`, `graphql`,
//! `@gitbeaker/core` and `typescript`. `MODELSYNC_FORGE_PYTHON` is a Python with `gitea-api-client`.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::super::fake::gitea::Gitea;
use super::super::fake::gitlab::GitLab;
use super::super::fake::server::Call;
use super::*;
use crate::core::proposal::{Fate, MergeMethod};

#[path = "../../../../tests/it/harness/real_part.rs"]
#[expect(dead_code, reason = "each binary of tests uses its part")]
mod real_part;

/// Where the npm packages are; says loudly that a test is skipped when they are not.
pub(super) fn packages() -> Option<PathBuf> {
    let modules = std::env::var_os("MODELSYNC_FORGE_DESCRIPTIONS")
        .map(|directory| Path::new(&directory).join("node_modules"))
        .filter(|modules| modules.is_dir());
    if modules.is_none() {
        real_part::skipped("MODELSYNC_FORGE_DESCRIPTIONS, npm packages that describe forges");
    }
    modules
}

pub(super) fn script(name: &str) -> PathBuf {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/forges");
    testdata.join(name)
}

/// Whether a judge agrees, and what it says.
pub(super) fn judgement(mut judge: Command, said: &Value) -> (bool, String) {
    let mut child = judge
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = said.to_string();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), said)
}

/// Every step once.
async fn every_step(forge: &dyn Forge) {
    let wanted = WantedPullRequest {
        is_draft: true,
        ..wanted()
    };
    let opened = forge.open(&wanted).await.unwrap();
    let ready = crate::core::proposal::PullRequest {
        is_draft: false,
        ..opened
    };
    forge.edit(&ready, "Title", "Body").await.unwrap();
    forge.add_labels(1, &names(&["model"])).await.unwrap();
    forge
        .request_reviewers(1, &names(&["alice"]))
        .await
        .unwrap();
    forge.add_assignees(1, &names(&["bob"])).await.unwrap();
    forge
        .enable_auto_merge(1, MergeMethod::Squash)
        .await
        .unwrap();
    forge.find(&head(), "main", &[]).await.unwrap();
    forge.comment(1, "Hello").await.unwrap();
    forge.close(1).await.unwrap();
    let last = forge.last(&head(), "main").await.unwrap().unwrap();
    assert_eq!(last.fate, Fate::Closed);
}

/// The bodies of calls with the names of their types; reads have none.
fn typed(calls: &[Call], type_of: impl Fn(&Call) -> &'static str) -> Vec<Value> {
    let writes = calls.iter().filter(|call| call.is_write());
    let typed = writes.map(|call| json!({"type": type_of(call), "value": call.body}));
    typed.collect()
}

fn settings(kind: ForgeKind, url: String) -> Settings {
    Settings {
        kind: Some(kind),
        url: Some(url),
        github_app: None,
    }
}

#[tokio::test]
async fn gitlab_would_understand_every_request_and_give_these_answers() {
    let Some(modules) = packages() else { return };
    let (_directory, git_dir, _) = repository();
    let server = GitLab::start(&git_dir, TOKEN);
    let settings = settings(ForgeKind::GitLab, server.url());
    let remote = "git@gitlab.com:group/sub/models.git";
    let forge = connect_with(remote, &settings, QUICK, &|_| Some(Secret::new(TOKEN))).unwrap();
    every_step(&*forge).await;
    let mut said = typed(&server.calls(), |call| {
        match call.path.last().unwrap().as_str() {
            "merge" => "AcceptMergeRequestOptions",
            "merge_requests" => "CreateMergeRequestOptions",
            "notes" => "MergeRequestNoteSchema",
            _ => "EditMergeRequestOptions",
        }
    });
    // The branches are arguments of their own in that client.
    for call in &mut said {
        if call["type"] == "CreateMergeRequestOptions" {
            let value = call["value"].as_object_mut().unwrap();
            assert!(value.remove("source_branch").is_some());
            assert!(value.remove("target_branch").is_some());
        }
    }
    let mut answer = server.state().merge_requests[0].clone();
    // A pipeline is longer than what the fake says of it.
    answer["head_pipeline"] = json!(null);
    said.push(json!({"type": "ExpandedMergeRequestSchema", "value": answer}));
    let judge = || {
        let mut command = Command::new("node");
        command.arg(script("check-gitlab")).arg(&modules);
        command
    };
    let count = format!("{} checked\n", said.len());
    assert_eq!(judgement(judge(), &json!(said)), (true, count));
    let wrong = json!([{"type": "EditMergeRequestOptions", "value": {"add_label": "x"}}]);
    assert!(!judgement(judge(), &wrong).0);
}

#[tokio::test]
async fn gitea_would_understand_every_request_and_give_these_answers() {
    let Some(python) = std::env::var_os("MODELSYNC_FORGE_PYTHON") else {
        return real_part::skipped("MODELSYNC_FORGE_PYTHON, a Python with gitea-api-client");
    };
    let (_directory, git_dir, _) = repository();
    let server = Gitea::start(&git_dir, TOKEN);
    let settings = settings(ForgeKind::Gitea, server.url());
    let remote = "https://codeberg.org/team/models";
    let forge = connect_with(remote, &settings, QUICK, &|_| Some(Secret::new(TOKEN))).unwrap();
    every_step(&*forge).await;
    let mut said = typed(&server.calls(), |call| {
        match (call.method.as_str(), call.path.last().unwrap().as_str()) {
            ("PATCH", _) => "EditPullRequestOption",
            (_, "pulls") => "CreatePullRequestOption",
            (_, "merge") => "MergePullRequestOption",
            (_, "requested_reviewers") => "PullReviewRequestOptions",
            (_, "comments") => "CreateIssueCommentOption",
            (_, "labels") if call.path.contains(&"issues".to_owned()) => "IssueLabelsOption",
            (_, "labels") => "CreateLabelOption",
            _ => panic!("{}", call.line()),
        }
    });
    let state = server.state();
    said.push(json!({"type": "PullRequest", "value": state.pulls[0]}));
    for event in &state.events[0] {
        said.push(json!({"type": "TimelineComment", "value": event}));
    }
    drop(state);
    let judge = || {
        let mut command = Command::new(&python);
        command.arg(script("check-gitea"));
        command
    };
    let count = format!("{} checked\n", said.len());
    assert_eq!(judgement(judge(), &json!(said)), (true, count));
    let wrong = json!([{"type": "EditPullRequestOption", "value": {"description": "x"}}]);
    assert!(!judgement(judge(), &wrong).0);
}
