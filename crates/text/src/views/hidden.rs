//! Text hidden in characters that folding removes, and text shown backwards.

use bartizan_core::Transform;
use memchr::memmem;

use super::piece::{Piece, Pieces, is_plausible};

/// Decodes what `raw` hides. Costs a few searches for lead bytes in text that is not ASCII.
pub(super) fn decode(raw: &[u8], pieces: &mut Pieces) {
    smuggled(raw, b"\xf3\xa0", Transform::Tags, tag, pieces);
    let selectors = [b"\xf3\xa0".as_slice(), b"\xef\xb8"];
    for lead in selectors {
        if memmem::find(raw, lead).is_some() {
            smuggled(raw, lead, Transform::VariationSelectors, selector, pieces);
        }
    }
    overridden(raw, pieces);
}

/// Reads runs of characters that begin with `lead` as bytes.
fn smuggled(
    raw: &[u8],
    lead: &[u8],
    transform: Transform,
    value: fn(char) -> Option<u8>,
    pieces: &mut Pieces,
) {
    let mut piece = Piece::default();
    let mut done = 0;
    for at in memmem::find_iter(raw, lead) {
        if at < done {
            continue;
        }
        let (mut bytes, mut spans) = (Vec::new(), Vec::new());
        done = at;
        while let Some((c, len)) = first_char(raw, done)
            && let Some(byte) = value(c)
        {
            bytes.push(byte);
            spans.push(done);
            done += len;
        }
        spans.push(done);
        done = done.max(at + 1);
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        let flag = raw
            .get(..at)
            .is_some_and(|before| before.ends_with("\u{1f3f4}".as_bytes()));
        if !is_plausible(text) || (flag && text.len() <= MAX_FLAG) {
            continue;
        }
        piece.part(at);
        for (offset, c) in text.char_indices() {
            let from = spans.get(offset).copied().unwrap_or(at);
            let to = spans.get(offset + c.len_utf8()).copied().unwrap_or(done);
            piece.put(c.encode_utf8(&mut [0; 4]), from..to);
        }
    }
    if !piece.text.is_empty() {
        pieces.push((transform, piece));
    }
}

/// The longest code of a region that tags spell after a black flag.
const MAX_FLAG: usize = 6;

fn first_char(raw: &[u8], at: usize) -> Option<(char, usize)> {
    let window = raw.get(at..raw.len().min(at + 4))?;
    let c = window.utf8_chunks().next()?.valid().chars().next()?;
    Some((c, c.len_utf8()))
}

/// Tag characters mirror ASCII (Unicode 16, section 23.9).
fn tag(c: char) -> Option<u8> {
    let byte = u32::from(c).checked_sub(0xe0000)?;
    u8::try_from(byte).ok().filter(|b| (0x20..0x7f).contains(b))
}

/// The 256 variation selectors, numbered as bytes.
fn selector(c: char) -> Option<u8> {
    let code = u32::from(c);
    match code {
        0xfe00..=0xfe0f => u8::try_from(code - 0xfe00).ok(),
        0xe0100..=0xe01ef => u8::try_from(code - 0xe0100 + 16).ok(),
        _ => None,
    }
}

/// Bytes after an override that are read backwards.
const MAX_OVERRIDDEN: usize = 4096;

/// Reads backwards what stands after a right-to-left override.
fn overridden(raw: &[u8], pieces: &mut Pieces) {
    const RLO: &[u8] = "\u{202e}".as_bytes();
    let mut piece = Piece::default();
    let mut done = 0;
    for at in memmem::find_iter(raw, RLO) {
        let start = at + RLO.len();
        if start < done {
            continue;
        }
        let rest = raw
            .get(start..raw.len().min(start + MAX_OVERRIDDEN))
            .unwrap_or_default();
        // Cut before decoding: overrides may follow each other closely.
        let next = memmem::find(rest, RLO).unwrap_or(rest.len());
        let rest = rest.get(..next).unwrap_or_default();
        let text = rest.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let end = text.find('\u{202c}').unwrap_or(text.len());
        let text = text.get(..end).unwrap_or_default();
        done = start + end;
        piece.part(start);
        reverse_into(&mut piece, text, start);
    }
    if !piece.text.is_empty() {
        pieces.push((Transform::Reversed, piece));
    }
}

/// Appends `text`, which stands at `start` of the parent, character by character from its end.
pub(super) fn reverse_into(piece: &mut Piece, text: &str, start: usize) {
    for (at, c) in text.char_indices().rev() {
        let end = start + at + c.len_utf8();
        piece.map.push_reversed(piece.text.len(), end, c.len_utf8());
        piece.text.push(c);
    }
    piece.part_goes_on(start + text.len());
}
