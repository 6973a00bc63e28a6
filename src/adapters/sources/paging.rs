//! All pages of a listing, or an error that says which page failed.

use std::collections::BTreeSet;

use anyhow::{Context, anyhow, bail};
use serde::de::DeserializeOwned;

use super::super::http::Url;
use super::api::{Api, Purpose};
use crate::core::registry::PageShape;

/// How a registry pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paging {
    /// The query parameter for the number of items on a page, and that number.
    pub(super) size: (&'static str, u32),
    /// The query parameter for the token of the page before.
    pub(super) token: &'static str,
}

/// More pages than any registry has. A server that never comes to an end is stopped here.
const MOST_PAGES: usize = 10_000;

impl Api {
    /// Gets the items of all pages. `what` is what is listed, in the plural.
    ///
    /// # Errors
    /// A page cannot be had or read, or the pages come to no end. What has been read until then
    /// does not count.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        what: &str,
        url: &Url,
        paging: Paging,
        shape: PageShape,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<Vec<T>> {
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        let mut token: Option<String> = None;
        for number in 1..=MOST_PAGES {
            let mut url = url.clone();
            {
                let mut query = url.query_pairs_mut();
                query.append_pair(paging.size.0, &paging.size.1.to_string());
                if let Some(token) = &token {
                    query.append_pair(paging.token, token);
                }
            }
            let place = || format!("page {number} of the {what}");
            let response = self.get(url.clone(), purpose).await.with_context(place)?;
            let page = shape.read(&response.body).map_err(|error| {
                let field = self.hints.url_field;
                anyhow!("{}: GET {url}: {error}; check {field}", place())
            })?;
            all.extend(page.items);
            match page.next {
                None => return Ok(all),
                Some(next) if !seen.insert(next.clone()) => bail!(
                    "{}: GET {url}: the next page's token is that of an earlier page, so the \
                     pages would never end; what answers there does not page correctly",
                    place()
                ),
                next => token = next,
            }
        }
        bail!("the {what} have more than {MOST_PAGES} pages; use a registry of its own for these")
    }
}
