//! HTTP for registries and forges: time limits, bounded retries with jitter, a limit on the size of
//! answers, and errors that name the URL and what it answered. What an answer means, and what to do
//! about a refusal, is known by the callers.

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
pub(crate) use reqwest::{Method, StatusCode, Url};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::secret::Secret;
use crate::core::policy::duration;

/// How long to wait and how much to take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For one attempt, from connecting to the last byte.
    pub(crate) attempt: Duration,
    /// For all attempts and the waits between them.
    pub(crate) total: Duration,
    /// How often to try.
    pub(crate) attempts: u32,
    /// The wait after the first attempt; it doubles with each further one.
    pub(crate) first_wait: Duration,
    /// The largest answer, in bytes.
    pub(crate) body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(30),
            total: Duration::from_secs(120),
            attempts: 4,
            first_wait: Duration::from_millis(400),
            body: 64 << 20,
        }
    }
}

impl Limits {
    /// The default limits, with the time for one attempt that `MODELSYNC_HTTP_TIMEOUT` says, such as
    /// `10s`; all attempts together get four times that.
    ///
    /// # Errors
    /// The variable holds no duration.
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        let limits = Self::default();
        match std::env::var("MODELSYNC_HTTP_TIMEOUT") {
            Ok(text) if !text.is_empty() => {
                let attempt = duration::parse(&text)
                    .ok()
                    .filter(|attempt| !attempt.is_zero())
                    .with_context(|| {
                        format!(
                            "cannot read MODELSYNC_HTTP_TIMEOUT {text:?}: give a duration above \
                             zero, such as 10s"
                        )
                    })?;
                Ok(Self {
                    attempt,
                    total: attempt.saturating_mul(4),
                    ..limits
                })
            }
            _ => Ok(limits),
        }
    }
}

/// A client. Connections are kept for the next request.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    /// For this machine, whatever proxies are set.
    direct: reqwest::Client,
    limits: Limits,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    is_repeatable: bool,
    is_read: bool,
    secrets: Vec<Secret>,
}

impl Request {
    /// A request. Only methods that HTTP calls idempotent (RFC 9110, section 9.2.2) are repeated
    /// after they may have had an effect.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        let (is_repeatable, is_read) = (method.is_idempotent(), method == Method::GET);
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            is_repeatable,
            is_read,
            secrets: Vec::new(),
        }
    }

    /// A `GET`.
    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// Whether it changes nothing.
    pub(crate) fn is_read(&self) -> bool {
        self.is_read
    }

    /// With a JSON body.
    pub(crate) fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = Some(body.to_string().into_bytes());
        self.header("content-type", "application/json")
    }

    /// With a header; a value that cannot be in a header is left out.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// With a header that holds a secret, which errors do not repeat.
    pub(crate) fn secret_header(mut self, name: HeaderName, value: &str, secret: &Secret) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self.secrets.push(secret.clone());
        self
    }

    /// With `Authorization: Bearer` (RFC 6750).
    pub(crate) fn bearer(self, token: &Secret) -> Self {
        self.secret_header(AUTHORIZATION, &format!("Bearer {}", token.expose()), token)
    }

    /// With `Authorization: Basic` (RFC 7617).
    pub(crate) fn basic(self, user: &str, password: &Secret) -> Self {
        let credentials = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
        let mut request =
            self.secret_header(AUTHORIZATION, &format!("Basic {credentials}"), password);
        request.secrets.push(Secret::new(&credentials));
        request
    }

    /// Changes nothing, whatever its method.
    pub(crate) fn read_only(mut self) -> Self {
        self.is_read = true;
        self.repeatable()
    }

    /// May be repeated after it may have had an effect, whatever its method.
    pub(crate) fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }
}

/// An answer with a status of success.
#[derive(Debug)]
pub(crate) struct Response {
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// All of the body.
    pub(crate) body: Vec<u8>,
    request: String,
}

impl Response {
    /// The body as JSON.
    ///
    /// # Errors
    /// It is no JSON, or not of this shape.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(|error| HttpError {
            request: self.request.clone(),
            problem: Problem::Unreadable(error.to_string()),
        })
    }
}

/// A request that did not succeed.
#[derive(Debug)]
pub(crate) struct HttpError {
    /// Method and URL.
    request: String,
    /// What went wrong.
    pub(crate) problem: Problem,
}

/// What went wrong with a request.
#[derive(Debug)]
pub(crate) enum Problem {
    /// No connection, and so no effect.
    NoConnection(String),
    /// No whole answer in time. It may have had an effect.
    TimedOut(Duration),
    /// The connection ended before the answer did. It may have had an effect.
    Interrupted(String),
    /// A status other than success.
    Status(Box<Refusal>),
    /// The answer is larger than the limit, in bytes.
    TooLarge(usize),
    /// The answer is not what it should be.
    Unreadable(String),
}

/// An answer with a status other than success. `Debug` leaves out headers and body, which are long and
/// may repeat a secret.
pub(crate) struct Refusal {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, which the messages were taken from.
    pub(crate) body: Vec<u8>,
    /// What the server says of it, on one line; empty when it says nothing.
    pub(crate) message: String,
}

impl fmt::Debug for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Refusal")
            .field("status", &self.status)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl HttpError {
    /// The status, when there was an answer that was not a success.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// The answer, when there was one that was not a success.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match &self.problem {
            Problem::Status(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the request may have had an effect although it failed.
    pub(crate) fn is_uncertain(&self) -> bool {
        match &self.problem {
            Problem::NoConnection(_) => false,
            Problem::Status(refusal) => refusal.status.is_server_error(),
            _ => true,
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = &self.request;
        match &self.problem {
            Problem::NoConnection(cause) => write!(formatter, "{request}: no connection: {cause}"),
            Problem::TimedOut(limit) => {
                write!(formatter, "{request}: no answer within {limit:?}")
            }
            Problem::Interrupted(cause) => {
                write!(formatter, "{request}: the answer broke off: {cause}")
            }
            Problem::Status(refusal) => {
                write!(formatter, "{request} answered {}", refusal.status)?;
                if refusal.message.is_empty() {
                    return Ok(());
                }
                write!(formatter, ": {}", refusal.message)
            }
            Problem::TooLarge(limit) => {
                write!(
                    formatter,
                    "{request}: the answer is larger than {limit} bytes"
                )
            }
            Problem::Unreadable(cause) => {
                write!(formatter, "{request}: the answer cannot be read: {cause}")
            }
        }
    }
}

impl std::error::Error for HttpError {}

impl Http {
    /// Makes a client. Proxies are those of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, but as with
    /// Go's programs none for this machine: what is sent there must not leave it. Certificates are the system's, or those of `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// The system's certificates cannot be read.
    pub(crate) fn new(limits: Limits) -> anyhow::Result<Self> {
        // A second installation does nothing; the first is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("modelsync/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::limited(5))
                .connect_timeout(limits.attempt)
        };
        let what = "cannot prepare for HTTP";
        let client = builder().build().context(what)?;
        let direct = builder().no_proxy().build().context(what)?;
        Ok(Self {
            client,
            direct,
            limits,
        })
    }

    /// Sends a request until it succeeds, is refused for good, or the limits are reached.
    ///
    /// # Errors
    /// There is no answer with a status of success.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let start = Instant::now();
        let mut attempt = 1;
        let mut earlier = None;
        loop {
            let time_left = self.limits.total.saturating_sub(start.elapsed());
            let limit = self.limits.attempt.min(time_left);
            let error = match tokio::time::timeout(limit, self.once(request)).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(problem)) => problem,
                // The last attempt has what is left of the time for all of them; that it is not
                // enough says less than what went wrong before.
                Err(_) if limit < self.limits.attempt => {
                    earlier.unwrap_or(Problem::TimedOut(self.limits.total))
                }
                Err(_) => Problem::TimedOut(limit),
            };
            let wait = self.wait(request, &error, attempt);
            let is_over = attempt >= self.limits.attempts;
            match wait.filter(|wait| !is_over && start.elapsed() + *wait < self.limits.total) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => {
                    return Err(HttpError {
                        request: request.to_string(),
                        problem: error,
                    });
                }
            }
            earlier = Some(error);
            attempt += 1;
        }
    }

    /// How long to wait before the next attempt; `None` when there is no use in one.
    fn wait(&self, request: &Request, problem: &Problem, attempt: u32) -> Option<Duration> {
        let backoff = self.limits.first_wait * 2_u32.saturating_pow(attempt - 1);
        let jittered = backoff.mul_f64(0.5 + fastrand::f64() / 2.0);
        let may_repeat = request.is_repeatable.then_some(jittered);
        match problem {
            Problem::NoConnection(_) => Some(jittered),
            Problem::TimedOut(_) | Problem::Interrupted(_) => may_repeat,
            Problem::TooLarge(_) | Problem::Unreadable(_) => None,
            Problem::Status(refusal) => {
                let asked = retry_after(&refusal.headers, Timestamp::now());
                match refusal.status {
                    // Refused for now, and so without effect.
                    StatusCode::TOO_MANY_REQUESTS => Some(asked.unwrap_or(jittered)),
                    StatusCode::FORBIDDEN if asked.is_some() => asked,
                    StatusCode::SERVICE_UNAVAILABLE if asked.is_some() => asked,
                    status if status.is_server_error() => may_repeat,
                    _ => None,
                }
            }
        }
    }

    async fn once(&self, request: &Request) -> Result<Response, Problem> {
        let client = if is_loopback(&request.url) {
            &self.direct
        } else {
            &self.client
        };
        let mut builder = client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let problem = |error: reqwest::Error| {
            // The URL is told already, and the innermost cause says most.
            let error = error.without_url();
            let is_connect = error.is_connect();
            let cause = request.redact(&innermost(&error));
            if is_connect {
                Problem::NoConnection(cause)
            } else {
                Problem::Interrupted(cause)
            }
        };
        let mut response = builder.send().await.map_err(problem)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(problem)? {
            if body.len() + chunk.len() > self.limits.body {
                return Err(Problem::TooLarge(self.limits.body));
            }
            body.extend_from_slice(&chunk);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() {
            return Ok(Response {
                headers,
                body,
                request: request.to_string(),
            });
        }
        let message = request.redact(&server_message(&body));
        Err(Problem::Status(Box::new(Refusal {
            status,
            headers,
            body,
            message,
        })))
    }
}

impl Request {
    fn redact(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(text.to_owned(), |text, secret| secret.redact(&text))
    }
}

/// Method and URL, without a user or password in it.
impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        // Only URLs that cannot have them refuse.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let url = self.redact(url.as_str());
        write!(formatter, "{} {url}", self.method)
    }
}

/// Whether a URL leads to this machine, so that nothing sent there travels over a network.
pub(crate) fn is_loopback(url: &Url) -> bool {
    // In brackets for IPv6.
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// How long the server asks to wait: `Retry-After` (RFC 9110, section 10.2.3) in seconds or as a
/// date, or GitHub's `x-ratelimit-reset` when nothing remains.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let until = |time: Timestamp| Duration::try_from(time.duration_since(now)).unwrap_or_default();
    if let Some(value) = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
    {
        return match value.trim().parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => {
                let date = jiff::fmt::rfc2822::parse(value).ok()?;
                Some(until(date.timestamp()))
            }
        };
    }
    let remaining = text("x-ratelimit-remaining")?;
    let reset: i64 = text("x-ratelimit-reset")?.trim().parse().ok()?;
    (remaining.trim() == "0").then(|| Timestamp::from_second(reset).ok().map(until))?
}

/// What an error says, from the shapes that registries and forges use; otherwise its beginning.
fn server_message(body: &[u8]) -> String {
    const LONGEST: usize = 300;
    let text = String::from_utf8_lossy(body);
    let message = match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(value) => json_message(&value),
        // A page for browsers says nothing that the status does not.
        Err(_) if text.trim_start().starts_with('<') => String::new(),
        Err(_) => text.into_owned(),
    };
    let words: Vec<&str> = message.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn json_message(value: &serde_json::Value) -> String {
    let error = value.get("error");
    let said = [
        error.and_then(|error| error.get("message")),
        value.get("message"),
        error,
    ];
    let message = match said.into_iter().flatten().next().unwrap_or(value) {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // GitHub says which field in a list beside the message.
    match value.get("errors") {
        Some(serde_json::Value::Array(errors)) if !errors.is_empty() => {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            format!("{message} ({})", errors.join(", "))
        }
        _ => message,
    }
}

#[cfg(test)]
mod tests;
