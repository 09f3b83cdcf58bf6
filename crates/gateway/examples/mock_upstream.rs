//! The upstream of the tests as a program, to put behind a gateway and measure.
//!
//! `cargo run --release -p bartizan-gateway --example mock_upstream -- 127.0.0.1:9100 [ANSWER-BYTES
//! [MILLISECONDS-BEFORE-EACH-EVENT]]`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "an example"
)]

#[path = "../tests/it/mock.rs"]
mod mock;

use std::{env, time::Duration};

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:9100".into());
    let bytes = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_024);
    let pace = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let words = "The lighthouse keeper walked down to the harbour before the fog lifted. ";
    let text: String = words.chars().cycle().take(bytes).collect();
    let mock = mock::Mock::at(&address, &text, true).await;
    mock.say(&text, Duration::from_millis(pace));
    println!("listening at {}", mock.address);
    std::future::pending::<()>().await;
}
