//! GitHub: github.com, Enterprise Cloud and Enterprise Server. REST where it can, GraphQL where
//! nothing else does it (<https://docs.github.com/en/rest>, <https://docs.github.com/en/graphql>).

mod commits;
mod graphql;
mod objects;
mod refusal;
mod wire;

use futures::future::BoxFuture;
use serde_json::json;
use tokio::sync::OnceCell;

use super::api::{Api, Token};
use super::github_app::App;
use super::{CommitThroughApi, Forge, ForgeError, PushCredential};
use crate::adapters::http::{Http, Method, Request, StatusCode, Url};
use crate::core::proposal::{
    Head, LastPullRequest, MergeMethod, PullRequest, WantedPullRequest, not_among, users_and_teams,
};

use wire::{Assigned, Event, PullRequestAnswer, Review};

/// Every request names the version of the API that it was written for.
const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/vnd.github+json"),
    ("x-github-api-version", "2022-11-28"),
];

/// One repository on GitHub.
pub(super) struct GitHub {
    api: Api,
    owner: String,
    name: String,
    identity: Identity,
    /// GraphQL's name for the repository, once it was needed.
    repository_id: OnceCell<String>,
}

/// Who asks.
pub(super) enum Identity {
    /// Nobody: enough to read a public repository.
    Anonymous,
    /// A user, by a personal access token, or a workflow by its own.
    Token(Token),
    /// A GitHub App.
    App(Box<App>),
}

impl GitHub {
    /// A repository, by its API's base URL.
    pub(super) fn new(http: Http, base: Url, owner: &str, name: &str, identity: Identity) -> Self {
        Self {
            api: Api::new(http, base, HEADERS, refusal::explain),
            owner: owner.to_owned(),
            name: name.to_owned(),
            identity,
            repository_id: OnceCell::new(),
        }
    }

    fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// The URL of a path below the repository.
    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut whole = vec!["repos", &self.owner, &self.name];
        whole.extend(path);
        self.api.url(&whole, query)
    }

    async fn token(&self) -> Result<Option<Token>, ForgeError> {
        match &self.identity {
            Identity::Anonymous => Ok(None),
            Identity::Token(token) => Ok(Some(token.clone())),
            Identity::App(app) => {
                let token = app.token(&self.api, &self.owner, &self.name).await?;
                Ok(Some(token))
            }
        }
    }

    /// Sends what changes something; the answer does not matter.
    async fn change(&self, doing: &str, request: Request) -> Result<(), ForgeError> {
        let token = self.token().await?;
        self.api.send(doing, request, token.as_ref()).await?;
        Ok(())
    }

    async fn list<T: serde::de::DeserializeOwned>(
        &self,
        doing: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, ForgeError> {
        let token = self.token().await?;
        let mut query = query.to_vec();
        query.push(("per_page", "100"));
        let url = self.url(path, &query);
        self.api.list(doing, &url, token.as_ref()).await
    }

    /// Adds to the reviewers of a pull request who else has reviewed it, or was asked before. GitHub
    /// takes whoever has reviewed from those who are asked, and a team as soon as one of it has.
    async fn add_past_reviewers(
        &self,
        pull_request: &mut PullRequest,
        wanted: &[String],
    ) -> Result<(), ForgeError> {
        let number = pull_request.number.to_string();
        let doing = format!("list who reviewed {}#{number}", self.repository());
        if !not_among(wanted, &pull_request.reviewers).is_empty() {
            let path = ["pulls", &number, "reviews"];
            let reviews: Vec<Review> = self.list(&doing, &path, &[]).await?;
            let users = reviews.into_iter().filter_map(|review| review.user);
            pull_request.reviewers.extend(users.map(|user| user.login));
        }
        if !not_among(wanted, &pull_request.reviewers).is_empty() {
            let path = ["issues", &number, "events"];
            let events: Vec<Event> = self.list(&doing, &path, &[]).await?;
            let asked = events
                .into_iter()
                .filter_map(|event| event.asked(&self.owner));
            pull_request.reviewers.extend(asked);
        }
        Ok(())
    }

    async fn find_open(
        &self,
        head: &Head,
        base: &str,
        reviewers: &[String],
    ) -> Result<Vec<PullRequest>, ForgeError> {
        let label = self.label(head);
        let doing = format!("list the pull requests of {label} in {}", self.repository());
        let query = [("state", "open"), ("head", label.as_str()), ("base", base)];
        let answers: Vec<PullRequestAnswer> = self.list(&doing, &["pulls"], &query).await?;
        let mut found = Vec::new();
        for answer in answers {
            // A filter that GitHub does not understand is no filter at all.
            if answer.is_of(head, base) {
                let mut pull_request = answer.into_pull_request(&self.owner);
                self.add_past_reviewers(&mut pull_request, reviewers)
                    .await?;
                found.push(pull_request);
            }
        }
        Ok(found)
    }

    /// A branch as GitHub's filters want it.
    fn label(&self, head: &Head) -> String {
        format!("{}:{}", head.owner().unwrap_or(&self.owner), head.branch)
    }

    async fn find_last(
        &self,
        head: &Head,
        base: &str,
    ) -> Result<Option<LastPullRequest>, ForgeError> {
        let label = self.label(head);
        let doing = format!(
            "look up the last pull request of {label} in {}",
            self.repository()
        );
        let query = [
            ("state", "all"),
            ("head", label.as_str()),
            ("base", base),
            ("sort", "created"),
            ("direction", "desc"),
            // The label of a fork in the same organisation is the same.
            ("per_page", "10"),
        ];
        let token = self.token().await?;
        let request = Request::get(self.url(&["pulls"], &query));
        let answers: Vec<PullRequestAnswer> = self.api.ask(&doing, request, token.as_ref()).await?;
        let found = answers.into_iter().find(|answer| answer.is_of(head, base));
        Ok(found.map(|answer| LastPullRequest {
            fate: answer.fate(),
            pull_request: answer.into_pull_request(&self.owner),
        }))
    }

    async fn open_new(&self, wanted: &WantedPullRequest) -> Result<PullRequest, ForgeError> {
        let head = match wanted.head.owner() {
            Some(owner) => format!("{owner}:{}", wanted.head.branch),
            None => wanted.head.branch.clone(),
        };
        let mut body = json!({
            "title": wanted.title,
            "body": wanted.body,
            "head": head,
            "base": wanted.base,
            "draft": wanted.is_draft,
        });
        // Only within one organisation the owner does not tell which repository is meant.
        let fork = wanted
            .head
            .fork
            .as_deref()
            .and_then(|fork| fork.split_once('/'));
        if let Some((owner, name)) = fork
            && owner.eq_ignore_ascii_case(&self.owner)
        {
            body["head_repo"] = json!(name);
        }
        let doing = format!(
            "open a pull request from {head} into {} of {}",
            wanted.base,
            self.repository()
        );
        let request = Request::new(Method::POST, self.url(&["pulls"], &[])).json(&body);
        let token = self.token().await?;
        let answer: Result<PullRequestAnswer, _> =
            self.api.ask(&doing, request, token.as_ref()).await;
        answer
            .map(|answer| answer.into_pull_request(&self.owner))
            .map_err(|error| refusal::of_opening(error, &head, &wanted.base))
    }

    async fn ask_for_reviews(&self, number: u64, reviewers: &[String]) -> Result<(), ForgeError> {
        let (users, teams) = users_and_teams(reviewers);
        let doing = format!(
            "ask {} to review {}#{number}",
            reviewers.join(", "),
            self.repository()
        );
        let number = number.to_string();
        let url = self.url(&["pulls", &number, "requested_reviewers"], &[]);
        let body = json!({"reviewers": users, "team_reviewers": teams});
        let request = Request::new(Method::POST, url).json(&body).repeatable();
        self.change(&doing, request).await.map_err(|error| {
            error.with_hint(
                "reviewers must have access to the repository, and the author cannot be one",
            )
        })
    }

    /// A change of the issue that a pull request also is.
    async fn change_issue(
        &self,
        doing: &str,
        number: u64,
        what: &str,
        body: &serde_json::Value,
    ) -> Result<(), ForgeError> {
        let doing = format!("{doing} {}#{number}", self.repository());
        let url = self.url(&["issues", &number.to_string(), what], &[]);
        let request = Request::new(Method::POST, url).json(body);
        let request = match what {
            "comments" => request,
            // A label can be added twice.
            _ => request.repeatable(),
        };
        self.change(&doing, request).await
    }

    /// Assigns a pull request. GitHub passes over whom it cannot assign, and everybody when the token
    /// may not push, without a word; so it is asked before, lest every run writes again, and its
    /// answer is read:
    /// <https://docs.github.com/en/rest/issues/assignees>.
    async fn assign(&self, number: u64, assignees: &[String]) -> Result<(), ForgeError> {
        let doing = format!(
            "assign {}#{number} to {}",
            self.repository(),
            assignees.join(", ")
        );
        let token = self.token().await?;
        for login in assignees {
            let url = self.url(&["assignees", login], &[]);
            let sent = self.api.send(&doing, Request::get(url), token.as_ref());
            match sent.await {
                Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                    return Err(ForgeError::new(format!(
                        "cannot {doing}: {login} cannot be assigned there; give {login} access to \
                         the repository, or leave this assignee out"
                    )));
                }
                answer => answer?,
            };
        }
        let url = self.url(&["issues", &number.to_string(), "assignees"], &[]);
        let body = json!({"assignees": assignees});
        // An assignee can be added twice.
        let request = Request::new(Method::POST, url).json(&body).repeatable();
        let issue: Assigned = self.api.ask(&doing, request, token.as_ref()).await?;
        let missing = not_among(assignees, &issue.logins());
        if missing.is_empty() {
            return Ok(());
        }
        Err(ForgeError::new(format!(
            "cannot {doing}: GitHub passed over {}; the token must be allowed to push, or leave the \
             assignees out",
            missing.join(", ")
        )))
    }

    async fn change_pull_request(
        &self,
        doing: &str,
        number: u64,
        body: &serde_json::Value,
    ) -> Result<(), ForgeError> {
        let doing = format!("{doing} {}#{number}", self.repository());
        let url = self.url(&["pulls", &number.to_string()], &[]);
        let request = Request::new(Method::PATCH, url).json(body).repeatable();
        self.change(&doing, request).await
    }

    async fn merge_by_itself(&self, number: u64, method: MergeMethod) -> Result<(), ForgeError> {
        let doing = format!("make {}#{number} merge by itself", self.repository());
        let token = self.token().await?;
        let url = self.url(&["pulls", &number.to_string()], &[]);
        let answer: PullRequestAnswer = self
            .api
            .ask(&doing, Request::get(url), token.as_ref())
            .await?;
        let method = match method {
            MergeMethod::Merge => "MERGE",
            MergeMethod::Squash => "SQUASH",
            MergeMethod::Rebase => "REBASE",
        };
        let variables = json!({"id": answer.node_id, "method": method});
        self.graphql(&doing, graphql::ENABLE_AUTO_MERGE, &variables)
            .await?;
        Ok(())
    }
}

impl Forge for GitHub {
    fn full_name(&self) -> String {
        self.repository()
    }

    fn find<'a>(
        &'a self,
        head: &'a Head,
        base: &'a str,
        reviewers: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<PullRequest>, ForgeError>> {
        Box::pin(self.find_open(head, base, reviewers))
    }

    fn last<'a>(
        &'a self,
        head: &'a Head,
        base: &'a str,
    ) -> BoxFuture<'a, Result<Option<LastPullRequest>, ForgeError>> {
        Box::pin(self.find_last(head, base))
    }

    fn open<'a>(
        &'a self,
        wanted: &'a WantedPullRequest,
    ) -> BoxFuture<'a, Result<PullRequest, ForgeError>> {
        Box::pin(self.open_new(wanted))
    }

    fn edit<'a>(
        &'a self,
        pull_request: &'a PullRequest,
        title: &'a str,
        body: &'a str,
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(async move {
            let change = json!({"title": title, "body": body});
            self.change_pull_request("edit", pull_request.number, &change)
                .await
        })
    }

    fn add_labels<'a>(
        &'a self,
        number: u64,
        labels: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(async move {
            self.change_issue("label", number, "labels", &json!({"labels": labels}))
                .await
        })
    }

    fn request_reviewers<'a>(
        &'a self,
        number: u64,
        reviewers: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.ask_for_reviews(number, reviewers))
    }

    fn add_assignees<'a>(
        &'a self,
        number: u64,
        assignees: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(async move { self.assign(number, assignees).await })
    }

    fn enable_auto_merge(
        &self,
        number: u64,
        method: MergeMethod,
    ) -> BoxFuture<'_, Result<(), ForgeError>> {
        Box::pin(self.merge_by_itself(number, method))
    }

    fn comment<'a>(&'a self, number: u64, text: &'a str) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(async move {
            self.change_issue("comment on", number, "comments", &json!({"body": text}))
                .await
        })
    }

    fn close(&self, number: u64) -> BoxFuture<'_, Result<(), ForgeError>> {
        Box::pin(async move {
            self.change_pull_request("close", number, &json!({"state": "closed"}))
                .await
        })
    }

    fn push_credential(&self) -> BoxFuture<'_, Result<Option<PushCredential>, ForgeError>> {
        Box::pin(async move {
            let token = self.token().await?;
            Ok(token.map(|token| PushCredential {
                // Any user does with a personal token, and this one with an app's:
                // <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation>
                user: "x-access-token".to_owned(),
                password: token.secret,
            }))
        })
    }

    fn commits(&self) -> Option<&dyn CommitThroughApi> {
        Some(self)
    }
}
