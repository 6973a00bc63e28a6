//! From a remote's URL and the environment to a forge: which kind, where its API is, which token.

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};

use super::Forge;
use super::api::{Scheme, Token};
use super::gitea::Gitea;
use super::github::{GitHub, Identity};
use super::github_app::App;
use super::gitlab::GitLab;
use crate::adapters::http::{Http, Limits, Url};
use crate::adapters::secret::Secret;
use crate::core::proposal::{ForgeKind, Remote, api_base_of};

/// What the user says of the forge. What is left out is read from the remote's URL.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Its kind.
    pub(crate) kind: Option<ForgeKind>,
    /// The base URL of its API.
    pub(crate) url: Option<String>,
    /// The GitHub App to be, in place of whom a token stands for.
    pub(crate) github_app: Option<GitHubApp>,
}

/// A GitHub App.
#[derive(Clone, Debug)]
pub(crate) struct GitHubApp {
    /// The app's id, or its client id.
    pub(crate) id: String,
    /// The file with its private key, in PEM form.
    pub(crate) key_file: PathBuf,
}

/// The forge of a remote.
///
/// # Errors
/// The remote is of no well-known host and no kind is named, or something that was given cannot be
/// read.
pub(crate) fn connect(remote: &str, settings: &Settings) -> anyhow::Result<Box<dyn Forge>> {
    connect_with(remote, settings, Limits::from_environment()?, &|variable| {
        Secret::from_environment(variable)
    })
}

/// The same, with time limits and an environment of the caller's.
pub(super) fn connect_with(
    remote: &str,
    settings: &Settings,
    limits: Limits,
    environment: &dyn Fn(&str) -> Option<Secret>,
) -> anyhow::Result<Box<dyn Forge>> {
    let remote = Remote::parse(remote).map_err(|problem| anyhow!("{problem}"))?;
    let kind = kind(&remote, settings)?;
    let base = base_url(&remote, kind, settings)?;
    let token = token(kind, &remote, environment);
    let http = Http::new(limits)?;
    let owner_and_name = || {
        remote
            .owner_and_name()
            .map_err(|problem| anyhow!("{problem}"))
    };
    match kind {
        ForgeKind::GitHub => {
            let (owner, name) = owner_and_name()?;
            let identity = match (&settings.github_app, token) {
                (Some(app), _) => Identity::App(Box::new(read_app(app)?)),
                (None, Some(token)) => Identity::Token(token),
                (None, None) => Identity::Anonymous,
            };
            Ok(Box::new(GitHub::new(http, base, owner, name, identity)))
        }
        ForgeKind::GitLab => {
            let prefix = base.path().trim_end_matches('/');
            let prefix = prefix.strip_suffix("/api/v4").unwrap_or("");
            let project = remote.path_below(prefix);
            let pause = limits.first_wait;
            Ok(Box::new(GitLab::new(
                http,
                base.clone(),
                project,
                token,
                pause,
            )))
        }
        ForgeKind::Gitea => {
            let (owner, name) = owner_and_name()?;
            let pause = limits.first_wait;
            Ok(Box::new(Gitea::new(http, base, owner, name, token, pause)))
        }
    }
}

fn kind(remote: &Remote, settings: &Settings) -> anyhow::Result<ForgeKind> {
    let known = settings.kind.or_else(|| match &settings.github_app {
        Some(_) => Some(ForgeKind::GitHub),
        None => remote.host().and_then(ForgeKind::of_host),
    });
    known.with_context(|| {
        let what = match remote.host() {
            Some(host) => format!("which forge {host} is"),
            None => "which forge a path on this machine belongs to".to_owned(),
        };
        format!(
            "cannot tell {what}: say --forge github, gitlab or gitea, or --forge none to push only"
        )
    })
}

fn base_url(remote: &Remote, kind: ForgeKind, settings: &Settings) -> anyhow::Result<Url> {
    let base = match &settings.url {
        Some(url) => api_base_of(kind, url),
        None => remote.api_base(kind).with_context(|| {
            format!(
                "cannot tell where the API of {kind} is from a path on this machine: say \
                     --forge-url"
            )
        })?,
    };
    let url = Url::parse(&base).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.with_context(|| {
        format!(
            "cannot use the forge's URL: {base:?} is none; give one such as https://HOST/api/v4"
        )
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        bail!(
            "cannot use the forge's URL: it holds a user or a password; give tokens by the environment"
        );
    }
    Ok(url)
}

/// The first token of the environment that is for this kind of forge.
fn token(
    kind: ForgeKind,
    remote: &Remote,
    environment: &dyn Fn(&str) -> Option<Secret>,
) -> Option<Token> {
    let is_well_known = remote.host().and_then(ForgeKind::of_host) == Some(kind);
    let variables: &[(&str, Scheme)] = match kind {
        // As gh has it, whose tokens for Enterprise Server go nowhere else:
        // <https://cli.github.com/manual/gh_help_environment>
        ForgeKind::GitHub if is_well_known => &[
            ("GH_TOKEN", Scheme::Bearer),
            ("GITHUB_TOKEN", Scheme::Bearer),
        ],
        ForgeKind::GitHub => &[
            ("GH_ENTERPRISE_TOKEN", Scheme::Bearer),
            ("GITHUB_ENTERPRISE_TOKEN", Scheme::Bearer),
            ("GH_TOKEN", Scheme::Bearer),
            ("GITHUB_TOKEN", Scheme::Bearer),
        ],
        ForgeKind::GitLab => &[
            ("GITLAB_TOKEN", Scheme::Bearer),
            ("CI_JOB_TOKEN", Scheme::JobToken),
        ],
        ForgeKind::Gitea => &[
            ("GITEA_TOKEN", Scheme::Token),
            ("FORGEJO_TOKEN", Scheme::Token),
        ],
    };
    variables.iter().find_map(|(variable, scheme)| {
        Some(Token {
            secret: environment(variable)?,
            scheme: *scheme,
            origin: (*variable).to_owned(),
        })
    })
}

fn read_app(app: &GitHubApp) -> anyhow::Result<App> {
    let problem = || {
        format!(
            "cannot use the key of the GitHub App {} in {}",
            app.id,
            app.key_file.display()
        )
    };
    let text = std::fs::read_to_string(&app.key_file).with_context(problem)?;
    App::new(&app.id, &Secret::new(&text))
        .map_err(|error| anyhow!("{error}; download a private key on the app's page"))
        .with_context(problem)
}
