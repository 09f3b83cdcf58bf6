//! Sessions from the outside: messages in, actions out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod asks;
mod calls;
mod definitions;
mod helpers;
mod protocol;
mod results;
