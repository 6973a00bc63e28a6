//! What git's own words mean, and what to do about it.

/// What git, or the server behind it, did not do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct GitError {
    /// One sentence: what was being done, to what, what went wrong and what to do next.
    pub(crate) message: String,
    /// What kind of refusal it is.
    pub(crate) refused: Refused,
}

/// What a caller does about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Nothing that another look could change.
    ForGood,
    /// The branch is no longer what was seen: look again.
    Outdated,
    /// It may have been done all the same: only another look can tell.
    Uncertain,
}

impl GitError {
    pub(super) fn failed(message: String) -> Self {
        Self {
            message,
            refused: Refused::ForGood,
        }
    }

    /// The remote answered with ids of SHA-256.
    pub(super) fn sha256(doing: &str) -> Self {
        Self::failed(format!("cannot {doing}: {}; {}", SHA256.0, SHA256.1))
    }

    /// What came of a command that failed. `doing` goes on after "cannot"; `stderr` is what git said.
    pub(super) fn of(doing: &str, remote: &str, stderr: &str) -> Self {
        let (cause, hint, refused) = match explain(stderr) {
            Some((cause, hint, refused)) => (cause.to_owned(), hint.to_owned(), refused),
            None => (last_words(stderr), UNKNOWN.to_owned(), Refused::ForGood),
        };
        let hint = hint.replace("REMOTE", remote);
        let said = server_words(stderr);
        Self {
            message: format!("cannot {doing}: {cause}{said}; {hint}"),
            refused,
        }
    }
}

/// What a repository with other ids is, and what to do about it.
const SHA256: (&str, &str) = (
    "the repository names its objects with SHA-256, which is not supported",
    "use a repository with SHA-1",
);

/// What to do about words of git's that are not among ours.
const UNKNOWN: &str = "see whether `git ls-remote REMOTE` says more";

/// Words for a full directory, the system's (strerror(3)) and git's own (its csum-file.c and config.c),
/// what they mean, and what to do about it.
const NO_ROOM: (&[&str], &str, &str) = (
    &[
        "No space left on device",
        "Disk quota exceeded",
        "write error. Out of diskspace",
        "failed to write new configuration file",
    ],
    "no space is left in the directory for temporary files",
    "name a directory that can be written to with TMPDIR",
);

/// A line of git's, what it means, and what to do next. The first that occurs counts, so that a
/// precise one stands before a vague one that accompanies it.
const WORDS: &[(&[&str], &str, &str, Refused)] = &[
    // GitHub: "ERROR: The key you are authenticating with has been marked as read only."
    // GitLab: "remote: This deploy key does not have write access to this project."
    // Gitea: "Deploy Key: 1:x is not authorized to write to a/b."
    (
        &[
            "marked as read only",
            "deploy key does not have write access",
            "not authorized to write to",
        ],
        "the deploy key may only read",
        "allow it to write in the repository's settings, or use another key",
        Refused::ForGood,
    ),
    // ssh(1)
    (
        &["Host key verification failed"],
        "the server's host key is not the known one",
        "make sure that it is the right server, then put its key into known_hosts",
        Refused::ForGood,
    ),
    // ssh(1): "git@github.com: Permission denied (publickey)."
    (
        &["Permission denied (", "Too many authentication failures"],
        "the server does not accept the SSH key",
        "give ssh-agent or ~/.ssh/config a key that the server knows",
        Refused::ForGood,
    ),
    // git's http.c and remote-curl.c: "fatal: Authentication failed for 'URL'", "fatal: could not
    // read Username for 'URL': terminal prompts disabled"
    (
        &[
            "Authentication failed for",
            "could not read Username",
            "could not read Password",
            "Invalid username or token",
            "HTTP Basic: Access denied",
            "returned error: 401",
        ],
        "the server does not accept the credentials, or wants some",
        "check that the token is valid and was given, or set up a credential helper",
        Refused::ForGood,
    ),
    // git's remote-curl.c; GitHub: "remote: Permission to a/b.git denied to c."
    (
        &[
            "returned error: 403",
            "denied to ",
            "Write access to repository not granted",
            "You are not allowed to push code",
        ],
        "the credentials are valid but do not allow it",
        "give the token write access to the repository's contents",
        Refused::ForGood,
    ),
    // git's setup.c: "fatal: detected dubious ownership in repository at 'PATH'"
    (
        &["dubious ownership"],
        "the repository belongs to another user",
        "run as its owner, or trust it: git config --global --add safe.directory PATH",
        Refused::ForGood,
    ),
    // GitHub, GitLab: "ERROR: Repository not found."; git's remote-curl.c: "fatal: repository 'URL'
    // not found"; upload-pack: "fatal: 'PATH' does not appear to be a git repository"
    (
        &[
            "Repository not found",
            "' not found",
            "does not appear to be a git repository",
            "The project you were looking for could not be found",
            "returned error: 404",
            "no such repository",
            "git upload-pack: not a git repository",
        ],
        "there is no such repository",
        "check the URL, and that the credentials may see it",
        Refused::ForGood,
    ),
    // git's connect.c and libcurl
    (
        &[
            "Could not resolve host",
            "Failed to connect to",
            "Couldn't connect to server",
            "Connection refused",
            "Connection timed out",
            "Operation timed out",
            "No route to host",
            "Network is unreachable",
        ],
        "the server cannot be reached",
        "check the URL and the network",
        Refused::ForGood,
    ),
    // libcurl's words for certificates
    (
        &[
            "SSL certificate problem",
            "server certificate verification failed",
        ],
        "the server's certificate is not trusted",
        "set http.sslCAInfo in git's configuration, or SSL_CERT_FILE",
        Refused::ForGood,
    ),
    // git's fetch-pack.c and remote-curl.c, when a server ends in the middle
    (
        &[
            "the remote end hung up unexpectedly",
            "unexpected disconnect",
            "early EOF",
            "RPC failed",
            "expected flush after ref listing",
            "invalid server response",
            "returned error: 5",
            "Connection reset by peer",
            "Broken pipe",
        ],
        "the connection broke off",
        "try again later",
        Refused::Uncertain,
    ),
    // git's transport.c: "fatal: transport 'ext' not allowed"; transport-helper.c: "fatal: Unable to
    // find remote helper for 'x'"
    (
        &[
            "transport '",
            "Unable to find remote helper",
            "is not a git command",
        ],
        "git knows no such kind of URL, or may not use it",
        "give a path, or a URL that begins with https://, http://, ssh:// or file://",
        Refused::ForGood,
    ),
    // git's setup.c
    (
        &[
            "unknown repository extension found: objectformat",
            "mismatched algorithms",
        ],
        SHA256.0,
        SHA256.1,
        Refused::ForGood,
    ),
];

fn explain(stderr: &str) -> Option<(&'static str, &'static str, Refused)> {
    // What has no room on the server's side stands after `remote: `.
    let mut ours = stderr.lines().filter(|line| !line.starts_with("remote:"));
    if ours.any(|line| NO_ROOM.0.iter().any(|word| line.contains(word))) {
        return Some((NO_ROOM.1, NO_ROOM.2, Refused::ForGood));
    }
    WORDS
        .iter()
        .find(|(words, ..)| words.iter().any(|word| stderr.contains(word)))
        .map(|(_, cause, hint, refused)| (*cause, *hint, *refused))
}

/// What the server said itself, on one line: lines that git marks with `remote: `.
pub(super) fn server_words(stderr: &str) -> String {
    let lines = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("remote:"))
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let said = lines.collect::<Vec<_>>().join(" ");
    if said.is_empty() {
        return String::new();
    }
    let short: String = said.chars().take(MOST_WORDS).collect();
    let more = if short.len() < said.len() { "…" } else { "" };
    format!(" (the server says: {short}{more})")
}

/// How much of a server's words is repeated, in characters.
const MOST_WORDS: usize = 400;

/// What git died of, without the level: the first such line, after which come those of whoever called
/// it and advice; or else its last line.
fn last_words(stderr: &str) -> String {
    let lines = || stderr.lines().map(str::trim);
    let line = lines()
        .find(|line| line.starts_with("fatal: "))
        .or_else(|| {
            lines().rfind(|line| {
                !line.is_empty() && !line.starts_with("remote:") && !line.starts_with("hint:")
            })
        })
        .unwrap_or("git failed and said nothing");
    let line = line
        .strip_prefix("fatal: ")
        .or_else(|| line.strip_prefix("error: "))
        .unwrap_or(line);
    line.chars().take(MOST_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_refusals_apart() {
        let rows = [
            (
                "ERROR: The key you are authenticating with has been marked as read only.\nfatal: Could not read from remote repository.\n",
                "the deploy key may only read",
                Refused::ForGood,
            ),
            (
                "Host key verification failed.\nfatal: Could not read from remote repository.\n",
                "the server's host key",
                Refused::ForGood,
            ),
            (
                "git@h: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n",
                "does not accept the SSH key",
                Refused::ForGood,
            ),
            (
                "fatal: Authentication failed for 'http://h/a/b/'\n",
                "does not accept the credentials",
                Refused::ForGood,
            ),
            (
                "fatal: could not read Username for 'http://h': terminal prompts disabled\n",
                "or wants some",
                Refused::ForGood,
            ),
            (
                "fatal: unable to access 'http://h/': The requested URL returned error: 403\n",
                "do not allow it",
                Refused::ForGood,
            ),
            (
                "fatal: repository 'http://h/a/b/' not found\n",
                "no such repository",
                Refused::ForGood,
            ),
            (
                "fatal: unable to access 'http://h/': Failed to connect to h port 1 after 0 ms: Couldn't connect to server\n",
                "cannot be reached",
                Refused::ForGood,
            ),
            (
                "error: RPC failed; curl 52 Empty reply from server\nfatal: the remote end hung up unexpectedly\n",
                "broke off",
                Refused::Uncertain,
            ),
            (
                "fatal: something new\n",
                ": something new;",
                Refused::ForGood,
            ),
            (
                "fatal: cause\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
                "cannot push: cause; see",
                Refused::ForGood,
            ),
            (
                "fatal: detected dubious ownership in repository at '/a'\nTo add an exception for this directory, call:\n",
                "belongs to another user; run as its owner",
                Refused::ForGood,
            ),
            (
                "fatal: write error: No space left on device\nfatal: index-pack failed\n",
                "no space is left in the directory for temporary files; name a directory",
                Refused::ForGood,
            ),
            (
                "remote: fatal: write error: No space left on device\nfatal: early EOF\n",
                "the connection broke off",
                Refused::Uncertain,
            ),
            ("", "said nothing", Refused::ForGood),
        ];
        for (stderr, words, refused) in rows {
            let error = GitError::of("push", "origin", stderr);
            assert!(error.message.contains(words), "{}", error.message);
            assert_eq!(error.refused, refused, "{stderr}");
        }
    }

    #[test]
    fn repeats_what_the_server_says() {
        let stderr = "remote: \nremote: No models on Fridays.        \nTo http://h\n";
        assert_eq!(
            server_words(stderr),
            " (the server says: No models on Fridays.)"
        );
        let long = format!("remote: {}\n", "x".repeat(1000));
        assert!(server_words(&long).len() < 500);
    }
}
