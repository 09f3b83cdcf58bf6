use std::{
    ops::ControlFlow,
    sync::{Arc, OnceLock},
};

use bartizan_guard::{
    Guard, Judge,
    redact::{Keys, Redactor, Styles},
};
use bartizan_policy::Policy;

use super::sse::pieces;
use crate::{
    endpoint::Endpoint,
    guards,
    input::Input,
    wire::{
        sse::{Events, Item},
        stream::{Ending, Flow, GuardedStream, Outcome, StreamConfig, StreamSetup},
    },
};

/// Guarded streams: whatever an upstream sends and however it is cut, the client gets whole events
/// of JSON, the same ones, an end, and nothing behind it. The first line says how the rest is cut,
/// the second one which format it is.
pub fn guarded_stream(data: &[u8]) {
    let mut input = Input::new(data);
    let cuts = input.line();
    let endpoint = [
        Endpoint::ChatCompletions,
        Endpoint::Responses,
        Endpoint::Messages,
        Endpoint::Completions,
    ][input.below(4)];
    input.line();
    let stream = input.rest();
    let (whole, outcome) = run(endpoint, &[stream]);
    let (cut, of_cut) = run(endpoint, &pieces(stream, cuts));
    assert_eq!(cut, whole, "the events depend on the cuts");
    assert_eq!(of_cut.ending, outcome.ending);
    assert_eq!(of_cut.findings, outcome.findings);
    assert_ne!(outcome.ending, Ending::Open);
    for (_, data) in &whole {
        let is_json = serde_json::from_str::<serde_json::Value>(data);
        // A lone surrogate in a field that passes as it is: fine for clients in JavaScript.
        assert!(
            data == "[DONE]" || is_json.is_ok() || data.contains("\\u"),
            "an event is no JSON"
        );
    }
}

fn run(endpoint: Endpoint, pieces: &[&[u8]]) -> (Vec<(String, String)>, Outcome) {
    let mut stream = GuardedStream::new(endpoint, setup()).expect("a route with streams");
    let mut out = Vec::new();
    for piece in pieces {
        let was_ended = stream.flow() == Flow::Ended;
        let before = out.len();
        stream.push(piece, &mut out);
        assert!(!was_ended || out.len() == before, "bytes after the end");
    }
    stream.finish(&mut out);
    let mut seen = Vec::new();
    let mut events = Events::new(1 << 24);
    let read = events.push(&out, |item| {
        if let Item::Event { name, data } = item {
            seen.push((name.to_owned(), data.to_owned()));
        }
        ControlFlow::Continue(())
    });
    assert!(read.is_ok() && !events.is_inside(), "half an event");
    (seen, stream.into_outcome())
}

fn setup() -> StreamSetup {
    static JUDGE: OnceLock<Judge> = OnceLock::new();
    let judge = JUDGE.get_or_init(|| {
        let guard: Arc<Guard> = guards::guard(&["names"]);
        Judge::new(guard, Arc::new(Policy::default()), None)
    });
    StreamSetup {
        judge: judge.clone(),
        redactor: Arc::new(|| Redactor::new(Styles::default(), Keys::new([1; 32]), "session")),
        restore: None,
        sink: None,
        route: String::new(),
        tenant: String::new(),
        today: "2026-11-21".parse().expect("a day"),
        logprobs: true,
        refusal: Some("withheld".to_owned()),
        config: StreamConfig {
            batch_bytes: 32,
            ..StreamConfig::default()
        },
        calls: None,
    }
}
