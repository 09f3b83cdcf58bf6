use std::io;

use bartizan_formats::ParseError;

/// Why a file cannot be converted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// Its content is none from which tensors are taken.
    #[error("{0}")]
    Format(&'static str),
    /// It breaks the rules of its format.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A tensor is described in a way that cannot be true.
    #[error("tensor `{name}`: {what}")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// What is wrong.
        what: &'static str,
    },
    /// Two tensors would have one name.
    #[error("two tensors would be called `{0}`")]
    Duplicate(String),
    /// A bound was reached.
    #[error("limit `{limit}` reached at {max}")]
    Exhausted {
        /// The bound's name.
        limit: &'static str,
        /// Its value.
        max: u64,
    },
    /// The new file cannot be written.
    #[error("cannot write")]
    Write(#[source] io::Error),
    /// The new file is not what was written.
    #[error("the new file does not hold what was written: {0}")]
    Differs(&'static str),
}
