//! What guarding a stream costs per chunk: `cargo run --release --example stream_speed`.
//!
//! 64 chunks of 16 bytes of text each, as of Chat Completions, guarded with the standard checks and
//! without any; and the parts of that alone.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{hint::black_box, ops::ControlFlow, sync::Arc};

use bartizan_core::{Direction, Origin};
use bartizan_gateway::{
    clock::{Clock, SystemClock},
    endpoint::Endpoint,
    wire::{
        sse::Events,
        stream::{GuardedStream, StreamConfig, StreamSetup},
    },
};
use bartizan_guard::{
    Guard, Judge, Settings, Stream, StreamSubject,
    redact::{Keys, Redactor, Styles},
    window::WindowConfig,
};
use bartizan_policy::Policy;
use bartizan_text::rules::RuleSet;

const CHUNKS: usize = 64;
const ROUNDS: usize = 300;

const PROSE: &str = "The committee describes the weather of the past forty years, as far as anyone \
can tell from the letters that were kept. Most of them were written in spring, when the roads were \
open again and the ferries had begun to run. ";

fn main() {
    println!("nanoseconds per chunk, {CHUNKS} chunks of 16 bytes, best of {ROUNDS}");
    let guard = Arc::new(Guard::standard(&Settings::default(), RuleSet::builtin()).unwrap());
    let silent = Settings {
        disable: guard
            .checks()
            .iter()
            .map(|check| check.name().to_owned())
            .collect(),
        ..Settings::default()
    };
    let silent = Arc::new(Guard::standard(&silent, RuleSet::builtin()).unwrap());
    let cyrillic: String = PROSE
        .split(' ')
        .enumerate()
        .map(|(at, word)| match at % 8 {
            0 => word.replace('e', "е") + " ",
            _ => word.to_owned() + " ",
        })
        .collect();
    for (name, prose) in [
        ("english", PROSE),
        ("with cyrillic letters", cyrillic.as_str()),
    ] {
        println!("-- {name}");
        run_all(&guard, &silent, prose);
    }
}

fn run_all(guard: &Arc<Guard>, silent: &Arc<Guard>, prose: &str) {
    let text: String = prose.chars().cycle().take(CHUNKS * 16).collect();
    let pieces: Vec<String> = text
        .chars()
        .collect::<Vec<char>>()
        .chunks(16)
        .map(|piece| piece.iter().collect())
        .collect();
    let chunks: Vec<Vec<u8>> = pieces
        .iter()
        .map(|piece| chunk(piece).into_bytes())
        .collect();
    let end = chunk("").replace("null", "\"stop\"") + "data: [DONE]\n\n";

    measure("read events alone", || {
        let mut events = Events::new(1 << 20);
        for chunk in &chunks {
            events
                .push(black_box(chunk), |item| {
                    black_box(item);
                    ControlFlow::Continue(())
                })
                .unwrap();
        }
    });
    let mut value = 0;
    measure("serde_json::Value of each event alone", || {
        for chunk in &chunks {
            let data = chunk.get(6..).unwrap_or_default();
            let json: serde_json::Value = serde_json::from_slice(data).unwrap();
            value += json.as_object().map_or(0, |object| object.len());
        }
    });
    black_box(value);
    for (name, guard) in [("no checks", silent), ("standard checks", guard)] {
        let policy = Arc::new(Policy::default());
        measure(&format!("whole text at once, {name}"), || {
            let mut stream = window(guard, &policy, 0);
            let mut out = Vec::new();
            stream.push(text.as_bytes(), &mut out);
            stream.finish(&mut out);
            black_box(out);
        });
        for batch in [0, 64, 128, 192, 256, 512] {
            measure(&format!("window alone, batch {batch}, {name}"), || {
                let mut stream = window(guard, &policy, batch);
                let mut out = Vec::new();
                for piece in &pieces {
                    stream.push(piece.as_bytes(), &mut out);
                }
                stream.finish(&mut out);
                black_box(out);
            });
        }
        let setup = setup(guard, &policy);
        measure(&format!("guarded stream, {name}"), || {
            let setup = setup.clone();
            let mut stream = GuardedStream::new(Endpoint::ChatCompletions, setup).unwrap();
            let mut out = Vec::new();
            for chunk in &chunks {
                stream.push(chunk, &mut out);
            }
            stream.push(end.as_bytes(), &mut out);
            stream.finish(&mut out);
            black_box(out);
        });
    }
}

fn measure(name: &str, mut run: impl FnMut()) {
    let best = (0..ROUNDS)
        .map(|_| {
            let before = SystemClock.nanos();
            run();
            SystemClock.nanos() - before
        })
        .min()
        .unwrap_or(0);
    println!("{:>7}  {name}", best / CHUNKS as u64);
}

fn chunk(text: &str) -> String {
    let content = serde_json::to_string(text).unwrap();
    format!(
        "data: {{\"id\":\"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG\",\"object\":\"chat.completion.chunk\",\
\"created\":1741570283,\"model\":\"gpt-4o-2024-08-06\",\"service_tier\":\"default\",\
\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{content}}},\
\"logprobs\":null,\"finish_reason\":null}}]}}\n\n"
    )
}

fn redactor() -> Redactor {
    Redactor::new(Styles::default(), Keys::new([1; 32]), "bench")
}

fn window(guard: &Arc<Guard>, policy: &Arc<Policy>, step: usize) -> Stream {
    let subject = StreamSubject {
        origin: Origin::Model,
        direction: Direction::Output,
        sink: None,
        route: String::new(),
        tenant: String::new(),
        today: "2026-11-21".parse().unwrap(),
    };
    let config = WindowConfig {
        step,
        ..WindowConfig::PROMPT
    };
    Stream::new(
        Arc::clone(guard),
        Arc::clone(policy),
        redactor(),
        subject,
        config,
    )
}

fn setup(guard: &Arc<Guard>, policy: &Arc<Policy>) -> StreamSetup {
    StreamSetup {
        judge: Judge::new(Arc::clone(guard), Arc::clone(policy), None),
        redactor: Arc::new(redactor),
        restore: None,
        sink: None,
        route: String::new(),
        tenant: String::new(),
        today: "2026-11-21".parse().unwrap(),
        logprobs: false,
        refusal: None,
        config: StreamConfig::default(),
        calls: None,
    }
}
