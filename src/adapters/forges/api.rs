//! A forge's JSON API: base URL, token, pages, and errors in words. Which calls there are, and what a
//! refusal means, is known beside each forge.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, LINK};
use serde::de::DeserializeOwned;

use super::ForgeError;
use crate::adapters::http::{Http, HttpError, Request, Response, Url};
use crate::adapters::secret::Secret;

/// A token, how it is sent, and where it is from, for hints.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// The token itself.
    pub(super) secret: Secret,
    /// How it is sent.
    pub(super) scheme: Scheme,
    /// Where the user finds it, such as `GITHUB_TOKEN`.
    pub(super) origin: String,
}

/// How a token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: token …`, which every release of Gitea knows.
    Token,
    /// `JOB-TOKEN: …`, of a job of GitLab CI.
    JobToken,
}

/// Says what to do next about a refusal, where a forge's answer tells.
pub(super) type Explain = fn(&HttpError, Option<&Token>) -> Option<String>;

/// A forge's API.
#[derive(Clone, Debug)]
pub(super) struct Api {
    http: Http,
    base: Url,
    headers: &'static [(&'static str, &'static str)],
    explain: Explain,
}

impl Api {
    /// An API at a base URL, with headers for each request.
    pub(super) fn new(
        http: Http,
        base: Url,
        headers: &'static [(&'static str, &'static str)],
        explain: Explain,
    ) -> Self {
        Self {
            http,
            base,
            headers,
            explain,
        }
    }

    /// The base URL.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// The URL of a path, each part of which is one segment whatever is in it, and a query.
    pub(super) fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Sends a request. `doing` goes on after "cannot" when it fails.
    pub(super) async fn send(
        &self,
        doing: &str,
        request: Request,
        token: Option<&Token>,
    ) -> Result<Response, ForgeError> {
        let is_read = request.is_read();
        let request = self.headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        let request = match token {
            None => request,
            Some(token) => match token.scheme {
                Scheme::Bearer => request.bearer(&token.secret),
                Scheme::Token => {
                    let value = format!("token {}", token.secret.expose());
                    request.secret_header(AUTHORIZATION, &value, &token.secret)
                }
                Scheme::JobToken => request.secret_header(
                    HeaderName::from_static("job-token"),
                    token.secret.expose(),
                    &token.secret,
                ),
            },
        };
        let sent = self.http.send(&request).await;
        sent.map_err(|error| self.error(doing, is_read, error, token))
    }

    /// Sends a request and reads the answer as JSON.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        doing: &str,
        request: Request,
        token: Option<&Token>,
    ) -> Result<T, ForgeError> {
        let is_read = request.is_read();
        let response = self.send(doing, request, token).await?;
        let answer = response.json();
        answer.map_err(|error| self.error(doing, is_read, error, token))
    }

    /// Reads a list: all pages. All three forges number their pages, and say in `Link` (RFC 8288)
    /// whether there is a next one. Its URL is not followed, so that no answer can send the token
    /// elsewhere.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        doing: &str,
        url: &Url,
        token: Option<&Token>,
    ) -> Result<Vec<T>, ForgeError> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let mut url = url.clone();
            url.query_pairs_mut().append_pair("page", &page.to_string());
            let response = self.send(doing, Request::get(url), token).await?;
            let items: Vec<T> = response
                .json()
                .map_err(|error| self.error(doing, true, error, token))?;
            all.extend(items);
            if !has_next_page(&response.headers) {
                return Ok(all);
            }
        }
        Err(ForgeError::new(format!(
            "cannot {doing}: there are more than {MOST_PAGES} pages; check that the \
             forge's URL is that of its API"
        )))
    }

    fn error(
        &self,
        doing: &str,
        is_read: bool,
        error: HttpError,
        token: Option<&Token>,
    ) -> ForgeError {
        let hint = (self.explain)(&error, token);
        ForgeError::of_request(doing, is_read, error, hint)
    }
}

/// More than any list here can have; a server that never ends its list would else be asked for ever.
const MOST_PAGES: u32 = 1000;

/// Whether an answer names a next page.
pub(super) fn has_next_page(headers: &HeaderMap) -> bool {
    let links = headers.get_all(LINK).iter();
    links
        .filter_map(|link| link.to_str().ok())
        .flat_map(|links| links.split(','))
        .any(|link| {
            link.split(';')
                .skip(1)
                .any(|parameter| parameter.trim().eq_ignore_ascii_case("rel=\"next\""))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_the_next_page_in_a_link() {
        let has_next = |link: &'static str| {
            let link = reqwest::header::HeaderValue::from_static(link);
            has_next_page(&HeaderMap::from_iter([(LINK, link)]))
        };
        assert!(has_next(
            r#"<https://api.github.com/repositories/1/pulls?page=1>; rel="prev", <https://api.github.com/repositories/1/pulls?page=3>; rel="next""#
        ));
        assert!(!has_next(
            r#"<https://api.github.com/x?page=1&next=2>; rel="first""#
        ));
        assert!(!has_next_page(&HeaderMap::new()));
    }
}
