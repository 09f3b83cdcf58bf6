//! The gateway's streams.

#[path = "../../crates/gateway/src/wire/sse.rs"]
pub mod sse;
#[path = "../../crates/gateway/src/wire/stream/mod.rs"]
pub mod stream;
