use std::io;

/// Why a file cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealedError {
    /// It does not begin as a sealed file does.
    #[error("it is no sealed file")]
    NotSealed,
    /// It is of a later version.
    #[error("it is sealed in version {0} of the format, which this program does not know")]
    Version(u8),
    /// The head says what the format does not allow.
    #[error("the head of the sealed file is broken: {0}")]
    Head(&'static str),
    /// Another key is needed.
    #[error("it is sealed under another key")]
    WrongKey,
    /// The key is the right one, and the head is not what was written.
    #[error("the head of the sealed file was altered")]
    AlteredHead,
    /// A chunk is not what was written there.
    #[error("chunk {0} of the sealed file was altered, or stands in another's place")]
    AlteredChunk(u64),
    /// The file ends before its last chunk does.
    #[error("the sealed file is cut off")]
    Truncated,
    /// Something follows the last chunk.
    #[error("something follows the end of the sealed file")]
    Trailing,
    /// It is longer than the format allows.
    #[error("it has more bytes than can be sealed under one key")]
    TooLong,
    /// The plain file changed while it was sealed.
    #[error("the file changed while it was sealed")]
    Changed,
    /// No key was given where one is needed, or one of another kind.
    #[error("it is locked in another way than the given key opens")]
    Kind,
    /// It cannot be read.
    #[error("cannot read")]
    Read(#[source] io::Error),
    /// It cannot be written.
    #[error("cannot write")]
    Write(#[source] io::Error),
    /// The cryptographic library refused.
    #[error("the cryptographic library refused")]
    Library,
}

impl From<aws_lc_rs::error::Unspecified> for SealedError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Library
    }
}
