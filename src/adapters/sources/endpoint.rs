//! Base URLs: what may stand in a config, and where credentials may be sent. A config can come from
//! anyone who can propose a change; the credentials are those of whoever runs this.

use anyhow::{Context, bail};

use super::super::http::{Url, is_loopback};

/// Reads a base URL. `field` is where it stands, for errors.
///
/// # Errors
/// It is no URL of HTTP, or holds more than a base URL should.
pub(super) fn base_url(field: &str, text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text.trim())
        .with_context(|| format!("cannot read {field} {text:?}; give a URL such as https://…"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        bail!("cannot use {field} {text:?}: only http:// and https:// can be asked");
    }
    if !url.username().is_empty() || url.password().is_some() {
        // Not repeated: it is in Git already, and need not be in a log too.
        bail!(
            "cannot use {field}: it holds a user name or password, which everyone can read in \
             Git; give them as environment variables"
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        bail!("cannot use {field} {text:?}: leave out what follows ? or #");
    }
    Ok(url)
}

/// Whether nobody on the way can read what is sent there.
pub(super) fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

/// Whether a registry's own credentials may be sent there, asked before they are: to the server that
/// a variable of the environment names, and to nobody else. A server on this machine needs no name
/// as long as there is none. `field` is where the URL stands, `secret` and `variable` are variables,
/// and `own` is what `variable` says.
///
/// # Errors
/// They may not.
pub(super) fn allow_secret(
    url: &Url,
    field: &str,
    secret: &str,
    (variable, own): (&str, Option<&str>),
) -> anyhow::Result<()> {
    if !is_private(url) {
        bail!("cannot use {field} {url}: {secret} must not be sent without https");
    }
    let own = own.map(|own| Url::parse(own.trim()).map(|own| own.origin()));
    let names = match own {
        None if is_loopback(url) => return Ok(()),
        Some(Ok(own)) if own == url.origin() => return Ok(()),
        None => "is not set".to_owned(),
        Some(Ok(own)) if own.is_tuple() => format!("is {}", own.ascii_serialization()),
        Some(_) => "is no URL of a server".to_owned(),
    };
    bail!(
        "cannot use {field} {url}: {secret} is sent only to the server that {variable} names, \
         which {names}; if it is for this server, set {variable} to {}",
        url.origin().ascii_serialization()
    );
}

/// What an environment variable says; `None` when it is not set or blank.
pub(super) fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    Some(value).filter(|value| !value.trim().is_empty())
}

/// Whether the URL's host is `domain` or below it.
pub(super) fn is_below(url: &Url, domain: &str) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == domain
        || host
            .strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
}

/// A URL below a base URL. Every segment is encoded as far as it must be.
pub(super) fn below<'a>(base: &Url, segments: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    url.path_segments_mut()
        .expect("because base_url lets only URLs with a host through")
        .pop_if_empty()
        .extend(segments);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_nobody_listens() {
        let cases = [
            ("https://example.com", true),
            ("http://example.com", false),
            ("http://localhost:5000", true),
            ("http://127.8.9.10/", true),
            ("http://[::1]:8080", true),
            ("http://0x7f.1/", true),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://[::2]", false),
            ("http://0.0.0.0", false),
        ];
        for (url, wanted) in cases {
            assert_eq!(is_private(&Url::parse(url).unwrap()), wanted, "{url}");
        }
    }

    #[test]
    fn a_secret_goes_where_the_environment_says() {
        let own = Some("https://mlflow.example.com/base/");
        let cases = [
            ("https://mlflow.example.com", own, ""),
            ("https://mlflow.example.com:443/x", own, ""),
            ("http://mlflow.example.com", own, "without https"),
            (
                "https://mlflow.example.com:8443",
                own,
                "names, which is https://mlflow.example.com;",
            ),
            (
                "https://mlflow.example.com.evil.org",
                own,
                "VARIABLE to https://mlflow.example.com.evil.org",
            ),
            (
                "https://evil.svc",
                None,
                "which is not set; if it is for this server, set VARIABLE to https://evil.svc",
            ),
            (
                "https://evil.svc",
                Some("databricks"),
                "which is no URL of a server",
            ),
            (
                "https://evil.svc",
                Some("sqlite:///ml.db"),
                "which is no URL of a server",
            ),
            ("http://127.0.0.1:5000", None, ""),
            // What is set holds for this machine too.
            (
                "http://127.0.0.1:5000",
                own,
                "names, which is https://mlflow.example.com;",
            ),
            ("http://127.0.0.1:5000", Some(" http://127.0.0.1:5000 "), ""),
            // A password in the variable is not shown.
            (
                "https://evil.svc",
                Some("https://u:hidden@a.b"),
                "which is https://a.b;",
            ),
        ];
        for (url, own, problem) in cases {
            let parsed = Url::parse(url).unwrap();
            let answer = allow_secret(&parsed, "FIELD", "SECRET", ("VARIABLE", own));
            let said = answer
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert_eq!(said.is_empty(), problem.is_empty(), "{url} {own:?}: {said}");
            assert!(said.contains(problem), "{url} {own:?}: {said}");
            assert!(!said.contains("hidden"), "{said}");
        }
    }

    #[test]
    fn knows_whose_host_it_is() {
        for (url, wanted) in [
            ("https://googleapis.com", true),
            ("https://us-central1-aiplatform.googleapis.com", true),
            ("https://evilgoogleapis.com", false),
            ("https://googleapis.com.example.com", false),
        ] {
            assert_eq!(
                is_below(&Url::parse(url).unwrap(), "googleapis.com"),
                wanted
            );
        }
    }

    #[test]
    fn what_is_put_below_cannot_leave_it() {
        let base = base_url("URL", "https://example.com/proxy/").unwrap();
        let url = below(&base, ["models", "a/../../b?c#d", "x y"]);
        assert_eq!(
            url.as_str(),
            "https://example.com/proxy/models/a%2F..%2F..%2Fb%3Fc%23d/x%20y"
        );
    }
}
