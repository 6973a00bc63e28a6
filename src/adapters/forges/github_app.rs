//! GitHub Apps: from an app's id and private key to a token for one repository
//! (<https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app>).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::DATE;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::Mutex;

use super::ForgeError;
use super::api::{Api, Scheme, Token};
use crate::adapters::http::{Method, Request, StatusCode};
use crate::adapters::secret::Secret;

/// An app, and the token of its installation on one repository.
pub(super) struct App {
    id: String,
    key: RsaKeyPair,
    /// Kept until shortly before it expires.
    token: Mutex<Option<(Token, Timestamp)>>,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct InstallationToken {
    token: String,
    expires_at: Timestamp,
}

/// The longest that an app may say it speaks for is 10 minutes.
const LIFE: SignedDuration = SignedDuration::from_mins(9);
/// An app may speak from a minute ago, so that clocks need not agree.
const SKEW: SignedDuration = SignedDuration::from_mins(1);
/// A token that expires sooner than this is not begun with.
const LEAST_LIFE: SignedDuration = SignedDuration::from_mins(5);

impl App {
    /// An app by its id, or its client id, and the PEM text of a private key (PKCS#1 as GitHub makes
    /// them, or PKCS#8).
    ///
    /// # Errors
    /// The text holds no RSA key; the sentence goes on after "cannot use the key".
    pub(super) fn new(id: &str, key: &Secret) -> Result<Self, String> {
        let der = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
            .map_err(|_| "it is no private key in PEM form".to_owned())?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err("it is no RSA key".to_owned()),
        };
        Ok(Self {
            id: id.to_owned(),
            key: key.map_err(|error| format!("it is no RSA key: {error}"))?,
            token: Mutex::new(None),
        })
    }

    /// A token for a repository, with the permissions that are needed here and no others.
    pub(super) async fn token(
        &self,
        api: &Api,
        owner: &str,
        name: &str,
    ) -> Result<Token, ForgeError> {
        let mut kept = self.token.lock().await;
        if let Some((token, expires)) = &*kept
            && Timestamp::now() + LEAST_LIFE < *expires
        {
            return Ok(token.clone());
        }
        let repository = format!("{owner}/{name}");
        let doing = format!(
            "find the installation of the app {} on {repository}",
            self.id
        );
        let url = api.url(&["repos", owner, name, "installation"], &[]);
        let installation: Installation = self.ask(api, &doing, &Request::get(url)).await.map_err(
            |error| match error.status() {
                Some(StatusCode::NOT_FOUND) => ForgeError::new(format!(
                    "cannot {doing}: it is not installed there, or there is no such repository; \
                     install the app on the repository, on the app's page under \"Install App\""
                )),
                _ => error,
            },
        )?;
        let doing = format!("get a token of the app {} for {repository}", self.id);
        let id = installation.id.to_string();
        let url = api.url(&["app", "installations", &id, "access_tokens"], &[]);
        let request = Request::new(Method::POST, url)
            .json(&json!({
                "repositories": [name],
                "permissions": {"contents": "write", "pull_requests": "write"},
            }))
            // A second token does no harm.
            .repeatable();
        let answer: InstallationToken =
            self.ask(api, &doing, &request)
                .await
                .map_err(|error| match error.status() {
                    Some(StatusCode::UNPROCESSABLE_ENTITY) => error.with_hint(
                        "give the app the permissions \"Contents\" and \"Pull requests\" to read \
                         and write, and accept them where it is installed",
                    ),
                    _ => error,
                })?;
        let token = Token {
            secret: Secret::new(&answer.token),
            scheme: Scheme::Bearer,
            origin: format!("the app {}", self.id),
        };
        *kept = Some((token.clone(), answer.expires_at));
        Ok(token)
    }

    /// Asks as the app itself. When GitHub's clock differs by much it says so, and is asked again by
    /// its own clock.
    async fn ask<T: DeserializeOwned>(
        &self,
        api: &Api,
        doing: &str,
        request: &Request,
    ) -> Result<T, ForgeError> {
        let now = Timestamp::now();
        let token = self.signed_token(doing, now)?;
        let error = match api.ask(doing, request.clone(), Some(&token)).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match server_time(&error).filter(|there| (*there - now).get_seconds().abs() > 30) {
            Some(there) => {
                let token = self.signed_token(doing, there)?;
                api.ask(doing, request.clone(), Some(&token)).await
            }
            None => Err(error),
        }
    }

    fn signed_token(&self, doing: &str, now: Timestamp) -> Result<Token, ForgeError> {
        let jwt = self.jwt(now).map_err(|_| {
            ForgeError::new(format!(
                "cannot {doing}: its key cannot sign; generate \
                 another on the app's page"
            ))
        })?;
        Ok(Token {
            secret: Secret::new(&jwt),
            scheme: Scheme::Bearer,
            origin: format!(
                "what the app {} signs (its id, its key, or this machine's clock)",
                self.id
            ),
        })
    }

    /// A JSON Web Token (RFC 7519), signed with RS256 (RFC 7518, section 3.3).
    fn jwt(&self, now: Timestamp) -> Result<String, ring::error::Unspecified> {
        let encode = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let header = encode(json!({"alg": "RS256", "typ": "JWT"}));
        let claims = encode(json!({
            "iat": (now - SKEW).as_second(),
            "exp": (now + LIFE).as_second(),
            "iss": self.id,
        }));
        let text = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            text.as_bytes(),
            &mut signature,
        )?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Ok(format!("{text}.{signature}"))
    }
}

/// The server's time, where it has refused a signature.
fn server_time(error: &ForgeError) -> Option<Timestamp> {
    let refusal = error.refused.as_ref()?.refusal()?;
    if refusal.status != StatusCode::UNAUTHORIZED {
        return None;
    }
    let date = refusal.headers.get(DATE)?.to_str().ok()?;
    Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp())
}
