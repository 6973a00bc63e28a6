//! What a forge did not do, in words for the user and in flags for the caller. How each forge words
//! its refusals is known beside that forge.

use crate::adapters::http::{HttpError, Problem, StatusCode};

/// What a forge did not do, and what to do about it, in words for the user.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
pub(crate) struct ForgeError {
    /// What was being done, to what, and what went wrong; when displayed, with what to do next.
    pub(crate) message: String,
    /// Whether it may have been done all the same, so that only another look can tell.
    pub(crate) is_uncertain: bool,
    /// Whether a pull request for the same branches is there already.
    pub(crate) is_duplicate: bool,
    /// Whether what was seen before has changed meanwhile, so that another look is needed.
    pub(crate) is_outdated: bool,
    /// The refused request, for those who must look closer.
    pub(super) refused: Option<HttpError>,
    /// What to do next, where the message does not say it.
    hint: Option<String>,
    /// Whether that is what it mostly is after such a refusal: what knows more goes before it.
    is_general: bool,
}

impl ForgeError {
    /// The status that the forge refused with.
    pub(super) fn status(&self) -> Option<StatusCode> {
        self.refused.as_ref()?.status()
    }

    /// Adds what to do next, where nothing precise says it yet.
    pub(super) fn with_hint(mut self, hint: &str) -> Self {
        if self.hint.is_none() || self.is_general {
            self.hint = Some(hint.to_owned());
            self.is_general = false;
        }
        self
    }

    /// An error of its own words.
    pub(super) fn new(message: String) -> Self {
        Self {
            message,
            is_uncertain: false,
            is_duplicate: false,
            is_outdated: false,
            refused: None,
            hint: None,
            is_general: false,
        }
    }

    /// What came of a request. `doing` goes on after "cannot"; `is_read` says that it changes nothing,
    /// `hint` what to do next where the forge's own refusals tell.
    pub(super) fn of_request(
        doing: &str,
        is_read: bool,
        error: HttpError,
        hint: Option<String>,
    ) -> Self {
        let is_uncertain = error.is_uncertain() && !is_read;
        let hint = hint
            .or_else(|| {
                let may_be_done = "it may have been done all the same, which the next run will see";
                is_uncertain.then(|| may_be_done.to_owned())
            })
            .or_else(|| usual_hint(&error).map(str::to_owned));
        let is_general = hint.is_none();
        let hint = hint.or_else(|| general_hint(&error).map(str::to_owned));
        let message = format!("cannot {doing}: {error}");
        Self {
            is_uncertain,
            hint,
            is_general,
            refused: Some(error),
            ..Self::new(message)
        }
    }
}

/// What to do next where every forge means the same.
fn usual_hint(error: &HttpError) -> Option<&'static str> {
    match &error.problem {
        Problem::NoConnection(_) => Some("check the forge's URL and the network"),
        Problem::Unreadable(_) | Problem::TooLarge(_) => {
            Some("check that the forge's URL is that of its API")
        }
        Problem::TimedOut(_) | Problem::Interrupted(_) => Some("try again later"),
        Problem::Status(refusal) if refusal.status.is_server_error() => Some("try again later"),
        Problem::Status(refusal) if refusal.status == StatusCode::TOO_MANY_REQUESTS => {
            Some("it is asked too often: try again later")
        }
        Problem::Status(_) => None,
    }
}

/// What to do next after a refusal whose words say what is wrong, where nothing knows better.
fn general_hint(error: &HttpError) -> Option<&'static str> {
    match error.status()? {
        StatusCode::CONFLICT => Some(
            "something stands in the way or changed meanwhile: run again, and if it stays, change \
             what the forge names",
        ),
        StatusCode::UNPROCESSABLE_ENTITY => {
            Some("change what the forge names, or leave out the option that asks for it")
        }
        _ => Some("check that --forge and --forge-url name the right forge"),
    }
}
