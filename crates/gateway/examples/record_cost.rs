//! What the record and the metrics cost a request: `cargo run --release -p bartizan-gateway
//! --example record_cost [folder]`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement prints, times, and may stop"
)]

use std::{hint::black_box, path::PathBuf, sync::Arc, time::Instant};

use bartizan_core::Layer;
use bartizan_gateway::{
    clock::SystemClock,
    record::{
        At, Event, Interaction, Observe, Query, RecordConfig, Recorder, RequestId, SCHEMA_VERSION,
        Side, SqlAudit, What,
    },
    store::Store,
    telemetry::Metrics,
};

fn interaction(recorder: &Recorder, body: &[u8]) -> Interaction {
    let side = || {
        let mut side = Side {
            score: 1.0,
            ..Side::default()
        };
        for layer in [
            Layer::Shape,
            Layer::Normalise,
            Layer::Rules,
            Layer::Sensitive,
        ] {
            side.layer_ns.add(layer, 1_234);
        }
        side
    };
    Interaction {
        user_id: "key_1".into(),
        model: "gpt-4o-mini".into(),
        prompt_tokens: 250,
        completion_tokens: 250,
        endpoint: "/v1/chat/completions".into(),
        request_hash: Some(recorder.hasher().hash(body)),
        response_hash: Some(recorder.hasher().hash(body)),
        request_length: 1_024,
        response_length: 1_024,
        status: 200,
        upstream: "openai".into(),
        model_version: "gpt-4o-mini-2024-07-18".into(),
        policy_version: "f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into(),
        latency_us: 30_000,
        overhead_us: 90,
        ..Interaction::default()
    }
    .judged(side(), Some(side()))
}

/// CPU time of this process in nanoseconds, all threads.
fn cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let own: u64 = stat
        .split(' ')
        .next()
        .and_then(|nanos| nanos.parse().ok())
        .unwrap_or(0);
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let all: u64 = tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok())
        .sum();
    all.max(own)
}

#[tokio::main]
async fn main() {
    const ROUNDS: u32 = 50_000;
    let temporary = tempfile::tempdir().unwrap();
    let folder = std::env::args()
        .nth(1)
        .map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let place = folder.join("record-cost.db");
    let store = Store::open(place.to_str().unwrap()).await.unwrap();
    let metrics = Arc::new(Metrics::new("0"));
    metrics.configured(["gpt-4o-mini"], ["openai"]);
    let recorder = Recorder::open(
        RecordConfig {
            max_backlog_bytes: 1 << 30,
            ..RecordConfig::default()
        },
        &folder.join("record-cost-journal"),
        Arc::new(SqlAudit::new(store)),
        &[1; 32],
        Arc::new(SystemClock),
        vec![Arc::clone(&metrics) as Arc<dyn Observe>],
    )
    .await
    .unwrap();
    let body = [b'a'; 1_024];

    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(interaction(&recorder, black_box(&body)));
    }
    println!(
        "event with two hashes of 1 KiB: {:?}",
        start.elapsed() / ROUNDS
    );

    let event = Event {
        v: SCHEMA_VERSION,
        timestamp: At(1_763_730_000_000),
        request_id: Some(RequestId::new(&SystemClock)),
        what: What::LlmInteraction(Box::new(interaction(&recorder, &body))),
    };
    let start = Instant::now();
    for _ in 0..ROUNDS {
        metrics.event(black_box(&event));
    }
    println!("metrics: {:?}", start.elapsed() / ROUNDS);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(serde_json::to_vec(&event).unwrap());
    }
    let bytes = serde_json::to_vec(&event).unwrap().len();
    println!("JSON of {bytes} bytes: {:?}", start.elapsed() / ROUNDS);

    let before = cpu();
    let mut times = Vec::with_capacity(ROUNDS as usize);
    let all = Instant::now();
    for _ in 0..ROUNDS {
        let ended = interaction(&recorder, &body);
        let start = Instant::now();
        let id = RequestId::new(&SystemClock);
        let slot = recorder
            .admit(id, "key_1".into(), "/v1/chat/completions")
            .await
            .unwrap();
        slot.finish(ended).await.unwrap();
        times.push(start.elapsed());
    }
    let took = all.elapsed() / ROUNDS;
    times.sort_unstable();
    let place = |share: f64| times.get((times.len() as f64 * share) as usize).unwrap();
    println!(
        "admit + finish (JSON, journal, metrics): p50 {:?}, p99 {:?}, p99.9 {:?}, mean {took:?}",
        place(0.5),
        place(0.99),
        place(0.999)
    );
    while recorder.backlog() > 0 {
        recorder.flush().await.ok();
    }
    let per = (cpu() - before) / u64::from(ROUNDS);
    println!("CPU of all threads per request, moved into SQLite: {per} ns");
    let count = recorder.store().count(&Query::default()).await.unwrap();
    println!("{count} events in the store");
    recorder.close().await;
}
