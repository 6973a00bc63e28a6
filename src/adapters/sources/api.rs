//! One registry's interface: requests with its credentials, and errors with a hint.

use anyhow::{Context, anyhow};

use super::super::http::{
    Http, HttpError, Limits, Method, Problem, Request, Response, StatusCode, Url,
};
use super::credentials::Credentials;

/// One registry's interface.
pub(super) struct Api {
    http: Http,
    credentials: Credentials,
    pub(super) hints: Hints,
    pub(super) base: Url,
    pub(super) limits: Limits,
}

/// What to do about a refusal, as far as it is the same for all requests.
pub(super) struct Hints {
    /// About 401.
    pub(super) unauthorized: &'static str,
    /// About 404.
    pub(super) not_found: &'static str,
    /// Whether that is worth saying when the registry has words of its own about it.
    pub(super) not_found_in_words: bool,
    /// The field that holds the URL.
    pub(super) url_field: &'static str,
}

/// What a request is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose<'a> {
    /// What to do about 403: which permission or role the account needs.
    pub(super) forbidden: &'a str,
}

impl Api {
    pub(super) fn new(
        base: Url,
        credentials: Credentials,
        hints: Hints,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            http: Http::new(limits)?,
            credentials,
            hints,
            base,
            limits,
        })
    }

    /// Gets something.
    pub(super) async fn get(&self, url: Url, purpose: Purpose<'_>) -> anyhow::Result<Response> {
        self.send(Request::get(url), purpose).await
    }

    /// Gets something that may not be there.
    pub(super) async fn find(
        &self,
        url: Url,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<Option<Response>> {
        match self.try_send(Request::get(url)).await? {
            Ok(response) => Ok(Some(response)),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(self.explain(&error, purpose)),
        }
    }

    /// Gets what a body describes; a server that cannot do that finds nothing.
    pub(super) async fn search(
        &self,
        url: Url,
        body: &serde_json::Value,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<Option<Response>> {
        let request = Request::new(Method::POST, url).json(body).repeatable();
        match self.try_send(request).await? {
            Ok(response) => Ok(Some(response)),
            Err(error) if error.status() == Some(StatusCode::BAD_REQUEST) => Ok(None),
            Err(error) => Err(self.explain(&error, purpose)),
        }
    }

    /// Changes something.
    pub(super) async fn change(
        &self,
        method: Method,
        url: Url,
        body: &serde_json::Value,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<Response> {
        self.send(Request::new(method, url).json(body), purpose)
            .await
    }

    async fn send(&self, request: Request, purpose: Purpose<'_>) -> anyhow::Result<Response> {
        self.try_send(request)
            .await?
            .map_err(|error| self.explain(&error, purpose))
    }

    async fn try_send(&self, request: Request) -> anyhow::Result<Result<Response, HttpError>> {
        let request = self
            .credentials
            .authorize(request, &self.limits)
            .await
            .with_context(|| format!("cannot log in to {}", self.base))?;
        Ok(self.http.send(&request).await)
    }

    fn explain(&self, error: &HttpError, purpose: Purpose<'_>) -> anyhow::Error {
        match self.hint(error, purpose) {
            Some(hint) => anyhow!("{error}; {hint}"),
            None => anyhow!("{error}"),
        }
    }

    fn hint(&self, error: &HttpError, purpose: Purpose<'_>) -> Option<String> {
        let refusal = match &error.problem {
            Problem::NoConnection(_) => {
                return Some(format!("check {} and the network", self.hints.url_field));
            }
            Problem::TimedOut(_) => {
                return Some("try again later, or raise MODELSYNC_HTTP_TIMEOUT".to_owned());
            }
            Problem::Interrupted(_) => return Some("try again later".to_owned()),
            Problem::Unreadable(_) => {
                return Some(format!("check {}", self.hints.url_field));
            }
            Problem::TooLarge(_) => return None,
            Problem::Status(refusal) => refusal,
        };
        let status = refusal.status;
        match status {
            StatusCode::UNAUTHORIZED => Some(self.hints.unauthorized.to_owned()),
            StatusCode::FORBIDDEN => Some(purpose.forbidden.to_owned()),
            // The server is the right one, and has said what is not there.
            StatusCode::NOT_FOUND
                if !refusal.message.is_empty() && !self.hints.not_found_in_words =>
            {
                None
            }
            StatusCode::NOT_FOUND => Some(self.hints.not_found.to_owned()),
            StatusCode::TOO_MANY_REQUESTS => Some("ask less often, or raise the quota".to_owned()),
            status if status.is_server_error() => Some("try again later".to_owned()),
            _ => None,
        }
    }
}
