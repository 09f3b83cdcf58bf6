//! Connections to upstreams: resolved, checked, and connected to the very address that was checked.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Uri, uri::Scheme};
use http_body_util::Full;
use hyper_rustls::{
    ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream,
};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::net::TcpStream;
use tower::Service;

use super::{
    address::{Refusal, Resolve, all_allowed},
    config::{Roots, UpstreamConfig},
};
use crate::{body::BoxError, serve::TlsError};

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address must not be contacted.
    #[error("{0}")]
    Refused(Refusal),
    /// The name leads to no address.
    #[error("its name cannot be resolved")]
    Resolve,
    /// No address accepts.
    #[error("it does not accept connections")]
    Tcp,
    /// TLS failed: no common version, or a certificate that does not count.
    #[error("TLS with it failed, see its certificate")]
    Tls,
    /// It took longer than `connect-ms`.
    #[error("connecting took too long")]
    Timeout,
}

impl ConnectError {
    pub(super) const fn is_passing(self) -> bool {
        matches!(self, Self::Resolve | Self::Tcp | Self::Timeout)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Refused(_) => "address_refused",
            Self::Resolve => "resolve",
            Self::Tcp => "connect",
            Self::Tls => "tls",
            Self::Timeout => "connect_timeout",
        }
    }

    /// The reason in an error of the client, if the connection was at fault.
    pub(super) fn find(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut at = Some(error);
        while let Some(error) = at {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(*found);
            }
            at = error.source();
        }
        None
    }
}

/// A client that reaches the hosts it was made for and no others.
pub(super) type HttpClient = Client<Timed, Full<Bytes>>;

/// A host that may be contacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    scheme: Scheme,
    name: String,
    port: u16,
    allow_private: bool,
}

impl Host {
    pub(super) fn of(uri: &Uri, allow_private: bool) -> Option<Self> {
        let scheme = uri.scheme()?.clone();
        Some(Self {
            name: uri.host()?.to_ascii_lowercase(),
            port: port(uri)?,
            scheme,
            allow_private,
        })
    }

    pub(super) fn is_of(&self, uri: &Uri) -> bool {
        uri.scheme() == Some(&self.scheme)
            && port(uri) == Some(self.port)
            && uri
                .host()
                .is_some_and(|host| host.eq_ignore_ascii_case(&self.name))
    }
}

fn port(uri: &Uri) -> Option<u16> {
    let default = match uri.scheme_str()? {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    Some(uri.port_u16().unwrap_or(default))
}

/// How a client keeps its connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    pub(super) connect: Duration,
    pub(super) keep_idle: Duration,
    pub(super) max_idle: usize,
}

/// A client for `hosts`.
pub(super) fn client(
    hosts: Vec<Host>,
    resolver: Arc<dyn Resolve>,
    tls: ClientConfig,
    pool: Pool,
) -> HttpClient {
    let dial = Dial {
        hosts: hosts.into(),
        resolver,
        timeout: pool.connect,
    };
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(dial);
    let timed = Timed {
        inner: https,
        timeout: pool.connect,
    };
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(pool.keep_idle)
        .pool_max_idle_per_host(pool.max_idle)
        .http1_max_buf_size(MAX_HEAD)
        .http2_max_header_list_size(MAX_HEAD as u32)
        .http2_keep_alive_interval(Some(PING))
        .http2_keep_alive_timeout(PING)
        .build(timed)
}

/// Most bytes of an answer's head.
const MAX_HEAD: usize = 128 * 1_024;
/// Between pings of HTTP/2, and how long an echo may take.
const PING: Duration = Duration::from_secs(20);

/// TLS as `config` wants it.
pub(crate) fn tls(config: &UpstreamConfig) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Certificate)?;
    let builder = if let Some(path) = &config.ca_file {
        let mut roots = RootCertStore::empty();
        for authority in crate::serve::pem_objects::<CertificateDer<'static>>(path, "certificates")?
        {
            roots.add(authority).map_err(TlsError::Certificate)?;
        }
        builder.with_root_certificates(roots)
    } else if config.roots == Roots::System {
        builder.with_native_roots().map_err(TlsError::SystemRoots)?
    } else {
        builder.with_webpki_roots()
    };
    let (Some(chain), Some(key)) = (&config.client_cert_file, &config.client_key_file) else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = crate::serve::pem_objects(chain, "certificates")?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|source| TlsError::file(key, "a private key", source))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(TlsError::Certificate)
}

/// Resolves a name, checks where it leads, and connects there.
#[derive(Clone)]
pub(super) struct Dial {
    hosts: Arc<[Host]>,
    resolver: Arc<dyn Resolve>,
    timeout: Duration,
}

type Connecting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Dial {
    async fn connect(self, uri: Uri) -> Result<TcpStream, ConnectError> {
        let host = self
            .hosts
            .iter()
            .find(|host| host.is_of(&uri))
            .ok_or(ConnectError::Refused(Refusal::Host))?;
        let name = host.name.trim_start_matches('[').trim_end_matches(']');
        let found = match name.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, host.port)],
            Err(_) => self
                .resolver
                .resolve(name, host.port)
                .await
                .map_err(|_unknown| ConnectError::Resolve)?,
        };
        all_allowed(&found, name, host.allow_private).map_err(ConnectError::Refused)?;
        let share = self.timeout / u32::try_from(found.len().max(1)).unwrap_or(u32::MAX);
        let mut last = ConnectError::Resolve;
        for address in found {
            // Not resolved a second time: what was checked is what is connected to.
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return nodelay(stream).map_err(|_gone| ConnectError::Tcp),
                Ok(Err(_)) => last = ConnectError::Tcp,
                Err(_) => last = ConnectError::Timeout,
            }
        }
        Err(last)
    }
}

fn nodelay(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Connecting<Self::Response, ConnectError>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.clone().connect(uri);
        Box::pin(async { connecting.await.map(TokioIo::new) })
    }
}

/// All of connecting, TLS included, within a time.
#[derive(Clone)]
pub(super) struct Timed {
    inner: HttpsConnector<Dial>,
    timeout: Duration,
}

impl Service<Uri> for Timed {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = ConnectError;
    type Future = Connecting<Self::Response, ConnectError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        self.inner.poll_ready(cx).map_err(|error| reason(&error))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.timeout, self.inner.call(uri));
        Box::pin(async {
            match connecting.await {
                Ok(connected) => connected.map_err(|error| reason(&error)),
                Err(_elapsed) => Err(ConnectError::Timeout),
            }
        })
    }
}

fn reason(error: &BoxError) -> ConnectError {
    // What did not come from `Dial` came from the handshake.
    error
        .downcast_ref::<ConnectError>()
        .copied()
        .unwrap_or(ConnectError::Tls)
}
