//! What Gitea's refusals mean, and what to do about them.

use crate::adapters::forges::api::Token;
use crate::adapters::http::{HttpError, StatusCode};

/// What to do next about a refusal.
pub(super) fn explain(error: &HttpError, token: Option<&Token>) -> Option<String> {
    let refusal = error.refusal()?;
    let scopes = "the scopes write:repository and write:issue";
    let hint = match (refusal.status, token) {
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND, None) => {
            "give a token in GITEA_TOKEN".to_owned()
        }
        (StatusCode::UNAUTHORIZED, Some(token)) => {
            format!(
                "{} is wrong, expired or revoked: make a new one",
                token.origin
            )
        }
        (StatusCode::FORBIDDEN, Some(token)) => {
            let origin = &token.origin;
            format!("{origin} needs {scopes}, and its user the right to write")
        }
        (StatusCode::NOT_FOUND, Some(token)) => format!(
            "there is no such repository or branch, or {} has no access to it",
            token.origin
        ),
        (StatusCode::LOCKED, _) => {
            "take the repository out of the archive, or leave it alone".to_owned()
        }
        _ => return None,
    };
    Some(hint)
}
