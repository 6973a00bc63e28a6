//! A lambda that answers what a test tells it to.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Something is to be done, with this model.
    Yes(String),
    /// Something is to be done, with another model each time.
    Counted,
    /// Something is to be done, without parameters.
    Train,
    /// Nothing is to be done.
    No,
    /// This code and body.
    Raw(u16, String),
    /// So many bytes.
    Large(usize),
    /// Nothing, ever.
    Silence,
    /// Go to this path; the paths `/elsewhere` and `/round` answer what the second says.
    Redirect(&'static str),
}

/// A running lambda.
pub(crate) struct Lambda {
    reply: Arc<Mutex<(Reply, u64)>>,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Lambda {
    pub(crate) fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let reply = Arc::new(Mutex::new((reply, 0)));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let router = Router::new()
            .route("/elsewhere", axum::routing::get(|| async { answer_no() }))
            .route(
                "/round",
                axum::routing::get(|| async { Redirect::temporary("/round") }),
            )
            .fallback(answer)
            .with_state(reply.clone());
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self {
            reply,
            address,
            runtime: Some(runtime),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/needsSync", self.address)
    }

    /// Answers something else from now on.
    pub(crate) fn reply(&self, reply: Reply) {
        self.reply.lock().unwrap().0 = reply;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> u64 {
        self.reply.lock().unwrap().1
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(reply): State<Arc<Mutex<(Reply, u64)>>>) -> Response {
    let (reply, count) = {
        let mut reply = reply.lock().unwrap();
        reply.1 += 1;
        (reply.0.clone(), reply.1)
    };
    let yes = |parameters| {
        // As Go writes it.
        let body = json!({"kind": "NeedsSync", "apiVersion": "v1alpha1",
            "metadata": {"creationTimestamp": null}, "needsSync": true,
            "parameters": parameters, "errors": null});
        json_answer(StatusCode::OK, body.to_string())
    };
    match reply {
        Reply::Yes(model) => yes(json!({"name": model})),
        Reply::Counted => yes(json!({"name": format!("m{count}")})),
        Reply::Train => yes(json!(null)),
        Reply::No => answer_no(),
        Reply::Raw(code, body) => json_answer(StatusCode::from_u16(code).unwrap(), body),
        Reply::Large(size) => json_answer(StatusCode::OK, "x".repeat(size)),
        Reply::Silence => std::future::pending().await,
        Reply::Redirect(path) => Redirect::temporary(path).into_response(),
    }
}

fn answer_no() -> Response {
    let body = json!({"kind": "NeedsSync", "apiVersion": "v1alpha1", "needsSync": false});
    json_answer(StatusCode::OK, body.to_string())
}

fn json_answer(code: StatusCode, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (code, headers, Body::from(body)).into_response()
}
