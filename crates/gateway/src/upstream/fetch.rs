//! Small requests of the gateway itself: key sets, secrets, a judge, webhooks. Over the same client
//! and under the same rules as requests to models.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::Full;
use tokio::time::{Instant, timeout_at};

use super::{
    address::{Refusal, Resolve},
    config::UpstreamConfig,
    connect::{self, ConnectError, Host, HttpClient, Pool},
    error::UpstreamError,
};
use crate::serve::{Mistake, TlsError};

/// A client that reaches the hosts it was made for and no others. Clones share connections.
#[derive(Clone)]
pub struct Fetch {
    client: HttpClient,
    hosts: Arc<[Host]>,
}

/// A host that [`Fetch`] may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchHost {
    /// A URL on it, e.g. that of a key set; only scheme, host, and port count.
    pub url: String,
    /// Whether its name may lead to loopback, private, and shared addresses.
    pub allow_private: bool,
}

/// Bounds of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// Time for everything.
    pub timeout: Duration,
    /// Most bytes of the answer.
    pub max_bytes: usize,
}

impl Default for FetchLimits {
    /// Ten seconds and one megabyte.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            max_bytes: 1_000_000,
        }
    }
}

/// An answer, of any status.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its status; redirects are not followed.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// All of its body.
    pub body: Bytes,
}

impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetched")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetch")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl Fetch {
    /// A client for `hosts`. `tls` gives authorities and our certificate, see `ca-file`, `roots`,
    /// and `client-cert-file`; nothing else of it counts.
    ///
    /// # Errors
    /// When a URL names no host, or a file cannot be used.
    pub fn new(
        hosts: &[FetchHost],
        tls: &UpstreamConfig,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, Mistake> {
        let hosts = hosts
            .iter()
            .map(|host| {
                let uri: Option<Uri> = host.url.parse().ok();
                uri.and_then(|uri| Host::of(&uri, host.allow_private))
                    .ok_or_else(|| {
                        let url = &host.url;
                        Mistake::new(url, format!("`{url}` is not the URL of a host"))
                    })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let config = connect::tls(tls)
            .map_err(|error: TlsError| Mistake::new("ca-file", error.to_string()))?;
        let pool = Pool {
            connect: Duration::from_secs(5),
            keep_idle: Duration::from_secs(30),
            max_idle: 4,
        };
        Ok(Self {
            client: connect::client(hosts.clone(), resolver, config, pool),
            hosts: hosts.into(),
        })
    }

    /// Gets `url`.
    ///
    /// # Errors
    /// When the host is not one of ours, or gives no whole answer in time.
    pub async fn get(
        &self,
        url: &str,
        headers: HeaderMap,
        limits: &FetchLimits,
    ) -> Result<Fetched, UpstreamError> {
        self.send(Method::GET, url, headers, Bytes::new(), limits)
            .await
    }

    /// Posts JSON to `url`.
    ///
    /// # Errors
    /// When the host is not one of ours, or gives no whole answer in time.
    pub async fn post_json(
        &self,
        url: &str,
        mut headers: HeaderMap,
        body: Bytes,
        limits: &FetchLimits,
    ) -> Result<Fetched, UpstreamError> {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        self.send(Method::POST, url, headers, body, limits).await
    }

    /// Posts JSON to `url` with headers of the caller's.
    ///
    /// # Errors
    /// When a header is none, the host is not one of ours, or gives no whole answer in time.
    pub async fn post_with(
        &self,
        url: &str,
        headers: impl IntoIterator<Item = (&'static str, &str)>,
        body: Vec<u8>,
        limits: &FetchLimits,
    ) -> Result<Fetched, UpstreamError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let mut value =
                HeaderValue::from_str(value).map_err(|_invalid| UpstreamError::Broken)?;
            // They hold keys.
            value.set_sensitive(true);
            map.insert(name, value);
        }
        self.post_json(url, map, body.into(), limits).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
        limits: &FetchLimits,
    ) -> Result<Fetched, UpstreamError> {
        let refused = UpstreamError::Connect(ConnectError::Refused(Refusal::Host));
        let uri: Uri = url.parse().map_err(|_invalid| refused.clone())?;
        // The connector checks as well; here the answer is quicker.
        if !self.hosts.iter().any(|host| host.is_of(&uri)) {
            return Err(refused);
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let deadline = Instant::now() + limits.timeout;
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|error| {
                ConnectError::find(&error).map_or(UpstreamError::Broken, UpstreamError::Connect)
            })?;
            let (head, incoming) = answer.into_parts();
            let limited = http_body_util::Limited::new(incoming, limits.max_bytes);
            let body = http_body_util::BodyExt::collect(limited)
                .await
                .map_err(|error| {
                    if error.is::<http_body_util::LengthLimitError>() {
                        UpstreamError::TooLarge
                    } else {
                        UpstreamError::Broken
                    }
                })?;
            Ok(Fetched {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        timeout_at(deadline, exchange)
            .await
            .map_err(|_elapsed| UpstreamError::Total)?
    }
}
