//! What GitHub's refusals mean, and what to do about them.

use jiff::Timestamp;

use crate::adapters::forges::ForgeError;
use crate::adapters::forges::api::Token;
use crate::adapters::http::{HttpError, Refusal, StatusCode};

/// What to do next about a refusal.
pub(super) fn explain(error: &HttpError, token: Option<&Token>) -> Option<String> {
    let refusal = error.refusal()?;
    let origin = token.map_or("", |token| token.origin.as_str());
    match refusal.status {
        StatusCode::UNAUTHORIZED => Some(match token {
            None => "give a token in GITHUB_TOKEN".to_owned(),
            Some(_) => format!("{origin} is wrong, expired or revoked: make a new one"),
        }),
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::TOO_MANY_REQUESTS => {
            sign_on(refusal)
                .or_else(|| rate_limit(refusal))
                .or_else(|| archived(refusal))
                .or_else(|| workflow(refusal))
                .or_else(|| missing_permission(refusal, token))
                .or_else(|| unseen(refusal, token))
        }
        _ => None,
    }
}

/// An organisation with single sign-on wants the token authorised
/// (<https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api>).
fn sign_on(refusal: &Refusal) -> Option<String> {
    let header = text(refusal, "x-github-sso")?;
    let page = header
        .split(';')
        .find_map(|part| part.trim().strip_prefix("url="));
    let page = page.map(|page| format!(": {page}")).unwrap_or_default();
    Some(format!(
        "authorise the token for the organisation's single sign-on{page}"
    ))
}

/// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
fn rate_limit(refusal: &Refusal) -> Option<String> {
    if text(refusal, "x-ratelimit-remaining") == Some("0") {
        let reset = text(refusal, "x-ratelimit-reset").and_then(|reset| reset.parse().ok());
        let reset = reset.and_then(|reset| Timestamp::from_second(reset).ok());
        let when = reset.map_or("later".to_owned(), |reset| format!("after {reset}"));
        return Some(format!("the rate limit is used up: try again {when}"));
    }
    let is_secondary = refusal.message.to_lowercase().contains("rate limit");
    if is_secondary || refusal.status == StatusCode::TOO_MANY_REQUESTS {
        let when = text(refusal, "retry-after").map_or("in some minutes".to_owned(), |seconds| {
            format!("in {seconds} seconds")
        });
        return Some(format!("GitHub is asked too often: try again {when}"));
    }
    None
}

fn archived(refusal: &Refusal) -> Option<String> {
    let is_archived = refusal.message.to_lowercase().contains("archived");
    is_archived.then(|| "take the repository out of the archive, or leave it alone".to_owned())
}

/// What a workflow's own token lacks, whatever its permissions
/// (<https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/enabling-features-for-your-repository/managing-github-actions-settings-for-a-repository>).
fn workflow(refusal: &Refusal) -> Option<String> {
    let is_switched_off = refusal
        .message
        .contains("GitHub Actions is not permitted to create");
    is_switched_off.then(|| {
        "switch on \"Allow GitHub Actions to create and approve pull requests\" in the settings of \
         the repository or its organisation, or give another token"
            .to_owned()
    })
}

/// Names what the token lacks. Fine-grained tokens and apps have permissions, classic tokens scopes:
/// <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api>
fn missing_permission(refusal: &Refusal, token: Option<&Token>) -> Option<String> {
    let origin = &token?.origin;
    // A classic token; others have no such header.
    if let Some(held) = text(refusal, "x-oauth-scopes") {
        let accepted = text(refusal, "x-accepted-oauth-scopes").unwrap_or("");
        let split = |scopes: &str| -> Vec<String> {
            let scopes = scopes.split(',').map(str::trim);
            let scopes = scopes.filter(|scope| !scope.is_empty());
            scopes.map(str::to_owned).collect()
        };
        let (held, mut accepted) = (split(held), split(accepted));
        if accepted.is_empty() {
            accepted.push("repo".to_owned());
        }
        if accepted.iter().any(|scope| held.contains(scope)) {
            return None;
        }
        let held = match held.is_empty() {
            true => "no scope".to_owned(),
            false => format!("only {}", held.join(", ")),
        };
        return Some(format!(
            "{origin} has {held} and needs the scope {}",
            accepted.join(" or ")
        ));
    }
    if !refusal.message.contains("Resource not accessible") {
        return None;
    }
    let accepted = text(refusal, "x-accepted-github-permissions")?;
    // `a=write,b=read; c=write`: one of these sets.
    let sets: Vec<String> = accepted
        .split(';')
        .map(|set| set.trim().replace(',', " and "))
        .collect();
    Some(format!(
        "{origin} lacks the permission {}",
        sets.join(", or ")
    ))
}

/// GitHub hides what a token may not see.
fn unseen(refusal: &Refusal, token: Option<&Token>) -> Option<String> {
    match (refusal.status, token) {
        (StatusCode::NOT_FOUND, None) => Some(
            "there is no such repository, or it is private: give a token in GITHUB_TOKEN"
                .to_owned(),
        ),
        (StatusCode::NOT_FOUND, Some(token)) => Some(format!(
            "there is no such thing, or {} has no access to the repository",
            token.origin
        )),
        (StatusCode::FORBIDDEN, Some(token)) => Some(format!(
            "{} is not allowed to: it needs the permissions contents=write and \
             pull_requests=write",
            token.origin
        )),
        _ => None,
    }
}

/// An error of opening a pull request, by GitHub's words for what is wrong with its branches.
pub(super) fn of_opening(mut error: ForgeError, head: &str, base: &str) -> ForgeError {
    if error.status() != Some(StatusCode::UNPROCESSABLE_ENTITY) {
        return error;
    }
    let message = error.message.clone();
    if message.contains("A pull request already exists") {
        error.is_duplicate = true;
        return error.with_hint("the next run will find it");
    }
    let is_invalid =
        |field: &str| message.contains(&format!("\"field\":\"{field}\",\"code\":\"invalid\""));
    if is_invalid("head") {
        return error.with_hint(&format!("there is no branch {head}: push it first"));
    }
    if is_invalid("base") {
        return error.with_hint(&format!("there is no branch {base}"));
    }
    error
}

fn text<'a>(refusal: &'a Refusal, name: &str) -> Option<&'a str> {
    refusal.headers.get(name)?.to_str().ok()
}
