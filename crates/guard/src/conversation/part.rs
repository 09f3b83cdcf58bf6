use std::{fmt, sync::Arc};

use bartizan_core::{Origin, Span};
use bartizan_text::OffsetMap;
use serde::Serialize;

/// One piece of a conversation.
///
/// Prints its place and length, never its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it stands, e.g. `messages[2].content[0].text`; keys that are no identifiers are
    /// written as their number, `[#3]`, so that a path holds no content.
    pub path: String,
    /// Who wrote it.
    pub origin: Origin,
    /// What it is.
    pub kind: PartKind,
    /// What it says, unescaped; empty for a picture, a sound or an unknown block.
    pub text: String,
    /// Whether the next part is text of the same message, so that a reader sees one text.
    pub joined_with_next: bool,
    /// From the text to the document, innermost first; empty if it does not stand there.
    pub(super) maps: Vec<Arc<OffsetMap>>,
    pub(super) group: u32,
}

impl Part {
    /// A part on its own, outside any document.
    #[must_use]
    pub fn new(path: impl Into<String>, origin: Origin, kind: PartKind, text: String) -> Self {
        Self {
            path: path.into(),
            origin,
            kind,
            text,
            joined_with_next: false,
            maps: Vec::new(),
            group: 0,
        }
    }

    /// The bytes of the document that `span` of the text came from; `None` if the text does not
    /// stand in the document, as with a decoded file.
    #[must_use]
    pub fn document_span(&self, span: Span) -> Option<Span> {
        if self.maps.is_empty() {
            return None;
        }
        let outwards = |span: Span, map: &Arc<OffsetMap>| map.span(span.as_range());
        Some(self.maps.iter().fold(span, outwards))
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("path", &self.path)
            .field("origin", &self.origin)
            .field("kind", &self.kind)
            .field("bytes", &self.text.len())
            .field("joined_with_next", &self.joined_with_next)
            .finish()
    }
}

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartKind {
    /// What someone says.
    Text,
    /// A value that the model passes to a tool.
    ToolCallArguments,
    /// What a tool says about itself.
    ToolDescription,
    /// What a tool returned.
    ToolResult,
    /// A picture; its text is its address unless it is embedded.
    Image,
    /// A sound.
    Audio,
    /// A file.
    File,
    /// A document given as context.
    Document,
    /// Text that is embedded in a picture's metadata.
    Metadata,
    /// Any other field, e.g. `metadata.note`.
    Field,
    /// A block or role of a kind that no format knows, with its name; `other` if that is no
    /// identifier.
    Unknown(String),
}

impl PartKind {
    /// The name used in output.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text => "text",
            Self::ToolCallArguments => "tool-call-arguments",
            Self::ToolDescription => "tool-description",
            Self::ToolResult => "tool-result",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::File => "file",
            Self::Document => "document",
            Self::Metadata => "metadata",
            Self::Field => "field",
            Self::Unknown(_) => "unknown",
        }
    }
}
