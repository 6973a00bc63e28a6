//! Gitea and Forgejo, by the API that they share (<https://docs.gitea.com/api/>,
//! <https://forgejo.org/docs/latest/user/api-usage/>).

mod refusal;
mod wire;

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::api::{Api, Token, has_next_page};
use super::draft_title::marked;
use super::{Forge, ForgeError, PushCredential};
use crate::adapters::http::{Http, Method, Request, StatusCode, Url};
use crate::core::proposal::{
    Head, LastPullRequest, MergeMethod, PullRequest, WantedPullRequest, not_among, users_and_teams,
};

use wire::{Event, Label, PullRequestAnswer};

const DRAFT: &str = "WIP:";

/// How many pages of pull requests, the newest first, are looked through for the last one of a branch.
const PAGES_OF_LAST: u32 = 4;

/// One repository on Gitea.
pub(super) struct Gitea {
    api: Api,
    owner: String,
    name: String,
    token: Option<Token>,
    /// Between two tries at what Gitea is still working out.
    pause: Duration,
}

impl Gitea {
    /// A repository, by its API's base URL.
    pub(super) fn new(
        http: Http,
        base: Url,
        owner: &str,
        name: &str,
        token: Option<Token>,
        pause: Duration,
    ) -> Self {
        Self {
            api: Api::new(
                http,
                base,
                &[("accept", "application/json")],
                refusal::explain,
            ),
            owner: owner.to_owned(),
            name: name.to_owned(),
            token,
            pause,
        }
    }

    fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut whole = vec!["repos", &self.owner, &self.name];
        whole.extend(path);
        self.api.url(&whole, query)
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        doing: &str,
        request: Request,
    ) -> Result<T, ForgeError> {
        self.api.ask(doing, request, self.token.as_ref()).await
    }

    /// Sends what changes something; the answer does not matter.
    async fn change(
        &self,
        doing: &str,
        method: Method,
        path: &[&str],
        body: &Value,
    ) -> Result<(), ForgeError> {
        let is_repeatable = method == Method::PATCH;
        let request = Request::new(method, self.url(path, &[])).json(body);
        let request = if is_repeatable {
            request.repeatable()
        } else {
            request
        };
        let sent = self.api.send(doing, request, self.token.as_ref()).await;
        sent.map(drop)
    }

    async fn list<T: serde::de::DeserializeOwned>(
        &self,
        doing: &str,
        url: &Url,
    ) -> Result<Vec<T>, ForgeError> {
        let mut url = url.clone();
        url.query_pairs_mut().append_pair("limit", "50");
        self.api.list(doing, &url, self.token.as_ref()).await
    }

    async fn find_open(&self, head: &Head, base: &str) -> Result<Vec<PullRequest>, ForgeError> {
        let doing = format!(
            "list the pull requests of {} in {}",
            head.branch,
            self.repository()
        );
        // There is no filter for the branch.
        let url = self.url(&["pulls"], &[("state", "open")]);
        let all: Vec<PullRequestAnswer> = self.list(&doing, &url).await?;
        let mut found = Vec::new();
        for answer in all {
            if answer.is_of(head, base) {
                let mut pull_request = answer.into_pull_request(&self.owner);
                self.add_history(&mut pull_request).await?;
                found.push(pull_request);
            }
        }
        Ok(found)
    }

    /// Only the newest few pages are looked through: a repository may have any number of pull requests
    /// that are closed. Older ones than those count as none.
    async fn find_last(
        &self,
        head: &Head,
        base: &str,
    ) -> Result<Option<LastPullRequest>, ForgeError> {
        let doing = format!(
            "look up the last pull request of {} in {}",
            head.branch,
            self.repository()
        );
        for page in 1..=PAGES_OF_LAST {
            let page = page.to_string();
            // Without `sort` the newest come first, and there is no filter for the branch.
            let query = [("state", "all"), ("limit", "50"), ("page", page.as_str())];
            let request = Request::get(self.url(&["pulls"], &query));
            let response = self.api.send(&doing, request, self.token.as_ref()).await?;
            let answers: Vec<PullRequestAnswer> = response
                .json()
                .map_err(|error| ForgeError::new(format!("cannot {doing}: {error}")))?;
            let ours = answers.into_iter().filter(|it| it.is_of(head, base));
            if let Some(last) = ours.max_by_key(|it| it.number) {
                return Ok(Some(LastPullRequest {
                    fate: last.fate(),
                    pull_request: last.into_pull_request(&self.owner),
                }));
            }
            if !has_next_page(&response.headers) {
                break;
            }
        }
        Ok(None)
    }

    /// Adds what only the history tells: whether it merges by itself, and who was asked before, whom
    /// Gitea takes from the list of those who are asked once they have reviewed.
    async fn add_history(&self, pull_request: &mut PullRequest) -> Result<(), ForgeError> {
        let number = pull_request.number.to_string();
        let doing = format!("read the history of {}#{number}", self.repository());
        let url = self.url(&["issues", &number, "timeline"], &[]);
        let events: Vec<Event> = self.list(&doing, &url).await?;
        for event in events {
            match event.kind.as_str() {
                "pull_scheduled_merge" => pull_request.has_auto_merge = true,
                "pull_cancel_scheduled_merge" => pull_request.has_auto_merge = false,
                "review" => {
                    let user = event.user.map(|user| user.login);
                    pull_request.reviewers.extend(user);
                }
                "review_request" => pull_request.reviewers.extend(event.asked(&self.owner)),
                _ => {}
            }
        }
        Ok(())
    }

    async fn open_new(&self, wanted: &WantedPullRequest) -> Result<PullRequest, ForgeError> {
        let head = match wanted.head.owner() {
            Some(owner) => format!("{owner}:{}", wanted.head.branch),
            None => wanted.head.branch.clone(),
        };
        let doing = format!(
            "open a pull request from {head} into {} of {}",
            wanted.base,
            self.repository()
        );
        let body = json!({
            "head": head,
            "base": wanted.base,
            "title": marked(&wanted.title, wanted.is_draft, DRAFT),
            "body": wanted.body,
        });
        let request = Request::new(Method::POST, self.url(&["pulls"], &[])).json(&body);
        match self.ask::<PullRequestAnswer>(&doing, request).await {
            Ok(opened) => Ok(opened.into_pull_request(&self.owner)),
            Err(mut error) if error.status() == Some(StatusCode::CONFLICT) => {
                error.is_duplicate = true;
                Err(error.with_hint("the next run will find it"))
            }
            Err(error) => Err(error),
        }
    }

    /// The numbers of labels, which are made where they are missing, as the other forges do.
    async fn label_ids(&self, doing: &str, names: &[String]) -> Result<Vec<u64>, ForgeError> {
        let url = self.url(&["labels"], &[]);
        let mut labels: Vec<Label> = self.list(doing, &url).await?;
        let is_known = |labels: &[Label], name: &str| {
            let mut labels = labels.iter();
            let label = labels.find(|label| label.name.eq_ignore_ascii_case(name));
            label.map(|label| label.id)
        };
        if names.iter().any(|name| is_known(&labels, name).is_none()) {
            // Only organisations have labels of their own.
            let url = self.api.url(&["orgs", &self.owner, "labels"], &[]);
            match self.list::<Label>(doing, &url).await {
                Ok(shared) => labels.extend(shared),
                Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {}
                Err(error) => return Err(error),
            }
        }
        let mut ids = Vec::new();
        for name in names {
            if let Some(id) = is_known(&labels, name) {
                ids.push(id);
                continue;
            }
            let doing = format!("make the label {name} in {}", self.repository());
            let request = Request::new(Method::POST, self.url(&["labels"], &[]))
                .json(&json!({"name": name, "color": "#ededed"}));
            let label: Label = self.ask(&doing, request).await?;
            ids.push(label.id);
        }
        Ok(ids)
    }

    async fn ask_for_reviews(&self, number: u64, reviewers: &[String]) -> Result<(), ForgeError> {
        let (users, teams) = users_and_teams(reviewers);
        let doing = format!(
            "ask {} to review {}#{number}",
            reviewers.join(", "),
            self.repository()
        );
        let path = ["pulls", &number.to_string(), "requested_reviewers"];
        let body = json!({"reviewers": users, "team_reviewers": teams});
        self.change(&doing, Method::POST, &path, &body).await
    }

    async fn assign(&self, number: u64, assignees: &[String]) -> Result<(), ForgeError> {
        let doing = format!("assign {}#{number}", self.repository());
        let number = number.to_string();
        let path = ["pulls", number.as_str()];
        // Gitea takes the whole list.
        let present: PullRequestAnswer =
            self.ask(&doing, Request::get(self.url(&path, &[]))).await?;
        let mut all = present.into_pull_request(&self.owner).assignees;
        all.extend(not_among(assignees, &all));
        self.change(&doing, Method::PATCH, &path, &json!({"assignees": all}))
            .await
    }

    async fn merge_by_itself(&self, number: u64, method: MergeMethod) -> Result<(), ForgeError> {
        let doing = format!("make {}#{number} merge by itself", self.repository());
        let path = ["pulls", &number.to_string(), "merge"];
        let body = json!({
            "Do": match method {
                MergeMethod::Merge => "merge",
                MergeMethod::Squash => "squash",
                MergeMethod::Rebase => "rebase",
            },
            "merge_when_checks_succeed": true,
        });
        for is_last in (1..=TRIES).map(|attempt| attempt == TRIES) {
            let error = match self.change(&doing, Method::POST, &path, &body).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match error.status() {
                Some(StatusCode::CONFLICT) if error.message.contains("already scheduled") => {
                    return Ok(());
                }
                // Gitea has not yet worked out whether it can be merged.
                Some(StatusCode::METHOD_NOT_ALLOWED)
                    if error.message.contains("try again later") && !is_last =>
                {
                    tokio::time::sleep(self.pause).await;
                }
                Some(StatusCode::METHOD_NOT_ALLOWED) => {
                    return Err(error.with_hint(
                        "a draft, a conflict or a way of merging that the repository forbids stands \
                         in the way",
                    ));
                }
                _ => return Err(error),
            }
        }
        Ok(())
    }
}

/// How often to try what Gitea is still working out.
const TRIES: u32 = 10;

impl Forge for Gitea {
    fn full_name(&self) -> String {
        self.repository()
    }

    fn find<'a>(
        &'a self,
        head: &'a Head,
        base: &'a str,
        // The history has to be read in any case.
        _: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<PullRequest>, ForgeError>> {
        Box::pin(self.find_open(head, base))
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
            let number = pull_request.number;
            let doing = format!("edit {}#{number}", self.repository());
            let title = marked(title, pull_request.is_draft, DRAFT);
            let path = ["pulls", &number.to_string()];
            let change = json!({"title": title, "body": body});
            self.change(&doing, Method::PATCH, &path, &change).await
        })
    }

    fn add_labels<'a>(
        &'a self,
        number: u64,
        labels: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(async move {
            let doing = format!("label {}#{number}", self.repository());
            let ids = self.label_ids(&doing, labels).await?;
            let path = ["issues", &number.to_string(), "labels"];
            let change = json!({"labels": ids});
            self.change(&doing, Method::POST, &path, &change).await
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
        Box::pin(self.assign(number, assignees))
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
            let doing = format!("comment on {}#{number}", self.repository());
            let path = ["issues", &number.to_string(), "comments"];
            let body = json!({"body": text});
            self.change(&doing, Method::POST, &path, &body).await
        })
    }

    fn close(&self, number: u64) -> BoxFuture<'_, Result<(), ForgeError>> {
        Box::pin(async move {
            let doing = format!("close {}#{number}", self.repository());
            let path = ["pulls", &number.to_string()];
            let change = json!({"state": "closed"});
            self.change(&doing, Method::PATCH, &path, &change).await
        })
    }

    fn push_credential(&self) -> BoxFuture<'_, Result<Option<PushCredential>, ForgeError>> {
        let credential = self.token.as_ref().map(|token| PushCredential {
            // Whatever the user is, the token says who it is.
            user: "oauth2".to_owned(),
            password: token.secret.clone(),
        });
        Box::pin(async move { Ok(credential) })
    }
}
