//! String pieces that code puts together, as in `"ign" + "ore"` or `a = "ign"` ... `a + b`.

use std::ops::Range;

use bartizan_core::Transform;
use memchr::{memchr2_iter, memmem};

use super::{
    piece::{Piece, Pieces},
    words,
};

/// Joins the string literals of `text` that are concatenated.
pub(super) fn decode(text: &str, pieces: &mut Pieces) {
    let plus = memmem::find(text.as_bytes(), b"+").is_some();
    if !plus && memmem::find(text.as_bytes(), b"\" \"").is_none() {
        return;
    }
    let mut piece = Piece::default();
    let mut group: Vec<Range<usize>> = Vec::new();
    let mut assigned = false;
    let mut literals = Literals::new(text);
    loop {
        let literal = literals.next();
        let link = match (&literal, group.last()) {
            (Some(next), Some(last)) => link(text.get(last.end + 1..next.start - 1)),
            _ => Link::None,
        };
        let fits = match link {
            Link::None => false,
            Link::Operator => !assigned || group.len() == 1,
            Link::Assignment => assigned || group.len() == 1,
        };
        if !fits {
            let added = group
                .last()
                .is_some_and(|last| !assigned || is_added(text, last.end));
            if group.len() > 1 && added {
                write(text, &group, assigned, &mut piece);
            }
            group.clear();
        }
        assigned = fits && link == Link::Assignment;
        match literal {
            Some(literal) => group.push(literal),
            None => break,
        }
    }
    if !piece.text.is_empty() {
        pieces.push((Transform::Concatenated, piece));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    None,
    /// `+`, `.`, `&`, `..`, `||`, or nothing but spaces.
    Operator,
    /// A line end, a name, and `=`.
    Assignment,
}

fn link(gap: Option<&str>) -> Link {
    let Some(gap) = gap else { return Link::None };
    let (line_end, gap) = (gap.contains(['\n', ';']), gap.trim());
    if matches!(gap, "+" | "." | "&" | ".." | "||" | "++" | "<>" | "~")
        || (gap.is_empty() && !line_end)
    {
        return Link::Operator;
    }
    let Some(name) = gap.strip_suffix('=') else {
        return Link::None;
    };
    let name = name.trim().trim_start_matches(';').trim();
    let name = name.rsplit(char::is_whitespace).next().unwrap_or(name);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    if line_end && !name.is_empty() && name.chars().all(plain) {
        Link::Assignment
    } else {
        Link::None
    }
}

/// Whether names are added up soon after `at`.
fn is_added(text: &str, at: usize) -> bool {
    let end = text.ceil_char_boundary((at + 256).min(text.len()));
    text.get(at..end).is_some_and(|after| after.contains('+'))
}

fn write(text: &str, group: &[Range<usize>], assigned: bool, piece: &mut Piece) {
    let Some(first) = group.first() else { return };
    let mut read = put_together(text, group, false);
    if assigned {
        // Variables hold pieces of words, or phrases that are read with spaces between.
        let spaced = put_together(text, group, true);
        let known = |piece: &Piece| words::count(&piece.text.to_lowercase()).0;
        if known(&spaced) > known(&read) {
            read = spaced;
        }
    }
    piece.part(first.start);
    piece.append(&read, group.last().map_or(first.end, |last| last.end));
}

fn put_together(text: &str, group: &[Range<usize>], spaced: bool) -> Piece {
    let mut piece = Piece::default();
    for range in group {
        let glued = piece.text.is_empty()
            || piece.text.ends_with(char::is_whitespace)
            || text
                .get(range.clone())
                .is_some_and(|part| part.starts_with(' '));
        if spaced && !glued {
            piece.put(" ", range.start - 1..range.start);
        }
        piece.copy(text, range.clone());
    }
    piece
}

/// String literals of one line in single or double quotes, without the quotes.
struct Literals<'t> {
    text: &'t str,
    quotes: Box<dyn Iterator<Item = usize> + 't>,
}

/// Longer literals are not pieces.
const MAX_LITERAL: usize = 512;

impl<'t> Literals<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            quotes: Box::new(memchr2_iter(b'"', b'\'', text.as_bytes())),
        }
    }
}

impl Iterator for Literals<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let mut open = self.quotes.next()?;
        loop {
            let close = self.quotes.next()?;
            let inside = open + 1..close;
            // An apostrophe within a word is none.
            let word = open > 0 && bytes.get(open - 1).is_some_and(u8::is_ascii_alphanumeric);
            if bytes.get(close) == bytes.get(open)
                && !word
                && inside.len() <= MAX_LITERAL
                && !self.text.get(inside.clone())?.contains('\n')
            {
                return Some(inside);
            }
            let keep = bytes.get(close) != bytes.get(open)
                && !word
                && inside.len() <= MAX_LITERAL
                && !self.text.get(inside)?.contains('\n');
            if !keep {
                open = close;
            }
        }
    }
}
