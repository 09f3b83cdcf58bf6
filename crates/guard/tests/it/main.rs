//! Behaviour of the guard at its edge.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod classifier;
mod judge;
mod stream;
mod weak_spots;
