//! HTTP/1.1, one request for each connection: enough for the client, and all its faults by hand.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use serde_json::Value;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// The segments of the path, decoded.
    pub(crate) path: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// `Null` without a body.
    pub(crate) body: Value,
}

impl Call {
    /// The segments, for matching.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// Whether it is meant to change something. GraphQL's queries are not.
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET" && !self.text("query").starts_with("query ")
    }

    /// Method and path, for messages.
    pub(crate) fn line(&self) -> String {
        format!("{} /{}", self.method, self.path.join("/"))
    }

    /// A field of the body as text; empty when it is missing.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

/// What a call is answered with.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// With JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        Self {
            status,
            headers,
            body: body.to_string(),
        }
    }

    /// With a message in the manner of most forges.
    pub(crate) fn refusal(status: u16, message: &str) -> Self {
        Self::json(status, &serde_json::json!({"message": message}))
    }

    /// Without anything.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// When a fault happens: before the call has its effect, or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It is answered so. Before its effect, that means there is none.
    Answer(Answer),
    /// The connection ends without an answer.
    HangUp,
    /// The answer ends in the middle.
    Half,
    /// No answer comes, and the connection stays.
    Silence,
}

/// What is served.
pub(crate) trait Service: Send + 'static {
    /// Answers a call that was made at `origin`, such as `http://127.0.0.1:4000`.
    fn answer(&mut self, call: &Call, origin: &str) -> Answer;
}

/// Decides what happens to each call, by its number from 0.
type Hook = Box<dyn FnMut(usize, &Call, Moment) -> Fault + Send>;

struct Shared<S> {
    service: Mutex<S>,
    calls: Mutex<Vec<Call>>,
    /// The same, and never cleared.
    all_calls: Mutex<Vec<Call>>,
    hook: Mutex<Option<Hook>>,
    /// Connections that get no answer, kept open.
    silent: Mutex<Vec<TcpStream>>,
    is_over: AtomicBool,
}

/// A server that ends with the value.
pub(crate) struct Server<S> {
    address: SocketAddr,
    shared: Arc<Shared<S>>,
    listening: Option<JoinHandle<()>>,
}

impl<S: Service> Server<S> {
    /// Serves on a free port of 127.0.0.1.
    pub(crate) fn start(service: S) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            service: Mutex::new(service),
            calls: Mutex::default(),
            all_calls: Mutex::default(),
            hook: Mutex::default(),
            silent: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let listening = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                for connection in listener.incoming() {
                    if shared.is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let shared = Arc::clone(&shared);
                    let connection = connection.unwrap();
                    std::thread::spawn(move || shared.serve(connection, address));
                }
            })
        };
        Self {
            address,
            shared,
            listening: Some(listening),
        }
    }

    /// The URL of the root, without a slash at its end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The state, to look at and to change.
    pub(crate) fn state(&self) -> MutexGuard<'_, S> {
        self.shared.service.lock().unwrap()
    }

    /// Every call until now that came through to the server.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// How many calls wanted to change something.
    pub(crate) fn writes(&self) -> usize {
        self.calls().iter().filter(|call| call.is_write()).count()
    }

    /// How many calls only read.
    pub(crate) fn reads(&self) -> usize {
        self.calls().len() - self.writes()
    }

    /// Decides what happens to each call from now on; calls are numbered from 0 again.
    pub(crate) fn hook(&self, hook: impl FnMut(usize, &Call, Moment) -> Fault + Send + 'static) {
        self.shared.calls.lock().unwrap().clear();
        *self.shared.hook.lock().unwrap() = Some(Box::new(hook));
    }

    /// Lets one call fail, by its number from 0, counted from now.
    pub(crate) fn fail(&self, number: usize, moment: Moment, fault: Fault) {
        self.hook(move |at, _, when| {
            if at == number && when == moment {
                fault.clone()
            } else {
                Fault::None
            }
        });
    }

    /// Lets every call succeed again; calls are numbered from 0 again.
    pub(crate) fn no_faults(&self) {
        self.hook(|_, _, _| Fault::None);
    }
}

impl<S> Drop for Server<S> {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(self.address));
        if let Some(listening) = self.listening.take() {
            drop(listening.join());
        }
        if !std::thread::panicking() {
            assert_no_secret_outside_headers(&self.shared.all_calls.lock().unwrap());
        }
    }
}

/// What authorises a call is in its header, and in no path, query or body.
fn assert_no_secret_outside_headers(calls: &[Call]) {
    let headers = ["authorization", "job-token"];
    let values = calls
        .iter()
        .flat_map(|call| headers.map(|name| call.headers.get(name)));
    let secrets: std::collections::BTreeSet<&str> = values
        .flatten()
        .map(|value| value.rsplit(' ').next().unwrap())
        .collect();
    for call in calls {
        let text = format!("{} {:?} {}", call.line(), call.query, call.body);
        for secret in &secrets {
            assert!(!text.contains(secret), "a token is in: {text}");
        }
    }
}

impl<S: Service> Shared<S> {
    fn serve(&self, mut connection: TcpStream, address: SocketAddr) {
        let Some(call) = read_call(&connection) else {
            return;
        };
        self.all_calls.lock().unwrap().push(call.clone());
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(call.clone());
            calls.len() - 1
        };
        let fault = |moment| match &mut *self.hook.lock().unwrap() {
            Some(hook) => hook(number, &call, moment),
            None => Fault::None,
        };
        let answer = match fault(Moment::Before) {
            Fault::None => {
                let origin = format!("http://{address}");
                let answer = self.service.lock().unwrap().answer(&call, &origin);
                match fault(Moment::After) {
                    Fault::None => answer,
                    Fault::Answer(answer) => answer,
                    Fault::HangUp => return,
                    Fault::Half => return write_half(&mut connection, &answer),
                    Fault::Silence => return self.silent.lock().unwrap().push(connection),
                }
            }
            Fault::Answer(answer) => answer,
            Fault::HangUp => return,
            Fault::Half => return write_half(&mut connection, &Answer::refusal(200, "half")),
            Fault::Silence => return self.silent.lock().unwrap().push(connection),
        };
        let text = format!("{}{}", head(&answer), answer.body);
        // The client may be gone, killed by the hook.
        drop(connection.write_all(text.as_bytes()));
    }
}

fn write_half(connection: &mut TcpStream, answer: &Answer) {
    let half = answer.body.len() / 2;
    let half = (half..)
        .find(|&at| answer.body.is_char_boundary(at))
        .unwrap();
    let text = format!("{}{}", head(answer), &answer.body[..half]);
    drop(connection.write_all(text.as_bytes()));
}

fn head(answer: &Answer) -> String {
    let mut head = format!("HTTP/1.1 {} x\r\nconnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if answer.status != 204 {
        head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    }
    head + "\r\n"
}

fn read_call(connection: &TcpStream) -> Option<Call> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or("0", String::as_str);
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    Some(Call {
        method,
        path: path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| decode(segment, false))
            .collect(),
        query: pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name, true), decode(value, true)))
            .collect(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

/// Undoes percent-encoding, and in queries `+`.
fn decode(text: &str, is_query: bool) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
            }
            b'+' if is_query => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
