//! What a repository on GitHub holds: branches, commits, trees and blobs. GitHub counts requests, so
//! that each brings as much as it can: a directory with all below it, and a hundred files.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::wire::{BlobAnswer, Comparison, GitCommit, GitRef, TreeAnswer, TreeEntryNode};
use super::{GitHub, graphql};
use crate::adapters::forges::{CommitDetails, ForgeError, ReadThroughApi, TreeEntry, WantedBlob};
use crate::adapters::http::{Request, StatusCode};

/// How many blobs a query asks for, and of how many bytes together: GitHub ends a query after ten
/// seconds
/// (<https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>).
const MOST_BLOBS: usize = 100;
const MOST_BYTES: u64 = 1 << 20;
/// Longer texts come cut short in a query.
const LONGEST_TEXT: u64 = 500 << 10;

impl GitHub {
    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        doing: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, ForgeError> {
        let token = self.token().await?;
        let request = Request::get(self.url(path, query));
        self.api.ask(doing, request, token.as_ref()).await
    }

    async fn list_branches(&self, beginning: &str) -> Result<Vec<(String, String)>, ForgeError> {
        let doing = format!("list the branches of {}", self.repository());
        // A slash at the end might get lost on the way; more than what is asked for does no harm.
        let beginning_of_ref = format!("heads/{beginning}");
        let path = [
            "git",
            "matching-refs",
            beginning_of_ref.trim_end_matches('/'),
        ];
        let refs: Vec<GitRef> = match self.list(&doing, &path, &[]).await {
            // "Git Repository is empty."
            Err(error) if error.status() == Some(StatusCode::CONFLICT) => Vec::new(),
            refs => refs?,
        };
        let branches = refs.into_iter().filter_map(|it| {
            let name = it.name.strip_prefix("refs/heads/")?;
            name.starts_with(beginning)
                .then(|| (name.to_owned(), it.object.sha))
        });
        Ok(branches.collect())
    }

    async fn read_commit(&self, id: &str) -> Result<CommitDetails, ForgeError> {
        let doing = format!("read the commit {id} of {}", self.repository());
        let read = self.get(&doing, &["git", "commits", id], &[]).await;
        read.map(|commit: GitCommit| commit.into())
            .map_err(|mut error| {
                // A branch that has moved since may have taken it along.
                error.is_outdated = error.status() == Some(StatusCode::NOT_FOUND);
                error
            })
    }

    async fn compare(&self, base: &str, commit_id: &str) -> Result<bool, ForgeError> {
        let doing = format!("compare {commit_id} with {base} in {}", self.repository());
        let range = format!("{base}...{commit_id}");
        // Which commits lie between is of no interest here.
        let path = ["compare", &range];
        match self.get(&doing, &path, &[("per_page", "1")]).await {
            Ok(Comparison { status }) => Ok(matches!(status.as_str(), "behind" | "identical")),
            // They have nothing in common.
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn read_tree(
        &self,
        id: &str,
        is_whole: bool,
    ) -> Result<Option<Vec<TreeEntry>>, ForgeError> {
        let doing = format!("list the files of {id} in {}", self.repository());
        // Any value means yes.
        let query: &[_] = if is_whole { &[("recursive", "1")] } else { &[] };
        let answer: TreeAnswer = self.get(&doing, &["git", "trees", id], query).await?;
        if answer.truncated {
            return Ok(None);
        }
        Ok(Some(answer.tree.into_iter().map(TreeEntry::from).collect()))
    }

    async fn read_exact_tree(&self, id: &str) -> Result<Vec<TreeEntry>, ForgeError> {
        let doing = format!("list the files of {id} in {}", self.repository());
        let variables = json!({"owner": self.owner, "name": self.name, "id": id});
        let query = self.graphql_query(&doing, graphql::TREE, &variables);
        let entries = query.await?["repository"]["object"]["entries"].take();
        let entries: Vec<TreeEntryNode> = serde_json::from_value(entries).map_err(|error| {
            let what = "the answer cannot be read";
            ForgeError::new(format!(
                "cannot {doing}: {what}: {error}; leave --commit-via out"
            ))
        })?;
        Ok(entries.into_iter().map(TreeEntry::from).collect())
    }

    async fn read_texts(&self, blobs: &[WantedBlob]) -> Result<Vec<String>, ForgeError> {
        let doing = format!("read {} files of {}", blobs.len(), self.repository());
        let mut texts = Vec::new();
        for batch in batches(blobs) {
            let (query, variables) = self.texts_query(&batch);
            let data = self.graphql_query(&doing, &query, &variables).await?;
            let Some(objects) = data["repository"].as_object() else {
                continue;
            };
            let found = objects.values().filter_map(|blob| blob["text"].as_str());
            texts.extend(found.map(str::to_owned));
        }
        Ok(texts)
    }

    /// A query for texts: a field of its own for each, since there is none that takes a list of ids.
    fn texts_query(&self, batch: &[&WantedBlob]) -> (String, Value) {
        let mut variables = Map::new();
        variables.insert("owner".to_owned(), json!(self.owner));
        variables.insert("name".to_owned(), json!(self.name));
        let (mut declared, mut fields) = (String::new(), String::new());
        for (number, blob) in batch.iter().enumerate() {
            let name = format!("id{number}");
            // Writing to a String does not fail.
            let _ = write!(declared, ", ${name}: GitObjectID!");
            let _ = writeln!(
                fields,
                "    blob{number}: object(oid: ${name}) {{ ... on Blob {{ text }} }}"
            );
            variables.insert(name, json!(blob.id));
        }
        let query = format!(
            "query ($owner: String!, $name: String!{declared}) {{\n  repository(owner: $owner, name: \
             $name) {{\n{fields}  }}\n}}"
        );
        (query, Value::Object(variables))
    }

    async fn read_blob(&self, id: &str) -> Result<Vec<u8>, ForgeError> {
        let doing = format!("read the file {id} of {}", self.repository());
        let blob: BlobAnswer = self.get(&doing, &["git", "blobs", id], &[]).await?;
        // The text is in lines.
        let text: String = blob.content.split_whitespace().collect();
        match BASE64_STANDARD.decode(text) {
            Ok(bytes) if blob.encoding == "base64" => Ok(bytes),
            _ => Err(ForgeError::new(format!(
                "cannot {doing}: GitHub sent it in the encoding {:?}, which is not known here; leave \
                 --commit-via out",
                blob.encoding
            ))),
        }
    }
}

/// Blobs that are not too long, in parts that are not too much for a query.
fn batches(blobs: &[WantedBlob]) -> Vec<Vec<&WantedBlob>> {
    let mut batches: Vec<Vec<&WantedBlob>> = Vec::new();
    let mut bytes = 0;
    for blob in blobs.iter().filter(|blob| blob.size <= LONGEST_TEXT) {
        bytes += blob.size;
        match batches.last_mut() {
            Some(batch) if batch.len() < MOST_BLOBS && bytes <= MOST_BYTES => batch.push(blob),
            _ => {
                batches.push(vec![blob]);
                bytes = blob.size;
            }
        }
    }
    batches
}

impl ReadThroughApi for GitHub {
    fn default_branch(&self) -> BoxFuture<'_, Result<String, ForgeError>> {
        Box::pin(async move { Ok(self.repository_details().await?.default_branch) })
    }

    fn branch<'a>(
        &'a self,
        branch: &'a str,
    ) -> BoxFuture<'a, Result<Option<CommitDetails>, ForgeError>> {
        Box::pin(self.read_branch(branch))
    }

    fn branches<'a>(
        &'a self,
        beginning: &'a str,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>, ForgeError>> {
        Box::pin(self.list_branches(beginning))
    }

    fn commit_details<'a>(
        &'a self,
        id: &'a str,
    ) -> BoxFuture<'a, Result<CommitDetails, ForgeError>> {
        Box::pin(self.read_commit(id))
    }

    fn is_in<'a>(
        &'a self,
        base: &'a str,
        commit_id: &'a str,
    ) -> BoxFuture<'a, Result<bool, ForgeError>> {
        Box::pin(self.compare(base, commit_id))
    }

    fn tree<'a>(
        &'a self,
        id: &'a str,
        is_whole: bool,
    ) -> BoxFuture<'a, Result<Option<Vec<TreeEntry>>, ForgeError>> {
        Box::pin(self.read_tree(id, is_whole))
    }

    fn exact_tree<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<TreeEntry>, ForgeError>> {
        Box::pin(self.read_exact_tree(id))
    }

    fn texts<'a>(
        &'a self,
        blobs: &'a [WantedBlob],
    ) -> BoxFuture<'a, Result<Vec<String>, ForgeError>> {
        Box::pin(self.read_texts(blobs))
    }

    fn blob<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<u8>, ForgeError>> {
        Box::pin(self.read_blob(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_asks_for_no_more_than_it_may() {
        let blob = |size| WantedBlob {
            id: String::new(),
            size,
        };
        let lengths = |sizes: &[u64]| {
            let blobs: Vec<_> = sizes.iter().copied().map(blob).collect();
            batches(&blobs).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&[]), [0; 0]);
        assert_eq!(lengths(&[1; 250]), [100, 100, 50]);
        assert_eq!(lengths(&[400 << 10; 5]), [2, 2, 1]);
        assert_eq!(lengths(&[1, LONGEST_TEXT + 1, 1]), [2]);
        assert_eq!(lengths(&[LONGEST_TEXT + 1]), [0; 0]);
    }
}
