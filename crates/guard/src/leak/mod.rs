//! What must not leave: canaries, system prompts, protected documents, and listed words.
//!
//! [`Canaries`] looks for planted tokens. [`LeakCheck`] holds keyed hashes of word runs, never the
//! protected text.
//! [`WordLists`] looks for banned words and exact values.

mod canary;
mod check;
mod inflect;
mod report;
mod shingle;
mod words;

pub use canary::{Canaries, InvalidCanary, canary, plant};
pub use check::{LeakCheck, LeakConfig};
pub use words::{InvalidWordList, WordList, WordLists};
