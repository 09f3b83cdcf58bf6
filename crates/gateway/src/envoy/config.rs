use http::HeaderName;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::serve::{ListenAddresses, Mistake, ServerConfig, TlsConfig};

/// A listener for Envoy's external processing: `envoy`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EnvoyConfig {
    /// Address to listen at for gRPC, or a list of them. Default `127.0.0.1:9002`.
    pub listen: ListenAddresses,
    /// TLS; without it, HTTP/2 in plain text.
    pub tls: Option<TlsConfig>,
    /// Listens beyond loopback without TLS.
    pub allow_plain_text_beyond_loopback: bool,
    /// Listens beyond loopback although nobody there has to prove who they are.
    pub allow_unauthenticated_beyond_loopback: bool,
    /// Who says who the client is.
    pub identity: EnvoyIdentity,
    /// With `trust-envoy`, the header in which Envoy names the client; Envoy must take the header from
    /// clients away. Left out, every client is `envoy`.
    pub principal_header: Option<String>,
    /// The header in which Envoy names the client's address, for the throttle of bad credentials,
    /// e.g. `x-envoy-external-address`; it must not come from clients. Left out, all clients share
    /// Envoy's own.
    pub address_header: Option<String>,
    /// What happens to requests for routes that are no model's.
    pub other_routes: OtherRoutes,
    /// Most bytes of an answer that is held as a whole, 1,024 to 1,073,741,824.
    pub max_answer_bytes: usize,
}

/// Who says who the client is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnvoyIdentity {
    /// The gateway: clients show a credential of `identity`, which is taken away before the request
    /// goes on. A client certificate does not count: it is Envoy's.
    #[default]
    Keys,
    /// Envoy: it asked the client already, and credentials go on as they are.
    TrustEnvoy,
}

/// What happens to requests for routes that are no model's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OtherRoutes {
    /// They are refused with 404.
    #[default]
    Refuse,
    /// They pass, and nobody here looks at them.
    PassUnseen,
}

impl Default for EnvoyConfig {
    fn default() -> Self {
        Self {
            listen: ListenAddresses::One(([127, 0, 0, 1], 9_002).into()),
            tls: None,
            allow_plain_text_beyond_loopback: false,
            allow_unauthenticated_beyond_loopback: false,
            identity: EnvoyIdentity::default(),
            principal_header: None,
            address_header: None,
            other_routes: OtherRoutes::default(),
            max_answer_bytes: 32 * 1_024 * 1_024,
        }
    }
}

/// Streams at once on one connection: each is a request under way, and answers take long.
const STREAMS: u32 = 1_000;

impl EnvoyConfig {
    /// The listener, with the bounds of the one for clients.
    #[must_use]
    pub fn server(&self, clients: &ServerConfig) -> ServerConfig {
        ServerConfig {
            listen: self.listen.clone(),
            tls: self.tls.clone(),
            allow_plain_text_beyond_loopback: self.allow_plain_text_beyond_loopback,
            allow_unauthenticated_beyond_loopback: self.allow_unauthenticated_beyond_loopback,
            // gRPC is HTTP/2.
            http2_plain_text: true,
            max_streams_per_connection: STREAMS,
            ..clients.clone()
        }
    }

    /// Whether clients prove to the gateway who they are.
    #[must_use]
    pub fn is_authenticated(&self, clients: bool) -> bool {
        clients && self.identity == EnvoyIdentity::Keys
    }

    /// Every mistake. `clients` is the listener for clients, `authenticated` whether they must prove
    /// who they are.
    #[must_use]
    pub fn check(&self, clients: &ServerConfig, authenticated: bool) -> Vec<Mistake> {
        let mut mistakes: Vec<Mistake> = self
            .server(clients)
            .check_listener(self.is_authenticated(authenticated))
            .into_iter()
            .map(|mistake| Mistake {
                path: mistake.path.replacen("server", "envoy", 1),
                message: mistake.message.replace("server.tls", "envoy.tls"),
            })
            .collect();
        for (key, header) in [
            ("principal-header", &self.principal_header),
            ("address-header", &self.address_header),
        ] {
            if let Some(name) = header
                && HeaderName::try_from(name).is_err()
            {
                let message = format!("`{name}` is not the name of a header");
                mistakes.push(Mistake::new(format!("envoy.{key}"), message));
            }
        }
        if self.principal_header.is_some() && self.identity == EnvoyIdentity::Keys {
            mistakes.push(Mistake::new(
                "envoy.principal-header",
                "counts only with `identity: trust-envoy`",
            ));
        }
        if !(1_024..=1 << 30).contains(&self.max_answer_bytes) {
            let bytes = self.max_answer_bytes;
            mistakes.push(Mistake::new(
                "envoy.max-answer-bytes",
                format!("`{bytes}` is not between 1024 and 1073741824"),
            ));
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(yaml: &str) -> Vec<String> {
        let config: EnvoyConfig = serde_saphyr::from_str(yaml).unwrap();
        let mistakes = config.check(&ServerConfig::default(), true);
        mistakes.into_iter().map(|mistake| mistake.path).collect()
    }

    #[test]
    fn co_12_the_listener_is_as_careful_as_that_for_clients() {
        assert!(paths("{}").is_empty());
        assert_eq!(paths("listen: 0.0.0.0:9002"), ["envoy.listen"]);
        let trusting = "listen: 0.0.0.0:9002\nidentity: trust-envoy\n";
        assert_eq!(paths(trusting), ["envoy.listen", "envoy.listen"]);
        let mutual = "tls: {cert-file: a, key-file: b, ca-file: c, client-auth: require}";
        assert!(paths(&format!("{trusting}{mutual}")).is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(
            paths("principal-header: x-user\naddress-header: 'a b'\nmax-answer-bytes: 1"),
            [
                "envoy.address-header",
                "envoy.principal-header",
                "envoy.max-answer-bytes"
            ]
        );
    }
}
