//! What must not leave: canaries, system prompts, protected documents, and listed words.
//!
//! [`LeakCheck`] holds canaries and keyed hashes of word runs, never the protected text.
//! [`WordLists`] looks for banned words and exact values.

mod canary;
mod check;
mod inflect;
mod shingle;
mod words;

pub use canary::{canary, plant};
pub use check::{LeakCheck, LeakConfig};
pub use words::{InvalidWordList, WordList, WordLists};
