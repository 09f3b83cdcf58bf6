//! `server` of `bartizan.yaml`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::BodyLimits;

/// What is wrong with a configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Place in the YAML, e.g. `server.tls.cert_file`.
    pub path: String,
    /// What is wrong and how to mend it; lower case, no full stop.
    pub message: String,
}

impl Mistake {
    /// A mistake at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

/// The gateway towards its clients: `server`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ServerConfig {
    /// Address to listen at, or a list of them. Default `127.0.0.1:8080`.
    pub listen: ListenAddresses,
    /// TLS; without it, plain HTTP.
    pub tls: Option<TlsConfig>,
    /// Listens beyond loopback without TLS; for a gateway behind something that ends TLS.
    pub allow_plain_text_beyond_loopback: bool,
    /// Listens beyond loopback although authentication is switched off.
    pub allow_unauthenticated_beyond_loopback: bool,
    /// HTTP/2 without TLS (prior knowledge). With TLS, HTTP/2 is always offered.
    pub http2_plain_text: bool,

    /// Connections at once, 1 to 1,000,000. One more is closed as soon as it is accepted.
    pub max_connections: usize,
    /// Connections at once of one address (of one /64 network of IPv6), 0 to 1,000,000; 0 for no
    /// bound. One more is closed as soon as it is accepted.
    pub max_connections_per_address: usize,
    /// Requests at once over all connections, 1 to 1,000,000; a stream counts until it ends. One
    /// more waits in the queue.
    pub max_requests: usize,
    /// Requests that wait, 0 to 1,000,000. One more is answered 503 with `Retry-After`.
    pub max_queue: usize,
    /// Milliseconds that a request waits in the queue before it is answered 503.
    pub queue_ms: u64,
    /// Streams at once on one HTTP/2 connection, 1 to 10,000.
    pub max_streams_per_connection: u32,

    /// Bytes of a request's line and headers, 1,024 to 1,048,576. More is answered 431.
    pub max_header_bytes: usize,
    /// Headers of a request, 1 to 1,000. More are answered 431.
    pub max_headers: usize,
    /// Bytes of a request's body, 1 to 1,073,741,824. More is answered 413, while it is read.
    pub max_body_bytes: usize,

    /// Milliseconds for a TLS handshake; then the connection is closed.
    pub handshake_ms: u64,
    /// Milliseconds from the first byte of a request to the end of its headers (from the start of
    /// the connection for its first); then the connection is closed.
    pub header_ms: u64,
    /// Milliseconds that a connection may stay open without a request.
    pub idle_ms: u64,
    /// Milliseconds for a whole body; then the request is answered 408.
    pub body_ms: u64,
    /// Bytes per second that a client must send of a body, and take of an answer whenever it makes
    /// us wait, on average, once `grace_ms` are over; 0 for no such bound. Slower: 408, or the
    /// connection is closed.
    pub min_bytes_per_second: u32,
    /// Milliseconds before `min_bytes_per_second` holds.
    pub grace_ms: u64,
    /// Milliseconds that open requests have to end after a stop was asked for; then they are cut.
    pub drain_ms: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: ListenAddresses::default(),
            tls: None,
            allow_plain_text_beyond_loopback: false,
            allow_unauthenticated_beyond_loopback: false,
            http2_plain_text: false,
            max_connections: 8_192,
            max_connections_per_address: 4_096,
            max_requests: 4_096,
            max_queue: 1_024,
            queue_ms: 1_000,
            max_streams_per_connection: 128,
            max_header_bytes: 64 * 1_024,
            max_headers: 100,
            max_body_bytes: 10 * 1_024 * 1_024,
            handshake_ms: 10_000,
            header_ms: 10_000,
            idle_ms: 75_000,
            body_ms: 60_000,
            min_bytes_per_second: 240,
            grace_ms: 5_000,
            drain_ms: 30_000,
        }
    }
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ListenAddresses {
    /// One address, e.g. `127.0.0.1:8080` or `[::1]:8080`.
    One(SocketAddr),
    /// Several.
    Many(Vec<SocketAddr>),
}

impl Default for ListenAddresses {
    fn default() -> Self {
        Self::One(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8_080))
    }
}

impl ListenAddresses {
    /// All of them.
    #[must_use]
    pub fn as_slice(&self) -> &[SocketAddr] {
        match self {
            Self::One(address) => std::slice::from_ref(address),
            Self::Many(addresses) => addresses,
        }
    }
}

/// TLS towards clients: `server.tls`. Names are written with `_` or `-`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// Whether it is on. Default: yes, where the block is there.
    pub enabled: bool,
    /// Our certificate chain, PEM, leaf first.
    #[serde(alias = "cert-file")]
    pub cert_file: PathBuf,
    /// Its key, PEM.
    #[serde(alias = "key-file")]
    pub key_file: PathBuf,
    /// Authorities that client certificates must come from, PEM.
    #[serde(alias = "ca-file")]
    pub ca_file: Option<PathBuf>,
    /// Revocation lists of those authorities, PEM. With one, a certificate whose state no list
    /// knows, or whose list ran out, is refused.
    #[serde(alias = "crl-files")]
    pub crl_files: Vec<PathBuf>,
    /// Least version of TLS: `TLS1.3` (default) or `TLS1.2`.
    #[serde(alias = "min-version")]
    pub min_version: MinVersion,
    /// Whether clients show certificates: `none` (default), `optional`, or `require`.
    #[serde(alias = "client-auth")]
    pub client_auth: ClientAuth,
    /// Seconds between looks whether a file changed; 0 for never. Open connections stay.
    #[serde(alias = "reload-seconds")]
    pub reload_seconds: u64,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            cert_file: PathBuf::new(),
            key_file: PathBuf::new(),
            ca_file: None,
            crl_files: Vec::new(),
            min_version: MinVersion::default(),
            client_auth: ClientAuth::default(),
            reload_seconds: 30,
        }
    }
}

/// Least version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum MinVersion {
    /// TLS 1.3, RFC 8446.
    #[default]
    #[serde(rename = "TLS1.3", alias = "1.3")]
    Tls13,
    /// TLS 1.2, RFC 5246, with AEAD suites only.
    #[serde(rename = "TLS1.2", alias = "1.2")]
    Tls12,
}

/// Whether clients show certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// They are not asked.
    #[default]
    None,
    /// They are asked, may show none, and must not show a bad one.
    Optional,
    /// Without a good one there is no connection.
    #[serde(alias = "required")]
    Require,
}

impl ServerConfig {
    /// The TLS block, if it is on.
    #[must_use]
    pub fn active_tls(&self) -> Option<&TlsConfig> {
        self.tls.as_ref().filter(|tls| tls.enabled)
    }

    /// Bounds of a request's body.
    #[must_use]
    pub const fn body_limits(&self) -> BodyLimits {
        BodyLimits {
            max_bytes: self.max_body_bytes,
            deadline: Duration::from_millis(self.body_ms),
            grace: Duration::from_millis(self.grace_ms),
            min_bytes_per_second: self.min_bytes_per_second,
        }
    }

    /// Every mistake. `authenticated` says whether clients must prove who they are by something
    /// else than a certificate.
    #[must_use]
    pub fn check(&self, authenticated: bool) -> Vec<Mistake> {
        let mut mistakes = self.check_listener(authenticated);
        self.check_numbers(&mut mistakes);
        mistakes
    }

    /// The mistakes about who may reach the listener, and how.
    #[must_use]
    pub fn check_listener(&self, authenticated: bool) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        self.check_exposure(authenticated, &mut mistakes);
        if let Some(tls) = self.active_tls() {
            tls.check(&mut mistakes);
        }
        mistakes
    }

    fn check_exposure(&self, authenticated: bool, mistakes: &mut Vec<Mistake>) {
        let addresses = self.listen.as_slice();
        if addresses.is_empty() {
            mistakes.push(Mistake::new("server.listen", "name at least one address"));
        }
        let Some(open) = addresses
            .iter()
            .find(|address| !address.ip().to_canonical().is_loopback())
        else {
            return;
        };
        let tls = self.active_tls();
        if tls.is_none() && !self.allow_plain_text_beyond_loopback {
            mistakes.push(Mistake::new(
                "server.listen",
                format!(
                    "`{open}` is reachable from other machines, and there is no TLS; give \
                     `server.tls`, listen at 127.0.0.1, or set \
                     `allow-plain-text-beyond-loopback` if something in front ends TLS"
                ),
            ));
        }
        let certificates = tls.is_some_and(|tls| tls.client_auth == ClientAuth::Require);
        if !authenticated && !certificates && !self.allow_unauthenticated_beyond_loopback {
            mistakes.push(Mistake::new(
                "server.listen",
                format!(
                    "`{open}` is reachable from other machines, and nobody has to prove who they \
                     are; switch authentication on, listen at 127.0.0.1, or set \
                     `allow-unauthenticated-beyond-loopback`"
                ),
            ));
        }
    }

    fn check_numbers(&self, mistakes: &mut Vec<Mistake>) {
        let streams = self.max_streams_per_connection as usize;
        let ranges = [
            ("max-connections", self.max_connections, 1, 1_000_000),
            (
                "max-connections-per-address",
                self.max_connections_per_address,
                0,
                1_000_000,
            ),
            ("max-requests", self.max_requests, 1, 1_000_000),
            ("max-queue", self.max_queue, 0, 1_000_000),
            ("max-streams-per-connection", streams, 1, 10_000),
            ("max-header-bytes", self.max_header_bytes, 1_024, 1 << 20),
            ("max-headers", self.max_headers, 1, 1_000),
            ("max-body-bytes", self.max_body_bytes, 1, 1 << 30),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                mistakes.push(Mistake::new(
                    format!("server.{name}"),
                    format!("`{value}` is not between {least} and {most}"),
                ));
            }
        }
        let times = [
            ("handshake-ms", self.handshake_ms),
            ("header-ms", self.header_ms),
            ("idle-ms", self.idle_ms),
            ("body-ms", self.body_ms),
            ("grace-ms", self.grace_ms),
        ];
        for (name, value) in times {
            if !(1..=86_400_000).contains(&value) {
                mistakes.push(Mistake::new(
                    format!("server.{name}"),
                    format!("`{value}` is not between 1 and 86400000"),
                ));
            }
        }
    }
}

impl TlsConfig {
    fn check(&self, mistakes: &mut Vec<Mistake>) {
        if self.cert_file.as_os_str().is_empty() {
            mistakes.push(Mistake::new(
                "server.tls.cert_file",
                "name the file with the certificate",
            ));
        }
        if self.key_file.as_os_str().is_empty() {
            mistakes.push(Mistake::new(
                "server.tls.key_file",
                "name the file with the key",
            ));
        }
        if self.client_auth != ClientAuth::None && self.ca_file.is_none() {
            mistakes.push(Mistake::new(
                "server.tls.ca_file",
                "name the authorities that client certificates come from",
            ));
        }
        if self.client_auth == ClientAuth::None && !self.crl_files.is_empty() {
            mistakes.push(Mistake::new(
                "server.tls.crl_files",
                "revocation lists are of no use while `client_auth` is `none`",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> ServerConfig {
        serde_saphyr::from_str(yaml).unwrap()
    }

    fn paths(config: &ServerConfig, authenticated: bool) -> Vec<String> {
        config
            .check(authenticated)
            .into_iter()
            .map(|mistake| mistake.path)
            .collect()
    }

    #[test]
    fn if_27_the_block_is_accepted_as_published() {
        #[derive(Deserialize)]
        struct File {
            server: ServerConfig,
        }
        let file: File = serde_saphyr::from_str(
            "server:
  tls:
    enabled: true
    cert_file: /certs/server.crt
    key_file: /certs/server.key
    ca_file: /certs/ca.crt
    min_version: TLS1.3
    client_auth: require  # Mutual TLS
  listen: 0.0.0.0:8443
",
        )
        .unwrap();
        assert_eq!(file.server.check(false), []);
        let tls = file.server.active_tls().unwrap();
        assert_eq!(tls.client_auth, ClientAuth::Require);
        assert_eq!(tls.min_version, MinVersion::Tls13);
        assert_eq!(
            file.server.listen.as_slice(),
            ["0.0.0.0:8443".parse().unwrap()]
        );
    }

    #[test]
    fn co_12_nothing_is_a_safe_configuration() {
        let config = read("{}");
        assert_eq!(config, ServerConfig::default());
        assert_eq!(config.check(false), []);
        assert!(config.listen.as_slice()[0].ip().is_loopback());
    }

    #[test]
    fn beyond_loopback_needs_tls_and_authentication_or_frankness() {
        for address in ["0.0.0.0:80", "'[::]:80'", "'[::ffff:10.0.0.1]:80'"] {
            let config = read(&format!("listen: {address}"));
            assert_eq!(
                paths(&config, false),
                ["server.listen", "server.listen"],
                "{address}"
            );
            assert_eq!(paths(&config, true), ["server.listen"]);
        }
        let frank = "listen: [0.0.0.0:80, 127.0.0.1:81]
allow-plain-text-beyond-loopback: true
allow-unauthenticated-beyond-loopback: true";
        assert_eq!(read(frank).check(false), []);
        let optional = "listen: 0.0.0.0:80
tls: {cert-file: a, key-file: b, ca-file: c, client-auth: optional}";
        assert_eq!(paths(&read(optional), false), ["server.listen"]);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let config = read(
            "max-connections: 0
max-header-bytes: 1
idle-ms: 0
tls: {client_auth: required}",
        );
        assert_eq!(
            paths(&config, true),
            [
                "server.tls.cert_file",
                "server.tls.key_file",
                "server.tls.ca_file",
                "server.max-connections",
                "server.max-header-bytes",
                "server.idle-ms"
            ]
        );
        assert!(serde_saphyr::from_str::<ServerConfig>("max-conections: 1").is_err());
    }
}
