//! A Change as a commit message: subject, body and the trailers by which the commit is known again.

use super::proposal::Facts;
use super::template::{Template, TemplateError};
use crate::core::proposal::trailers::{CONFIG, PACKAGE, with_trailers};

const DEFAULT: &str = include_str!("templates/commit_message.txt");

/// Renders a commit message. `signer`, `Name <address>`, signs it off.
///
/// # Errors
/// The template cannot be used, or gives no text.
pub fn commit_message(
    facts: &Facts,
    template: Option<&Template>,
    signer: Option<&str>,
) -> Result<String, TemplateError> {
    let own = Template::own("commit message", DEFAULT);
    let template = template.unwrap_or(&own);
    let text = template.render(facts)?;
    if text.trim().is_empty() {
        return Err(TemplateError {
            origin: template.origin.clone(),
            line: None,
            problem: "it gives an empty commit message".to_owned(),
        });
    }
    let text = text.trim_start();
    let previous: Vec<&str> = facts
        .previous
        .iter()
        .map(|model| model.name.as_str())
        .collect();
    let trailers = [
        ("Model", facts.model.name.clone()),
        ("Previous-Model", previous.join(" ")),
        ("Model-Create-Time", facts.model.create_time.clone()),
        ("Source", facts.source.clone()),
        (CONFIG, facts.config.clone()),
        (PACKAGE, facts.package.clone()),
        ("Signed-off-by", signer.unwrap_or_default().to_owned()),
    ];
    let given: Vec<_> = trailers
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    Ok(with_trailers(text, &given))
}
