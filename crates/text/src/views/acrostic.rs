//! A sentence in the first letters of lines.

use bartizan_core::Transform;
use memchr::memchr_iter;

use super::{
    piece::{Piece, Pieces},
    segment,
};

/// Fewer lines spell no order.
const MIN_LINES: usize = 12;

/// Reads the first letters of the lines of `text`, where they are words.
pub(super) fn decode(text: &str, lines: usize, pieces: &mut Pieces) {
    if lines < MIN_LINES {
        return;
    }
    let bytes = text.as_bytes();
    let starts = memchr_iter(b'\n', bytes).map(|at| at + 1);
    let places: Vec<usize> = std::iter::once(0)
        .chain(starts)
        .filter_map(|start| {
            let line = bytes.get(start..).unwrap_or_default();
            let line = line.iter().take_while(|byte| **byte != b'\n');
            let gap = line.take_while(|byte| byte.is_ascii_whitespace()).count();
            let first = bytes.get(start + gap)?;
            first.is_ascii_alphabetic().then_some(start + gap)
        })
        .collect();
    let letters: Vec<u8> = places
        .iter()
        .filter_map(|at| bytes.get(*at))
        .map(u8::to_ascii_lowercase)
        .collect();
    let Some(starts) = segment::split(&letters) else {
        return;
    };
    let mut piece = Piece::default();
    for (number, (at, letter)) in places.iter().zip(&letters).enumerate() {
        if number > 0 && starts.binary_search(&number).is_ok() {
            piece.put(" ", *at..*at);
        }
        piece.put(char::from(*letter).encode_utf8(&mut [0; 4]), *at..at + 1);
    }
    pieces.push((Transform::Acrostic, piece));
}
