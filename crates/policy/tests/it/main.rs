//! What a policy decides, seen from outside.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must fail"
)]

mod decisions;
mod files;
mod helpers;
mod laws;
