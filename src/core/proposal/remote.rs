//! Which repository of which forge a remote's URL means, and where that forge's API is. Whether
//! anything answers there is not known here.

use std::fmt;
use std::str::FromStr;

/// A kind of forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeKind {
    /// github.com and GitHub Enterprise.
    GitHub,
    /// gitlab.com and GitLab of one's own.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
}

impl ForgeKind {
    /// The kind of a well-known host; `None` for all others, which must be named.
    pub fn of_host(host: &str) -> Option<Self> {
        match host {
            "github.com" => Some(Self::GitHub),
            // GitHub Enterprise Cloud with data residency:
            // <https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom>
            _ if host.ends_with(".ghe.com") => Some(Self::GitHub),
            "gitlab.com" => Some(Self::GitLab),
            "codeberg.org" | "gitea.com" => Some(Self::Gitea),
            _ => None,
        }
    }

    /// The path of the API on a server of one's own.
    fn api_path(self) -> &'static str {
        match self {
            Self::GitHub => "/api/v3",
            Self::GitLab => "/api/v4",
            Self::Gitea => "/api/v1",
        }
    }
}

impl fmt::Display for ForgeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Gitea => "gitea",
        })
    }
}

impl FromStr for ForgeKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "github" => Ok(Self::GitHub),
            "gitlab" => Ok(Self::GitLab),
            "gitea" | "forgejo" => Ok(Self::Gitea),
            _ => Err(format!(
                "there is no forge {text:?}; there are github, gitlab and gitea, and none to push only"
            )),
        }
    }
}

/// A repository as a remote's URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// `http` or `https` as the URL says; `https` for every other transport.
    scheme: &'static str,
    /// The host in lower case; `None` for a path on this machine.
    host: Option<String>,
    /// Only of an HTTP URL: the port of another transport says nothing of the API's.
    port: Option<u16>,
    /// From the server's root, without slashes at its ends and without `.git`.
    path: String,
}

impl Remote {
    /// Reads a URL in any of git's spellings
    /// (<https://git-scm.com/docs/git-clone#_git_urls>); user and password are left out.
    ///
    /// # Errors
    /// It is none, or names no repository. The sentence does not repeat the URL, which may hold a
    /// password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let parsed = gix::url::parse(url).map_err(|_| {
            "cannot read the remote's URL; give one such as https://HOST/OWNER/REPOSITORY or \
             git@HOST:OWNER/REPOSITORY.git"
                .to_owned()
        })?;
        let is_http = matches!(
            parsed.scheme,
            gix::url::Scheme::Http | gix::url::Scheme::Https
        );
        let path = parsed.path.to_string();
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        if path.is_empty() {
            return Err("the remote's URL names no repository".to_owned());
        }
        let host = parsed.host().map(str::to_lowercase);
        // SSH through the port of HTTPS has host names of its own:
        // <https://docs.github.com/en/authentication/troubleshooting-ssh/using-ssh-over-the-https-port>
        let host = host.map(|host| match host.as_str() {
            "ssh.github.com" => "github.com".to_owned(),
            "altssh.gitlab.com" => "gitlab.com".to_owned(),
            _ => host,
        });
        Ok(Self {
            scheme: match parsed.scheme {
                gix::url::Scheme::Http => "http",
                _ => "https",
            },
            host,
            port: parsed.port.filter(|_| is_http),
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// The host in lower case; `None` for a path on this machine.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The path from the server's root, such as `group/subgroup/project`. `prefix` is the path that
    /// the server itself has, which is no part of it.
    pub fn path_below(&self, prefix: &str) -> &str {
        let prefix = prefix.trim_matches('/');
        match self.path.strip_prefix(prefix) {
            Some(rest) if !prefix.is_empty() && rest.starts_with('/') => &rest[1..],
            _ => &self.path,
        }
    }

    /// The owner and the name of the repository: the last two parts of the path.
    ///
    /// # Errors
    /// The path has one part only.
    pub fn owner_and_name(&self) -> Result<(&str, &str), String> {
        let problem = || {
            format!(
                "the remote names the repository {:?} without its owner; give a URL such as \
                 https://HOST/OWNER/REPOSITORY",
                self.path
            )
        };
        let (rest, name) = self.path.rsplit_once('/').ok_or_else(problem)?;
        let owner = rest.rsplit('/').next().filter(|owner| !owner.is_empty());
        Ok((owner.ok_or_else(problem)?, name))
    }

    /// The API's base URL, without a slash at its end; `None` for a path on this machine.
    pub fn api_base(&self, kind: ForgeKind) -> Option<String> {
        let host = self.host()?;
        if kind == ForgeKind::GitHub && ForgeKind::of_host(host) == Some(kind) {
            return Some(format!("https://api.{host}"));
        }
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}://{host}{port}{}", self.scheme, kind.api_path()))
    }
}

/// The API's base URL from what a user gives for it: as it is, without a slash at its end. GitLab and
/// Gitea never serve their API at the root, so that a server's URL gets their usual path there.
pub fn api_base_of(kind: ForgeKind, url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let has_path = url
        .split_once("://")
        .is_some_and(|(_, rest)| rest.contains('/'));
    if kind == ForgeKind::GitHub || has_path {
        url.to_owned()
    } else {
        format!("{url}{}", kind.api_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_spelling() {
        let rows = [
            (
                "https://github.com/kubeflow/code-intelligence",
                "https://api.github.com",
                "kubeflow/code-intelligence",
            ),
            (
                "https://GitHub.com/kubeflow/code-intelligence.git/",
                "https://api.github.com",
                "kubeflow/code-intelligence",
            ),
            (
                "https://user:hidden@github.com/kubeflow/code-intelligence.git",
                "https://api.github.com",
                "kubeflow/code-intelligence",
            ),
            (
                "git@github.com:kubeflow/code-intelligence.git",
                "https://api.github.com",
                "kubeflow/code-intelligence",
            ),
            (
                "ssh://git@ssh.github.com:443/kubeflow/code-intelligence.git",
                "https://api.github.com",
                "kubeflow/code-intelligence",
            ),
            (
                "https://tenant.ghe.com/team/models.git",
                "https://api.tenant.ghe.com",
                "team/models",
            ),
            (
                "ssh://git@ghe.example.com:2222/team/models.git",
                "https://ghe.example.com/api/v3",
                "team/models",
            ),
            (
                "https://ghe.example.com:8443/team/models",
                "https://ghe.example.com:8443/api/v3",
                "team/models",
            ),
            (
                "http://127.0.0.1:4401/git/team/models.git",
                "http://127.0.0.1:4401/api/v3",
                "team/models",
            ),
            (
                "git://ghe.example.com/team/models.git",
                "https://ghe.example.com/api/v3",
                "team/models",
            ),
        ];
        for (url, base, repository) in rows {
            let remote = Remote::parse(url).unwrap();
            assert_eq!(
                remote.api_base(ForgeKind::GitHub).as_deref(),
                Some(base),
                "{url}"
            );
            let (owner, name) = remote.owner_and_name().unwrap();
            assert_eq!(format!("{owner}/{name}"), repository, "{url}");
        }
    }

    #[test]
    fn keeps_the_groups_of_gitlab() {
        let remote = Remote::parse("git@gitlab.com:group/sub/deep/project.git").unwrap();
        assert_eq!(remote.path_below(""), "group/sub/deep/project");
        assert_eq!(
            remote.api_base(ForgeKind::GitLab).unwrap(),
            "https://gitlab.com/api/v4"
        );
        let remote = Remote::parse("https://example.com/gitlab/group/project").unwrap();
        assert_eq!(remote.path_below("/gitlab"), "group/project");
        assert_eq!(remote.path_below("/git"), "gitlab/group/project");
        let remote = Remote::parse("https://codeberg.org/team/models").unwrap();
        assert_eq!(
            remote.api_base(ForgeKind::Gitea).unwrap(),
            "https://codeberg.org/api/v1"
        );
    }

    #[test]
    fn knows_the_forge_of_well_known_hosts_only() {
        for (url, kind) in [
            ("https://github.com/a/b", Some(ForgeKind::GitHub)),
            ("git@gitlab.com:a/b", Some(ForgeKind::GitLab)),
            ("ssh://git@codeberg.org/a/b", Some(ForgeKind::Gitea)),
            ("https://gitea.com/a/b", Some(ForgeKind::Gitea)),
            ("https://a.ghe.com/a/b", Some(ForgeKind::GitHub)),
            ("https://github.com.example.org/a/b", None),
            ("https://notgithub.com/a/b", None),
            ("/srv/git/a/b.git", None),
        ] {
            let remote = Remote::parse(url).unwrap();
            assert_eq!(remote.host().and_then(ForgeKind::of_host), kind, "{url}");
        }
    }

    #[test]
    fn a_path_on_this_machine_has_no_api() {
        for url in [
            "/srv/git/team/models.git",
            "file:///srv/git/team/models.git",
        ] {
            let remote = Remote::parse(url).unwrap();
            assert_eq!(remote.api_base(ForgeKind::GitHub), None);
            assert_eq!(remote.owner_and_name().unwrap(), ("team", "models"));
        }
    }

    #[test]
    fn refuses_what_names_no_repository() {
        for url in ["https://github.com/", "", "https://user:hidden@[bad/a/b"] {
            let error = Remote::parse(url).unwrap_err();
            assert!(!error.contains("hidden"), "{error}");
        }
        let remote = Remote::parse("https://github.com/models").unwrap();
        let error = remote.owner_and_name().unwrap_err();
        assert!(error.contains("without its owner"), "{error}");
    }

    #[test]
    fn takes_the_url_that_a_user_gives() {
        for (kind, url, base) in [
            (
                ForgeKind::GitHub,
                "http://127.0.0.1:1/",
                "http://127.0.0.1:1",
            ),
            (
                ForgeKind::GitHub,
                "https://ghe.example.com/api/v3/",
                "https://ghe.example.com/api/v3",
            ),
            (
                ForgeKind::GitLab,
                "https://git.example.com/",
                "https://git.example.com/api/v4",
            ),
            (
                ForgeKind::GitLab,
                "https://example.com/gitlab/api/v4",
                "https://example.com/gitlab/api/v4",
            ),
            (
                ForgeKind::Gitea,
                "http://gitea.git:3000",
                "http://gitea.git:3000/api/v1",
            ),
        ] {
            assert_eq!(api_base_of(kind, url), base);
        }
    }
}
