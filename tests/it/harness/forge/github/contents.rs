//! What the repository holds: branches, commits, trees and blobs, as GitHub's API tells of them.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::super::repository::Repository;
use super::super::server::{Answer, Call};
use super::documents::{API, user};
use super::mutations::Refused;
use super::{GitHub, documented, not_found};

/// GraphQL cuts texts here, in bytes.
const LONGEST_TEXT: usize = 512_000;

impl GitHub {
    pub(super) fn get_contents(
        &self,
        call: &Call,
        full_name: &str,
        path: &[&str],
    ) -> Result<Answer, Answer> {
        let repository = self.repository_of(full_name).ok_or_else(not_found)?;
        if repository.branches().is_empty() && !matches!(path, ["branches", _]) {
            return Err(documented(409, "Git Repository is empty."));
        }
        match path {
            ["branches", branch] => self.get_branch(full_name, branch),
            ["git", "matching-refs", beginning] => self.list_refs(call, full_name, beginning),
            ["git", "commits", id] => {
                let commit = self
                    .git_commit_document(full_name, id)
                    .ok_or_else(not_found)?;
                Ok(Answer::json(200, &commit))
            }
            ["git", "trees", id] => self.get_tree(call, full_name, id),
            ["git", "blobs", id] => get_blob(repository, full_name, id),
            ["compare", range] => self.get_comparison(full_name, range),
            _ => Err(not_found()),
        }
    }

    fn get_branch(&self, full_name: &str, branch: &str) -> Result<Answer, Answer> {
        let repository = self.repository_of(full_name).ok_or_else(not_found)?;
        let id = repository.branch(branch).ok_or_else(not_found)?;
        let url = format!("{API}/repos/{full_name}/branches/{branch}");
        Ok(Answer::json(
            200,
            &json!({
                "name": branch, "commit": self.commit_document(full_name, &id), "protected": false,
                "_links": {"html": format!("https://github.com/{full_name}/tree/{branch}"), "self": url},
                "protection": {"enabled": false}, "protection_url": format!("{url}/protection"),
            }),
        ))
    }

    fn list_refs(&self, call: &Call, full_name: &str, beginning: &str) -> Result<Answer, Answer> {
        let repository = self.repository_of(full_name).ok_or_else(not_found)?;
        let format = "--format=%(refname) %(objecttype) %(objectname)";
        let lines = repository.line(&["for-each-ref", format]).unwrap();
        let mut refs = Vec::new();
        for line in lines.lines() {
            let parts: Vec<&str> = line.split(' ').collect();
            let (name, kind, id) = (parts[0], parts[1], parts[2]);
            let short = name.strip_prefix("refs/").unwrap();
            if short.starts_with(beginning) {
                refs.push(json!({
                    "ref": name, "node_id": "REF_1", "url": format!("{API}/repos/{full_name}/git/{name}"),
                    "object": {
                        "type": kind, "sha": id,
                        "url": format!("{API}/repos/{full_name}/git/{kind}s/{id}"),
                    },
                }));
            }
        }
        Ok(self.page(call, &refs))
    }

    fn get_comparison(&self, full_name: &str, range: &str) -> Result<Answer, Answer> {
        let (base, head) = range.split_once("...").ok_or_else(not_found)?;
        let repository = self.repository_of(full_name).ok_or_else(not_found)?;
        let ancestor = repository
            .line(&["merge-base", base, head])
            .ok_or_else(|| {
                documented(
                    404,
                    &format!("No common ancestor between {base} and {head}."),
                )
            })?;
        let list = |range: String| -> Vec<String> {
            let lines = repository.line(&["rev-list", "--reverse", &range]).unwrap();
            lines.lines().map(str::to_owned).collect()
        };
        let ahead = list(format!("{base}..{head}"));
        let behind = list(format!("{head}..{base}"));
        let status = match (ahead.is_empty(), behind.is_empty()) {
            (true, true) => "identical",
            (false, true) => "ahead",
            (true, false) => "behind",
            (false, false) => "diverged",
        };
        let commits = ahead
            .iter()
            .map(|id| self.commit_document(full_name, id).unwrap());
        let url = format!("{API}/repos/{full_name}/compare/{range}");
        let page = format!("https://github.com/{full_name}/compare/{range}");
        Ok(Answer::json(
            200,
            &json!({
                "url": url, "html_url": page, "permalink_url": page, "diff_url": format!("{page}.diff"),
                "patch_url": format!("{page}.patch"),
                "base_commit": self.commit_document(full_name, base),
                "merge_base_commit": self.commit_document(full_name, &ancestor), "status": status,
                "ahead_by": ahead.len(), "behind_by": behind.len(), "total_commits": ahead.len(),
                "commits": commits.collect::<Vec<_>>(), "files": [],
            }),
        ))
    }

    fn get_tree(&self, call: &Call, full_name: &str, id: &str) -> Result<Answer, Answer> {
        let repository = self.repository_of(full_name).ok_or_else(not_found)?;
        let is_recursive = call.query.contains_key("recursive");
        let mut arguments = vec!["ls-tree", "--long", "-z"];
        if is_recursive {
            arguments.extend(["-r", "-t"]);
        }
        arguments.push(id);
        let lines = repository.git(&arguments, b"").map_err(|_| not_found())?;
        // JSON holds no other bytes.
        let lines = String::from_utf8_lossy(&lines);
        let mut entries = Vec::new();
        for line in lines.split_terminator('\0') {
            let (details, path) = line.split_once('\t').unwrap();
            let details: Vec<&str> = details.split_whitespace().collect();
            let url = format!("{API}/repos/{full_name}/git/{}s/{}", details[1], details[2]);
            let mut entry = json!({
                "path": path, "mode": details[0], "type": details[1], "sha": details[2], "url": url,
            });
            if let Ok(size) = details[3].parse::<u64>() {
                entry["size"] = json!(size);
            }
            entries.push(entry);
        }
        let is_truncated = is_recursive && entries.len() > self.most_tree_entries;
        if is_truncated {
            entries.truncate(self.most_tree_entries);
        }
        let sha = repository.line(&["rev-parse", &format!("{id}^{{tree}}")]);
        Ok(Answer::json(
            200,
            &json!({
                "sha": sha, "tree": entries, "truncated": is_truncated,
                "url": format!("{API}/repos/{full_name}/git/trees/{id}"),
            }),
        ))
    }

    /// The queries that modelsync has: a tree, and texts of blobs, each a field with a name of its own.
    pub(super) fn query(&self, query: &str, variables: &Value) -> Result<Value, Refused> {
        let text = |name: &str| variables[name].as_str().unwrap();
        let full_name = format!("{}/{}", text("owner"), text("name"));
        let repository = self.repository_of(&full_name).ok_or_else(|| {
            let message = format!("Could not resolve to a Repository with the name '{full_name}'.");
            ("NOT_FOUND", message)
        })?;
        if query.contains("... on Tree {") {
            let id = text("id");
            let lines = repository.git(&["ls-tree", "--long", "-z", id], b"");
            let lines = lines.unwrap();
            let lines = lines
                .split(|&byte| byte == 0)
                .filter(|line| !line.is_empty());
            let entries: Vec<_> = lines.map(tree_entry_node).collect();
            return Ok(json!({"repository": {"object": {"entries": entries}}}));
        }
        let mut fields = Map::new();
        for line in query.lines() {
            let Some((name, rest)) = line.split_once(": object(oid: $") else {
                continue;
            };
            let (variable, rest) = rest.split_once(')').unwrap();
            assert_eq!(rest.trim(), "{ ... on Blob { text } }");
            let object = repository.git(&["cat-file", "blob", text(variable)], b"");
            let object = match object {
                Ok(bytes) => json!({"text": blob_text(&bytes)}),
                Err(_) => Value::Null,
            };
            fields.insert(name.trim().to_owned(), object);
        }
        assert!(!fields.is_empty() && fields.len() <= 100, "{query}");
        Ok(json!({"repository": fields}))
    }

    /// A `commit`.
    fn commit_document(&self, full_name: &str, id: &str) -> Option<Value> {
        let commit = Commit::read(self.repository_of(full_name)?, id)?;
        let mut text = commit.text(full_name);
        text["comment_count"] = json!(0);
        let url = format!("{API}/repos/{full_name}/commits/{}", commit.id);
        Some(json!({
            "url": url, "sha": commit.id, "node_id": "C_1",
            "html_url": format!("https://github.com/{full_name}/commit/{}", commit.id),
            "comments_url": format!("{url}/comments"), "author": user("octocat"),
            "committer": user("octocat"), "commit": text, "parents": commit.parents(full_name),
        }))
    }

    /// A `git-commit`.
    fn git_commit_document(&self, full_name: &str, id: &str) -> Option<Value> {
        let commit = Commit::read(self.repository_of(full_name)?, id)?;
        let mut document = commit.text(full_name);
        document["sha"] = json!(commit.id);
        document["node_id"] = json!("C_1");
        document["html_url"] = json!(format!(
            "https://github.com/{full_name}/commit/{}",
            commit.id
        ));
        document["parents"] = commit.parents(full_name);
        document["verification"] = json!({
            "verified": false, "reason": "unsigned", "signature": null, "payload": null,
            "verified_at": null,
        });
        Some(document)
    }
}

/// What git tells of a commit.
struct Commit {
    id: String,
    tree: String,
    parents: Vec<String>,
    author: Value,
    committer: Value,
    message: String,
}

impl Commit {
    fn read(repository: &Repository, id: &str) -> Option<Self> {
        // All at once: a process for each would make the tests slow.
        let format = "--format=%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B";
        let text = repository.line(&["show", "--no-patch", format, id])?;
        let parts: Vec<&str> = text.splitn(10, '\0').collect();
        let git_user = |at: usize| {
            // In UTC, whatever the time zone was.
            let date = jiff::Timestamp::from_second(parts[at + 2].parse().unwrap()).unwrap();
            json!({"name": parts[at], "email": parts[at + 1], "date": date.to_string()})
        };
        Some(Self {
            id: parts[0].to_owned(),
            tree: parts[1].to_owned(),
            parents: parts[2].split_whitespace().map(str::to_owned).collect(),
            author: git_user(3),
            committer: git_user(6),
            message: parts[9].to_owned(),
        })
    }

    /// What `commit` and `git-commit` say alike.
    fn text(&self, full_name: &str) -> Value {
        let (id, tree) = (&self.id, &self.tree);
        json!({
            "url": format!("{API}/repos/{full_name}/git/commits/{id}"), "author": self.author,
            "committer": self.committer, "message": self.message,
            "tree": {"sha": tree, "url": format!("{API}/repos/{full_name}/git/trees/{tree}")},
        })
    }

    fn parents(&self, full_name: &str) -> Value {
        let document = |parent: &String| {
            json!({
                "sha": parent, "url": format!("{API}/repos/{full_name}/commits/{parent}"),
                "html_url": format!("https://github.com/{full_name}/commit/{parent}"),
            })
        };
        self.parents.iter().map(document).collect()
    }
}

fn get_blob(repository: &Repository, full_name: &str, id: &str) -> Result<Answer, Answer> {
    let bytes = repository
        .git(&["cat-file", "blob", id], b"")
        .map_err(|_| not_found())?;
    let text = BASE64_STANDARD.encode(&bytes);
    // In lines of 60, as GitHub has it.
    let mut lines = String::new();
    for line in text.as_bytes().chunks(60) {
        writeln!(lines, "{}", std::str::from_utf8(line).unwrap()).unwrap();
    }
    Ok(Answer::json(
        200,
        &json!({
            "content": lines, "encoding": "base64", "sha": id, "size": bytes.len(), "node_id": "B_1",
            "url": format!("{API}/repos/{full_name}/git/blobs/{id}"),
        }),
    ))
}

/// A `TreeEntry` of GraphQL, from a line of `git ls-tree --long`.
fn tree_entry_node(line: &[u8]) -> Value {
    let tab = line.iter().position(|&byte| byte == b'\t').unwrap();
    let details = std::str::from_utf8(&line[..tab]).unwrap();
    let details: Vec<&str> = details.split_whitespace().collect();
    json!({
        "nameRaw": BASE64_STANDARD.encode(&line[tab + 1..]), "oid": details[2],
        "mode": u32::from_str_radix(details[0], 8).unwrap(),
        "size": details[3].parse::<u64>().unwrap_or_default(),
    })
}

/// What GraphQL makes of a blob: no text of what looks binary, UTF-8 of other encodings, and the start
/// of what is long.
fn blob_text(bytes: &[u8]) -> Option<String> {
    if bytes.contains(&0) {
        return None;
    }
    let mut text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // It guesses; here as if everything else were Latin-1.
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    if text.len() > LONGEST_TEXT {
        text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    }
    Some(text)
}
