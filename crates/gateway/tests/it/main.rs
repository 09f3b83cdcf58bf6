//! The gateway from outside.
#![allow(
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail"
)]

mod certificates;
mod deploy;
mod gateway;
mod helpers;
mod identity;
mod limits;
mod mock;
mod record;
mod serve;
mod smuggling;
mod stream;
mod telemetry;
mod tls;
mod upstream;
mod upstream_faults;
