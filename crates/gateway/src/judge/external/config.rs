use std::collections::BTreeMap;

use bartizan_core::Direction;
use schemars::JsonSchema;
use serde::Deserialize;

use super::ServiceKind;
use crate::{
    judge::{Streams, terms::Terms},
    upstream::Kind,
};

/// A classifier of harmful text outside that is asked about every text that other layers do not
/// refuse.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClassifierConfig {
    /// The service.
    pub kind: ServiceKind,
    /// The upstream that is asked, by its name under `upstreams`: address, key, TLS, breaker, and
    /// repeats are its own.
    pub upstream: String,
    /// The service's model; left out, its usual one.
    #[serde(default)]
    pub model: Option<String>,
    /// The directions in which it is asked: `input`, `output`.
    #[serde(default = "both")]
    #[schemars(with = "Vec<String>")]
    pub directions: Vec<Direction>,
    /// By kind of harm, the score above 0 to 1 from which on it counts; others keep their own.
    #[serde(default)]
    pub thresholds: BTreeMap<String, f32>,
    /// Kinds of harm that do not count.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// What happens to a request for a stream, whose answer cannot be shown to the service as a
    /// whole before the client has it; matters where `directions` has `output`.
    #[serde(default)]
    pub streams: Streams,
    /// Questions per minute over all clients; a text beyond that is not looked at.
    #[serde(default = "per_minute")]
    pub per_minute: u32,
    /// Milliseconds to wait for an answer.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// Bytes of text in one question; a longer text is asked about in overlapping pieces.
    #[serde(default = "max_bytes")]
    pub max_bytes: usize,
    /// Questions about one request; texts beyond that are not looked at.
    #[serde(default = "max_questions")]
    pub max_questions: usize,
    /// Answers that are remembered.
    #[serde(default = "cache_entries")]
    pub cache_entries: usize,
    /// Seconds for which an answer is remembered.
    #[serde(default = "cache_seconds")]
    pub cache_seconds: u64,
}

fn both() -> Vec<Direction> {
    vec![Direction::Input, Direction::Output]
}

const fn per_minute() -> u32 {
    600
}

const fn timeout_ms() -> u64 {
    3_000
}

const fn max_bytes() -> usize {
    8 << 10
}

const fn max_questions() -> usize {
    32
}

const fn cache_entries() -> usize {
    10_000
}

const fn cache_seconds() -> u64 {
    3_600
}

impl ClassifierConfig {
    /// A classifier with the usual settings.
    #[must_use]
    pub fn new(kind: ServiceKind, upstream: &str) -> Self {
        Self {
            kind,
            upstream: upstream.to_owned(),
            model: None,
            directions: both(),
            thresholds: BTreeMap::new(),
            ignore: Vec::new(),
            streams: Streams::default(),
            per_minute: per_minute(),
            timeout_ms: timeout_ms(),
            max_bytes: max_bytes(),
            max_questions: max_questions(),
            cache_entries: cache_entries(),
            cache_seconds: cache_seconds(),
        }
    }

    /// Every mistake: the key, and what is wrong with it. `upstream` says what the upstream of a
    /// name speaks.
    #[must_use]
    pub fn check(&self, upstream: impl Fn(&str) -> Option<Kind>) -> Vec<(String, String)> {
        let service = self.kind.service();
        let mut mistakes: Vec<(String, String)> = self
            .terms()
            .check("leave the classifier out instead")
            .into_iter()
            .map(|(key, message)| (key.to_owned(), message))
            .collect();
        let mut wrong = |key: &str, message: String| mistakes.push((key.to_owned(), message));
        match upstream(&self.upstream) {
            None => {
                let name = &self.upstream;
                wrong(
                    "upstream",
                    format!("there is no upstream `{name}` under `upstreams`"),
                );
            }
            Some(kind) if !service.upstreams.contains(&kind) => {
                let wanted: Vec<&str> =
                    service.upstreams.iter().map(|kind| kind.as_str()).collect();
                wrong(
                    "upstream",
                    format!(
                        "`{}` is asked through an upstream of kind `{}`, and this is `{}`",
                        service.name,
                        wanted.join("`, `"),
                        kind.as_str()
                    ),
                );
            }
            Some(_) => {}
        }
        let known: Vec<&str> = service.harms.iter().map(|harm| harm.ours).collect();
        let unknown = |name: &String| {
            (!known.contains(&name.as_str())).then(|| {
                let known = known.join("`, `");
                format!("`{}` knows no `{name}`, only `{known}`", service.name)
            })
        };
        for (name, threshold) in &self.thresholds {
            if let Some(message) = unknown(name) {
                wrong("thresholds", message);
            } else if !(*threshold > 0.0 && *threshold <= 1.0) {
                wrong(
                    "thresholds",
                    format!("`{threshold}` for `{name}` is not above 0 and at most 1"),
                );
            }
        }
        for message in self.ignore.iter().filter_map(unknown) {
            wrong("ignore", message);
        }
        if self.directions.is_empty() {
            wrong("directions", "name `input`, `output`, or both".to_owned());
        }
        if self.max_bytes > service.max_bytes {
            wrong(
                "max-bytes",
                format!(
                    "`{}` takes at most {} bytes in one question",
                    service.name, service.max_bytes
                ),
            );
        }
        mistakes
    }

    pub(in crate::judge) fn terms(&self) -> Terms {
        Terms {
            directions: self.directions.clone(),
            per_minute: self.per_minute,
            timeout_ms: self.timeout_ms,
            max_bytes: self.max_bytes,
            max_questions: self.max_questions,
            cache_entries: self.cache_entries,
            cache_seconds: self.cache_seconds,
        }
    }
}
