//! Calls to the Kubernetes API that did not succeed.

use std::fmt;
use std::time::Duration;

use kube::core::Status;

/// A call that did not succeed: what was being done, to what, and what went wrong.
#[derive(Debug)]
pub(crate) struct CallError {
    /// What was being done, to what.
    pub(crate) doing: String,
    /// What went wrong.
    pub(crate) problem: Problem,
}

/// What went wrong with a call.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The object, or the kind of object, is not there.
    NotFound,
    /// Another object has the name.
    AlreadyExists,
    /// The object was changed since it was read.
    Conflict(String),
    /// It is not allowed, or not valid: the same call will be refused again.
    Refused(String),
    /// The API server's answer cannot be used.
    Unreadable(String),
    /// Anything that may pass. The call may have had an effect.
    Unavailable(String),
}

impl CallError {
    pub(super) fn new(doing: impl Into<String>, error: kube::Error) -> Self {
        let problem = match error {
            kube::Error::Api(status) => of_status(&status),
            kube::Error::SerdeError(error) => Problem::Unreadable(error.to_string()),
            other => Problem::Unavailable(innermost(&other)),
        };
        Self {
            doing: doing.into(),
            problem,
        }
    }

    pub(super) fn timed_out(doing: impl Into<String>, limit: Duration) -> Self {
        Self {
            doing: doing.into(),
            problem: Problem::Unavailable(format!("no answer within {limit:?}")),
        }
    }

    /// Whether the object was changed since it was read, so that another look helps.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self.problem, Problem::Conflict(_))
    }

    /// Whether the object is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self.problem, Problem::NotFound)
    }
}

/// The codes and reasons are those of `k8s.io/apimachinery/pkg/api/errors`.
fn of_status(status: &Status) -> Problem {
    let message = if status.message.is_empty() {
        format!("the API server answered {}", status.code)
    } else {
        status
            .message
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    match (status.code, status.reason.as_str()) {
        (404, _) => Problem::NotFound,
        (409, "AlreadyExists") => Problem::AlreadyExists,
        (409, _) => Problem::Conflict(message),
        // A webhook that denies answers 400 or 403.
        (400 | 403 | 405 | 413 | 415 | 422, _) => Problem::Refused(message),
        _ => Problem::Unavailable(message),
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doing = &self.doing;
        match &self.problem {
            Problem::NotFound => write!(formatter, "cannot {doing}: it is not there"),
            Problem::AlreadyExists => write!(formatter, "cannot {doing}: it is there already"),
            Problem::Conflict(why)
            | Problem::Refused(why)
            | Problem::Unreadable(why)
            | Problem::Unavailable(why) => write!(formatter, "cannot {doing}: {why}"),
        }
    }
}

impl std::error::Error for CallError {}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_may_pass_from_what_will_not() {
        let error = |code: u16, reason: &str| {
            let status = Status::failure("it\nsays so", reason).with_code(code);
            CallError::new(
                "create the PipelineRun a/b",
                kube::Error::Api(status.boxed()),
            )
        };
        for (code, reason, expected) in [
            (404, "NotFound", "NotFound"),
            (409, "AlreadyExists", "AlreadyExists"),
            (409, "Conflict", "Conflict(\"it says so\")"),
            (400, "BadRequest", "Refused(\"it says so\")"),
            (403, "Forbidden", "Refused(\"it says so\")"),
            (422, "Invalid", "Refused(\"it says so\")"),
            (410, "Expired", "Unavailable(\"it says so\")"),
            (429, "TooManyRequests", "Unavailable(\"it says so\")"),
            (500, "InternalError", "Unavailable(\"it says so\")"),
        ] {
            let error = error(code, reason);
            assert_eq!(format!("{:?}", error.problem), expected);
        }
        assert_eq!(
            error(403, "Forbidden").to_string(),
            "cannot create the PipelineRun a/b: it says so"
        );
    }
}
