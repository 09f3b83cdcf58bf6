//! What answers requests.

use std::{future::Future, net::SocketAddr, sync::Arc};

use http::{Method, Request, Response, header};
use hyper::body::Incoming;
use rustls_pki_types::CertificateDer;

use crate::{body::Body, fault::Fault};

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address, as the socket says; never from a header.
    pub address: SocketAddr,
    /// Its certificate chain, leaf first, DER. Empty when it showed none; what is here was verified
    /// against `server.tls.ca_file` and the revocation lists.
    pub certificates: Vec<CertificateDer<'static>>,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
}

impl Peer {
    /// An unencrypted connection from there.
    #[must_use]
    pub const fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            certificates: Vec::new(),
            encrypted: false,
        }
    }
}

/// What answers requests. A panic inside becomes a 500 without content; other requests go on.
pub trait Service: Send + Sync + 'static {
    /// Answers one request. The future is dropped when the client goes away.
    fn call(
        &self,
        request: Request<Incoming>,
        peer: Arc<Peer>,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// What the client is told when the data plane itself refuses: overload, or a panic.
    fn fault(&self, method: &Method, path: &str, fault: &Fault) -> Response<Body> {
        let _ = (method, path);
        plain_fault(fault)
    }
}

/// A service made of a function.
pub const fn from_fn<F, R>(function: F) -> impl Service
where
    F: Fn(Request<Incoming>, Arc<Peer>) -> R + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    FromFn(function)
}

struct FromFn<F>(F);

impl<F, R> Service for FromFn<F>
where
    F: Fn(Request<Incoming>, Arc<Peer>) -> R + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    fn call(
        &self,
        request: Request<Incoming>,
        peer: Arc<Peer>,
    ) -> impl Future<Output = Response<Body>> + Send {
        (self.0)(request, peer)
    }
}

/// The fault as JSON in the shape that OpenAI's clients read; of no use for its exact type.
fn plain_fault(fault: &Fault) -> Response<Body> {
    let body = serde_json::json!({
        "error": {
            "message": fault.message,
            "type": "server_error",
            "param": fault.param,
            "code": fault.code,
        }
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = fault.kind.status();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    if let Some(after) = fault.retry_after {
        headers.insert(header::RETRY_AFTER, after.as_secs().max(1).into());
    }
    response
}
