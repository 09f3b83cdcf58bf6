//! `/mcp/NAME`: streamable HTTP towards clients.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, State},
    response::{IntoResponse, Response},
    routing::post,
};
use bartizan_mcp::{Outgoing, Role};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{hub::Hub, live::Live};
use crate::{
    fault::{Fault, FaultKind},
    guard_api::RequestId as RequestIdText,
    principal::Principal,
    proxy::{Answer, Refused},
    wire::sse,
};

const SESSION: &str = "mcp-session-id";
const REVISION: &str = "mcp-protocol-version";
/// The first revision without sessions.
const STATELESS: &str = "2026-07-28";
/// Headers that repeat what the body says (revision 2026-07-28, "Standard Request Headers").
const REPEATED: [(&str, &[&str]); 2] = [
    ("mcp-method", &["/method"]),
    ("mcp-name", &["/params/name", "/params/uri"]),
];
/// The code for headers that say something else (there, "Server Validation").
const MISMATCH: i64 = -32020;

/// The routes of the servers.
pub(crate) fn router(hub: Arc<Hub>) -> Router {
    let limit = hub.config.limits.max_message_bytes;
    Router::new()
        .route("/mcp/{name}", post(message).get(listen).delete(end))
        .layer(DefaultBodyLimit::max(limit))
        .with_state(hub)
}

async fn message(
    State(hub): State<Arc<Hub>>,
    Extension(principal): Extension<Arc<Principal>>,
    request_id: Option<Extension<RequestIdText>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<Response> {
    let_in(&hub, &name, &headers)?;
    crate::serve::expect_json(&headers)?;
    // The machine reads it strictly; here it is asked for the way only.
    let read: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |place: &str| read.pointer(place).and_then(Value::as_str);
    if let Some(refused) = mismatched(&headers, &read) {
        return Ok(refused);
    }
    let method = text("/method");
    if method == Some("tools/call")
        && let Some(tool) = text("/params/name")
    {
        let request_id = request_id.as_ref().map_or("", |Extension(id)| &*id.0);
        let tool = format!("{name}.{tool}");
        hub.gateway.may_call(&principal, &tool, request_id)?;
    }
    let (live, new) = live(&hub, &principal, &name, &headers, method)?;
    let id = Outgoing::id_of(&body).filter(|_| method.is_some());
    let mut response = match id {
        Some(id) => answer(live.ask(id, body.to_vec()).await).await,
        None => {
            live.tell(body.to_vec()).await;
            StatusCode::ACCEPTED.into_response()
        }
    };
    if let Some(Ok(value)) = new.map(HeaderValue::try_from) {
        response.headers_mut().insert(SESSION, value);
    }
    Ok(response)
}

/// The session of a request; its name, too, if it is new.
fn live(
    hub: &Hub,
    principal: &Principal,
    name: &str,
    headers: &HeaderMap,
    method: Option<&str>,
) -> Result<(Arc<Live>, Option<String>), Fault> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(session) = header(SESSION) {
        // Whose it is nobody else learns.
        let live = hub.find(session, principal, name).ok_or_else(no_session)?;
        return Ok((live, None));
    }
    if method == Some("initialize") {
        let (id, live) = hub.begin(principal, name)?;
        return Ok((live, Some(id)));
    }
    if header(REVISION).is_some_and(|revision| revision >= STATELESS) {
        return Ok((hub.of(principal, name)?, None));
    }
    Err(Fault::new(
        FaultKind::BadRequest,
        "no_session",
        "the request names no session; begin one with `initialize`",
    ))
}

/// What belongs to no request, as it comes.
async fn listen(
    State(hub): State<Arc<Hub>>,
    Extension(principal): Extension<Arc<Principal>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    let_in(&hub, &name, &headers)?;
    let live = named(&hub, &principal, &name, &headers)?.1;
    Ok(events(None, live.listen()))
}

async fn end(
    State(hub): State<Arc<Hub>>,
    Extension(principal): Extension<Arc<Principal>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let_in(&hub, &name, &headers)?;
    let (id, _) = named(&hub, &principal, &name, &headers)?;
    hub.close(id);
    Ok(StatusCode::NO_CONTENT)
}

fn named<'h>(
    hub: &Hub,
    principal: &Principal,
    name: &str,
    headers: &'h HeaderMap,
) -> Result<(&'h str, Arc<Live>), Fault> {
    let id = headers.get(SESSION).and_then(|value| value.to_str().ok());
    let id = id.ok_or_else(no_session)?;
    let live = hub.find(id, principal, name).ok_or_else(no_session)?;
    Ok((id, live))
}

/// Whether there is such a server, and the page that asks may: a browser on its way to another host
/// is turned around by names that lead here (DNS rebinding), and says where it comes from.
fn let_in(hub: &Hub, name: &str, headers: &HeaderMap) -> Result<(), Fault> {
    let origins = &hub.config.origins;
    let is_open = |origin: &HeaderValue| {
        origins
            .iter()
            .any(|open| open.as_bytes() == origin.as_bytes())
    };
    if !headers.get_all(header::ORIGIN).iter().all(is_open) {
        let message = "pages of this origin may not use the route; allow it under `mcp.origins`";
        return Err(Fault::new(
            FaultKind::Forbidden,
            "origin_not_allowed",
            message,
        ));
    }
    if hub.knows(name) {
        return Ok(());
    }
    let message = "there is no such server; servers stand under `mcp.servers`";
    Err(Fault::new(FaultKind::NotFound, "unknown_server", message))
}

/// The refusal of a request whose headers say something else than its body: whoever stands between
/// may have looked at them only.
fn mismatched(headers: &HeaderMap, body: &Value) -> Option<Response> {
    let differs = REPEATED.iter().any(|(name, places)| {
        let said = headers.get(*name).and_then(|value| value.to_str().ok());
        let meant = places
            .iter()
            .find_map(|place| body.pointer(place)?.as_str());
        // An encoded name is compared by whoever decodes it.
        said.is_some_and(|said| !said.starts_with("=?base64?") && Some(said) != meant)
    });
    let revision = headers.get(REVISION).and_then(|value| value.to_str().ok());
    let own = body.pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion");
    let other = own.is_some_and(|own| own.as_str() != revision);
    (differs || other).then(|| {
        let id = body.get("id").cloned().unwrap_or_default();
        let message = "the headers say something else than the body";
        let error = serde_json::json!({ "code": MISMATCH, "message": message });
        let body = serde_json::json!({ "jsonrpc": "2.0", "id": id, "error": error });
        (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
    })
}

/// The answer alone as JSON, or a stream where something comes before it.
async fn answer(mut messages: mpsc::Receiver<Outgoing>) -> Response {
    match messages.recv().await {
        Some(first) if matches!(first.role, Role::Answer(_)) => {
            let kind = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, kind)], first.bytes).into_response()
        }
        Some(first) => events(Some(first), messages),
        // The session ended in between.
        None => Refused::from(Fault::new(
            FaultKind::BadGateway,
            "mcp_broken",
            "the server, or the session with it, ended before it answered",
        ))
        .into_response(),
    }
}

/// Messages as a stream; it ends with the answer.
fn events(first: Option<Outgoing>, rest: mpsc::Receiver<Outgoing>) -> Response {
    let begun = (first, rest, false);
    let stream = stream::unfold(begun, |(first, mut rest, is_over)| async move {
        if is_over {
            return None;
        }
        let message = match first {
            Some(first) => first,
            None => rest.recv().await?,
        };
        let is_over = matches!(message.role, Role::Answer(_));
        let mut event = Vec::with_capacity(message.bytes.len() + 32);
        sse::write(
            &mut event,
            "message",
            &String::from_utf8_lossy(&message.bytes),
        );
        Some((Ok::<_, Infallible>(event), (None, rest, is_over)))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(stream)).into_response()
}

fn no_session() -> Fault {
    Fault::new(
        FaultKind::NotFound,
        "unknown_session",
        "there is no such session",
    )
}
