//! Parsers for bytes nobody trusts: model files, archives, code.
//!
//! A parser reads from a [`Source`] under the caller's bounds and yields what the file says: a
//! program, a table of tensors, a tree. It never runs, imports, or builds what the file asks for, and
//! it judges nothing: that is `bartizan-supply`'s work.

pub mod archive;
mod file;
pub mod pickle;
mod reader;
mod sniff;
mod source;

pub use file::FileSource;
pub use reader::Reader;
pub use sniff::{Format, sniff};
pub use source::{Bytes, ParseError, Section, Source};
