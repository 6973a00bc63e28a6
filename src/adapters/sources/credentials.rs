//! What a registry is given to know who asks.

use super::super::http::{Limits, Request};
use super::super::secret::Secret;
use super::google_auth::GoogleCredentials;

/// What a registry is given to know who asks.
pub(super) enum Credentials {
    /// Nothing.
    None,
    /// A token (RFC 6750).
    Bearer(Secret),
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
    /// Google gives no token.
    pub(super) async fn authorize(
        &self,
        request: Request,
        limits: &Limits,
    ) -> anyhow::Result<Request> {
        Ok(match self {
            Self::None => request,
            Self::Bearer(token) => request.bearer(token),
            Self::Basic { user, password } => request.basic(user, password),
            Self::Google(credentials) => credentials.authorize(request, limits).await?,
        })
    }
}
