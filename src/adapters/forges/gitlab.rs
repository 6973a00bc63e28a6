//! GitLab: gitlab.com and servers of one's own, by the REST API, version 4
//! (<https://docs.gitlab.com/api/merge_requests/>).

mod refusal;
mod wire;

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::api::{Api, Scheme, Token};
use super::draft_title::marked;
use super::{Forge, ForgeError, PushCredential};
use crate::adapters::http::{Http, Method, Request, StatusCode, Url};
use crate::core::proposal::{
    Head, LastPullRequest, MergeMethod, PullRequest, WantedPullRequest, not_among,
};

use wire::{MergeRequest, Project, User, usernames};

const DRAFT: &str = "Draft:";

/// One project on GitLab.
pub(super) struct GitLab {
    api: Api,
    /// With all groups.
    project: String,
    token: Option<Token>,
    /// Between two looks at what GitLab is still working out.
    pause: Duration,
}

impl GitLab {
    /// A project, by its API's base URL.
    pub(super) fn new(
        http: Http,
        base: Url,
        project: &str,
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
            project: project.to_owned(),
            token,
            pause,
        }
    }

    fn url(&self, project: &str, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut whole = vec!["projects", project];
        whole.extend(path);
        self.api.url(&whole, query)
    }

    fn name(&self, number: u64) -> String {
        format!("{}!{number}", self.project)
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        doing: &str,
        request: Request,
    ) -> Result<T, ForgeError> {
        self.api.ask(doing, request, self.token.as_ref()).await
    }

    async fn project_id(&self, project: &str) -> Result<u64, ForgeError> {
        let doing = format!("read the project {project}");
        let request = Request::get(self.url(project, &[], &[]));
        Ok(self.ask::<Project>(&doing, request).await?.id)
    }

    async fn read(&self, doing: &str, number: u64) -> Result<MergeRequest, ForgeError> {
        let path = ["merge_requests", &number.to_string()];
        let url = self.url(&self.project, &path, &[]);
        self.ask(doing, Request::get(url)).await
    }

    async fn change(
        &self,
        doing: &str,
        number: u64,
        change: &Value,
    ) -> Result<MergeRequest, ForgeError> {
        let path = ["merge_requests", &number.to_string()];
        let url = self.url(&self.project, &path, &[]);
        self.ask(doing, Request::new(Method::PUT, url).json(change))
            .await
    }

    async fn find_open(&self, head: &Head, base: &str) -> Result<Vec<PullRequest>, ForgeError> {
        let doing = format!(
            "list the merge requests of {} in {}",
            head.branch, self.project
        );
        let query = [
            ("state", "opened"),
            ("source_branch", head.branch.as_str()),
            ("target_branch", base),
            ("per_page", "100"),
        ];
        let url = self.url(&self.project, &["merge_requests"], &query);
        let found: Vec<MergeRequest> = self.api.list(&doing, &url, self.token.as_ref()).await?;
        let ours = self.only_from(head, found).await?.into_iter();
        Ok(ours.map(MergeRequest::into_pull_request).collect())
    }

    async fn find_last(
        &self,
        head: &Head,
        base: &str,
    ) -> Result<Option<LastPullRequest>, ForgeError> {
        let doing = format!(
            "look up the last merge request of {} in {}",
            head.branch, self.project
        );
        let query = [
            ("state", "all"),
            ("source_branch", head.branch.as_str()),
            ("target_branch", base),
            ("order_by", "created_at"),
            ("sort", "desc"),
            // Those of forks are among them.
            ("per_page", "100"),
        ];
        let url = self.url(&self.project, &["merge_requests"], &query);
        let found: Vec<MergeRequest> = self.ask(&doing, Request::get(url)).await?;
        let last = self.only_from(head, found).await?.into_iter().next();
        Ok(last.map(|last| LastPullRequest {
            fate: last.fate(),
            pull_request: last.into_pull_request(),
        }))
    }

    /// Those from the project that has the branch: branches of the same name in other forks are
    /// listed too.
    async fn only_from(
        &self,
        head: &Head,
        mut found: Vec<MergeRequest>,
    ) -> Result<Vec<MergeRequest>, ForgeError> {
        let source = match (&head.fork, found.first()) {
            (_, None) => return Ok(found),
            (None, Some(first)) => first.target_project_id,
            (Some(fork), Some(_)) => self.project_id(fork).await?,
        };
        found.retain(|found| found.source_project_id == Some(source));
        Ok(found)
    }

    async fn open_new(&self, wanted: &WantedPullRequest) -> Result<PullRequest, ForgeError> {
        let branch = &wanted.head.branch;
        let doing = format!(
            "open a merge request from {branch} into {} of {}",
            wanted.base, self.project
        );
        let mut body = json!({
            "source_branch": branch,
            "target_branch": wanted.base,
            "title": marked(&wanted.title, wanted.is_draft, DRAFT),
            "description": wanted.body,
        });
        // It is made in the project that has the branch.
        let source = wanted.head.fork.as_deref().unwrap_or(&self.project);
        if wanted.head.fork.is_some() {
            body["target_project_id"] = json!(self.project_id(&self.project).await?);
        }
        let url = self.url(source, &["merge_requests"], &[]);
        let request = Request::new(Method::POST, url).json(&body);
        match self.ask::<MergeRequest>(&doing, request).await {
            Ok(opened) => Ok(opened.into_pull_request()),
            Err(mut error) if error.status() == Some(StatusCode::CONFLICT) => {
                error.is_duplicate = true;
                Err(error.with_hint("the next run will find it"))
            }
            Err(error) => Err(error),
        }
    }

    async fn user(&self, name: &str) -> Result<User, ForgeError> {
        let doing = format!("look up the user {name}");
        let url = self.api.url(&["users"], &[("username", name)]);
        let users: Vec<User> = self.ask(&doing, Request::get(url)).await?;
        users.into_iter().next().ok_or_else(|| {
            ForgeError::new(format!(
                "cannot {doing}: there is none; give the name that stands after the @"
            ))
        })
    }

    /// Adds people to one of the lists of a merge request, which GitLab takes as a whole and by number.
    async fn add_people(
        &self,
        doing: &str,
        number: u64,
        names: &[String],
        field: &str,
        list: fn(MergeRequest) -> Vec<User>,
    ) -> Result<(), ForgeError> {
        let people = names.join(", ");
        let doing = format!("{doing} {people} to {}", self.name(number));
        let present = list(self.read(&doing, number).await?);
        let mut ids: Vec<u64> = present.iter().map(|user| user.id).collect();
        for name in not_among(names, &usernames(&present)) {
            ids.push(self.user(&name).await?.id);
        }
        let changed = self.change(&doing, number, &json!({field: ids})).await?;
        let missing = not_among(names, &usernames(&list(changed)));
        if missing.is_empty() {
            return Ok(());
        }
        // The free edition keeps one of them, without a word.
        Err(ForgeError::new(format!(
            "cannot {doing}: GitLab left out {}; they must be members of the project, and some \
             editions allow one only",
            missing.join(", ")
        )))
    }

    async fn merge_by_itself(&self, number: u64, method: MergeMethod) -> Result<(), ForgeError> {
        let doing = format!("make {} merge by itself", self.name(number));
        if method == MergeMethod::Rebase {
            return Err(ForgeError::new(format!(
                "cannot {doing}: on GitLab the project's settings say whether it is rebased; choose \
                 merge or squash"
            )));
        }
        let mut merge_request = self.read(&doing, number).await?;
        for _ in 0..LOOKS {
            if merge_request.is_ready() {
                break;
            }
            tokio::time::sleep(self.pause).await;
            merge_request = self.read(&doing, number).await?;
        }
        // Without one GitLab would merge at once, unchecked.
        if merge_request.head_pipeline.is_none() {
            return Err(ForgeError::new(format!(
                "cannot {doing}: there is no pipeline whose success it could wait for; run again \
                 when there is one, or merge it yourself"
            )));
        }
        let path = ["merge_requests", &number.to_string(), "merge"];
        let url = self.url(&self.project, &path, &[]);
        let request = Request::new(Method::PUT, url).json(&json!({
            "auto_merge": true,
            // Its name before GitLab 17.11.
            "merge_when_pipeline_succeeds": true,
            "squash": method == MergeMethod::Squash,
            "sha": merge_request.sha,
        }));
        match self.ask::<MergeRequest>(&doing, request).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(StatusCode::METHOD_NOT_ALLOWED) => {
                let status = &merge_request.detailed_merge_status;
                Err(error.with_hint(&format!(
                    "GitLab calls it {status:?}: a draft, a conflict or a missing approval stands in \
                     the way"
                )))
            }
            Err(error) => Err(error),
        }
    }
}

/// How often to look at what GitLab is still working out.
const LOOKS: u32 = 10;

impl Forge for GitLab {
    fn full_name(&self) -> String {
        self.project.clone()
    }

    fn find<'a>(
        &'a self,
        head: &'a Head,
        base: &'a str,
        // Those who have reviewed stay on GitLab's list.
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
            let change = json!({
                "title": marked(title, pull_request.is_draft, DRAFT),
                "description": body,
            });
            let doing = format!("edit {}", self.name(number));
            self.change(&doing, number, &change).await.map(drop)
        })
    }

    fn add_labels<'a>(
        &'a self,
        number: u64,
        labels: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(async move {
            let doing = format!("label {}", self.name(number));
            let change = json!({"add_labels": labels.join(",")});
            self.change(&doing, number, &change).await.map(drop)
        })
    }

    fn request_reviewers<'a>(
        &'a self,
        number: u64,
        reviewers: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.add_people(
            "add the reviewers",
            number,
            reviewers,
            "reviewer_ids",
            |it| it.reviewers.unwrap_or_default(),
        ))
    }

    fn add_assignees<'a>(
        &'a self,
        number: u64,
        assignees: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.add_people(
            "add the assignees",
            number,
            assignees,
            "assignee_ids",
            |it| it.assignees.unwrap_or_default(),
        ))
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
            let doing = format!("comment on {}", self.name(number));
            let path = ["merge_requests", &number.to_string(), "notes"];
            let url = self.url(&self.project, &path, &[]);
            let request = Request::new(Method::POST, url).json(&json!({"body": text}));
            let sent = self.api.send(&doing, request, self.token.as_ref()).await;
            sent.map(drop)
        })
    }

    fn close(&self, number: u64) -> BoxFuture<'_, Result<(), ForgeError>> {
        Box::pin(async move {
            let doing = format!("close {}", self.name(number));
            let change = json!({"state_event": "close"});
            self.change(&doing, number, &change).await.map(drop)
        })
    }

    fn push_credential(&self) -> BoxFuture<'_, Result<Option<PushCredential>, ForgeError>> {
        let credential = self.token.as_ref().map(|token| PushCredential {
            // <https://docs.gitlab.com/api/oauth2/#access-git-over-https-with-access-token> and
            // <https://docs.gitlab.com/ci/jobs/ci_job_token/>
            user: match token.scheme {
                Scheme::JobToken => "gitlab-ci-token".to_owned(),
                _ => "oauth2".to_owned(),
            },
            password: token.secret.clone(),
        });
        Box::pin(async move { Ok(credential) })
    }
}
