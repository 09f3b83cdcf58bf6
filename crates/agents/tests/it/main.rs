//! Behaviour at the edge of the crate.

mod benchmark;
