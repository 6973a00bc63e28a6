//! Registries on loopback. They speak the wire format and nothing of what is tested: judges that
//! others wrote read them too.

#![expect(
    clippy::disallowed_types,
    reason = "a fake registry is a server of its own"
)]

pub(crate) mod google;
pub(crate) mod mlflow;
pub(crate) mod model_registry;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What a client asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What a registry does about it.
pub(crate) enum Answer {
    /// A status and JSON.
    Json(u16, Value),
    /// A status, a header and JSON.
    WithHeader(u16, (&'static str, &'static str), Value),
    /// A status of success and these bytes.
    Text(&'static str),
    /// Half of the answer, and then the end of the connection.
    CutOff(Value),
    /// Nothing, for as long as the client waits.
    Silence,
}

/// A registry on a port of its own. It ends with the value.
pub(crate) struct Registry {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    is_over: Arc<AtomicBool>,
}

impl Registry {
    /// Starts one that answers like this.
    pub(crate) fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
            is_over: Arc::default(),
        };
        let answer = Arc::new(answer);
        let (asked, is_over) = (registry.asked.clone(), registry.is_over.clone());
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (answer, asked) = (answer.clone(), asked.clone());
                // A client may go away at any time.
                let Ok(connection) = connection else { continue };
                std::thread::spawn(move || drop(serve(connection, answer.as_ref(), &asked)));
            }
        });
        registry
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that was asked until now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    connection: TcpStream,
    answer: &(impl Fn(&Asked) -> Answer + ?Sized),
    log: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let Some(asked) = read(&mut reader)? else {
        return Ok(());
    };
    log.lock().unwrap().push(asked.clone());
    let mut connection = reader.into_inner();
    let (status, header, body) = match answer(&asked) {
        Answer::Json(status, body) => (status, None, body.to_string()),
        Answer::WithHeader(status, header, body) => (status, Some(header), body.to_string()),
        Answer::Text(text) => (200, None, text.to_owned()),
        Answer::CutOff(body) => {
            let body = body.to_string();
            let half = &body[..body.len() / 2];
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            return connection.write_all(format!("{head}{half}").as_bytes());
        }
        Answer::Silence => {
            // Until the client gives up.
            connection.read_to_end(&mut Vec::new())?;
            return Ok(());
        }
    };
    let header = header.map_or(String::new(), |(name, value)| {
        format!("{name}: {value}\r\n")
    });
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n{header}\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(format!("{head}{body}").as_bytes())
}

fn read(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let url = reqwest::Url::parse(&format!("http://registry{target}")).unwrap();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length");
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body)?;
    Ok(Some(Asked {
        method: method.to_owned(),
        // Some clients encode the @ before a model's version, as they may.
        path: url.path().replace("%40", "@"),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body: String::from_utf8(body).unwrap(),
    }))
}

/// The names of what a registry's pages are made of.
struct Paging {
    size: &'static str,
    token: &'static str,
    items: &'static str,
    next: &'static str,
    /// The largest page that it gives.
    most: usize,
}

impl Paging {
    /// The page that was asked for. As registries do, it gives fewer items than were asked for, and
    /// leaves out what is empty.
    fn page(&self, asked: &Asked, items: &[Value]) -> Value {
        let size = asked
            .query
            .get(self.size)
            .and_then(|size| size.parse().ok());
        let size = size
            .filter(|size| *size > 0)
            .unwrap_or(self.most)
            .min(self.most);
        let token = asked
            .query
            .get(self.token)
            .filter(|token| !token.is_empty());
        let start = token.map_or(0, |token| {
            token.trim_start_matches("from-").parse().unwrap()
        });
        let end = items.len().min(start + size);
        let mut page = json!({});
        if start < end {
            page[self.items] = items[start..end].into();
        }
        if end < items.len() {
            page[self.next] = format!("from-{end}").into();
        }
        page
    }
}
