//! `upstreams` and `routes` of `bartizan.yaml`.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use http::{HeaderName, HeaderValue, Uri};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    address::{is_odd_address, refusal},
    breaker::BreakerConfig,
    budget::RetryConfig,
    kind::Kind,
};
use crate::serve::Mistake;

/// Everything about upstreams, as written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpstreamSettings {
    /// `upstreams`: by name.
    pub upstreams: BTreeMap<String, UpstreamConfig>,
    /// `routes`: the first whose `model` fits is taken.
    pub routes: Vec<RouteConfig>,
}

/// One upstream: `upstreams.<name>`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct UpstreamConfig {
    /// What it speaks: `openai`, `anthropic`, `azure`, `vllm`, `generic`, or `echo`; for
    /// classifiers `perspective` or `azure-content-safety`.
    pub kind: Kind,
    /// Its base URL as an SDK would have it: `https://api.openai.com/v1`,
    /// `https://api.anthropic.com`, `https://name.openai.azure.com`. Left out: that of the vendor.
    pub base_url: Option<String>,
    /// Where its key comes from, e.g. `env:OPENAI_API_KEY`. Clients never see it, and theirs never
    /// go to the upstream.
    pub key: Option<String>,
    /// `api-version` of Azure; left out, the one that the gateway is written for.
    pub api_version: String,
    /// Headers that each request carries besides, e.g. `openai-organization`.
    pub headers: BTreeMap<String, String>,
    /// Names of models for the list of models.
    pub models: Vec<String>,
    /// Asks the upstream for its list of models every `list-models-seconds` when a client wants
    /// the list; 0 for never.
    pub list_models_seconds: u64,

    /// Lets its name lead to loopback, private, and shared addresses.
    pub allow_private: bool,
    /// Lets requests leave the machine without TLS.
    pub allow_plain_text: bool,
    /// Authorities that its certificate must come from, PEM; then no others count.
    pub ca_file: Option<PathBuf>,
    /// Authorities that count without `ca-file`: `bundled` (Mozilla's) or `system`.
    pub roots: Roots,
    /// Our certificate for it, PEM, with `client-key-file`.
    pub client_cert_file: Option<PathBuf>,
    /// The key of our certificate, PEM.
    pub client_key_file: Option<PathBuf>,

    /// Milliseconds to resolve, connect, and shake hands.
    pub connect_ms: u64,
    /// Milliseconds to the head of the answer. A whole answer has its head only when the model is
    /// done.
    pub first_byte_ms: u64,
    /// Milliseconds between two pieces of an answer.
    pub idle_ms: u64,
    /// Milliseconds for everything, retries and fallbacks of the request included.
    pub total_ms: u64,
    /// Most bytes of an answer, also of a stream.
    pub max_answer_bytes: usize,
    /// Connections kept open without a request.
    pub max_idle_connections: usize,
    /// Milliseconds for which they are kept.
    pub keep_idle_ms: u64,

    /// When a request is sent again.
    pub retry: RetryConfig,
    /// When the upstream is left alone for a while.
    pub breaker: BreakerConfig,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            base_url: None,
            key: None,
            api_version: String::new(),
            headers: BTreeMap::new(),
            models: Vec::new(),
            list_models_seconds: 0,
            allow_private: false,
            allow_plain_text: false,
            ca_file: None,
            roots: Roots::default(),
            client_cert_file: None,
            client_key_file: None,
            connect_ms: 5_000,
            first_byte_ms: 300_000,
            idle_ms: 60_000,
            total_ms: 900_000,
            max_answer_bytes: 32 * 1_024 * 1_024,
            max_idle_connections: 256,
            keep_idle_ms: 55_000,
            retry: RetryConfig::default(),
            breaker: BreakerConfig::default(),
        }
    }
}

/// Which authorities count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Roots {
    /// Mozilla's list, built in.
    #[default]
    Bundled,
    /// The system's.
    System,
}

/// Where requests for a model go: an entry of `routes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RouteConfig {
    /// The model's name for clients; `*` stands for any run of characters.
    pub model: String,
    /// Upstreams that share the requests, by weight.
    pub targets: Vec<TargetConfig>,
    /// Upstreams asked in this order when all targets failed.
    pub fallbacks: Vec<TargetConfig>,
}

/// An upstream of a route.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TargetConfig {
    /// Its name in `upstreams`.
    pub upstream: String,
    /// The upstream's name of the model; left out, the name that the client used.
    pub model: Option<String>,
    /// Its share, 1 to 1,000,000.
    pub weight: u32,
}

impl Default for TargetConfig {
    fn default() -> Self {
        Self {
            upstream: String::new(),
            model: None,
            weight: 1,
        }
    }
}

impl UpstreamConfig {
    /// The base URL, without a slash at the end.
    pub(super) fn base(&self) -> Option<Uri> {
        let written = self.base_url.as_deref().or(match self.kind {
            Kind::OpenAi => Some("https://api.openai.com/v1"),
            Kind::Anthropic => Some("https://api.anthropic.com"),
            Kind::Perspective => Some("https://commentanalyzer.googleapis.com"),
            _ => None,
        })?;
        written.trim_end_matches('/').parse().ok()
    }

    pub(super) const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }

    fn check(&self, path: &str, mistakes: &mut Vec<Mistake>) {
        let mut wrong = |field: &str, message: String| {
            mistakes.push(Mistake::new(format!("{path}.{field}"), message));
        };
        if self.kind != Kind::Echo {
            check_base(self, &mut wrong);
        }
        if self.client_cert_file.is_some() != self.client_key_file.is_some() {
            wrong(
                "client-cert-file",
                "`client-cert-file` and `client-key-file` go together".to_owned(),
            );
        }
        if !is_version(&self.api_version) {
            let version = &self.api_version;
            wrong("api-version", format!("`{version}` is not a version"));
        }
        for (name, value) in &self.headers {
            if HeaderName::try_from(name).is_err() {
                wrong("headers", format!("`{name}` is not the name of a header"));
            } else if HeaderValue::try_from(value).is_err() {
                wrong(
                    "headers",
                    format!("the value of `{name}` is not that of a header"),
                );
            } else if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                wrong(
                    "headers",
                    format!("`{name}` is set by the gateway; a credential goes into `key`"),
                );
            }
        }
        for (field, value) in [
            ("connect-ms", self.connect_ms),
            ("first-byte-ms", self.first_byte_ms),
            ("idle-ms", self.idle_ms),
            ("total-ms", self.total_ms),
            ("keep-idle-ms", self.keep_idle_ms),
        ] {
            if !(1..=86_400_000).contains(&value) {
                wrong(field, format!("`{value}` is not between 1 and 86400000"));
            }
        }
        if !(1_024..=1 << 30).contains(&self.max_answer_bytes) {
            let bytes = self.max_answer_bytes;
            wrong(
                "max-answer-bytes",
                format!("`{bytes}` is not between 1024 and 1073741824"),
            );
        }
        self.breaker.check(&mut wrong);
        self.retry.check(&mut wrong);
    }
}

/// Headers that an operator cannot set.
const OWN_HEADERS: [&str; 11] = [
    "authorization",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "x-api-key",
    "api-key",
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "accept-encoding",
];

fn is_version(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn check_base(config: &UpstreamConfig, wrong: &mut impl FnMut(&str, String)) {
    let Some(base) = config.base() else {
        wrong(
            "base-url",
            "give the URL of the upstream, e.g. `http://127.0.0.1:8000/v1`".to_owned(),
        );
        return;
    };
    let Some(host) = base.host().filter(|host| !host.is_empty()) else {
        wrong("base-url", format!("`{base}` names no host"));
        return;
    };
    if base.query().is_some() || base.authority().is_some_and(|a| a.as_str().contains('@')) {
        wrong(
            "base-url",
            "a base URL has no query, user, or password; a credential goes into `key`".to_owned(),
        );
        return;
    }
    if is_odd_address(host) {
        wrong(
            "base-url",
            format!("`{host}` is a number, write the address as four decimal parts"),
        );
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let literal: Option<std::net::IpAddr> = bare.parse().ok();
    let loopback = literal.is_some_and(|ip| ip.to_canonical().is_loopback()) || bare == "localhost";
    match base.scheme_str() {
        Some("https") => {}
        Some("http") if loopback || config.allow_plain_text => {}
        Some("http") => wrong(
            "base-url",
            format!(
                "requests to `{host}` would leave this machine in plain text, use `https` or set \
                 `allow-plain-text`"
            ),
        ),
        _ => wrong(
            "base-url",
            format!("`{base}` begins with neither `https://` nor `http://`"),
        ),
    }
    let private = bare == "localhost" || literal.is_some_and(|ip| refusal(ip).is_some());
    if private && !config.allow_private {
        wrong(
            "base-url",
            format!("`{host}` is not a public address, set `allow-private` if that is meant"),
        );
    }
}

impl UpstreamSettings {
    /// Every mistake.
    #[must_use]
    pub fn check(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (name, upstream) in &self.upstreams {
            let path = format!("upstreams.{name}");
            if !is_name(name) {
                mistakes.push(Mistake::new(
                    &path,
                    "a name has 1 to 64 letters, digits, `-`, `_`, and `.`",
                ));
            }
            upstream.check(&path, &mut mistakes);
        }
        for (at, route) in self.routes.iter().enumerate() {
            self.check_route(&format!("routes[{at}]"), route, &mut mistakes);
        }
        let with_models = self.upstreams.values().filter(|up| up.kind.has_models());
        if self.routes.is_empty() && with_models.count() > 1 {
            mistakes.push(Mistake::new(
                "routes",
                "with several upstreams, say which model goes where",
            ));
        }
        mistakes
    }

    fn check_route(&self, path: &str, route: &RouteConfig, mistakes: &mut Vec<Mistake>) {
        if route.model.is_empty() || route.model.len() > 256 {
            mistakes.push(Mistake::new(
                format!("{path}.model"),
                "name a model, e.g. `gpt-*`, in at most 256 characters",
            ));
        }
        if route.targets.is_empty() {
            mistakes.push(Mistake::new(
                format!("{path}.targets"),
                "name at least one upstream",
            ));
        }
        let targets = route.targets.iter().map(|target| ("targets", target));
        let fallbacks = route.fallbacks.iter().map(|target| ("fallbacks", target));
        for (field, target) in targets.chain(fallbacks) {
            let name = &target.upstream;
            if !self.upstreams.contains_key(name) {
                mistakes.push(Mistake::new(
                    format!("{path}.{field}.upstream"),
                    format!("there is no upstream `{name}`"),
                ));
            }
            if !(1..=1_000_000).contains(&target.weight) {
                mistakes.push(Mistake::new(
                    format!("{path}.{field}.weight"),
                    "a weight is between 1 and 1000000",
                ));
            }
        }
    }
}

/// Names stand in metric labels and events.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(upstream: &str) -> Vec<String> {
        let config: UpstreamConfig = serde_saphyr::from_str(upstream).unwrap();
        let settings = UpstreamSettings {
            upstreams: BTreeMap::from([("a".to_owned(), config)]),
            routes: Vec::new(),
        };
        settings.check().into_iter().map(|m| m.path).collect()
    }

    #[test]
    fn vendors_need_nothing_but_a_key() {
        assert!(check("key: env:OPENAI_API_KEY").is_empty());
        assert!(check("kind: anthropic\nkey: env:ANTHROPIC_API_KEY").is_empty());
        assert!(check("kind: echo").is_empty());
        assert_eq!(check("kind: vllm"), ["upstreams.a.base-url"]);
    }

    #[test]
    fn net_04_private_and_odd_hosts_need_frank_words() {
        for url in [
            "http://127.0.0.1:8000/v1",
            "http://localhost:8000/v1",
            "http://[::1]:8000",
            "https://10.0.0.1",
            "https://169.254.169.254",
            "https://[::ffff:10.0.0.1]",
        ] {
            assert_eq!(check(&format!("base-url: '{url}'")).len(), 1, "{url}");
            let frank = format!("base-url: '{url}'\nallow-private: true");
            assert!(check(&frank).is_empty(), "{url}");
        }
        for url in [
            "https://2130706433",
            "https://0x7f.1",
            "https://0177.0.0.1",
            "http://api.example",
            "ftp://api.example",
            "api.example",
            "https://user:pass@api.example",
            "https://api.example/?a=b",
        ] {
            assert!(!check(&format!("base-url: '{url}'")).is_empty(), "{url}");
        }
        assert!(check("base-url: http://vllm.internal\nallow-plain-text: true").is_empty());
    }

    #[test]
    fn credentials_do_not_hide_in_headers() {
        assert_eq!(
            check("headers: {Authorization: Bearer x}"),
            ["upstreams.a.headers"]
        );
        assert_eq!(check("headers: {'a b': x}"), ["upstreams.a.headers"]);
        assert!(check("headers: {openai-organization: org-1}").is_empty());
    }

    #[test]
    fn routes_name_upstreams_that_are_there() {
        let settings = UpstreamSettings {
            upstreams: BTreeMap::from([
                ("a".to_owned(), UpstreamConfig::default()),
                ("b b".to_owned(), UpstreamConfig::default()),
            ]),
            routes: vec![
                serde_saphyr::from_str("model: gpt-*\ntargets: [{upstream: c, weight: 0}]")
                    .unwrap(),
                RouteConfig::default(),
            ],
        };
        let paths: Vec<_> = settings.check().into_iter().map(|m| m.path).collect();
        assert_eq!(
            paths,
            [
                "upstreams.b b",
                "routes[0].targets.upstream",
                "routes[0].targets.weight",
                "routes[1].model",
                "routes[1].targets"
            ]
        );
    }
}
