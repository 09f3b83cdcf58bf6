//! What must not leave: canaries, system prompts, protected documents, and listed words.
//!
//! [`Canaries`] looks for planted tokens. [`LeakIndex`] holds keyed hashes of word runs, never the
//! protected text, and [`LeakCheck`] looks for them.
//! [`WordLists`] looks for banned words and exact values.

mod canary;
mod check;
mod inflect;
mod report;
mod shingle;
mod words;

pub use canary::{Canaries, InvalidCanary, canary, plant};
pub use check::{LeakCheck, LeakConfig, LeakIndex};
pub use words::{InvalidWordList, WordList, WordLists};
