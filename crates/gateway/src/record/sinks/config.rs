use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use bartizan_core::Severity;
use bartizan_siem::{Format, syslog};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{record::What, secrets::SecretRef, telemetry::Headers};

/// A system that is told of events.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SinkConfig {
    /// A name of your own, under which its place in the record is kept: 1 to 64 characters of `a-z`,
    /// `0-9`, and `-`.
    pub name: String,
    /// What it is, and where.
    pub to: SinkTarget,
    /// How events are written.
    #[serde(default)]
    pub format: Format,
    /// The mildest event that it wants: `info`, `low`, `medium`, `high`, or `critical`.
    #[serde(default = "info")]
    #[schemars(with = "String")]
    pub severity: Severity,
    /// Events that it wants, e.g. `security_event`; empty for all.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether a sink that is new is told of everything that the record holds already.
    #[serde(default)]
    pub history: bool,
}

/// What kind of system a sink is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SinkTarget {
    /// A file with an event in each line.
    File(FileSink),
    /// A receiver of syslog (RFC 5424).
    Syslog(SyslogSink),
    /// A receiver of signed HTTP POSTs (Standard Webhooks).
    Webhook(WebhookSink),
    /// A collector of OpenTelemetry: logs over HTTP with protobuf bodies.
    Otlp(OtlpSink),
}

/// A file with an event in each line.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileSink {
    /// Its path, in the data folder if it is not absolute. When it is full it gets the number of the
    /// next event at its end, e.g. `events.jsonl.000000004711`, and a new one begins.
    pub path: PathBuf,
    /// Bytes after which a new file begins; at least 4096.
    #[serde(default = "hundred_megabytes")]
    pub max_bytes: u64,
    /// Whether a new file begins with each day of UTC.
    #[serde(default = "yes")]
    pub daily: bool,
    /// Full files that are kept, the oldest go first; 0 for all.
    #[serde(default)]
    pub keep: u32,
}

/// A receiver of syslog.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SyslogSink {
    /// `tls://host:6514`, `tcp://host:601`, or `unix:///path` of a stream socket.
    pub address: String,
    /// Authorities of the receiver's certificate, PEM; Mozilla's list if not given.
    pub ca_file: Option<PathBuf>,
    /// Our certificate, PEM, for receivers that ask for one.
    pub client_cert_file: Option<PathBuf>,
    /// Its key, PEM.
    pub client_key_file: Option<PathBuf>,
    /// 0 to 23; 13 is "log audit".
    #[serde(default = "log_audit")]
    pub facility: u8,
    /// What this machine is called; its own name if not given.
    pub hostname: Option<String>,
}

/// A receiver of signed HTTP POSTs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebhookSink {
    /// Its URL.
    pub url: String,
    /// The secret that signs, which the receiver has, too: at least 24 bytes, best `whsec_` and
    /// base64.
    pub secret: SecretRef,
}

/// A collector of OpenTelemetry.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OtlpSink {
    /// Its URL, e.g. `http://127.0.0.1:4318/v1/logs`.
    pub endpoint: String,
    /// Headers of every export, e.g. a credential.
    #[serde(default)]
    pub headers: Headers,
    /// `service.name` of the records.
    #[serde(default = "service")]
    pub service_name: String,
}

const fn info() -> Severity {
    Severity::Info
}

const fn yes() -> bool {
    true
}

const fn hundred_megabytes() -> u64 {
    100 << 20
}

const fn log_audit() -> u8 {
    syslog::LOG_AUDIT
}

fn service() -> String {
    "bartizan".to_owned()
}

/// Where a receiver of syslog is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Address<'a> {
    Tcp { host: &'a str, port: u16 },
    Tls { host: &'a str, port: u16 },
    Unix(&'a Path),
}

impl SyslogSink {
    /// Where it is; `None` for an address of no known kind.
    pub(super) fn place(&self) -> Option<Address<'_>> {
        let (scheme, rest) = self.address.split_once("://")?;
        if scheme == "unix" {
            return rest
                .starts_with('/')
                .then(|| Address::Unix(Path::new(rest)));
        }
        let (host, port) = rest.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok()?;
        if host.is_empty() {
            return None;
        }
        match scheme {
            "tcp" => Some(Address::Tcp { host, port }),
            "tls" => Some(Address::Tls { host, port }),
            _ => None,
        }
    }

    /// Whether it is spoken to with TLS.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.place(), Some(Address::Tls { .. }))
    }
}

impl SinkConfig {
    /// Every mistake of these sinks, as the field that it stands in and what is wrong there.
    pub(in crate::record) fn check(sinks: &[Self]) -> Vec<(String, String)> {
        let mut names = HashSet::new();
        let mut mistakes = Vec::new();
        for (number, sink) in sinks.iter().enumerate() {
            let mut mistake = |field: &str, message: String| {
                mistakes.push((format!("sinks[{number}].{field}"), message));
            };
            let is_part = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            if !(1..=64).contains(&sink.name.len()) || !sink.name.bytes().all(is_part) {
                let message = "has 1 to 64 characters of `a-z`, `0-9`, and `-`";
                mistake("name", message.to_owned());
            } else if !names.insert(&sink.name) {
                mistake("name", "stands twice".to_owned());
            }
            for event in &sink.events {
                if !What::KINDS.contains(&event.as_str()) {
                    mistake("events", format!("unknown event `{event}`"));
                }
            }
            match &sink.to {
                SinkTarget::File(file) if file.max_bytes < 4_096 => {
                    mistake("to.file.max-bytes", "must be at least 4096".to_owned());
                }
                SinkTarget::File(_) => {}
                SinkTarget::Syslog(to) => {
                    if to.place().is_none() {
                        let message =
                            "expected `tls://host:6514`, `tcp://host:601`, or `unix:///path`";
                        mistake("to.syslog.address", message.to_owned());
                    }
                    if to.facility > syslog::MAX_FACILITY {
                        mistake("to.syslog.facility", "must be in 0..=23".to_owned());
                    }
                    if to.client_cert_file.is_some() != to.client_key_file.is_some() {
                        let message = "a certificate needs its key, and a key its certificate";
                        mistake("to.syslog.client-key-file", message.to_owned());
                    }
                }
                SinkTarget::Webhook(to) => {
                    if !is_web(&to.url) {
                        let message = "expected a URL like `https://example.com/events`";
                        mistake("to.webhook.url", message.to_owned());
                    }
                    if sink.format == Format::Cef {
                        let message = "a webhook carries JSON: `ocsf` or `event`";
                        mistake("format", message.to_owned());
                    }
                }
                SinkTarget::Otlp(to) => {
                    if !is_web(&to.endpoint) {
                        let message = "expected a URL like `http://127.0.0.1:4318/v1/logs`";
                        mistake("to.otlp.endpoint", message.to_owned());
                    }
                    if let Some(name) = to.headers.first_bad() {
                        mistake("to.otlp.headers", format!("`{name}` is no header"));
                    }
                }
            }
        }
        mistakes
    }
}

fn is_web(url: &str) -> bool {
    let uri = url.parse::<http::Uri>();
    uri.is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
}
