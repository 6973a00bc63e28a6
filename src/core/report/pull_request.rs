//! A Change and its Selection as title and body of a pull request.

use sha2::{Digest, Sha256};

use super::proposal::{Facts, LongList};
use super::template::{Template, TemplateError};
use crate::core::proposal::{has_room, mark, marked};

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
            line: None,
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
        body: marked(&fitting(body, facts, &mark)?, &mark),
        mark,
    })
}

/// A body with as many entries of long lists as there is room for, so that what stands after a list
/// is there. Only lists of which the template can say how much is left out are shortened.
fn fitting(template: &Template, facts: &Facts, mark: &str) -> Result<String, TemplateError> {
    let mut text = template.render(facts)?;
    let mut facts = facts.clone();
    for list in LongList::ALL {
        if has_room(&text, mark) {
            break;
        }
        if !template.names(list.more()) {
            continue;
        }
        // The most entries that fit; none, when even none is too much.
        let (mut fit, mut too_many) = (0, facts.length(list));
        while too_many - fit > 1 {
            let most = fit + (too_many - fit) / 2;
            if has_room(&template.render(&facts.with_most(list, most))?, mark) {
                fit = most;
            } else {
                too_many = most;
            }
        }
        facts = facts.with_most(list, fit);
        text = template.render(&facts)?;
    }
    Ok(text)
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MOST_TITLE).collect()
}

#[cfg(test)]
mod tests;
