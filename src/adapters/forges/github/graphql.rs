//! GraphQL, for what GitHub's REST API cannot do.

use serde::Deserialize;
use serde_json::{Value, json};

use super::GitHub;
use crate::adapters::forges::ForgeError;
use crate::adapters::http::{Method, Request, Url};

/// Makes a pull request merge by itself.
pub(super) const ENABLE_AUTO_MERGE: &str = "\
mutation ($id: ID!, $method: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $method}) {
    pullRequest { number }
  }
}";

/// Moves, makes and removes branches: all of them, or none when one is not where it is expected.
pub(super) const UPDATE_REFS: &str = "\
mutation ($repository: ID!, $updates: [RefUpdate!]!) {
  updateRefs(input: {repositoryId: $repository, refUpdates: $updates}) {
    clientMutationId
  }
}";

/// What is in a tree, with names of any bytes.
pub(super) const TREE: &str = "\
query ($owner: String!, $name: String!, $id: GitObjectID!) {
  repository(owner: $owner, name: $name) {
    object(oid: $id) { ... on Tree { entries { nameRaw mode oid size } } }
  }
}";

/// Commits on a branch that points to what is expected. GitHub signs it.
pub(super) const CREATE_COMMIT: &str = "\
mutation ($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) {
    commit {
      oid
      tree { oid }
    }
  }
}";

#[derive(Deserialize)]
struct Answer {
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    message: String,
    #[serde(rename = "type", default)]
    kind: String,
}

impl GitHub {
    /// Sends a mutation and gives back its `data`.
    pub(super) async fn graphql(
        &self,
        doing: &str,
        mutation: &str,
        variables: &Value,
    ) -> Result<Value, ForgeError> {
        let request = self.graphql_request(mutation, variables);
        self.send_graphql(doing, request).await
    }

    /// Sends a query and gives back its `data`.
    pub(super) async fn graphql_query(
        &self,
        doing: &str,
        query: &str,
        variables: &Value,
    ) -> Result<Value, ForgeError> {
        let request = self.graphql_request(query, variables).read_only();
        self.send_graphql(doing, request).await
    }

    fn graphql_request(&self, document: &str, variables: &Value) -> Request {
        Request::new(Method::POST, graphql_url(self.api.base()))
            .json(&json!({"query": document, "variables": variables}))
    }

    async fn send_graphql(&self, doing: &str, request: Request) -> Result<Value, ForgeError> {
        let url = graphql_url(self.api.base());
        let token = self.token().await?;
        let answer: Answer = self.api.ask(doing, request, token.as_ref()).await?;
        // Refusals have the status of success.
        if answer.errors.is_empty() {
            return Ok(answer.data.unwrap_or_default());
        }
        let said: Vec<&str> = answer
            .errors
            .iter()
            .map(|problem| problem.message.as_str())
            .collect();
        let said = said.join("; ");
        // On one line, as all messages are.
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let hint = hint(&answer.errors)
            .map(|hint| format!("; {hint}"))
            .unwrap_or_default();
        let message = format!("cannot {doing}: POST {url} refused: {said}{hint}");
        let mut error = ForgeError::new(match &token {
            Some(token) => token.secret.redact(&message),
            None => message,
        });
        error.is_outdated = answer
            .errors
            .iter()
            .any(|problem| problem.kind == "STALE_DATA");
        Err(error)
    }
}

/// What to do next, where GitHub's words are known.
fn hint(problems: &[Problem]) -> Option<&'static str> {
    problems.iter().find_map(|problem| {
        let says = |words: &str| problem.message.to_lowercase().contains(words);
        if says("clean status") {
            Some(
                "nothing is left to wait for, so merge it, or require a check or a review in the \
                 rules of the base branch",
            )
        } else if says("auto merge is not allowed") || says("auto-merge is not allowed") {
            Some("switch on \"Allow auto-merge\" in the settings of the repository")
        } else if says("protected branch rules not configured") {
            Some("the base branch needs a rule that requires a check or a review")
        } else if problem.kind == "FORBIDDEN" || says("resource not accessible") {
            Some("the token needs the permissions contents=write and pull_requests=write")
        } else if problem.kind == "RATE_LIMITED" {
            Some("try again later")
        } else {
            None
        }
    })
}

/// Beside the REST API: `/graphql` on github.com, `/api/graphql` on Enterprise Server
/// (<https://docs.github.com/en/enterprise-server@latest/graphql/guides/managing-enterprise-accounts>).
fn graphql_url(base: &Url) -> Url {
    let mut url = base.clone();
    let path = base.path().trim_end_matches('/');
    let path = path.strip_suffix("/v3").unwrap_or(path);
    url.set_path(&format!("{path}/graphql"));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphql_is_beside_rest() {
        for (base, graphql) in [
            ("https://api.github.com", "https://api.github.com/graphql"),
            (
                "https://ghe.example.com/api/v3",
                "https://ghe.example.com/api/graphql",
            ),
            ("http://127.0.0.1:1/", "http://127.0.0.1:1/graphql"),
        ] {
            assert_eq!(graphql_url(&Url::parse(base).unwrap()).as_str(), graphql);
        }
    }
}
