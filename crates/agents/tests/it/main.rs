//! Behaviour at the edge of the crate.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail"
)]

mod benchmark;
mod flows;
