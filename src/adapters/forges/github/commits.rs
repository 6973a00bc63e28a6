//! Commits that GitHub makes and signs itself.
//!
//! ```text
//! base ─► staging branch ─► commit on it (createCommitOnBranch) ─► the branch moves from what was
//!                                                                  seen to the commit, and the staging
//!                                                                  branch goes: one step (updateRefs)
//! ```
//!
//! Only `createCommitOnBranch` signs what a personal token commits, and it commits on what a branch
//! points to. The branch of an open pull request must not be set back to its base for that: GitHub
//! would close the pull request.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::wire::{
    BlobAnswer, BranchDetails, CommitNode, Comparison, RepositoryAnswer, TreeAnswer,
};
use super::{GitHub, graphql};
use crate::adapters::forges::api::has_next_page;
use crate::adapters::forges::{BranchCommit, CommitThroughApi, ForgeError, TreeFile, WantedCommit};
use crate::adapters::http::{Request, StatusCode};

/// The id that stands for no commit.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// Where commits are made before their branch moves to them. Runs for the same branch share it, and
/// whoever is overtaken is told.
fn staging_branch(branch: &str) -> String {
    format!("modelsync-staging/{branch}")
}

impl GitHub {
    async fn repository_details(&self) -> Result<RepositoryAnswer, ForgeError> {
        let doing = format!("read the repository {}", self.repository());
        let token = self.token().await?;
        let request = Request::get(self.url(&[], &[]));
        self.api.ask(&doing, request, token.as_ref()).await
    }

    async fn read_branch(&self, branch: &str) -> Result<Option<BranchCommit>, ForgeError> {
        let doing = format!("read the branch {branch} of {}", self.repository());
        let token = self.token().await?;
        let request = Request::get(self.url(&["branches", branch], &[]));
        let answer: Result<BranchDetails, _> = self.api.ask(&doing, request, token.as_ref()).await;
        match answer {
            // A branch that was renamed is answered under its new name.
            Ok(details) if details.name != branch => Ok(None),
            Ok(details) => Ok(Some(details.commit.into())),
            // A repository that cannot be seen is no repository without the branch.
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                self.repository_details().await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn compare(&self, base: &str, head: &str) -> Result<Vec<BranchCommit>, ForgeError> {
        let doing = format!("compare {head} with {base} in {}", self.repository());
        let range = format!("{base}...{head}");
        let mut commits = Vec::new();
        for page in 1_u32.. {
            let page = page.to_string();
            let query = [("per_page", "100"), ("page", page.as_str())];
            let url = self.url(&["compare", &range], &query);
            let token = self.token().await?;
            let response = self
                .api
                .send(&doing, Request::get(url), token.as_ref())
                .await?;
            let comparison: Comparison = response
                .json()
                .map_err(|error| ForgeError::new(format!("cannot {doing}: {error}")))?;
            let (is_empty, total) = (comparison.commits.is_empty(), comparison.total_commits);
            commits.extend(comparison.commits.into_iter().map(BranchCommit::from));
            if !has_next_page(&response.headers) || is_empty {
                if commits.len() == total {
                    return Ok(commits);
                }
                break;
            }
        }
        Err(ForgeError::new(format!(
            "cannot {doing}: only {} of the commits are listed; delete the branch, or choose another",
            commits.len()
        )))
    }

    async fn tree(&self, id: &str, is_recursive: bool) -> Result<TreeAnswer, ForgeError> {
        let doing = format!("list the files of {id} in {}", self.repository());
        let query: &[_] = if is_recursive {
            &[("recursive", "1")]
        } else {
            &[]
        };
        let token = self.token().await?;
        let request = Request::get(self.url(&["git", "trees", id], query));
        self.api.ask(&doing, request, token.as_ref()).await
    }

    async fn list_files(
        &self,
        commit_id: &str,
        directory: &str,
    ) -> Result<Vec<TreeFile>, ForgeError> {
        let mut id = commit_id.to_owned();
        let names = directory.split('/').filter(|name| !name.is_empty());
        for name in names.clone() {
            let tree = self.tree(&id, false).await?;
            let entry = tree.tree.into_iter().find(|entry| entry.path == name);
            match entry.filter(|entry| entry.kind == "tree") {
                Some(entry) => id = entry.sha,
                None => return Ok(Vec::new()),
            }
        }
        let prefix: String = names.map(|name| format!("{name}/")).collect();
        let mut files = Vec::new();
        let mut trees = vec![(prefix, id)];
        while let Some((prefix, id)) = trees.pop() {
            let mut tree = self.tree(&id, true).await?;
            let is_whole = !tree.truncated;
            // Too many for one answer: one directory at a time.
            if !is_whole {
                tree = self.tree(&id, false).await?;
            }
            for entry in tree.tree {
                let path = format!("{prefix}{}", entry.path);
                match entry.kind.as_str() {
                    "blob" => files.push(TreeFile {
                        path,
                        blob_id: entry.sha,
                        mode: entry.mode,
                        size: entry.size,
                    }),
                    "tree" if !is_whole => trees.push((format!("{path}/"), entry.sha)),
                    // Trees that are listed with what is in them, and submodules.
                    _ => {}
                }
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    async fn read_file(&self, blob_id: &str) -> Result<Vec<u8>, ForgeError> {
        let doing = format!("read the file {blob_id} of {}", self.repository());
        let token = self.token().await?;
        let request = Request::get(self.url(&["git", "blobs", blob_id], &[]));
        let blob: BlobAnswer = self.api.ask(&doing, request, token.as_ref()).await?;
        // The text is in lines.
        let text: String = blob.content.split_whitespace().collect();
        match BASE64_STANDARD.decode(text) {
            Ok(bytes) if blob.encoding == "base64" => Ok(bytes),
            _ => Err(ForgeError::new(format!(
                "cannot {doing}: GitHub sent it in the encoding {:?}",
                blob.encoding
            ))),
        }
    }

    async fn update_refs(&self, doing: &str, updates: &Value) -> Result<(), ForgeError> {
        let id = async || Ok(self.repository_details().await?.node_id);
        let repository = self.repository_id.get_or_try_init(id).await?;
        let variables = json!({"repository": repository, "updates": updates});
        self.graphql(doing, graphql::UPDATE_REFS, &variables)
            .await?;
        Ok(())
    }

    async fn make_commit(&self, wanted: &WantedCommit) -> Result<BranchCommit, ForgeError> {
        let branch = &wanted.branch;
        let staging = staging_branch(branch);
        let doing = format!("commit on {branch} of {}", self.repository());
        let update = json!({
            "name": format!("refs/heads/{staging}"), "afterOid": wanted.base_id, "force": true,
        });
        self.update_refs(&doing, &json!([update])).await?;
        let input = self.commit_input(wanted, &staging);
        let data = self
            .graphql(&doing, graphql::CREATE_COMMIT, &json!({"input": input}))
            .await?;
        let commit = data["createCommitOnBranch"]["commit"].clone();
        let commit: CommitNode = serde_json::from_value(commit)
            .map_err(|error| ForgeError::new(format!("cannot {doing}: {error}")))?;
        let commit = BranchCommit::from(commit);
        let updates = json!([
            {
                "name": format!("refs/heads/{branch}"),
                "beforeOid": wanted.seen.as_deref().unwrap_or(NO_COMMIT),
                "afterOid": commit.id,
                "force": true,
            },
            {
                "name": format!("refs/heads/{staging}"),
                "beforeOid": commit.id,
                "afterOid": NO_COMMIT,
            },
        ]);
        if let Err(error) = self.update_refs(&doing, &updates).await {
            return self.after_failed_move(wanted, commit, error).await;
        }
        Ok(commit)
    }

    /// Tells a lost answer and a lost race from a refusal, by where the branch points now.
    async fn after_failed_move(
        &self,
        wanted: &WantedCommit,
        commit: BranchCommit,
        mut error: ForgeError,
    ) -> Result<BranchCommit, ForgeError> {
        let points_to = async |branch: &str| {
            let commit = self.read_branch(branch).await.ok()?;
            Some(commit.map(|commit| commit.id))
        };
        let Some(now) = points_to(&wanted.branch).await else {
            return Err(error);
        };
        if now.as_ref() == Some(&commit.id) {
            return Ok(commit);
        }
        let is_staged = points_to(&staging_branch(&wanted.branch)).await == Some(Some(commit.id));
        error.is_outdated |= now != wanted.seen || !is_staged;
        Err(error)
    }

    fn commit_input(&self, wanted: &WantedCommit, branch: &str) -> Value {
        let (headline, body) = wanted
            .message
            .split_once('\n')
            .unwrap_or((&wanted.message, ""));
        let mut additions = Vec::new();
        let mut deletions = Vec::new();
        for change in &wanted.changes {
            match &change.contents {
                Some(bytes) => additions.push(json!({
                    "path": change.path, "contents": BASE64_STANDARD.encode(bytes),
                })),
                None => deletions.push(json!({"path": change.path})),
            }
        }
        json!({
            "branch": {"repositoryNameWithOwner": self.repository(), "branchName": branch},
            "expectedHeadOid": wanted.base_id,
            "message": {"headline": headline, "body": body.trim()},
            "fileChanges": {"additions": additions, "deletions": deletions},
        })
    }
}

impl CommitThroughApi for GitHub {
    fn branch<'a>(
        &'a self,
        branch: &'a str,
    ) -> BoxFuture<'a, Result<Option<BranchCommit>, ForgeError>> {
        Box::pin(self.read_branch(branch))
    }

    fn default_branch(&self) -> BoxFuture<'_, Result<String, ForgeError>> {
        Box::pin(async move { Ok(self.repository_details().await?.default_branch) })
    }

    fn commits_beyond<'a>(
        &'a self,
        base: &'a str,
        head: &'a str,
    ) -> BoxFuture<'a, Result<Vec<BranchCommit>, ForgeError>> {
        Box::pin(self.compare(base, head))
    }

    fn files<'a>(
        &'a self,
        commit_id: &'a str,
        directory: &'a str,
    ) -> BoxFuture<'a, Result<Vec<TreeFile>, ForgeError>> {
        Box::pin(self.list_files(commit_id, directory))
    }

    fn file<'a>(&'a self, blob_id: &'a str) -> BoxFuture<'a, Result<Vec<u8>, ForgeError>> {
        Box::pin(self.read_file(blob_id))
    }

    fn commit<'a>(
        &'a self,
        wanted: &'a WantedCommit,
    ) -> BoxFuture<'a, Result<BranchCommit, ForgeError>> {
        Box::pin(self.make_commit(wanted))
    }

    fn delete_branch<'a>(
        &'a self,
        branch: &'a str,
        seen: &'a str,
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(async move {
            let doing = format!("delete the branch {branch} of {}", self.repository());
            let update = json!({
                "name": format!("refs/heads/{branch}"), "beforeOid": seen, "afterOid": NO_COMMIT,
            });
            self.update_refs(&doing, &json!([update])).await
        })
    }
}
