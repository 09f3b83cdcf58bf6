//! Guarded streams: what a client gets of what an upstream sends.

#![allow(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

mod chat;
mod laws;
mod messages;
mod responses;

use std::sync::{Arc, LazyLock};

use bartizan_core::{Direction, Origin};
use bartizan_gateway::{
    endpoint::Endpoint,
    wire::{
        sse::{Events, Item},
        stream::{Flow, GuardedStream, Outcome, StreamConfig, StreamSetup},
    },
};
use bartizan_guard::{
    Guard, Judge, LeakSettings, Settings, Stream, StreamSubject,
    redact::{Keys, Redactor, Styles},
    window::{self, WindowConfig},
};
use bartizan_policy::Policy;
use bartizan_text::rules::RuleSet;
use serde_json::Value;

pub(crate) const CANARY: &str = "k7qz2m4xw3ndp5rtv6yhb2jcea";

static GUARD: LazyLock<Arc<Guard>> = LazyLock::new(|| {
    let settings = Settings {
        leak: LeakSettings {
            canaries: vec![CANARY.to_owned()],
            ..LeakSettings::default()
        },
        ..Settings::default()
    };
    Arc::new(Guard::standard(&settings, RuleSet::builtin()).unwrap())
});

/// The default policy, which blocks canaries; and credit cards, so that something blocks at once.
static POLICY: LazyLock<Arc<Policy>> = LazyLock::new(|| {
    let yaml = "rows:\n  - {name: no-cards, rule: ['pii.credit-card*'], block: 0.3}\n";
    Arc::new(Policy::from_yaml(yaml).unwrap())
});

const TODAY: &str = "2026-11-21";

pub(crate) fn redactor() -> Redactor {
    Redactor::new(Styles::default(), Keys::new([1; 32]), "test")
}

pub(crate) fn setup() -> StreamSetup {
    StreamSetup {
        judge: Judge::new(Arc::clone(&GUARD), Arc::clone(&POLICY), None),
        redactor: Arc::new(redactor),
        restore: None,
        sink: None,
        route: String::new(),
        tenant: String::new(),
        today: TODAY.parse().unwrap(),
        logprobs: false,
        refusal: None,
        config: StreamConfig::default(),
        calls: None,
    }
}

/// What filtering the whole text gives, and whether it was stopped.
pub(crate) fn whole(text: &str) -> (String, bool) {
    let subject = StreamSubject {
        origin: Origin::Model,
        direction: Direction::Output,
        sink: None,
        route: String::new(),
        tenant: String::new(),
        today: TODAY.parse().unwrap(),
    };
    let mut stream = Stream::new(
        Arc::clone(&GUARD),
        Arc::clone(&POLICY),
        redactor(),
        subject,
        WindowConfig::BULK,
    );
    let mut out = Vec::new();
    stream.push(text.as_bytes(), &mut out);
    let stopped = stream.finish(&mut out) != window::Flow::Open;
    (String::from_utf8(out).unwrap(), stopped)
}

/// What a client got.
pub(crate) struct Got {
    pub(crate) raw: String,
    /// Names and data.
    pub(crate) events: Vec<(String, Value)>,
    pub(crate) outcome: Outcome,
}

pub(crate) fn run(endpoint: Endpoint, setup: StreamSetup, pieces: &[&[u8]]) -> Got {
    let mut stream = GuardedStream::new(endpoint, setup).unwrap();
    let mut out = Vec::new();
    for piece in pieces {
        let before = out.len();
        if stream.push(piece, &mut out) == Flow::Ended && stream.outcome().trailing_bytes > 0 {
            assert_eq!(out.len(), before, "nothing comes after the end");
        }
    }
    stream.finish(&mut out);
    assert_eq!(stream.flow(), Flow::Ended);
    let raw = String::from_utf8(out).unwrap();
    Got {
        events: events(&raw),
        raw,
        outcome: stream.into_outcome(),
    }
}

/// The events of a stream; `[DONE]` as a string.
pub(crate) fn events(raw: &str) -> Vec<(String, Value)> {
    let mut seen = Vec::new();
    Events::new(1 << 24)
        .push(raw.as_bytes(), |item| {
            if let Item::Event { name, data } = item {
                let value = if data == "[DONE]" {
                    data.into()
                } else {
                    serde_json::from_str(data).unwrap()
                };
                seen.push((name.to_owned(), value));
            }
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    seen
}

/// A stream of events; the name is the data's `type`, if it has one.
pub(crate) fn sse(events: &[Value]) -> String {
    let mut out = String::new();
    for event in events {
        if let Some(kind) = event.get("type").and_then(Value::as_str) {
            out.push_str(&format!("event: {kind}\n"));
        }
        match event {
            Value::String(text) => out.push_str(&format!("data: {text}\n\n")),
            event => out.push_str(&format!("data: {event}\n\n")),
        }
    }
    out
}

impl Got {
    /// The strings at `pointer` of all events, one after the other.
    pub(crate) fn text(&self, pointer: &str) -> String {
        let strings = self
            .events
            .iter()
            .filter_map(|(_, event)| event.pointer(pointer)?.as_str());
        strings.collect()
    }

    /// The names of the events in order, repetitions left out.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.events.iter().map(|(name, _)| name.as_str()).collect();
        names.dedup();
        names
    }

    pub(crate) fn rules(&self) -> Vec<(&str, &str)> {
        let found = self.outcome.findings.iter();
        found
            .map(|found| (found.channel.as_str(), &*found.finding.rule.id))
            .collect()
    }
}
