//! GraphQL: the three mutations that modelsync uses, and its queries. That its queries are GitHub's is checked against
//! GitHub's own schema elsewhere.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::repository::Repository;
use super::super::server::{Answer, Call};
use super::{GitHub, Grant};

const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// A refusal: type and message.
pub(super) type Refused = (&'static str, String);

impl GitHub {
    pub(super) fn graphql(&mut self, call: &Call, grant: Option<&Grant>) -> Result<Answer, Answer> {
        let Some(grant) = grant else {
            return Err(Answer::refusal(
                401,
                "This endpoint requires you to be authenticated.",
            ));
        };
        let query = call.text("query");
        let variables = &call.body["variables"];
        let is_query = query.starts_with("query ");
        let is_allowed = grant.may("contents", if is_query { "read" } else { "write" });
        let result = if !is_allowed {
            Err((
                "FORBIDDEN",
                "Resource not accessible by personal access token".to_owned(),
            ))
        } else if is_query {
            self.query(query, variables)
        } else if query.contains("enablePullRequestAutoMerge(") {
            self.enable_auto_merge(variables)
        } else if query.contains("updateRefs(") {
            self.update_refs(variables)
        } else if query.contains("createCommitOnBranch(") {
            self.create_commit(&variables["input"])
        } else {
            Err(("UNKNOWN", "no such mutation".to_owned()))
        };
        let body = match result {
            Ok(data) => json!({"data": data}),
            Err((kind, message)) => json!({
                "data": null,
                "errors": [{"type": kind, "message": message, "path": [], "locations": []}],
            }),
        };
        Ok(Answer::json(200, &body))
    }

    fn enable_auto_merge(&mut self, variables: &Value) -> Result<Value, Refused> {
        if !self.allows_auto_merge {
            let message = "Auto merge is not allowed for this repository";
            return Err(("UNPROCESSABLE", message.to_owned()));
        }
        let id = variables["id"].as_str().unwrap_or_default();
        let method = variables["method"].as_str().unwrap_or_default();
        let pull = id
            .strip_prefix("PR_")
            .and_then(|number| self.pull(number))
            .ok_or((
                "NOT_FOUND",
                format!("Could not resolve to a node with the global id of '{id}'"),
            ))?;
        pull.auto_merge = Some(method.to_lowercase());
        Ok(json!({"enablePullRequestAutoMerge": {"pullRequest": {"number": pull.number}}}))
    }

    /// All or nothing, each only from where it is expected.
    fn update_refs(&mut self, variables: &Value) -> Result<Value, Refused> {
        let repository = self.repository_by_id(variables["repository"].as_str())?;
        let updates = variables["updates"].as_array().cloned().unwrap_or_default();
        let mut lines = String::from("start\n");
        for update in &updates {
            let text = |field: &str| update[field].as_str();
            let (name, after) = (text("name").unwrap(), text("afterOid").unwrap());
            // Without it, whatever the branch points to.
            let before = text("beforeOid").map_or(String::new(), |before| format!(" {before}"));
            assert_eq!(update["force"] == json!(true), after != NO_COMMIT);
            let line = if after == NO_COMMIT {
                format!("delete {name}{before}\n")
            } else {
                format!("update {name} {after}{before}\n")
            };
            lines.push_str(&line);
        }
        lines.push_str("prepare\ncommit\n");
        repository
            .git(&["update-ref", "--stdin"], lines.as_bytes())
            .map_err(|error| ("UNPROCESSABLE", format!("Reference update failed: {error}")))?;
        self.close_empty_pulls();
        Ok(json!({"updateRefs": {"clientMutationId": null}}))
    }

    fn create_commit(&mut self, input: &Value) -> Result<Value, Refused> {
        let full_name = input["branch"]["repositoryNameWithOwner"].as_str().unwrap();
        let branch = input["branch"]["branchName"].as_str().unwrap();
        let repository = self.repository_of(full_name).ok_or((
            "NOT_FOUND",
            format!("Could not resolve to a Repository with the name '{full_name}'."),
        ))?;
        let expected = input["expectedHeadOid"].as_str().unwrap();
        if repository.branch(branch).as_deref() != Some(expected) {
            let message = format!(
                "Expected branch to point to \"{expected}\" but it did not. Pull and try again."
            );
            return Err(("STALE_DATA", message));
        }
        let list = |name: &str| {
            let changes = &input["fileChanges"][name];
            changes.as_array().cloned().unwrap_or_default()
        };
        let path = |change: &Value| change["path"].as_str().unwrap().to_owned();
        let mut changes = Vec::new();
        for addition in list("additions") {
            let contents = addition["contents"].as_str().unwrap();
            let contents = BASE64_STANDARD.decode(contents).unwrap();
            changes.push((path(&addition), Some(contents)));
        }
        for deletion in list("deletions") {
            changes.push((path(&deletion), None));
        }
        let message = &input["message"];
        let message =
            [&message["headline"], &message["body"]].map(|part| part.as_str().unwrap_or(""));
        let id = repository
            .commit_on(Some(expected), &changes, message.join("\n\n").trim_end())
            .map_err(|error| ("UNPROCESSABLE", error))?;
        repository.set_branch(branch, &id);
        let show = |format: &str| {
            repository.line(&["show", "--no-patch", &format!("--format={format}"), &id])
        };
        let commit = json!({
            "oid": id, "tree": {"oid": show("%T")},
        });
        self.close_empty_pulls();
        Ok(json!({"createCommitOnBranch": {"commit": commit}}))
    }

    fn repository_by_id(&self, id: Option<&str>) -> Result<Repository, Refused> {
        let name = id.and_then(|id| id.strip_prefix("R_")).unwrap_or_default();
        let repository = self.repository_of(name).cloned();
        repository.ok_or(("NOT_FOUND", "Could not resolve to a node".to_owned()))
    }
}
