//! GitHub as far as modelsync uses it, with what the ready-made emulators lack: unknown tokens, missing
//! permissions, missing branches, a second pull request for a branch, GraphQL, and a repository behind
//! it. Its answers are complete by GitHub's own description.

mod contents;
mod documents;
mod mutations;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64::Engine;
use serde_json::{Value, json};

use super::repository::Repository;
use super::server::{Answer, Call, Server, Service};

/// Who a token stands for, and what it may do.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) login: String,
    /// The permissions of a fine-grained token or an app, such as `contents` → `write`.
    pub(crate) permissions: BTreeMap<String, String>,
    /// The scopes of a classic token; it has no permissions then.
    pub(crate) scopes: Option<Vec<String>>,
}

impl Grant {
    /// All that is needed.
    pub(crate) fn full(login: &str) -> Self {
        Self::fine(login, &[("contents", "write"), ("pull_requests", "write")])
    }

    /// A fine-grained token.
    pub(crate) fn fine(login: &str, permissions: &[(&str, &str)]) -> Self {
        Self {
            login: login.to_owned(),
            permissions: permissions
                .iter()
                .map(|(name, level)| ((*name).to_owned(), (*level).to_owned()))
                .collect(),
            scopes: None,
        }
    }

    /// A classic token.
    pub(crate) fn classic(login: &str, scopes: &[&str]) -> Self {
        Self {
            login: login.to_owned(),
            permissions: BTreeMap::new(),
            scopes: Some(scopes.iter().map(|&scope| scope.to_owned()).collect()),
        }
    }

    fn may(&self, permission: &str, level: &str) -> bool {
        if let Some(scopes) = &self.scopes {
            return scopes.iter().any(|scope| scope == "repo");
        }
        let held = self.permissions.get(permission).map_or("", String::as_str);
        held == level || (held == "write" && level == "read")
    }
}

/// A pull request.
#[derive(Clone, Debug)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: String,
    /// `owner/name` of the repository that has the branch.
    pub(crate) head_repository: String,
    pub(crate) head: String,
    pub(crate) base: String,
    pub(crate) is_open: bool,
    pub(crate) is_merged: bool,
    pub(crate) is_draft: bool,
    pub(crate) labels: BTreeSet<String>,
    pub(crate) assignees: BTreeSet<String>,
    /// Who is asked at the moment; teams by their slug.
    pub(crate) asked_users: BTreeSet<String>,
    pub(crate) asked_teams: BTreeSet<String>,
    /// Whom it was ever asked for.
    pub(crate) events: Vec<Value>,
    pub(crate) reviewed_by: Vec<String>,
    pub(crate) comments: Vec<String>,
    pub(crate) auto_merge: Option<String>,
}

/// A GitHub App.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) id: String,
    /// The public key: PKCS#1 in DER.
    pub(crate) public_key: Vec<u8>,
    /// What its installation may do.
    pub(crate) permissions: BTreeMap<String, String>,
    pub(crate) is_installed: bool,
    /// How far GitHub's clock is ahead of this machine's, in seconds.
    pub(crate) clock_offset: i64,
    /// How many tokens it has given out.
    pub(crate) tokens: usize,
    /// How long they live, in seconds.
    pub(crate) token_life: i64,
}

/// The state of GitHub: one repository, its forks, and its pull requests.
pub(crate) struct GitHub {
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) repository: Repository,
    /// Forks by `owner/name`.
    pub(crate) forks: BTreeMap<String, Repository>,
    pub(crate) tokens: BTreeMap<String, Grant>,
    pub(crate) app: Option<App>,
    pub(crate) pulls: Vec<Pull>,
    pub(crate) is_archived: bool,
    pub(crate) allows_auto_merge: bool,
    /// Whether it passes over filters of lists, as it does with those that it does not understand.
    pub(crate) ignores_filters: bool,
    /// How many are on a page, whatever is asked for.
    pub(crate) page_size: usize,
    /// How many a recursive listing of a tree has at most.
    pub(crate) most_tree_entries: usize,
    /// Who can be asked to review or be assigned.
    pub(crate) collaborators: BTreeSet<String>,
    pub(crate) teams: BTreeSet<String>,
}

impl GitHub {
    /// The repository `team/models` with a bare repository behind it, and one token.
    pub(crate) fn new(git_dir: &Path, token: &str) -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            owner: "team".to_owned(),
            name: "models".to_owned(),
            repository: Repository::at(git_dir),
            forks: BTreeMap::new(),
            tokens: BTreeMap::from([(token.to_owned(), Grant::full("octocat"))]),
            app: None,
            pulls: Vec::new(),
            is_archived: false,
            allows_auto_merge: true,
            ignores_filters: false,
            page_size: 100,
            most_tree_entries: 100_000,
            collaborators: names(&["octocat", "alice", "bob"]),
            teams: names(&["reviewers"]),
        }
    }

    /// Serves it.
    pub(crate) fn start(git_dir: &Path, token: &str) -> Server<Self> {
        Server::start(Self::new(git_dir, token))
    }

    /// The pull requests that are open.
    pub(crate) fn open_pulls(&self) -> Vec<Pull> {
        let open = self.pulls.iter().filter(|pull| pull.is_open);
        open.cloned().collect()
    }

    fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// The repository of a full name.
    fn repository_of(&self, full_name: &str) -> Option<&Repository> {
        if full_name.eq_ignore_ascii_case(&self.full_name()) {
            return Some(&self.repository);
        }
        let mut forks = self.forks.iter();
        forks
            .find(|(name, _)| name.eq_ignore_ascii_case(full_name))
            .map(|(_, repository)| repository)
    }

    fn pull(&mut self, number: &str) -> Option<&mut Pull> {
        let number: u64 = number.parse().ok()?;
        self.pulls.iter_mut().find(|pull| pull.number == number)
    }

    /// Somebody closes a pull request without merging it.
    pub(crate) fn close(&mut self, number: u64) {
        self.pull(&number.to_string()).unwrap().is_open = false;
    }

    /// GitHub closes a pull request whose branch is gone, or has nothing that its base has not.
    fn close_empty_pulls(&mut self) {
        for at in 0..self.pulls.len() {
            let pull = &self.pulls[at];
            let head = self
                .repository_of(&pull.head_repository)
                .and_then(|repository| repository.branch(&pull.head));
            let base = self.repository.branch(&pull.base);
            if head.is_none() || head == base {
                self.pulls[at].is_open = false;
            }
        }
    }

    fn route(&mut self, call: &Call, grant: Option<&Grant>) -> Result<Answer, Answer> {
        let segments = call.segments();
        let Some(("repos", [owner, name, rest @ ..])) =
            segments.split_first().map(|(first, rest)| (*first, rest))
        else {
            return Err(not_found());
        };
        let full_name = format!("{owner}/{name}");
        if self.repository_of(&full_name).is_none() {
            return Err(not_found());
        }
        if self.is_archived && call.is_write() {
            return Err(Answer::refusal(
                403,
                "Repository was archived so is read-only.",
            ));
        }
        let level = if call.is_write() { "write" } else { "read" };
        let permission = match rest {
            ["pulls" | "issues", ..] => "pull_requests",
            [] => "metadata",
            _ => "contents",
        };
        check(grant, permission, level)?;
        match (call.method.as_str(), rest) {
            ("GET", []) => Ok(Answer::json(200, &self.repository_document(&full_name))),
            ("GET", ["branches" | "git" | "compare", ..]) => {
                self.get_contents(call, &full_name, rest)
            }
            ("GET", ["pulls"]) => Ok(self.list_pulls(call)),
            ("POST", ["pulls"]) => self.open_pull(call),
            ("GET", ["pulls", number]) => {
                let pull = self.pull(number).ok_or_else(not_found)?.clone();
                Ok(Answer::json(200, &self.pull_document(&pull)))
            }
            ("PATCH", ["pulls", number]) => self.edit_pull(call, number),
            ("GET", ["pulls", number, "reviews"]) => {
                let pull = self.pull(number).ok_or_else(not_found)?.clone();
                let reviews = pull.reviewed_by.iter();
                let reviews = reviews.map(|login| self.review_document(&pull, login));
                Ok(self.page(call, &reviews.collect::<Vec<_>>()))
            }
            ("GET", ["issues", number, "events"]) => {
                let events = self.pull(number).ok_or_else(not_found)?.events.clone();
                Ok(self.page(call, &events))
            }
            ("POST", ["pulls", number, "requested_reviewers"]) => self.ask_reviewers(call, number),
            ("POST", ["issues", number, "labels"]) => {
                let labels = names(&call.body["labels"]);
                let pull = self.pull(number).ok_or_else(not_found)?;
                pull.labels.extend(labels);
                let labels = pull.labels.clone();
                let labels = labels.iter().map(|label| self.label_document(label));
                Ok(Answer::json(200, &labels.collect()))
            }
            ("GET", ["assignees", login]) => {
                let is_known = self.collaborators.contains(*login);
                let answer = || Answer {
                    body: String::new(),
                    ..Answer::json(204, &Value::Null)
                };
                is_known.then(answer).ok_or_else(not_found)
            }
            ("POST", ["issues", number, "assignees"]) => {
                let collaborators = self.collaborators.clone();
                let pull = self.pull(number).ok_or_else(not_found)?;
                // GitHub passes over those who cannot be assigned.
                let known = names(&call.body["assignees"]).into_iter();
                pull.assignees
                    .extend(known.filter(|login| collaborators.contains(login)));
                let pull = pull.clone();
                Ok(Answer::json(201, &self.issue_document(&pull)))
            }
            ("POST", ["issues", number, "comments"]) => {
                let pull = self.pull(number).ok_or_else(not_found)?;
                pull.comments.push(call.text("body").to_owned());
                let pull = pull.clone();
                Ok(Answer::json(201, &self.comment_document(&pull)))
            }
            _ => Err(not_found()),
        }
    }

    fn list_pulls(&self, call: &Call) -> Answer {
        let wanted = |name: &str| call.query.get(name).map(String::as_str);
        let state = wanted("state").unwrap_or("open");
        let pulls = self.pulls.iter().filter(|pull| {
            let owner = pull.head_repository.split('/').next().unwrap();
            let label = format!("{owner}:{}", pull.head);
            let is_wanted = (state == "all" || pull.is_open == (state == "open"))
                // A head without an owner is passed over.
                && wanted("head").is_none_or(|head| !head.contains(':') || head == label)
                && wanted("base").is_none_or(|base| base == pull.base);
            is_wanted || self.ignores_filters
        });
        let mut documents: Vec<Value> = pulls.map(|pull| self.pull_document(pull)).collect();
        // The newest first, also where nothing is asked for.
        if wanted("direction").is_none_or(|direction| direction == "desc") {
            documents.reverse();
        }
        self.page(call, &documents)
    }

    fn open_pull(&mut self, call: &Call) -> Result<Answer, Answer> {
        let (head, base) = (call.text("head"), call.text("base"));
        let (owner, branch) = head.split_once(':').unwrap_or((&self.owner, head));
        let head_repository =
            if owner.eq_ignore_ascii_case(&self.owner) && call.body["head_repo"].is_null() {
                self.full_name()
            } else {
                let forks = self.forks.keys();
                let wanted = call.body["head_repo"].as_str().unwrap_or(&self.name);
                let mut forks = forks.filter(|name| **name == format!("{owner}/{wanted}"));
                forks.next().cloned().unwrap_or_default()
            };
        let head_commit = self
            .repository_of(&head_repository)
            .and_then(|repository| repository.branch(branch));
        let Some(head_commit) = head_commit else {
            return Err(invalid(
                &json!([{"resource": "PullRequest", "field": "head", "code": "invalid"}]),
            ));
        };
        let Some(base_commit) = self.repository.branch(base) else {
            return Err(invalid(
                &json!([{"resource": "PullRequest", "field": "base", "code": "invalid"}]),
            ));
        };
        let said = |message: String| {
            invalid(&json!([{"resource": "PullRequest", "code": "custom", "message": message}]))
        };
        if head_commit == base_commit {
            return Err(said(format!("No commits between {base} and {branch}")));
        }
        let is_same = |pull: &Pull| {
            pull.is_open
                && pull.head == branch
                && pull.head_repository == head_repository
                && pull.base == base
        };
        if self.pulls.iter().any(is_same) {
            return Err(said(format!(
                "A pull request already exists for {owner}:{branch}."
            )));
        }
        let pull = Pull {
            number: self.pulls.len() as u64 + 1,
            title: call.text("title").to_owned(),
            body: call.text("body").to_owned(),
            head: branch.to_owned(),
            base: base.to_owned(),
            head_repository,
            is_open: true,
            is_merged: false,
            is_draft: call.body["draft"] == json!(true),
            labels: BTreeSet::new(),
            assignees: BTreeSet::new(),
            asked_users: BTreeSet::new(),
            asked_teams: BTreeSet::new(),
            events: Vec::new(),
            reviewed_by: Vec::new(),
            comments: Vec::new(),
            auto_merge: None,
        };
        self.pulls.push(pull.clone());
        Ok(Answer::json(201, &self.pull_document(&pull)))
    }

    fn edit_pull(&mut self, call: &Call, number: &str) -> Result<Answer, Answer> {
        let pull = self.pull(number).ok_or_else(not_found)?;
        if let Some(title) = call.body["title"].as_str() {
            title.clone_into(&mut pull.title);
        }
        if let Some(body) = call.body["body"].as_str() {
            body.clone_into(&mut pull.body);
        }
        if let Some(state) = call.body["state"].as_str() {
            pull.is_open = state == "open";
        }
        let pull = pull.clone();
        Ok(Answer::json(200, &self.pull_document(&pull)))
    }

    fn ask_reviewers(&mut self, call: &Call, number: &str) -> Result<Answer, Answer> {
        let users = names(&call.body["reviewers"]);
        let teams = names(&call.body["team_reviewers"]);
        let is_unknown = users.iter().any(|user| !self.collaborators.contains(user))
            || teams.iter().any(|team| !self.teams.contains(team));
        if is_unknown {
            return Err(Answer::refusal(
                422,
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the team/models repository.",
            ));
        }
        let events: Vec<Value> = users
            .iter()
            .map(|login| self.asked_event(Some(login), None))
            .chain(teams.iter().map(|team| self.asked_event(None, Some(team))))
            .collect();
        let pull = self.pull(number).ok_or_else(not_found)?;
        pull.events.extend(events);
        pull.asked_users.extend(users);
        pull.asked_teams.extend(teams);
        let pull = pull.clone();
        Ok(Answer::json(201, &self.pull_document(&pull)))
    }

    /// Somebody has reviewed: GitHub no longer counts them among those who are asked.
    pub(crate) fn review(&mut self, number: u64, login: &str, team: Option<&str>) {
        let pull = self.pull(&number.to_string()).unwrap();
        pull.asked_users.remove(login);
        if let Some(team) = team {
            pull.asked_teams.remove(team);
        }
        pull.reviewed_by.push(login.to_owned());
    }

    /// One page of a list, with `Link` in GitHub's manner.
    fn page(&self, call: &Call, items: &[Value]) -> Answer {
        let number = |name: &str| call.query.get(name).and_then(|text| text.parse().ok());
        let size = number("per_page").unwrap_or(30).min(self.page_size);
        let page = number("page").unwrap_or(1);
        let start = (page - 1) * size;
        let end = items.len().min(start + size);
        let answer = Answer::json(200, &json!(items.get(start..end).unwrap_or_default()));
        if end >= items.len() {
            return answer;
        }
        // Not this server's URL, as behind a proxy: the client must not send its token there.
        let link = format!(
            "<https://api.github.com/repositories/1/x?page={}>; rel=\"next\", <https://api.github.com/repositories/1/x?page={}>; rel=\"last\"",
            page + 1,
            items.len().div_ceil(size)
        );
        answer.header("link", &link)
    }

    fn as_app(&mut self, call: &Call, token: &str) -> Result<Answer, Answer> {
        let full_name = self.full_name();
        let document = self.installation_document();
        let app = self.app.as_mut().ok_or_else(bad_credentials)?;
        app.verify(token)?;
        let segments = call.segments();
        match (call.method.as_str(), segments.as_slice()) {
            ("GET", ["repos", owner, name, "installation"]) => {
                if app.is_installed && format!("{owner}/{name}") == full_name {
                    Ok(Answer::json(200, &document))
                } else {
                    Err(not_found())
                }
            }
            ("POST", ["app", "installations", "42", "access_tokens"]) => {
                let asked = call.body["permissions"]
                    .as_object()
                    .cloned()
                    .unwrap_or_default();
                let mut permissions = BTreeMap::new();
                for (name, level) in asked {
                    let level = level.as_str().unwrap().to_owned();
                    if app.permissions.get(&name) != Some(&level) {
                        return Err(Answer::refusal(
                            422,
                            "The permissions requested are not granted to this installation.",
                        ));
                    }
                    permissions.insert(name, level);
                }
                app.tokens += 1;
                let token = format!("ghs_installation{}", app.tokens);
                let expires =
                    jiff::Timestamp::now() + jiff::SignedDuration::from_secs(app.token_life);
                let answer = json!({
                    "token": token, "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    "permissions": permissions, "repository_selection": "selected",
                });
                let grant = Grant {
                    login: "modelsync[bot]".to_owned(),
                    permissions,
                    scopes: None,
                };
                self.tokens.insert(token, grant);
                Ok(Answer::json(201, &answer))
            }
            _ => Err(Answer::refusal(
                401,
                "A JSON web token could not be decoded",
            )),
        }
    }
}

impl App {
    /// What GitHub checks of a JSON Web Token.
    fn verify(&self, token: &str) -> Result<(), Answer> {
        let now = jiff::Timestamp::now().as_second() + self.clock_offset;
        let decode = |text: &str| {
            let bytes = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(text);
            bytes.map_err(|_| bad_credentials())
        };
        let (text, signature) = token.rsplit_once('.').ok_or_else(bad_credentials)?;
        let (header, claims) = text.split_once('.').ok_or_else(bad_credentials)?;
        let header: Value = serde_json::from_slice(&decode(header)?).unwrap();
        let claims: Value = serde_json::from_slice(&decode(claims)?).unwrap();
        let key = ring::signature::UnparsedPublicKey::new(
            &ring::signature::RSA_PKCS1_2048_8192_SHA256,
            &self.public_key,
        );
        let is_signed = key.verify(text.as_bytes(), &decode(signature)?).is_ok();
        if header["alg"] != "RS256" || !is_signed || claims["iss"] != json!(self.id) {
            return Err(Answer::refusal(
                401,
                "A JSON web token could not be decoded",
            ));
        }
        let (issued, expires) = (
            claims["iat"].as_i64().unwrap(),
            claims["exp"].as_i64().unwrap(),
        );
        let problem = if issued > now {
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        } else if expires > now + 600 {
            "'Expiration time' claim ('exp') is too far in the future"
        } else if expires <= now {
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
        } else {
            return Ok(());
        };
        let date = jiff::Timestamp::from_second(now).unwrap();
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        Err(Answer::refusal(401, problem).header("date", &date))
    }
}

impl Service for GitHub {
    fn answer(&mut self, call: &Call, _: &str) -> Answer {
        let token = call
            .headers
            .get("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        if let Some(token) = token.filter(|token| token.matches('.').count() == 2) {
            let result = self.as_app(call, token);
            return result.unwrap_or_else(|refusal| refusal);
        }
        let grant = token.map(|token| self.tokens.get(token).cloned());
        let result = match grant {
            Some(None) => Err(bad_credentials()),
            grant => {
                let grant = grant.flatten();
                // Repositories may have changed by a push.
                self.close_empty_pulls();
                if call.path == ["graphql"] {
                    self.graphql(call, grant.as_ref())
                } else {
                    self.route(call, grant.as_ref())
                }
            }
        };
        result.unwrap_or_else(|refusal| refusal)
    }
}

fn check(grant: Option<&Grant>, permission: &str, level: &str) -> Result<(), Answer> {
    let Some(grant) = grant else {
        return match level {
            "read" => Ok(()),
            _ => Err(Answer::refusal(401, "Requires authentication")),
        };
    };
    if permission == "metadata" || grant.may(permission, level) {
        return Ok(());
    }
    match &grant.scopes {
        // What a classic token may not change looks as if it were not there.
        Some(scopes) if level == "write" => Err(Answer::refusal(404, "Not Found")
            .header("x-oauth-scopes", &scopes.join(", "))
            .header("x-accepted-oauth-scopes", "repo")),
        Some(_) => Ok(()),
        None => Err(
            Answer::refusal(403, "Resource not accessible by personal access token").header(
                "x-accepted-github-permissions",
                &format!("{permission}={level}"),
            ),
        ),
    }
}

fn names(value: &Value) -> Vec<String> {
    let values = value.as_array().into_iter().flatten();
    values
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

fn not_found() -> Answer {
    documented(404, "Not Found")
}

fn bad_credentials() -> Answer {
    documented(401, "Bad credentials")
}

fn documented(status: u16, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({
            "message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string(),
        }),
    )
}

fn invalid(errors: &Value) -> Answer {
    Answer::json(
        422,
        &json!({
            "message": "Validation Failed", "errors": errors,
            "documentation_url": "https://docs.github.com/rest/pulls/pulls#create-a-pull-request",
        }),
    )
}
