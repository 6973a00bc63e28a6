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
            match missing_scope(&refusal.message) {
                Some(scope) => format!("{origin} lacks the scope {scope}"),
                None => format!("{origin} needs {scopes}, and its user the right to write"),
            }
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

/// The scope that Gitea misses: "token does not have at least one of required scope(s): [write:issue]",
/// or, in later releases, "…, required=[write:issue], token scope=…" (its `routers/api/v1/api.go`).
fn missing_scope(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("required scope(s)")?;
    let (_, rest) = rest.split_once('[')?;
    let (scopes, _) = rest.split_once(']')?;
    let scopes: Vec<&str> = scopes.split_whitespace().collect();
    (!scopes.is_empty()).then(|| scopes.join(" or "))
}
