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

use super::wire::{BranchDetails, CommitNode, RepositoryAnswer};
use super::{GitHub, graphql};
use crate::adapters::forges::{
    BranchCommit, CommitDetails, CommitThroughApi, ForgeError, WantedCommit,
};
use crate::adapters::http::{Request, StatusCode};

/// The id that stands for no commit.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// Where commits are made before their branch moves to them. Runs for the same branch share it, and
/// whoever is overtaken is told.
fn staging_branch(branch: &str) -> String {
    format!("modelsync-staging/{branch}")
}

/// An update that removes a branch which points to `id`.
fn removal(branch: &str, id: &str) -> Value {
    json!({"name": format!("refs/heads/{branch}"), "beforeOid": id, "afterOid": NO_COMMIT})
}

impl GitHub {
    /// What GitHub says of the repository.
    pub(super) async fn repository_details(&self) -> Result<RepositoryAnswer, ForgeError> {
        let doing = format!("read the repository {}", self.repository());
        let token = self.token().await?;
        let request = Request::get(self.url(&[], &[]));
        self.api.ask(&doing, request, token.as_ref()).await
    }

    /// The commit that a branch points to.
    pub(super) async fn read_branch(
        &self,
        branch: &str,
    ) -> Result<Option<CommitDetails>, ForgeError> {
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
            removal(&staging, &commit.id),
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
        let Ok(now) = self.read_branch(&wanted.branch).await else {
            return Err(error);
        };
        let now = now.map(|commit| commit.id);
        let staging = staging_branch(&wanted.branch);
        let staged = self.read_branch(&staging).await;
        let is_staged = staged.is_ok_and(|staged| staged.is_some_and(|it| it.id == commit.id));
        if is_staged {
            // Whoever looks again may find nothing left to do, and leave it there.
            let removal = removal(&staging, &commit.id);
            let doing = format!("remove the branch {staging} of {}", self.repository());
            // The error that led here says more.
            let _ = self.update_refs(&doing, &json!([removal])).await;
        }
        // Also where another run made the same commit in the same second.
        if now.as_ref() == Some(&commit.id) {
            return Ok(commit);
        }
        error.is_outdated |= now != wanted.seen || !is_staged;
        Err(error)
    }

    async fn remove(&self, branch: &str, seen: &str) -> Result<(), ForgeError> {
        let doing = format!("remove the branch {branch} of {}", self.repository());
        let updates = json!([removal(branch, seen)]);
        let Err(mut error) = self.update_refs(&doing, &updates).await else {
            return Ok(());
        };
        match self.read_branch(branch).await {
            // By somebody else, or by a request whose answer was lost.
            Ok(None) => Ok(()),
            Ok(Some(now)) => {
                error.is_outdated |= now.id != seen;
                Err(error)
            }
            Err(_) => Err(error),
        }
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
    fn commit<'a>(
        &'a self,
        wanted: &'a WantedCommit,
    ) -> BoxFuture<'a, Result<BranchCommit, ForgeError>> {
        Box::pin(self.make_commit(wanted))
    }

    fn remove_branch<'a>(
        &'a self,
        branch: &'a str,
        seen: &'a str,
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.remove(branch, seen))
    }
}
