/// Why a body is no conversation; tells where, never what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConversationError {
    /// More bytes than allowed.
    #[error("the body has {bytes} bytes, the limit `max-bytes` is {limit}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Not JSON, or JSON that parsers read differently.
    #[error("line {line}, column {column}: {error}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// Offset in bytes, from 0.
        offset: usize,
        /// What is wrong there.
        error: JsonError,
    },
    /// More parts than allowed.
    #[error("the conversation has more than {limit} parts, the limit `max-parts`")]
    TooManyParts {
        /// The limit.
        limit: usize,
    },
    /// A list of messages without a message.
    #[error("`{path}` is empty, send at least one message")]
    Empty {
        /// Where.
        path: &'static str,
    },
    /// A value of a kind that no format knows there.
    #[error("`{path}` is {found}, expected {expected}")]
    WrongType {
        /// Where, e.g. `messages[0]`.
        path: String,
        /// What is there.
        found: &'static str,
        /// What could be there.
        expected: &'static str,
    },
}

impl ConversationError {
    pub(super) fn at(document: &[u8], offset: usize, error: JsonError) -> Self {
        let before = document.get(..offset).unwrap_or(document);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        Self::Json {
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: before.len() - line_start + 1,
            offset: before.len(),
            error,
        }
    }

    /// A stable machine-readable code for the answer to the client.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "body-too-long",
            Self::Json { .. } => "invalid-json",
            Self::TooManyParts { .. } => "too-many-parts",
            Self::Empty { .. } => "empty-conversation",
            Self::WrongType { .. } => "wrong-type",
        }
    }
}

/// What is wrong with a JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// UTF-16.
    #[error("the body is UTF-16, send it as UTF-8")]
    Utf16,
    /// Bytes that are no UTF-8.
    #[error("the bytes from here on are no UTF-8, send the body as UTF-8")]
    InvalidUtf8,
    /// The document stops too early.
    #[error("the JSON ends too early")]
    Ended,
    /// A character that cannot stand there.
    #[error("unexpected character in JSON")]
    Unexpected,
    /// Something after the value.
    #[error("there is more after the end of the JSON value")]
    Trailing,
    /// An escape that JSON does not know.
    #[error("bad escape in a string")]
    BadEscape,
    /// Half of a surrogate pair.
    #[error("half a surrogate pair in a string, write both halves or the character itself")]
    LoneSurrogate,
    /// A bare control character in a string.
    #[error("control character in a string, write it as an escape")]
    ControlCharacter,
    /// A key that came before in the same object.
    #[error("the key came before in this object; parsers disagree about which one counts, remove one")]
    DuplicateKey,
    /// A number beyond a double.
    #[error("the number is too large or too long")]
    HugeNumber,
    /// Nested too deeply.
    #[error("nested deeper than {0} levels, the limit `max-depth`")]
    TooDeep(usize),
    /// Too many values.
    #[error("more than {0} values, the limit `max-values`")]
    TooManyValues(usize),
}
