use std::{collections::BTreeMap, fmt};

use bartizan_core::{Origin, Span};

use super::{Conversation, Part, PartKind};

/// Several parts read as one text, since an attack or a key can be split over them.
///
/// Prints its length, never its text.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinedView {
    /// What they say together.
    pub text: String,
    /// Who wrote them.
    pub origin: Origin,
    /// Where each part stands in the text, in order.
    pub pieces: Vec<Piece>,
}

/// Where a part stands in a joined text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The number of the part.
    pub part: usize,
    /// Its first byte in the joined text.
    pub start: usize,
    /// Its first byte in the part; not 0 where only the end of a part was taken.
    pub from: usize,
    /// Its length in bytes.
    pub len: usize,
}

impl JoinedView {
    /// The places in the parts that `span` of the joined text came from.
    pub fn locate(&self, span: Span) -> impl Iterator<Item = (usize, Span)> {
        let wanted = span.as_range();
        self.pieces.iter().filter_map(move |piece| {
            let start = wanted.start.max(piece.start);
            let end = wanted.end.min(piece.start + piece.len);
            let shift = |at: usize| at - piece.start + piece.from;
            (start < end).then(|| (piece.part, Span::from_range(shift(start)..shift(end))))
        })
    }

    /// Whether `span` of the joined text lies in more than one part, so that no part alone shows
    /// it.
    #[must_use]
    pub fn crosses_parts(&self, span: Span) -> bool {
        self.locate(span).nth(1).is_some()
    }
}

impl fmt::Debug for JoinedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinedView")
            .field("bytes", &self.text.len())
            .field("origin", &self.origin)
            .field("pieces", &self.pieces)
            .finish()
    }
}

impl Conversation {
    /// The text of each message that has more than one text part, pictures between them or not: once without anything between
    /// the parts, which shows a split key, and, unless white space stands there already, once with
    /// a space, which shows a split sentence. Together at most twice the length of those messages.
    #[must_use]
    pub fn joined_views(&self) -> Vec<JoinedView> {
        let mut messages: BTreeMap<u32, Vec<(usize, &Part)>> = BTreeMap::new();
        for (number, part) in self.parts.iter().enumerate() {
            if part.group != 0 {
                messages.entry(part.group).or_default().push((number, part));
            }
        }
        let mut views = Vec::new();
        for parts in messages.values().filter(|parts| parts.len() > 1) {
            views.push(join(parts, ""));
            if !parts.windows(2).all(has_space_between) {
                views.push(join(parts, " "));
            }
        }
        views
    }

    /// What the user said over all messages of the document, joined by line breaks: the last
    /// `max_bytes` of it, cut at a character; `None` where that is a single part, or nothing.
    ///
    /// Shows an attack that is split over turns, and one in front of an innocent "go on".
    #[must_use]
    pub fn joined_turns(&self, max_bytes: usize) -> Option<JoinedView> {
        let said = |part: &Part| part.origin == Origin::User && part.kind == PartKind::Text;
        let mut budget = max_bytes;
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for (number, part) in self.parts.iter().enumerate().rev() {
            if budget == 0 {
                break;
            }
            if said(part) && !part.text.is_empty() {
                let from = part
                    .text
                    .ceil_char_boundary(part.text.len().saturating_sub(budget));
                budget = budget.saturating_sub(part.text.len() - from + 1);
                taken.push((number, from));
            }
        }
        if taken.len() < 2 {
            return None;
        }
        let mut view = JoinedView {
            text: String::new(),
            origin: Origin::User,
            pieces: Vec::new(),
        };
        for (number, from) in taken.into_iter().rev() {
            let text = self.parts.get(number).map_or("", |part| &part.text);
            view.add(number, from, text.get(from..).unwrap_or_default(), "\n");
        }
        Some(view)
    }
}

impl JoinedView {
    fn add(&mut self, part: usize, from: usize, text: &str, separator: &str) {
        if !self.pieces.is_empty() {
            self.text.push_str(separator);
        }
        self.pieces.push(Piece {
            part,
            start: self.text.len(),
            from,
            len: text.len(),
        });
        self.text.push_str(text);
    }
}

fn join(parts: &[(usize, &Part)], separator: &str) -> JoinedView {
    let mut view = JoinedView {
        text: String::new(),
        origin: parts.first().map_or(Origin::User, |(_, part)| part.origin),
        pieces: Vec::new(),
    };
    for (number, part) in parts {
        view.add(*number, 0, &part.text, separator);
    }
    view
}

fn has_space_between(pair: &[(usize, &Part)]) -> bool {
    matches!(pair, [(_, left), (_, right)]
        if left.text.ends_with(char::is_whitespace) || right.text.starts_with(char::is_whitespace))
}
