//! Requests and answers of the wire formats, as parts with an origin each.
//!
//! [`parse`] reads OpenAI Chat Completions and Responses, Anthropic Messages, plain completions and
//! embeddings, bare lists of messages, the answers of all of these, and any other JSON. **Every
//! string of the document that is not a plain identifier in an identifier's place becomes a
//! [`Part`]**, so a format that grows a field stays covered. Who wrote a part follows from its place
//! alone: a `role` inside tool arguments or metadata raises nobody's trust.

mod blob;
mod document;
mod error;
mod format;
mod image;
mod joined;
mod json;
mod part;
mod place;
mod probabilities;
mod walk;

pub use document::{Document, Member, Reading, Value};
pub use error::{ConversationError, JsonError};
pub use format::Format;
pub use joined::{JoinedView, Piece};
pub use part::{Part, PartKind, Slot};
pub use place::identifier_field;

/// What reading one body may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseLimits {
    /// Bytes of the body.
    pub max_bytes: usize,
    /// Levels of nesting.
    pub max_depth: usize,
    /// JSON values, over all nested documents.
    pub max_values: usize,
    /// Parts.
    pub max_parts: usize,
    /// How often a string may hold JSON whose strings hold JSON.
    pub max_nested_json: usize,
    /// Bytes of one embedded file that are decoded.
    pub max_blob_bytes: usize,
}

impl Default for ParseLimits {
    /// 32 MiB, 64 levels, 200,000 values, 20,000 parts, 3 documents deep, 8 MiB a file.
    fn default() -> Self {
        Self {
            max_bytes: 32 << 20,
            max_depth: 64,
            max_values: 200_000,
            max_parts: 20_000,
            max_nested_json: 3,
            max_blob_bytes: 8 << 20,
        }
    }
}

/// A request or an answer, taken apart.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The wire format.
    pub format: Format,
    /// Everything that carries text, and everything of an unknown kind, in document order.
    pub parts: Vec<Part>,
}

/// Takes a JSON body apart.
///
/// # Errors
/// When it is too large, is no JSON or JSON that parsers read differently, or has no message.
pub fn parse(body: &[u8], limits: &ParseLimits) -> Result<Conversation, ConversationError> {
    let document = Document::read(body, limits)?;
    document.conversation(document.format(), limits)
}

#[cfg(test)]
mod tests;
