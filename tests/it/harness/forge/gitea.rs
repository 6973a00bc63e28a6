//! Gitea and Forgejo as far as modelsync uses them: one repository, its forks, and its pull requests.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::repository::Repository;
use super::server::{Answer, Call, Server, Service};

const TIME: &str = "2020-07-24T10:00:00Z";

/// The state of Gitea.
pub(crate) struct Gitea {
    /// Repositories by `owner/name`; the first is the one that pull requests go to.
    pub(crate) repositories: Vec<(String, Repository)>,
    /// Tokens, and whether they may write.
    pub(crate) tokens: BTreeMap<String, bool>,
    /// Labels by number, and whether they are the organisation's.
    pub(crate) labels: Vec<(String, bool)>,
    pub(crate) pulls: Vec<Value>,
    /// The history of each pull request.
    pub(crate) events: Vec<Vec<Value>>,
    pub(crate) comments: Vec<String>,
    /// How often a merge is refused before Gitea has worked it out.
    pub(crate) tries_until_ready: usize,
    pub(crate) is_archived: bool,
}

impl Gitea {
    /// The repository `team/models`, and one token.
    pub(crate) fn start(git_dir: &Path, token: &str) -> Server<Self> {
        Server::start(Self {
            repositories: vec![("team/models".to_owned(), Repository::at(git_dir))],
            tokens: BTreeMap::from([(token.to_owned(), true)]),
            labels: vec![("bug".to_owned(), false), ("shared".to_owned(), true)],
            pulls: Vec::new(),
            events: Vec::new(),
            comments: Vec::new(),
            tries_until_ready: 0,
            is_archived: false,
        })
    }

    fn label(&self, id: usize) -> Value {
        json!({"id": id, "name": self.labels[id].0, "color": "ededed", "description": ""})
    }

    fn page(call: &Call, items: &[Value]) -> Answer {
        // Pages of two, to see that all are read.
        let page: usize = call.query["page"].parse().unwrap();
        let pages: Vec<&[Value]> = items.chunks(2).collect();
        let answer = Answer::json(200, &json!(pages.get(page - 1).unwrap_or(&[].as_slice())));
        if page < pages.len() {
            answer.header("link", "<https://gitea.invalid/?page=9>; rel=\"next\"")
        } else {
            answer
        }
    }

    fn branch(&self, at: usize, branch: &str) -> Option<Value> {
        let (full_name, repository) = &self.repositories[at];
        Some(json!({
            "label": branch, "ref": branch, "sha": repository.branch(branch)?, "repo_id": at,
            "repo": {"id": at, "full_name": full_name},
        }))
    }

    fn open(&mut self, call: &Call) -> Result<Answer, Answer> {
        let (head, base) = (call.text("head"), call.text("base"));
        let (owner, branch) = head.split_once(':').unwrap_or(("team", head));
        let mut repositories = self.repositories.iter();
        let at = repositories.position(|(name, _)| name.starts_with(&format!("{owner}/")));
        let head = at.and_then(|at| self.branch(at, branch));
        let (Some(head), Some(base)) = (head, self.branch(0, base)) else {
            return Err(Answer::refusal(404, "The target couldn't be found."));
        };
        let is_same = |pull: &Value| {
            pull["state"] == "open" && pull["head"] == head && pull["base"]["ref"] == base["ref"]
        };
        if self.pulls.iter().any(is_same) {
            return Err(Answer::refusal(
                409,
                "pull request already exists for these targets [id: 1, issue_id: 1, head_repo_id: 1, base_repo_id: 1, head_branch: x, base_branch: main]",
            ));
        }
        let number = self.pulls.len() + 1;
        let title = call.text("title");
        let pull = json!({
            "id": number, "number": number, "title": title, "body": call.text("body"),
            "state": "open", "merged": false, "draft": title.starts_with("WIP: "), "labels": [], "assignees": null,
            "requested_reviewers": null, "requested_reviewers_teams": null, "head": head,
            "base": base, "html_url": format!("https://gitea.com/team/models/pulls/{number}"),
            "created_at": TIME, "updated_at": TIME,
        });
        self.pulls.push(pull.clone());
        self.events.push(Vec::new());
        Ok(Answer::json(201, &pull))
    }

    /// A pull request as it is now: without its branch, Gitea names what is left of it.
    fn document(&self, pull: &Value) -> Value {
        let mut pull = pull.clone();
        let full_name = pull["head"]["repo"]["full_name"].as_str();
        let mut repositories = self.repositories.iter();
        let repository = repositories.find(|(name, _)| Some(name.as_str()) == full_name);
        let branch = pull["head"]["label"].as_str().unwrap();
        if repository.is_some_and(|(_, repository)| repository.branch(branch).is_none()) {
            pull["head"]["ref"] = json!(format!("refs/pull/{}/head", pull["number"]));
        }
        pull
    }

    fn edit(&mut self, call: &Call, at: usize) -> Answer {
        let pull = &mut self.pulls[at];
        for field in ["title", "body", "state"] {
            if let Some(value) = call.body.get(field) {
                pull[field] = value.clone();
            }
        }
        if let Some(Value::Array(logins)) = call.body.get("assignees") {
            pull["assignees"] = logins
                .iter()
                .map(|login| json!({"id": 1, "login": login}))
                .collect();
        }
        Answer::json(201, pull)
    }

    /// Those who are asked; whoever reviews is none of them any more.
    fn ask(&mut self, call: &Call, at: usize) -> Answer {
        let mut asked = Vec::new();
        let list = |field: &str| call.body[field].as_array().cloned().unwrap_or_default();
        for login in list("reviewers") {
            self.events[at].push(
                json!({"id": 1, "type": "review_request", "assignee": {"id": 1, "login": login}}),
            );
            asked.push(json!({"id": 1, "login": login}));
        }
        self.pulls[at]["requested_reviewers"] = json!(asked);
        let mut teams = Vec::new();
        for name in list("team_reviewers") {
            self.events[at].push(json!({"id": 1, "type": "review_request", "assignee_team": {"id": 1, "name": name}}));
            teams.push(json!({"id": 1, "name": name}));
        }
        self.pulls[at]["requested_reviewers_teams"] = json!(teams);
        Answer::json(201, &json!([]))
    }

    /// All who were asked have reviewed.
    pub(crate) fn review(&mut self, number: usize) {
        self.pulls[number - 1]["requested_reviewers"] = json!(null);
        self.pulls[number - 1]["requested_reviewers_teams"] = json!(null);
        self.events[number - 1]
            .push(json!({"id": 1, "type": "review", "user": {"id": 1, "login": "carol"}}));
    }

    fn merge(&mut self, call: &Call, at: usize) -> Answer {
        assert_eq!(call.body["merge_when_checks_succeed"], true);
        if self.tries_until_ready > 0 {
            self.tries_until_ready -= 1;
            return Answer::refusal(405, "Please try again later");
        }
        if self.pulls[at]["title"]
            .as_str()
            .unwrap()
            .starts_with("WIP: ")
        {
            return Answer::refusal(405, "Work in progress PRs cannot be merged");
        }
        let is_scheduled = |event: &Value| event["type"] == "pull_scheduled_merge";
        if self.events[at].iter().any(is_scheduled) {
            return Answer::refusal(
                409,
                "pull request is already scheduled to auto merge when checks succeed [pull_id: 1]",
            );
        }
        self.events[at]
            .push(json!({"id": 1, "type": "pull_scheduled_merge", "body": call.text("Do")}));
        Answer::empty(201).header("content-type", "text/plain")
    }

    fn add_labels(&mut self, call: &Call, at: usize) -> Answer {
        let ids = call.body["labels"].as_array().unwrap().iter();
        for id in ids.map(|id| usize::try_from(id.as_u64().unwrap()).unwrap()) {
            let label = self.label(id);
            let labels = self.pulls[at]["labels"].as_array_mut().unwrap();
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        Answer::json(200, &self.pulls[at]["labels"])
    }

    fn list_labels(&self, call: &Call, is_shared: bool) -> Answer {
        let ids = (0..self.labels.len()).filter(|&id| self.labels[id].1 == is_shared);
        Self::page(call, &ids.map(|id| self.label(id)).collect::<Vec<_>>())
    }

    fn route(&mut self, call: &Call) -> Result<Answer, Answer> {
        let segments = call.segments();
        // The whole of it may be below a path.
        let api = segments.iter().position(|segment| *segment == "api");
        let [_, _, rest @ ..] = &segments[api.unwrap_or(segments.len())..] else {
            return Err(Answer::refusal(404, "Not Found"));
        };
        if let ["orgs", "team", "labels"] = rest {
            return Ok(self.list_labels(call, true));
        }
        let ["repos", "team", "models", rest @ ..] = rest else {
            return Err(Answer::refusal(404, "The target couldn't be found."));
        };
        if self.is_archived && call.is_write() {
            return Err(Answer::refusal(423, "Repo is archived."));
        }
        let number = rest.get(1).and_then(|number| number.parse::<usize>().ok());
        let at = number.map(|number| number - 1);
        match (call.method.as_str(), rest, at) {
            ("GET", ["pulls"], _) => {
                let state = &call.query["state"];
                let pulls = self.pulls.iter();
                let found = pulls.filter(|pull| state == "all" || pull["state"] == *state);
                // The newest first, where no order is asked for.
                let found: Vec<Value> = found.rev().map(|pull| self.document(pull)).collect();
                Ok(Self::page(call, &found))
            }
            ("POST", ["pulls"], _) => self.open(call),
            ("GET", ["pulls", _], Some(at)) => Ok(Answer::json(200, &self.pulls[at])),
            ("PATCH", ["pulls", _], Some(at)) => Ok(self.edit(call, at)),
            ("POST", ["pulls", _, "requested_reviewers"], Some(at)) => Ok(self.ask(call, at)),
            ("POST", ["pulls", _, "merge"], Some(at)) => Ok(self.merge(call, at)),
            ("GET", ["issues", _, "timeline"], Some(at)) => Ok(Self::page(call, &self.events[at])),
            ("GET", ["labels"], _) => Ok(self.list_labels(call, false)),
            ("POST", ["labels"], _) => {
                self.labels.push((call.text("name").to_owned(), false));
                Ok(Answer::json(201, &self.label(self.labels.len() - 1)))
            }
            ("POST", ["issues", _, "labels"], Some(at)) => Ok(self.add_labels(call, at)),
            ("POST", ["issues", _, "comments"], Some(_)) => {
                self.comments.push(call.text("body").to_owned());
                Ok(Answer::json(
                    201,
                    &json!({"id": 1, "body": call.text("body")}),
                ))
            }
            _ => Err(Answer::refusal(404, "Not Found")),
        }
    }
}

impl Service for Gitea {
    fn answer(&mut self, call: &Call, _: &str) -> Answer {
        let token = call.headers.get("authorization");
        let token = token.and_then(|value| value.strip_prefix("token "));
        match token.map(|token| self.tokens.get(token)) {
            Some(None) => Answer::refusal(401, "user does not exist [uid: 0, name: ]"),
            Some(Some(false)) if call.is_write() => Answer::refusal(
                403,
                "token does not have at least one of required scope(s): [write:repository]",
            ),
            None if call.is_write() => Answer::refusal(401, "token is required"),
            _ => self.route(call).unwrap_or_else(|refusal| refusal),
        }
    }
}
