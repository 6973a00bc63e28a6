//! The HTTP side of the test API server: paths, verbs, watches and faults.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State as Shared};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::{Value, json};

use super::store::{Refusal, refuse};
use super::{Fault, Kind, State};

pub(super) fn router(state: Arc<State>) -> Router {
    Router::new().fallback(handle).with_state(state)
}

/// What a path names.
struct Place {
    kind: Kind,
    namespace: Option<String>,
    name: Option<String>,
    is_status: bool,
}

/// `/apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL[/NAME[/status]]`
fn place(path: &str) -> Option<Place> {
    let mut parts = path.strip_prefix("/apis/")?.split('/');
    let (group, version) = (parts.next()?, parts.next()?);
    let mut plural = parts.next()?;
    let mut namespace = None;
    if plural == "namespaces" {
        namespace = Some(parts.next()?.to_owned());
        plural = parts.next()?;
    }
    Some(Place {
        kind: Kind::new(group, version, plural),
        namespace,
        name: parts.next().map(str::to_owned),
        is_status: parts.next() == Some("status"),
    })
}

async fn handle(
    Shared(state): Shared<Arc<State>>,
    method: Method,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let Some(place) = place(uri.path()) else {
        return answer(Err(refuse(404, "NotFound", "no such path")));
    };
    if let Err(refusal) = state.store().knows(&place.kind) {
        return answer(Err(refusal));
    }
    if query.get("watch").is_some_and(|watch| watch == "true") {
        return watch(&state, place, &query);
    }
    // A list over all namespaces is how a watch begins. Leases go on by themselves.
    let is_counted = !(place.kind.plural == "leases"
        || place.name.is_none() && method == Method::GET && !is_look(&place, &query));
    let fault = match is_counted {
        true => {
            let status = if place.is_status { "/status" } else { "" };
            state.fault(format!("{method} {}{status}", place.kind.plural))
        }
        false => {
            let refused = state.refusal(&format!("{method} {}", place.kind.plural));
            refused.map(Fault::FailBefore)
        }
    };
    match fault {
        Some(Fault::FailBefore(code)) => {
            state.notify();
            return answer(Err(refuse(code, "InternalError", "a fault was asked for")));
        }
        Some(Fault::HoldBefore) => {
            state.notify();
            return std::future::pending().await;
        }
        Some(Fault::Delay) => {
            state.notify();
            let mut released = state.released.subscribe();
            released.wait_for(|released| *released).await.unwrap();
        }
        _ => {}
    }
    let done = call(&state, &method, &place, &query, &body);
    state.notify();
    match fault {
        Some(Fault::FailAfter(code)) => {
            answer(Err(refuse(code, "InternalError", "a fault was asked for")))
        }
        Some(Fault::HoldAfter) => std::future::pending().await,
        Some(Fault::CutAfter) => {
            let cut = stream::iter([
                Ok(Bytes::from_static(b"{\"kind\":")),
                Err(std::io::Error::other("a fault was asked for")),
            ]);
            (
                [(header::CONTENT_TYPE, "application/json")],
                Body::from_stream(cut),
            )
                .into_response()
        }
        _ => answer(done),
    }
}

/// Whether a list is the controller's look at one ModelSync's runs.
fn is_look(place: &Place, query: &HashMap<String, String>) -> bool {
    place.namespace.is_some()
        && query
            .get("labelSelector")
            .is_some_and(|selector| selector.contains("modelsync-uid"))
}

fn call(
    state: &State,
    method: &Method,
    place: &Place,
    query: &HashMap<String, String>,
    body: &Bytes,
) -> Result<Value, Refusal> {
    let kind = &place.kind;
    let namespace = place.namespace.as_deref().unwrap_or_default();
    let sent = || serde_json::from_slice::<Value>(body).unwrap_or_default();
    let Some(name) = &place.name else {
        if *method == Method::POST {
            return state.change(|store| store.create(kind, namespace, sent()));
        }
        let selector = query.get("labelSelector").map_or("", String::as_str);
        let store = state.store();
        let items = store.list(kind, place.namespace.as_deref(), selector);
        return Ok(json!({
            "kind": "List",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": store.resource_version().to_string()},
            "items": items,
        }));
    };
    match *method {
        Method::GET => state.store().get(kind, namespace, name),
        Method::PUT => {
            state.change(|store| store.replace(kind, namespace, name, place.is_status, sent()))
        }
        Method::PATCH => {
            state.change(|store| store.patch(kind, namespace, name, place.is_status, &sent()))
        }
        Method::DELETE => state.change(|store| store.delete(kind, namespace, name, &sent())),
        _ => Err(refuse(405, "MethodNotAllowed", "no such verb")),
    }
}

fn answer(outcome: Result<Value, Refusal>) -> Response {
    let (code, body) = match outcome {
        Ok(object) => (200, object),
        Err(Refusal(code, status)) => (code, status),
    };
    let code = StatusCode::from_u16(code).unwrap();
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (code, headers, body.to_string()).into_response()
}

/// One JSON object a line, for as long as the client listens.
fn watch(state: &Arc<State>, place: Place, query: &HashMap<String, String>) -> Response {
    let from = query
        .get("resourceVersion")
        .and_then(|version| version.parse().ok());
    let selector = query.get("labelSelector").cloned().unwrap_or_default();
    let seen: u64 = from.unwrap_or(0);
    if seen < state.store().compacted {
        return answer(Err(refuse(410, "Expired", "too old resource version")));
    }
    let signal = state.watches.subscribe();
    let ended_before = signal.borrow().1;
    let state = state.clone();
    let lines = stream::unfold((seen, true), move |(seen, is_open)| {
        let (state, selector) = (state.clone(), selector.clone());
        let (kind, namespace) = (place.kind.clone(), place.namespace.clone());
        let mut signal = signal.clone();
        async move {
            if !is_open {
                return None;
            }
            loop {
                // Before the look, so that what changes after it is not missed.
                let has_ended = signal.borrow_and_update().1 != ended_before;
                if has_ended {
                    let gone = refuse(410, "Expired", "The resourceVersion is too old").1;
                    let line = format!("{}\n", json!({"type": "ERROR", "object": gone}));
                    return Some((Ok::<_, Infallible>(Bytes::from(line)), (seen, false)));
                }
                let (changes, newest) = {
                    let store = state.store();
                    let namespace = namespace.as_deref();
                    let changes = store.changes_after(&kind, namespace, &selector, seen);
                    (changes, store.resource_version())
                };
                if !changes.is_empty() {
                    let lines: String =
                        changes.iter().map(|change| format!("{change}\n")).collect();
                    return Some((Ok(Bytes::from(lines)), (newest, true)));
                }
                if signal.changed().await.is_err() {
                    return None;
                }
            }
        }
    });
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (headers, Body::from_stream(lines)).into_response()
}
