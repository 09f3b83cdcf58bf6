use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::Deserialize;

/// Traces and logs. Metrics are always there, at `/metrics`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TelemetryConfig {
    /// Spans to a collector; without this block none leave.
    pub traces: Option<TracesConfig>,
    /// The program's log.
    pub log: LogConfig,
}

/// Where spans go: OTLP over HTTP with protobuf bodies.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TracesConfig {
    /// The collector's URL, e.g. `http://127.0.0.1:4318/v1/traces`.
    pub endpoint: String,
    /// Headers of every export, e.g. a credential.
    #[serde(default)]
    pub headers: Headers,
    /// Share of requests that are traced, in `[0, 1]`, where the client did not decide.
    #[serde(default = "one")]
    pub sample_ratio: f64,
    /// Longest wait for the collector, in milliseconds.
    #[serde(default = "five_seconds")]
    pub timeout_ms: u32,
    /// `service.name` of the spans.
    #[serde(default = "service")]
    pub service_name: String,
}

const fn one() -> f64 {
    1.0
}

const fn five_seconds() -> u32 {
    5_000
}

fn service() -> String {
    "bartizan".to_owned()
}

/// Headers by name; their values are not printed.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Headers(pub BTreeMap<String, String>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.0.keys().map(|name| (name, "[redacted]"));
        f.debug_map().entries(hidden).finish()
    }
}

impl Headers {
    /// The first that is no header; `None` if all are.
    #[must_use]
    pub fn first_bad(&self) -> Option<&str> {
        let is_bad = |(name, value): &(&String, &String)| {
            name.parse::<http::HeaderName>().is_err() || value.parse::<http::HeaderValue>().is_err()
        };
        self.0.iter().find(is_bad).map(|(name, _)| name.as_str())
    }
}

/// The program's log.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LogConfig {
    /// How it looks.
    pub format: LogFormat,
    /// What is logged, in the words of `tracing`'s filters, e.g. `info,bartizan_gateway=debug`. The
    /// environment's `BARTIZAN_LOG` goes before it.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::default(),
            filter: "info".to_owned(),
        }
    }
}

/// How the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// Text, for a terminal.
    Text,
}

impl TelemetryConfig {
    /// Every mistake as the field that it stands in and what is wrong there.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut mistakes = Vec::new();
        let mut mistake = |path: &str, message: String| mistakes.push((path.to_owned(), message));
        if let Some(traces) = &self.traces {
            let uri = traces.endpoint.parse::<http::Uri>();
            let web = uri.is_ok_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
            });
            if !web {
                let message = "expected a URL like `http://127.0.0.1:4318/v1/traces`";
                mistake("traces.endpoint", message.to_owned());
            }
            if !(0.0..=1.0).contains(&traces.sample_ratio) {
                mistake("traces.sample-ratio", "must be in 0..=1".to_owned());
            }
            if traces.timeout_ms == 0 {
                mistake("traces.timeout-ms", "must be at least 1".to_owned());
            }
            if let Some(name) = traces.headers.first_bad() {
                mistake("traces.headers", format!("`{name}` is no header"));
            }
        }
        if super::log::filter(&self.log.filter).is_err() {
            mistake("log.filter", "expected a filter like `info`".to_owned());
        }
        mistakes
    }
}
