//! What a registry is given to know who asks.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::super::http::{Limits, Request};
use super::super::secret::Secret;
use super::google_auth::GoogleCredentials;

/// What a registry is given to know who asks.
pub(super) enum Credentials {
    /// Nothing.
    None,
    /// A token (RFC 6750).
    Bearer(Secret),
    /// A token in a file, which changes from time to time: it is read for each request.
    BearerFile(PathBuf),
    /// A user and a password (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token of Google's, which changes from time to time.
    Google(GoogleCredentials),
}

impl Credentials {
    /// Puts them on a request.
    ///
    /// # Errors
    /// Google gives no token, or the file with the token cannot be read.
    pub(super) async fn authorize(
        &self,
        request: Request,
        limits: &Limits,
    ) -> anyhow::Result<Request> {
        Ok(match self {
            Self::None => request,
            Self::Bearer(token) => request.bearer(token),
            Self::BearerFile(path) => request.bearer(&from_file(path)?),
            Self::Basic { user, password } => request.basic(user, password),
            Self::Google(credentials) => credentials.authorize(request, limits).await?,
        })
    }
}

fn from_file(path: &Path) -> anyhow::Result<Secret> {
    let what = || format!("cannot read the token file {}", path.display());
    let token = std::fs::read_to_string(path).with_context(what)?;
    if token.trim().is_empty() {
        bail!("{}: it is empty", what());
    }
    Ok(Secret::new(&token))
}
