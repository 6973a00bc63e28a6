//! Real Git servers on loopback: smart HTTP with basic authentication (lighttpd and
//! `git http-backend`) and SSH with a deploy key (sshd). Each has a log of what it was asked, and
//! ends with the value.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{is_there, skipped};

/// The user that the HTTP server knows.
pub(crate) const USER: &str = "x-access-token";

/// A server for the repositories below a directory.
pub(crate) struct GitServer {
    process: Child,
    state: tempfile::TempDir,
    /// The start of a repository's URL.
    base: String,
    /// For SSH: what `GIT_SSH_COMMAND` must be.
    pub(crate) ssh_command: Option<String>,
}

/// What an SSH key may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadOnly,
    ReadWrite,
}

impl GitServer {
    /// Serves over HTTP to [`USER`] with `password`; `None` when lighttpd is missing.
    pub(crate) fn http(repositories: &Path, password: &str) -> Option<Self> {
        if !is_there_or_in_sbin("lighttpd") {
            return None;
        }
        let state = tempfile::tempdir().unwrap();
        let backend = state.path().join("backend");
        // A file `fault` with shell in it runs before the backend: exit there, kill the parent, …
        executable(
            &backend,
            &format!(
                "#!/bin/sh\nexport PATH='{}'\necho \"$REQUEST_METHOD $PATH_INFO?$QUERY_STRING\" >> '{log}'\n[ -f '{fault}' ] && . '{fault}'\nexec git http-backend\n",
                std::env::var("PATH").unwrap(),
                log = state.path().join("log").display(),
                fault = state.path().join("fault").display(),
            ),
        );
        std::fs::write(state.path().join("users"), format!("{USER}:{password}\n")).unwrap();
        // The port is free when it is asked for; should somebody take it before lighttpd does, the
        // next try has another.
        for _ in 0..5 {
            let port = free_port();
            let configuration = state.path().join("lighttpd.conf");
            std::fs::write(
                &configuration,
                format!(
                    r#"server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.modules = ("mod_setenv", "mod_auth", "mod_authn_file", "mod_alias", "mod_cgi")
server.errorlog = "{state}/errors"
server.upload-dirs = ("{state}")
alias.url = ("/git" => "{backend}")
auth.backend = "plain"
auth.backend.plain.userfile = "{state}/users"
$HTTP["url"] =~ "^/git/" {{
  cgi.assign = ("" => "")
  setenv.add-environment = ("GIT_PROJECT_ROOT" => "{root}", "GIT_HTTP_EXPORT_ALL" => "1")
  auth.require = ("" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
}}
"#,
                    root = repositories.display(),
                    state = state.path().display(),
                    backend = backend.display(),
                ),
            )
            .unwrap();
            let mut process = Command::new(in_sbin("lighttpd"))
                .args(["-D", "-f"])
                .arg(&configuration)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            if answers(&mut process, port) {
                let base = format!("http://127.0.0.1:{port}/git");
                return Some(Self {
                    process,
                    state,
                    base,
                    ssh_command: None,
                });
            }
        }
        panic!("lighttpd does not start");
    }

    /// Serves over SSH to one key; `None` when sshd is missing.
    pub(crate) fn ssh(repositories: &Path, access: Access) -> Option<Self> {
        if !is_there_or_in_sbin("sshd") || !is_there("ssh-keygen") {
            return None;
        }
        // What sshd wants to find; Debian makes it when the service starts.
        let _ = std::fs::create_dir_all("/run/sshd");
        let state = tempfile::tempdir().unwrap();
        let path = |name: &str| state.path().join(name);
        for key in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(path(key))
                .status()
                .unwrap();
            assert!(made.success());
        }
        let deny = match access {
            Access::ReadWrite => "",
            // GitHub's words.
            Access::ReadOnly => {
                "case \"$SSH_ORIGINAL_COMMAND\" in git-receive-pack*) echo 'ERROR: The key you are authenticating with has been marked as read only.' >&2; exit 1;; esac\n"
            }
        };
        executable(
            &path("shell"),
            &format!(
                "#!/bin/sh\nexport PATH='{}'\necho \"$SSH_ORIGINAL_COMMAND\" >> '{log}'\n[ -f '{fault}' ] && . '{fault}'\n{deny}exec git-shell -c \"$SSH_ORIGINAL_COMMAND\"\n",
                std::env::var("PATH").unwrap(),
                log = path("log").display(),
                fault = path("fault").display(),
            ),
        );
        let public = std::fs::read_to_string(path("user.pub")).unwrap();
        std::fs::write(
            path("authorized_keys"),
            format!("restrict,command=\"{}\" {public}", path("shell").display()),
        )
        .unwrap();
        let user = Command::new("id").arg("-un").output().unwrap();
        let user = String::from_utf8(user.stdout).unwrap().trim().to_owned();
        for _ in 0..5 {
            let port = free_port();
            std::fs::write(
                path("sshd_config"),
                format!(
                    "ListenAddress 127.0.0.1\nPort {port}\nHostKey {host}\nAuthorizedKeysFile {keys}\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin forced-commands-only\n",
                    host = path("host").display(),
                    keys = path("authorized_keys").display(),
                ),
            )
            .unwrap();
            let mut process = Command::new(in_sbin("sshd"))
                .arg("-D")
                .arg("-f")
                .arg(path("sshd_config"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            if answers(&mut process, port) {
                let host = std::fs::read_to_string(path("host.pub")).unwrap();
                std::fs::write(path("known_hosts"), format!("[127.0.0.1]:{port} {host}")).unwrap();
                let ssh_command = format!(
                    "ssh -F none -o IdentitiesOnly=yes -o IdentityAgent=none -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o BatchMode=yes -i {}",
                    path("known_hosts").display(),
                    path("user").display()
                );
                let base = format!("ssh://{user}@127.0.0.1:{port}{}", repositories.display());
                return Some(Self {
                    process,
                    state,
                    base,
                    ssh_command: Some(ssh_command),
                });
            }
        }
        panic!("sshd does not start");
    }

    /// The URL of a repository.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("{}/{repository}", self.base)
    }

    /// Shell that runs before each request; an empty text for none.
    pub(crate) fn set_fault(&self, shell: &str) {
        let path = self.state.path().join("fault");
        if shell.is_empty() {
            let _ = std::fs::remove_file(path);
        } else {
            std::fs::write(path, shell).unwrap();
        }
    }

    /// What it was asked, a line each.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.state.path().join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// How many pushes arrived.
    pub(crate) fn pushes(&self) -> usize {
        let requests = self.requests();
        let is_push = |line: &&String| {
            line.starts_with("POST ") && line.contains("git-receive-pack")
                || line.starts_with("git-receive-pack")
        };
        requests.iter().filter(is_push).count()
    }

    /// Lets in this user alone, over HTTP.
    pub(crate) fn set_user(&self, user: &str, password: &str) {
        std::fs::write(
            self.state.path().join("users"),
            format!("{user}:{password}\n"),
        )
        .unwrap();
    }

    /// Makes the clients of this SSH server expect another host key.
    pub(crate) fn forget_host_key(&self) {
        let path = self.state.path().join("known_hosts");
        let known = std::fs::read_to_string(&path).unwrap();
        let host = known.split(' ').next().unwrap().to_owned();
        let user = std::fs::read_to_string(self.state.path().join("user.pub")).unwrap();
        std::fs::write(path, format!("{host} {user}")).unwrap();
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn executable(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Whether a process that was started answers on a port before it ends.
fn answers(process: &mut Child, port: u16) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if process.try_wait().unwrap().is_some() {
            return false;
        }
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

/// Servers are not on everybody's `PATH`, and sshd must be called by its full one.
fn in_sbin(program: &str) -> PathBuf {
    Path::new("/usr/sbin").join(program)
}

fn is_there_or_in_sbin(program: &str) -> bool {
    let found = in_sbin(program).is_file();
    if !found {
        skipped(program);
    }
    found
}
