//! A Change and its Selection as title and body of a pull request.

use sha2::{Digest, Sha256};

use super::proposal::Facts;
use super::template::{Template, TemplateError};
use crate::core::proposal::{mark, marked};

const TITLE: &str = include_str!("templates/title.txt");
const BODY: &str = include_str!("templates/body.md");

/// The longest title that every forge takes, in characters.
const MOST_TITLE: usize = 250;

/// What a pull request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The title, on one line.
    pub title: String,
    /// The body, as our part of it.
    pub body: String,
    /// What our mark in the body says: what stands for both texts, but for what changes by itself as
    /// time goes by, and what is proposed.
    pub mark: String,
}

/// Renders title and body.
///
/// # Errors
/// A template cannot be used, or the title is empty.
pub fn pull_request(
    facts: &Facts,
    title: Option<&Template>,
    body: Option<&Template>,
) -> Result<Text, TemplateError> {
    let (own_title, own_body) = (Template::own("title", TITLE), Template::own("body", BODY));
    let (title, body) = (title.unwrap_or(&own_title), body.unwrap_or(&own_body));
    let text = one_line(&title.render(facts)?);
    if text.is_empty() {
        return Err(TemplateError {
            origin: title.origin.clone(),
            line: 1,
            problem: "it gives an empty title".to_owned(),
        });
    }
    let lasting = facts.lasting();
    let said = [title.render(&lasting)?, body.render(&lasting)?].join("\0");
    let hash = Sha256::digest(said.as_bytes());
    let digest: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let previous: Vec<String> = facts.previous.iter().map(|it| it.name.clone()).collect();
    let mark = mark(&digest, &facts.model.name, &previous);
    Ok(Text {
        title: text,
        body: marked(&body.render(facts)?, &mark),
        mark,
    })
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MOST_TITLE).collect()
}

#[cfg(test)]
mod tests;
