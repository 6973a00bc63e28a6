//! GitLab as far as modelsync uses it: one project, its forks, and its merge requests.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::repository::Repository;
use super::server::{Answer, Call, Server, Service};

const TIME: &str = "2020-07-24T10:00:00.000Z";

/// What a token is and may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    Full,
    /// A personal token without the scope `api`.
    ReadOnly,
    /// A member below Developer.
    Guest,
    /// The token of a job.
    Job,
}

/// The state of GitLab.
pub(crate) struct GitLab {
    /// Projects by their paths; the first is the one that merge requests go to.
    pub(crate) projects: Vec<(String, Repository)>,
    pub(crate) tokens: BTreeMap<String, Grant>,
    /// Names by number.
    pub(crate) users: Vec<&'static str>,
    pub(crate) merge_requests: Vec<Value>,
    pub(crate) notes: Vec<String>,
    /// How often a new merge request is looked at before GitLab has worked it out and its pipeline is
    /// there; `None` when there is no pipeline at all.
    pub(crate) looks_until_ready: Option<usize>,
    /// Whether only one person can be in a list, as in the free edition.
    pub(crate) is_free: bool,
}

impl GitLab {
    /// The project `group/sub/models`, and one token.
    pub(crate) fn start(git_dir: &Path, token: &str) -> Server<Self> {
        Server::start(Self {
            projects: vec![("group/sub/models".to_owned(), Repository::at(git_dir))],
            tokens: BTreeMap::from([(token.to_owned(), Grant::Full)]),
            users: vec!["bot", "alice", "bob"],
            merge_requests: Vec::new(),
            notes: Vec::new(),
            looks_until_ready: Some(0),
            is_free: false,
        })
    }

    fn user(&self, id: usize) -> Value {
        let name = self.users[id];
        json!({
            "id": id, "username": name, "name": name, "state": "active", "avatar_url": "https://gitlab.com/avatar.png",
            "web_url": format!("https://gitlab.com/{name}"),
        })
    }

    fn people(&self, ids: &Value) -> Value {
        let ids = ids.as_array().into_iter().flatten();
        let ids = ids.map(|id| usize::try_from(id.as_u64().unwrap()).unwrap());
        let most = if self.is_free { 1 } else { usize::MAX };
        ids.take(most).map(|id| self.user(id)).collect()
    }

    fn project(&self, path: &str) -> Result<usize, Answer> {
        let mut projects = self.projects.iter();
        let found = projects.position(|(name, _)| name == path);
        found.ok_or_else(|| Answer::refusal(404, "404 Project Not Found"))
    }

    fn list(&self, call: &Call) -> Answer {
        let wanted = |name: &str, value: &Value| {
            let wanted = call.query.get(name);
            wanted.is_none_or(|wanted| value.as_str() == Some(wanted))
        };
        let found = self.merge_requests.iter().filter(|it| {
            (wanted("state", &it["state"]) || call.query["state"] == "all")
                && wanted("source_branch", &it["source_branch"])
                && wanted("target_branch", &it["target_branch"])
        });
        let mut found: Vec<&Value> = found.collect();
        // The newest first, also where nothing is asked for.
        if call.query.get("sort").is_none_or(|sort| sort == "desc") {
            found.reverse();
        }
        // Pages of two, to see that all are read.
        let page = call.query.get("page").map(String::as_str).unwrap_or("1");
        let page: usize = page.parse().unwrap();
        let pages: Vec<&[&Value]> = found.chunks(2).collect();
        let answer = Answer::json(200, &json!(pages.get(page - 1).unwrap_or(&[].as_slice())));
        if page < pages.len() {
            answer.header("link", "<https://gitlab.invalid/?page=9>; rel=\"next\"")
        } else {
            answer
        }
    }

    fn open(&mut self, call: &Call, source: usize) -> Result<Answer, Answer> {
        let target = call.body["target_project_id"].as_u64();
        let target = target.map_or(source, |id| usize::try_from(id).unwrap() - 100);
        let (branch, base) = (call.text("source_branch"), call.text("target_branch"));
        if self.projects[source].1.branch(branch).is_none() {
            let message = json!({"message": {"source_branch": ["does not exist"]}});
            return Err(Answer::json(400, &message));
        }
        let is_same = |it: &Value| {
            it["state"] == "opened"
                && it["source_branch"] == branch
                && it["target_branch"] == base
                && it["source_project_id"] == 100 + source
        };
        if let Some(there) = self.merge_requests.iter().find(|it| is_same(it)) {
            let message = format!(
                "Another open merge request already exists for this source branch: !{}",
                there["iid"]
            );
            return Err(Answer::json(409, &json!({"message": [message]})));
        }
        let number = self.merge_requests.len() + 1;
        let title = call.text("title");
        let path = &self.projects[target].0;
        let merge_request = json!({
            "id": 9000 + number, "iid": number, "project_id": 100 + target, "title": title,
            "description": call.body["description"], "state": "opened", "created_at": TIME,
            "updated_at": TIME, "author": self.user(0), "labels": [], "assignees": [],
            "reviewers": [], "web_url": format!("https://gitlab.com/{path}/-/merge_requests/{number}"),
            "source_branch": branch, "target_branch": base, "source_project_id": 100 + source,
            "target_project_id": 100 + target, "draft": title.starts_with("Draft: "),
            "work_in_progress": title.starts_with("Draft: "),
            "merge_when_pipeline_succeeds": false, "detailed_merge_status": "preparing",
            "head_pipeline": null, "sha": self.projects[source].1.branch(branch),
        });
        self.merge_requests.push(merge_request.clone());
        Ok(Answer::json(201, &merge_request))
    }

    fn look(&mut self, at: usize) -> Value {
        match self.looks_until_ready {
            None => self.merge_requests[at]["detailed_merge_status"] = json!("mergeable"),
            Some(0) => {
                self.merge_requests[at]["detailed_merge_status"] = json!("ci_still_running");
                self.merge_requests[at]["head_pipeline"] = json!({"id": 1, "status": "running"});
            }
            Some(looks) => self.looks_until_ready = Some(looks - 1),
        }
        self.merge_requests[at].clone()
    }

    fn edit(&mut self, call: &Call, at: usize) -> Answer {
        let people = [("assignee_ids", "assignees"), ("reviewer_ids", "reviewers")]
            .map(|(ids, field)| (field, call.body.get(ids).map(|ids| self.people(ids))));
        let it = &mut self.merge_requests[at];
        for (field, people) in people {
            if let Some(people) = people {
                it[field] = people;
            }
        }
        if let Some(title) = call.body.get("title") {
            it["draft"] = json!(title.as_str().unwrap().starts_with("Draft: "));
            it["title"] = title.clone();
        }
        if let Some(description) = call.body.get("description") {
            it["description"] = description.clone();
        }
        for label in call
            .text("add_labels")
            .split(',')
            .filter(|it| !it.is_empty())
        {
            let labels = it["labels"].as_array_mut().unwrap();
            if !labels.contains(&json!(label)) {
                labels.push(json!(label));
            }
        }
        if call.text("state_event") == "close" {
            it["state"] = json!("closed");
        }
        Answer::json(200, it)
    }

    fn merge(&mut self, call: &Call, at: usize) -> Answer {
        let it = &mut self.merge_requests[at];
        if it["sha"] != call.body["sha"] {
            return Answer::refusal(409, "SHA does not match HEAD of source branch");
        }
        if it["draft"] == true {
            return Answer::refusal(405, "405 Method Not Allowed");
        }
        if it["head_pipeline"].is_null() {
            it["state"] = json!("merged");
        } else {
            it["merge_when_pipeline_succeeds"] = json!(true);
            it["squash"] = call.body["squash"].clone();
        }
        Answer::json(200, it)
    }

    fn route(&mut self, call: &Call) -> Result<Answer, Answer> {
        let segments = call.segments();
        // The whole of it may be below a path.
        let api = segments.iter().position(|segment| *segment == "api");
        let [_, _, rest @ ..] = &segments[api.unwrap_or(segments.len())..] else {
            return Err(Answer::refusal(404, "404 Not Found"));
        };
        if let ["users"] = rest {
            let name = &call.query["username"];
            let found = self.users.iter().position(|user| user == name);
            return Ok(Answer::json(
                200,
                &found.map(|id| self.user(id)).into_iter().collect(),
            ));
        }
        let ["projects", path, rest @ ..] = rest else {
            return Err(Answer::refusal(404, "404 Not Found"));
        };
        let project = self.project(path)?;
        let number = rest.get(1).and_then(|number| number.parse::<usize>().ok());
        let at = number.map(|number| number - 1);
        match (call.method.as_str(), rest, at) {
            ("GET", [], _) => Ok(Answer::json(
                200,
                &json!({"id": 100 + project, "path_with_namespace": path}),
            )),
            ("GET", ["merge_requests"], _) => Ok(self.list(call)),
            ("POST", ["merge_requests"], _) => self.open(call, project),
            ("GET", ["merge_requests", _], Some(at)) => Ok(Answer::json(200, &self.look(at))),
            ("PUT", ["merge_requests", _], Some(at)) => Ok(self.edit(call, at)),
            ("PUT", ["merge_requests", _, "merge"], Some(at)) => Ok(self.merge(call, at)),
            ("POST", ["merge_requests", _, "notes"], Some(_)) => {
                self.notes.push(call.text("body").to_owned());
                Ok(Answer::json(
                    201,
                    &json!({"id": 1, "body": call.text("body")}),
                ))
            }
            _ => Err(Answer::refusal(404, "404 Not Found")),
        }
    }
}

impl Service for GitLab {
    fn answer(&mut self, call: &Call, _: &str) -> Answer {
        let bearer = call.headers.get("authorization");
        let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
        let job = call.headers.get("job-token").map(String::as_str);
        let grant = bearer.or(job).map(|token| self.tokens.get(token));
        match grant {
            Some(None) => return Answer::refusal(401, "401 Unauthorized"),
            Some(Some(Grant::ReadOnly)) if call.is_write() => {
                return Answer::json(
                    403,
                    &json!({
                        "error": "insufficient_scope", "scope": "api",
                        "error_description": "The request requires higher privileges than provided by the access token.",
                    }),
                );
            }
            Some(Some(Grant::Guest)) if call.is_write() => {
                return Answer::refusal(403, "403 Forbidden");
            }
            Some(Some(Grant::Job)) => return Answer::refusal(404, "404 Project Not Found"),
            None if call.is_write() => return Answer::refusal(401, "401 Unauthorized"),
            _ => {}
        }
        self.route(call).unwrap_or_else(|refusal| refusal)
    }
}
