//! Many at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{chat, streams::said, with_upstream};
use crate::mock::Mock;

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes = line.split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() * 1_024
}

/// A thousand clients that are told a story at the same time. Client, upstream, and gateway share
/// this process, so its memory is an upper bound.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "heavy: run alone, with --release"]
async fn a_thousand_streams_at_once() {
    const STREAMS: usize = 1_000;
    let mock = Mock::at("127.0.0.1:0", "", true).await;
    let story = "Once upon a time there was a tower that let nobody pass. ".repeat(8);
    mock.say(&story, Duration::from_millis(200));
    let more = "server: {max-connections-per-address: 0, max-requests: 4000}\nextraction: {enabled: false}\n";
    let gateway = Arc::new(with_upstream(&mock, more).await);
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        let gateway = Arc::clone(&gateway);
        clients.spawn(async move {
            let mut body = chat("Tell me a story.");
            body["stream"] = true.into();
            gateway.chat(&body).await
        });
    }
    let peak = Arc::new(AtomicU64::new(0));
    let watch = tokio::spawn({
        let peak = Arc::clone(&peak);
        async move {
            loop {
                peak.fetch_max(resident(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    });
    let mut good = 0;
    while let Some(got) = clients.join_next().await {
        let got = got.unwrap();
        assert_eq!(got.status, 200, "{got:?}");
        assert_eq!(said(&got.body), story);
        good += 1;
    }
    watch.abort();
    assert_eq!(good, STREAMS);
    let peak = peak.load(Ordering::Relaxed) >> 20;
    assert!(peak < 300, "{peak} MB");
}
