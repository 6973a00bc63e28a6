//! The real MLflow server.

#![expect(
    clippy::disallowed_types,
    reason = "a server is waited for and filled over the wire"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::skipped;

/// An MLflow server with a database of its own. It ends with the value.
pub(crate) struct MlflowServer {
    server: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

/// The program, from `MODELSYNC_MLFLOW` or the path.
fn program() -> Option<PathBuf> {
    if let Some(program) = std::env::var_os("MODELSYNC_MLFLOW") {
        return Some(program.into());
    }
    let paths = std::env::var_os("PATH")?;
    let mut programs = std::env::split_paths(&paths).map(|directory| directory.join("mlflow"));
    programs.find(|program| program.is_file())
}

impl MlflowServer {
    /// Starts one with so many versions of the registered model `label-bot`; `None`, said loudly,
    /// where MLflow is not installed.
    pub(crate) fn start(versions: usize) -> Option<Self> {
        let Some(program) = program() else {
            skipped("mlflow (MODELSYNC_MLFLOW)");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let database = format!("sqlite:///{}/mlflow.db", directory.path().display());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/fill_mlflow.py");
        let filled = Command::new(program.with_file_name("python"))
            .arg(script)
            .args([&database, &versions.to_string()])
            .output()
            .unwrap();
        assert!(
            filled.status.success(),
            "{}",
            String::from_utf8_lossy(&filled.stderr)
        );
        // MLflow wants to be told a port; nobody else is given this one so soon after.
        let port = free_port();
        let server = Command::new(&program)
            .args(["server", "--host", "127.0.0.1", "--workers", "1"])
            .args([
                "--port",
                &port.to_string(),
                "--backend-store-uri",
                &database,
            ])
            .current_dir(directory.path())
            // Without this it starts seven workers more.
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its workers end with it.
            .process_group(0)
            .spawn()
            .unwrap();
        let server = Self {
            server,
            port,
            _directory: directory,
        };
        server.wait();
        Some(server)
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !matches!(exchange(self.port, "GET", "/health", ""), Ok((200, _))) {
            assert!(Instant::now() < deadline, "MLflow does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks it to do something, which must go well.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let path = format!("/api/2.0/mlflow/{path}");
        let (status, answer) = exchange(self.port, "POST", &path, &body.to_string()).unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for MlflowServer {
    fn drop(&mut self) {
        // Its workers are in its group.
        let group = format!("-{}", self.server.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.server.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// One request in HTTP/1.0, whose answers end with the connection.
fn exchange(port: u16, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    let length = body.len();
    write!(
        connection,
        "{method} {path} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).unwrap_or_default();
    Ok((status.parse().unwrap_or(0), body.to_owned()))
}
