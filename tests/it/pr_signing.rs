//! `modelsync pr --sign` with a real GnuPG, with another program in its place, and with none.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::git_project::{Pr, Project, config_map};
use crate::harness::is_there;

/// A home of GnuPG's with one key, and the agent that it starts.
struct Keys {
    home: tempfile::TempDir,
    fingerprint: String,
}

impl Keys {
    /// A key of this user's; `None` when GnuPG is missing.
    fn of(user: &str) -> Option<Self> {
        if !is_there("gpg") || !is_there("gpgconf") {
            return None;
        }
        // Its sockets are in there: the path must be short.
        let home = tempfile::Builder::new().prefix("gpg").tempdir().unwrap();
        let mut keys = Self {
            home,
            fingerprint: String::new(),
        };
        keys.gpg(&[
            "--passphrase",
            "",
            "--quick-generate-key",
            user,
            "ed25519",
            "sign",
            "never",
        ]);
        let listed = keys.gpg(&["--with-colons", "--list-secret-keys"]);
        let line = listed.lines().find(|line| line.starts_with("fpr:"));
        keys.fingerprint = line.unwrap().split(':').nth(9).unwrap().to_owned();
        Some(keys)
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn gpg(&self, arguments: &[&str]) -> String {
        let output = Command::new("gpg")
            .args(["--batch", "--quiet", "--pinentry-mode=loopback"])
            .args(arguments)
            .env("GNUPGHOME", self.path())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "gpg {arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What git finds out about the signature of a commit, in GnuPG's words (its doc/DETAILS).
    fn verify(&self, project: &Project, revision: &str) -> (bool, String) {
        let output = Command::new("git")
            .args(["verify-commit", "--raw", revision])
            .current_dir(project.repository.path())
            .env("GNUPGHOME", self.path())
            .env("HOME", project.scratch.path().join("home"))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.success(), said)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(self.path())
            .args(["--kill", "all"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

fn run(project: &Project, keys: &Keys, flags: &[&str]) -> Pr {
    let url = project.url();
    let place = ["package", "--repo", &url, "--forge=none"];
    let run = project.pr(&[&place, flags].concat());
    run.env("GNUPGHOME", keys.path())
}

fn configure(project: &Project, key: &str, value: &str) {
    let home = project.scratch.path().join("home");
    project.git(&home, &["config", "--global", key, value]);
}

#[test]
fn signs_as_git_would() {
    let Some(keys) = Keys::of("Model Bot <bot@example.com>") else {
        return;
    };
    let project = Project::new();
    configure(&project, "gpg.format", "openpgp");
    let key = keys.fingerprint.as_str();
    // The key of the committer, without a word; the one that the flag names; the one that git's
    // configuration names.
    for (branch, flags) in [
        ("by-committer", &["--sign"][..]),
        ("by-flag", &["--signing-key", key]),
        ("by-configuration", &["--sign"]),
    ] {
        if branch == "by-configuration" {
            configure(&project, "user.signingKey", key);
        }
        let flags = [flags, &["--branch", branch, "--signoff"]].concat();
        let first = run(&project, &keys, &flags).json();
        assert_eq!(first["outcome"], "created", "{branch}");
        let (is_good, said) = keys.verify(&project, branch);
        let is_ours = said.contains(&format!("VALIDSIG {key}"));
        assert!(is_good && is_ours, "{branch}: {said}");
        let map = project.repository.text(branch, "package/map.yaml");
        assert_eq!(map, Some(config_map("m2")), "{branch}");
        // A signature is another each time: what is there is left as it is.
        let again = run(&project, &keys, &flags).json();
        assert_eq!(again["outcome"], "unchanged", "{branch}");
        assert_eq!(again["commit"], first["commit"], "{branch}");
    }
    let unsigned = run(&project, &keys, &["--branch=unsigned"]);
    assert_eq!(unsigned.json()["outcome"], "created");
    let (is_good, said) = keys.verify(&project, "unsigned");
    assert!(!is_good, "{said}");
    let sound = project.repository.git(&["fsck", "--strict"], b"");
    sound.unwrap();
}

#[test]
fn a_key_that_is_missing_is_told_before_the_push() {
    let Some(keys) = Keys::of("Somebody <somebody@example.com>") else {
        return;
    };
    let project = Project::new();
    let stranger = "0123456789ABCDEF0123456789ABCDEF01234567";
    // The committer has none either.
    for flags in [&["--sign"][..], &["--signing-key", stranger]] {
        let refused = run(&project, &keys, flags).run();
        assert_eq!(refused.code, 1, "{flags:?}");
        assert_eq!(
            refused.stderr,
            "error: bot: cannot sign the commit: signing failed: No secret key; check git's \
             gpg.format and user.signingKey, or give --signing-key\n"
        );
        assert_eq!(project.repository.branches(), ["main"]);
    }
    let run = run(&project, &keys, &["--signing-key", &keys.fingerprint]);
    assert_eq!(run.json()["outcome"], "created");
    assert!(keys.verify(&project, "modelsync/bot").0);
}

/// Another program in GnuPG's place, or none.
#[test]
fn a_program_that_does_not_sign_is_told_before_the_push() {
    let project = Project::new();
    let home = project.scratch.path().join("home");
    let program = project.scratch.path().join("signs");
    let path = program.to_str().unwrap().to_owned();
    project.git(&home, &["config", "--global", "gpg.program", &path]);
    let url = project.url();
    for (script, words) in [
        (None, format!("'{path}': No such file or directory; check")),
        (
            Some("cat >/dev/null; exit 3"),
            "failed and said nothing".to_owned(),
        ),
        (
            Some(
                "cat >/dev/null; echo '[GNUPG:] KEY_CONSIDERED 1 0' >&2; printf 'first\n\nno\r\nway\n' >&2; exit 1",
            ),
            "cannot sign the commit: way; check".to_owned(),
        ),
        // It ends well and has not signed.
        (Some("cat >/dev/null"), "said nothing".to_owned()),
    ] {
        if let Some(script) = script {
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let refused = project
            .pr(&["package", "--repo", &url, "--forge=none", "--sign"])
            .run();
        let said = &refused.stderr;
        assert_eq!(refused.code, 1, "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.starts_with("error: bot: cannot sign the commit: "),
            "{said}"
        );
        assert!(said.contains(&words), "not {words:?}: {said}");
        assert!(said.ends_with("or give --signing-key\n"), "{said}");
        assert_eq!(project.repository.branches(), ["main"]);
    }
    project.git(&home, &["config", "--global", "gpg.format", "wax"]);
    let refused = project
        .pr(&["package", "--repo", &url, "--forge=none", "--sign"])
        .run();
    let said = &refused.stderr;
    assert_eq!(said.lines().count(), 1, "{said}");
    let words = "cannot sign the commit: bad config variable 'gpg.format' in file";
    assert!(said.contains(words), "{said}");
}
