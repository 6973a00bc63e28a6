//! One page of a listing.

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

/// One page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The token of the next page; `None` on the last.
    pub next: Option<String>,
}

/// How a page is written: the names of two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageShape {
    /// The field that holds the items. Left out when there are none, as protocol buffers do.
    pub items: &'static str,
    /// The field that holds the token of the next page. Left out, null or empty on the last page.
    pub next: &'static str,
}

/// An answer that is not a page. The fault is the registry's, or something else answers at its URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PageError {
    /// Not JSON, or cut off.
    #[error("the answer is not JSON: {problem}")]
    NotJson {
        /// What the parser says.
        problem: String,
    },
    /// JSON, but not a page.
    #[error("the answer is not a page: it should be an object with a list {items:?}")]
    NotAPage {
        /// The field that holds the items.
        items: &'static str,
    },
    /// The page holds something else among its items.
    #[error("{items} {number}{name} cannot be read: {problem}")]
    Item {
        /// The field that holds the items.
        items: &'static str,
        /// Which item, from 1.
        number: usize,
        /// A space and the item's name in quotes, where it has one.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl PageShape {
    /// Reads a page.
    ///
    /// # Errors
    /// It is not one, or an item on it is not what it should be.
    pub fn read<T: DeserializeOwned>(self, body: &[u8]) -> Result<Page<T>, PageError> {
        let not_a_page = || PageError::NotAPage { items: self.items };
        let value = serde_json::from_slice(body).map_err(|error| PageError::NotJson {
            problem: error.to_string(),
        })?;
        let Value::Object(mut fields) = value else {
            return Err(not_a_page());
        };
        let items = match fields.remove(self.items) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(not_a_page()),
        };
        let next = match fields.remove(self.next) {
            None | Some(Value::Null) => None,
            Some(Value::String(token)) => Some(token).filter(|token| !token.is_empty()),
            Some(_) => return Err(not_a_page()),
        };
        let items = items
            .into_iter()
            .enumerate()
            .map(|(index, item)| self.item(index + 1, item))
            .collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    fn item<T: DeserializeOwned>(self, number: usize, item: Value) -> Result<T, PageError> {
        let name = match item.get("name").and_then(Value::as_str) {
            Some(name) => format!(" {name:?}"),
            None => String::new(),
        };
        serde_json::from_value(item).map_err(|error| PageError::Item {
            items: self.items,
            number,
            name,
            problem: error.to_string(),
        })
    }
}
