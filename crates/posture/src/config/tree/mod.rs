//! A text as a tree with places, whatever its syntax.

pub mod docker;
pub mod hcl;
mod node;
mod path;
pub mod yaml;

pub use node::{Entry, Node, Value};
pub use path::{Path, Selected};

/// How deep values may nest.
pub(crate) const MAX_DEPTH: usize = 100;

/// The most values in one text.
pub(crate) const MAX_NODES: usize = 500_000;

/// The longest text, in bytes.
pub(crate) const MAX_BYTES: usize = 8 << 20;

/// Why a text is no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// It breaks the rules of its syntax.
    #[error("it cannot be read near line {line}")]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
    /// It is larger, deeper, or more than is read.
    #[error("limit `{limit}` reached at {at}")]
    Exhausted {
        /// Which bound.
        limit: &'static str,
        /// Its value.
        at: u64,
    },
}
