//! Standard error or standard output that does not take anything: data and exit codes are those of
//! any other run.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use crate::cli::{package, path};
use crate::harness::controller::get;
use crate::harness::git_project::{CONFIG, Project, catalog, config_map};

/// A device that takes nothing: every write fails for want of space.
fn full() -> Stdio {
    OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// A pipe whose reader is gone.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A package whose ConfigMap is to be changed.
fn stale() -> tempfile::TempDir {
    package(&[
        ("set-model.yaml", CONFIG),
        ("models.yaml", &catalog(2)),
        ("map.yaml", &config_map("m1")),
    ])
}

fn run(arguments: &[&str], stdout: Stdio, stderr: Stdio) -> Output {
    let child = Command::new(env!("CARGO_BIN_EXE_modelsync"))
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .spawn();
    child.unwrap().wait_with_output().unwrap()
}

#[test]
fn what_standard_error_does_not_take_changes_nothing_else() {
    let map = config_map("m1");
    let directory = stale();
    let here = path(directory.path());
    for arguments in [
        vec!["diff", "-v", "--exit-code", here],
        vec!["check", "--config=nowhere.yaml", here],
        vec!["models", "list", "--catalog", "nowhere.yaml"],
        vec!["catalog", "refresh", here],
        vec!["fn"],
        vec!["serve", "--log=no=such=filter", here],
        vec!["controller", "--log=no=such=filter"],
        vec!["no-such-command"],
        // The last: it changes the files.
        vec!["render", "-v", here],
    ] {
        let told = run(&arguments, Stdio::piped(), Stdio::piped());
        std::fs::write(directory.path().join("map.yaml"), &map).unwrap();
        assert!(told.status.code().is_some(), "{arguments:?}");
        assert!(!told.stderr.is_empty(), "{arguments:?} says nothing");
        for stderr in [full(), closed()] {
            let output = run(&arguments, Stdio::piped(), stderr);
            std::fs::write(directory.path().join("map.yaml"), &map).unwrap();
            assert_eq!(output.status, told.status, "{arguments:?}");
            assert_eq!(output.stdout, told.stdout, "{arguments:?}");
        }
    }
}

#[test]
fn a_proposal_that_failed_is_in_the_json_all_the_same() {
    let project = Project::new();
    let url = project.url();
    let arguments = [
        "pr",
        "package",
        "--repo",
        &url,
        "--forge=none",
        "--base=nope",
        "--output=json",
    ];
    for stderr in [full(), closed()] {
        let output = run(&arguments, Stdio::piped(), stderr);
        assert_eq!(output.status.code(), Some(1));
        let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(object["outcome"], "failed");
    }
}

#[test]
fn a_reader_that_is_gone_does_not_change_the_exit_code() {
    let directory = stale();
    let here = path(directory.path());
    for (arguments, code) in [
        (vec!["diff", here], 0),
        (vec!["diff", "--exit-code", here], 1),
        // Half of a ResourceList would delete files.
        (vec!["fn"], 1),
    ] {
        let output = run(&arguments, closed(), Stdio::piped());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
    let output = run(&["diff", here], full(), Stdio::piped());
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("error: cannot write to standard output: "),
        "{stderr}"
    );
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_goes_on_when_nobody_reads_its_log() {
    let directory = stale();
    let here = path(directory.path());
    for format in ["json", "text"] {
        let child = Command::new(env!("CARGO_BIN_EXE_modelsync"))
            .args(["serve", "--dir", here, "--listen", "127.0.0.1:0"])
            .args(["--log=debug", "--log-format", format])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut server = Running(child.unwrap());
        let log = BufReader::new(server.0.stderr.take().unwrap());
        // The rest of the log is not read: the pipe is closed here.
        let line = log
            .lines()
            .map_while(Result::ok)
            .find(|line| line.contains("listening"));
        let line = line.unwrap();
        let (_, port) = line.split_once("127.0.0.1:").unwrap();
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        let (head, body) = get(&format!("127.0.0.1:{port}"), "/needsSync");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(body.contains("needsSync"), "{body}");
        let id = server.0.id().to_string();
        let kill = Command::new("kill").args(["-TERM", &id]).status();
        assert!(kill.unwrap().success());
        assert_eq!(server.0.wait().unwrap().code(), Some(0), "{format}");
    }
}
