use std::{io, path::PathBuf};

use super::OddKind;

/// Why files cannot be digested.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The file system gave up on one of them.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
    /// Something is neither a file nor a folder, or a link that is not to be followed.
    #[error("`{name}` is {kind}")]
    Odd {
        /// Where it stands below the root.
        name: String,
        /// What it is.
        kind: OddKind,
    },
    /// A name is no UTF-8, so that no signature can state it.
    #[error("the name of `{}` is no UTF-8", path.display())]
    Name {
        /// The path as far as it can be shown.
        path: PathBuf,
    },
    /// There is no file, and the digest of nothing proves nothing.
    #[error("there is no file in `{}`", path.display())]
    Empty {
        /// The root.
        path: PathBuf,
    },
    /// A file got longer or shorter while it was read.
    #[error("`{}` changed while it was read", path.display())]
    Changed {
        /// Which one.
        path: PathBuf,
    },
    /// There are too many files, or folders are too deep.
    #[error("more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        max: usize,
    },
}

impl DigestError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
