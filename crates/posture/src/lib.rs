//! What lies in a tree that should not, and how the things in it are configured.
//!
//! [`secrets`] finds keys, tokens, and passwords in files and in the history of a repository.
//! [`config`] judges recipes of images, compositions, manifests, infrastructure, and pipelines by
//! rules that are data. Both are [`bartizan_supply::Inspector`]s, so that archives are looked into
//! and one report holds everything; neither reads a file, starts a program, or knows the time.

pub mod config;
pub mod history;
pub mod secrets;
