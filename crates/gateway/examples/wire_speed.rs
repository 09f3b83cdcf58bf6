//! What reading and changing a request of 1 KiB costs: `cargo run --release --example wire_speed`.

use std::{hint::black_box, io::Write as _, time::Instant};

use bartizan_gateway::{
    endpoint::Endpoint,
    wire::{Answer, Logprobs, Request},
};
use bartizan_guard::conversation::ParseLimits;
use bytes::Bytes;

const ROUNDS: u32 = 20_000;

#[expect(clippy::disallowed_methods, reason = "a measurement asks for the time")]
fn measure(name: &str, mut run: impl FnMut()) -> std::io::Result<()> {
    let mut best = f64::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        (0..ROUNDS).for_each(|_| run());
        best = best.min(started.elapsed().as_nanos() as f64 / f64::from(ROUNDS));
    }
    writeln!(std::io::stdout(), "{name}: {best:.0} ns")
}

fn main() -> std::io::Result<()> {
    let words = "Please summarise the quarterly figures for the board, in five points. ".repeat(7);
    let limits = ParseLimits::default();
    let body = Bytes::from(format!(
        r#"{{"model":"gpt-4o","temperature":0.7,"max_tokens":256,"messages":[{{"role":"system","content":"You are a helpful assistant of the finance team. {words}"}},{{"role":"user","content":"{words}\nThanks."}}]}}"#
    ));
    measure(&format!("read a request of {} bytes", body.len()), || {
        black_box(Request::read(Endpoint::ChatCompletions, body.clone(), &limits).ok());
    })?;
    let Ok(request) = Request::read(Endpoint::ChatCompletions, body.clone(), &limits) else {
        return Ok(());
    };
    measure("name another model", || {
        let mut edits = request.edit();
        edits.model("other");
        black_box(edits.apply().ok());
    })?;
    let answer = Bytes::from(format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{{"index":0,"message":{{"role":"assistant","content":"{words}{words}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}}}"#
    ));
    measure(&format!("read an answer of {} bytes", answer.len()), || {
        let read = Answer::read(
            Endpoint::ChatCompletions,
            answer.clone(),
            &limits,
            Logprobs::Strip,
        );
        black_box(read.ok());
    })
}
