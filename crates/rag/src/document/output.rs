use std::ops::Range;

use bartizan_core::{CheckError, Span};

use super::{
    characters::{self, Seen},
    hiding::Hiding,
};

/// What a reader sees of a document, and what is kept from them.
///
/// Prints its sizes, never its text.
#[derive(Clone, Default, PartialEq)]
pub struct Sanitised {
    /// The text that a reader sees, with tables and code.
    pub text: String,
    /// Where the text came from, in order.
    pub pieces: Vec<Piece>,
    /// What a reader does not see, in order.
    pub hidden: Vec<Hidden>,
    /// The parts of the document that places name: `""` for a document of one part,
    /// `word/document.xml`, `page 3`, `part 2`.
    pub parts: Vec<String>,
    /// What could not be read.
    pub gaps: Vec<CheckError>,
}

/// Where a passage stands in the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The number of the part in [`Sanitised::parts`].
    pub part: usize,
    /// Bytes of that part as it was received or, in an archive, unpacked; `None` where a format
    /// keeps no such place.
    pub span: Option<Span>,
}

/// A piece of the visible text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// Where it came from.
    pub place: Place,
    /// Whether it stands there byte for byte, so that its places are exact.
    pub is_exact: bool,
}

/// A passage that a reader does not see.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden {
    /// What hides it.
    pub hiding: Hiding,
    /// What it says.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

impl std::fmt::Debug for Sanitised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sanitised")
            .field("bytes", &self.text.len())
            .field("hidden", &self.hidden)
            .field("gaps", &self.gaps)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} of {} bytes at {:?}",
            self.hiding.as_str(),
            self.text.len(),
            self.place
        )
    }
}

impl Sanitised {
    /// The places in the document that bytes `range` of the visible text came from.
    pub fn places(&self, range: Range<usize>) -> impl Iterator<Item = Place> + '_ {
        let first = self
            .pieces
            .partition_point(|piece| piece.range.end <= range.start);
        self.pieces
            .iter()
            .skip(first)
            .take_while(move |piece| piece.range.start < range.end)
            .map(move |piece| {
                let Some(span) = piece.place.span.filter(|_| piece.is_exact) else {
                    return piece.place;
                };
                let start = range.start.max(piece.range.start) - piece.range.start;
                let end = range.end.min(piece.range.end) - piece.range.start;
                let base = span.as_range().start;
                Place {
                    span: Some(Span::from_range(base + start..base + end)),
                    ..piece.place
                }
            })
    }

    /// Whether everything in the document was read.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }
}

/// Collects what is seen and what is hidden.
#[derive(Debug)]
pub(super) struct Output {
    seen: Sanitised,
    left: usize,
    part: usize,
    // Bytes at the end of the text that no piece stands behind: line ends between blocks.
    is_full: bool,
}

/// A text on its way out, and where it stands in its part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) span: Option<Span>,
    /// Whether the text is the bytes of the span.
    pub(super) is_exact: bool,
}

impl Source {
    pub(super) const NONE: Self = Self {
        span: None,
        is_exact: false,
    };

    pub(super) const fn exact(start: usize, end: usize) -> Self {
        Self {
            span: Span::new(start as u64, end as u64),
            is_exact: true,
        }
    }

    pub(super) const fn about(start: usize, end: usize) -> Self {
        Self {
            span: Span::new(start as u64, end as u64),
            is_exact: false,
        }
    }

    /// The same for a space that stands for a run of them.
    pub(super) const fn as_space(self) -> Self {
        Self {
            span: self.span,
            is_exact: false,
        }
    }

    /// The same for bytes `range` of the text.
    fn slice(self, range: &Range<usize>) -> Self {
        match self.span {
            Some(span) if self.is_exact => {
                let base = span.as_range().start;
                Self::exact(base + range.start, base + range.end)
            }
            _ => self,
        }
    }
}

impl Output {
    /// Room for `max_bytes` of text, seen and hidden together.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            seen: Sanitised {
                parts: vec![String::new()],
                ..Sanitised::default()
            },
            left: max_bytes,
            part: 0,
            is_full: false,
        }
    }

    /// What follows stands in the part of that name.
    pub(super) fn enter(&mut self, name: impl Into<String>) {
        self.seen.parts.push(name.into());
        self.part = self.seen.parts.len() - 1;
    }

    /// A reader sees `text`, but for the characters in it that nobody sees.
    pub(super) fn show(&mut self, text: &str, source: Source) {
        for (range, seen) in characters::split(text) {
            let part = text.get(range.clone()).unwrap_or_default();
            let source = source.slice(&range);
            match seen {
                Seen::Shown => self.push(part, source),
                Seen::Hidden(said) => self.hide(Hiding::Characters, &said, source),
                Seen::Dropped => {}
            }
        }
    }

    fn push(&mut self, text: &str, source: Source) {
        if !self.pay(text.len()) {
            return;
        }
        let start = self.seen.text.len();
        self.seen.text.push_str(text);
        let place = Place {
            part: self.part,
            span: source.span,
        };
        self.seen.pieces.push(Piece {
            range: start..self.seen.text.len(),
            place,
            is_exact: source.is_exact,
        });
    }

    /// Text that stands for structure: line ends, bars of a table.
    pub(super) fn mark(&mut self, text: &str) {
        if self.pay(text.len()) {
            self.seen.text.push_str(text);
        }
    }

    /// The text so far ends with a line end, or is empty.
    pub(super) fn line(&mut self) {
        let trimmed = self.seen.text.trim_end_matches([' ', '\t']).len();
        self.seen.text.truncate(trimmed);
        while let Some(piece) = self.seen.pieces.last_mut()
            && piece.range.end > trimmed
        {
            if piece.range.start >= trimmed {
                self.seen.pieces.pop();
                continue;
            }
            if let Some(span) = piece.place.span.filter(|_| piece.is_exact) {
                let cut = piece.range.end - trimmed;
                let span = span.as_range();
                piece.place.span = Some(Span::from_range(span.start..span.end - cut));
            }
            piece.range.end = trimmed;
        }
        if !self.seen.text.is_empty() && !self.seen.text.ends_with('\n') {
            self.mark("\n");
        }
    }

    /// What follows stands on the line that just ended, after `mark`.
    pub(super) fn join_line(&mut self, mark: &str) {
        if self.seen.text.ends_with('\n') {
            self.seen.text.pop();
        }
        self.mark(mark);
    }

    /// A blank line between blocks.
    pub(super) fn paragraph(&mut self) {
        self.line();
        if !self.seen.text.is_empty() && !self.seen.text.ends_with("\n\n") {
            self.mark("\n");
        }
    }

    pub(super) fn ends_with_space(&self) -> bool {
        self.seen.text.is_empty() || self.seen.text.ends_with([' ', '\n', '\t'])
    }

    pub(super) fn ends_with(&self, text: &str) -> bool {
        self.seen.text.ends_with(text)
    }

    /// `text` stands in the document and no reader sees it.
    pub(super) fn hide(&mut self, hiding: Hiding, text: &str, source: Source) {
        if text.trim().is_empty() || !self.pay(text.len()) {
            return;
        }
        let place = Place {
            part: self.part,
            span: source.span,
        };
        // Text of one element comes in pieces; a passage that is split is still one passage.
        if let Some(last) = self.seen.hidden.last_mut()
            && last.hiding == hiding
            && last.place.part == place.part
            && let Some(joined) = adjoining(last.place.span, place.span)
        {
            if !last.text.ends_with(char::is_whitespace) && !text.starts_with(char::is_whitespace) {
                last.text.push(' ');
            }
            last.text.push_str(text);
            last.place.span = joined;
            return;
        }
        self.seen.hidden.push(Hidden {
            hiding,
            text: text.trim().to_owned(),
            place,
        });
    }

    /// Something was not read.
    pub(super) fn gap(&mut self, error: CheckError) {
        if !self.seen.gaps.contains(&error) {
            self.seen.gaps.push(error);
        }
    }

    fn pay(&mut self, bytes: usize) -> bool {
        if self.is_full {
            return false;
        }
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.is_full = true;
                self.gap(CheckError::Exhausted {
                    limit: "max-expanded-bytes",
                    at: self.seen.text.len() as u64,
                });
                false
            }
        }
    }

    pub(super) fn finish(mut self) -> Sanitised {
        // Blank lines at the end stand between this block and none.
        let said = self.seen.pieces.last().map_or(0, |piece| piece.range.end);
        while self.seen.text.len() > said && self.seen.text.ends_with("\n\n") {
            self.seen.text.pop();
        }
        self.seen
    }
}

/// Gap between two pieces of one hidden passage: tags and white space.
const MAX_GAP: usize = 200;

/// The span of both if the second follows the first; pieces without a place join.
fn adjoining(first: Option<Span>, second: Option<Span>) -> Option<Option<Span>> {
    match (first, second) {
        (None, None) => Some(None),
        (Some(first), Some(second)) => {
            let (a, b) = (first.as_range(), second.as_range());
            let follows = b.start >= a.start && b.start <= a.end.saturating_add(MAX_GAP);
            follows.then(|| Some(Span::from_range(a.start..a.end.max(b.end))))
        }
        _ => None,
    }
}
