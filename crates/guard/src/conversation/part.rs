use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use bartizan_core::{Finding, Origin, Span};
use bartizan_text::OffsetMap;
use serde::Serialize;

use crate::redact::{Redactor, stretches};

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
    /// In what the document holds it.
    pub(super) slot: Slot,
    /// Where the string that holds it, or that holds the JSON that holds it, stands in the
    /// document, without its quotes.
    pub(super) outermost: (usize, usize),
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
            slot: Slot::Derived,
            outermost: (0, 0),
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

    /// In what the document holds the text.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// How many JSON strings stand around the text, one inside the other; 0 if it does not stand in
    /// the document.
    #[must_use]
    pub fn nesting(&self) -> usize {
        self.maps.len()
    }

    /// Where the outermost of these strings stands in the document, without its quotes.
    #[must_use]
    pub fn outermost(&self) -> Option<Span> {
        let (start, end) = self.outermost;
        (!self.maps.is_empty()).then(|| Span::from_range(start..end))
    }

    /// What to put into which bytes of the document so that `span` of the text reads `text`.
    /// A number is replaced as a whole, by a string. `None` if the text does not stand in the
    /// document.
    #[must_use]
    pub fn splice(&self, span: Span, text: &str) -> Option<(Span, String)> {
        match self.slot {
            Slot::String | Slot::Key => {
                Some((self.document_span(span)?, escaped(text, self.nesting())))
            }
            Slot::Number => {
                let whole = Span::from_range(0..self.text.len());
                let literal = format!("\"{}\"", escaped(text, 1));
                let splice = escaped(&literal, self.nesting().saturating_sub(1));
                Some((self.document_span(whole)?, splice))
            }
            Slot::Probabilities | Slot::Derived => None,
        }
    }

    /// What to put into which bytes of the document so that nothing that `removals` found is left in
    /// the text. `None` if that cannot be said: a finding without a place, or a text that does not
    /// stand in the document; it must not go on then.
    #[must_use]
    pub fn redactions(
        &self,
        removals: &[&Finding],
        redactor: &mut Redactor,
    ) -> Option<Vec<(Span, String)>> {
        // What has no place is everywhere.
        let is_placed = |finding: &&Finding| finding.span.is_some_and(|s| !s.as_range().is_empty());
        if !removals.iter().all(is_placed) {
            return None;
        }
        let text = self.text.as_bytes();
        let found = || removals.iter().copied();
        if self.slot == Slot::Number {
            let safe = String::from_utf8(redactor.rewrite(text, 0, found())).ok()?;
            let whole = Span::from_range(0..text.len());
            return self.splice(whole, &safe).map(|splice| vec![splice]);
        }
        let stretches = stretches(found());
        let splices = stretches.iter().map(|stretch| {
            let range = stretch.range.clone();
            let value = text.get(range.clone())?;
            let safe = redactor.rewrite(value, range.start, stretch.findings.iter().copied());
            let safe = String::from_utf8(safe).ok()?;
            self.text.get(range.clone())?;
            self.splice(Span::from_range(range), &safe)
        });
        splices.collect()
    }
}

/// `text` as it stands in a JSON string (RFC 8259, section 7) in a JSON string, and so on.
fn escaped(text: &str, times: usize) -> String {
    let mut text = text.to_owned();
    for _ in 0..times {
        let mut outer = String::with_capacity(text.len() + 8);
        for character in text.chars() {
            match character {
                '"' => outer.push_str("\\\""),
                '\\' => outer.push_str("\\\\"),
                '\n' => outer.push_str("\\n"),
                '\r' => outer.push_str("\\r"),
                '\t' => outer.push_str("\\t"),
                '\0'..='\u{1f}' => {
                    let _ = write!(outer, "\\u{:04x}", u32::from(character));
                }
                _ => outer.push(character),
            }
        }
        text = outer;
    }
    text
}

/// In what a document holds the text of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// A JSON string.
    String,
    /// The key of a member.
    Key,
    /// A number.
    Number,
    /// Tokens with their probabilities, joined to a text.
    Probabilities,
    /// Something that stands there only encoded, such as a file, or not at all.
    Derived,
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
