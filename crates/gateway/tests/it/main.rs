//! The gateway from outside.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    reason = "a test that cannot go on must fail"
)]

mod certificates;
mod helpers;
mod mock;
mod serve;
mod smuggling;
mod tls;
mod upstream;
mod upstream_faults;
