//! `modelsync serve` as a process, and requests to it.

use std::path::Path;
use std::process::{Command, ExitStatus};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::process::Process;

/// A running server; it is killed at the end.
pub(crate) struct Server {
    process: Process,
    pub(crate) address: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Server {
    /// Serves a directory, with more arguments.
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Self {
        let process = Process::start(
            Command::new(env!("CARGO_BIN_EXE_modelsync"))
                .args([
                    "serve",
                    "--listen",
                    "127.0.0.1:0",
                    "--log",
                    "debug",
                    "--dir",
                ])
                .arg(directory)
                .args(arguments)
                .env_clear(),
        );
        let line: Value = serde_json::from_str(&process.wait_for_line("\"listening\"")).unwrap();
        Self {
            address: line["address"].as_str().unwrap().to_owned(),
            process,
        }
    }

    /// Waits for a line with this in it, and gives it back.
    pub(crate) fn wait_for_line(&self, text: &str) -> String {
        self.process.wait_for_line(text)
    }

    /// A `GET`.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    /// A request with more header lines, each with its line end.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str) -> Answer {
        let request = request(&self.address, method, path, headers);
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(request)
            .unwrap()
    }

    /// Sends a signal, as `kill` does.
    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Waits until the process has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }
}

/// One request on a connection of its own.
pub(crate) async fn request(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
) -> std::io::Result<Answer> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer {
        code,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
