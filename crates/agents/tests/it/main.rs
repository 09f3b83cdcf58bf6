//! Behaviour at the edge of the crate.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail, and a benchmark shows its table"
)]

mod benchmark;
mod flows;
