//! Base URLs: what may stand in a config, and where credentials may be sent. A config can come from
//! anyone who can propose a change; the credentials are those of whoever runs this.

use anyhow::{Context, bail};

use super::super::http::Url;

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

/// Whether a URL leads to this machine, so that nothing sent there travels over a network.
pub(super) fn is_loopback(url: &Url) -> bool {
    // In brackets for IPv6.
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether nobody on the way can read what is sent there.
pub(super) fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
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
