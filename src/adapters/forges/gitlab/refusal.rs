//! What GitLab's refusals mean, and what to do about them.

use crate::adapters::forges::api::{Scheme, Token};
use crate::adapters::http::{HttpError, StatusCode};

/// What to do next about a refusal.
pub(super) fn explain(error: &HttpError, token: Option<&Token>) -> Option<String> {
    let refusal = error.refusal()?;
    let is_about_access = matches!(
        refusal.status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
    );
    let Some(token) = token else {
        return is_about_access.then(|| "give a token in GITLAB_TOKEN".to_owned());
    };
    let origin = &token.origin;
    if token.scheme == Scheme::JobToken && is_about_access {
        return Some(
            "the token of a job may not open merge requests: put a project access token into \
             GITLAB_TOKEN"
                .to_owned(),
        );
    }
    match refusal.status {
        StatusCode::UNAUTHORIZED => Some(format!(
            "{origin} is wrong, expired or revoked: make a new one"
        )),
        StatusCode::FORBIDDEN => {
            let body = String::from_utf8_lossy(&refusal.body);
            Some(if body.contains("insufficient_scope") {
                format!("{origin} needs the scope api")
            } else {
                format!("{origin} needs the scope api and the role Developer in the project")
            })
        }
        StatusCode::NOT_FOUND => Some(format!(
            "there is no such thing, or {origin} has no access to the project"
        )),
        _ => None,
    }
}
