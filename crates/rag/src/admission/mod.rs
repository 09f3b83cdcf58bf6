//! What may enter the store: from where, of whom, how old, and saying what.

mod chunk;
mod inspect;
mod rules;
mod source;

pub use chunk::Chunk;
pub use inspect::{Admission, DocumentLook, READING};
pub use rules::RULES;
pub use source::{PatternError, SourcePolicy, SourceSettings};
