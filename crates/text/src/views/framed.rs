//! Encodings between marks of their own: uuencode and base 85.

use std::{ops::Range, sync::LazyLock};

use bartizan_core::Transform;
use memchr::memmem::Finder;

use super::{
    piece::{Piece, Pieces},
    spaced::grouped,
};

static ASCII85: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("<~"));
static UUENCODE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("begin "));

/// A byte and where it came from.
type Placed = (u8, Range<usize>);

/// Decodes what stands between marks in `text`.
pub(super) fn decode(text: &str, pieces: &mut Pieces) {
    let bytes = text.as_bytes();
    for (transform, mark, read) in [
        (
            Transform::Ascii85,
            &*ASCII85,
            ascii85 as fn(&[u8], usize) -> _,
        ),
        (Transform::Uuencode, &*UUENCODE, uuencode),
    ] {
        let (mut piece, mut done) = (Piece::default(), 0);
        for at in mark.find_iter(bytes) {
            if at < done {
                continue;
            }
            let placed: Vec<Placed> = read(bytes, at + mark.needle().len());
            done = placed.last().map_or(done, |(_, place)| place.end);
            grouped(&placed, &mut piece);
        }
        if !piece.text.is_empty() {
            pieces.push((transform, piece));
        }
    }
}

/// Groups of five digits to the base 85 for four bytes (PostScript Language Reference, third
/// edition, `ASCII85Encode`), up to `~`.
fn ascii85(bytes: &[u8], start: usize) -> Vec<Placed> {
    let mut out = Vec::new();
    let (mut group, mut count, mut from) = (0u64, 0usize, start);
    let mut write = |group: u64, count: usize, place: Range<usize>| {
        // Digits that are missing count as the greatest.
        let missing = 5 - count;
        let whole = (0..missing).fold(group, |group, _| group * 85 + 84);
        let [_, _, _, _, decoded @ ..] = whole.to_be_bytes();
        let kept = decoded.iter().take(count.saturating_sub(1));
        out.extend(kept.map(|byte| (*byte, place.clone())));
    };
    for (at, byte) in (start..).zip(bytes.get(start..).unwrap_or_default()) {
        match byte {
            b'!'..=b'u' => {
                if count == 0 {
                    from = at;
                }
                group = group * 85 + u64::from(byte - b'!');
                count += 1;
            }
            b'z' if count == 0 => write(0, 5, at..at + 1),
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => break,
        }
        if count == 5 {
            write(group, 5, from..at + 1);
            (group, count) = (0, 0);
        }
        if count == 1 {
            from = at;
        }
    }
    if count > 1 {
        let end = bytes.len().min(from + 5);
        write(group, count, from..end);
    }
    out
}

/// Bytes of mode and name in a header of uuencode.
const MAX_HEADER: usize = 256;

/// Lines of up to 45 bytes behind a header with mode and name (POSIX.1-2024, `uuencode`); `start`
/// is behind `begin `.
fn uuencode(bytes: &[u8], start: usize) -> Vec<Placed> {
    let mut out = Vec::new();
    let rest = bytes.get(start..).unwrap_or_default();
    let is_mode = rest
        .iter()
        .take_while(|byte| (b'0'..=b'7').contains(byte))
        .count()
        == 3;
    let name = rest.get(..rest.len().min(MAX_HEADER)).unwrap_or_default();
    let Some(header) = memchr::memchr(b'\n', name).filter(|_| is_mode) else {
        return out;
    };
    let mut at = start + header + 1;
    while let Some(line) = bytes.get(at..) {
        let line = line.get(..memchr::memchr(b'\n', line).unwrap_or(line.len()));
        let line = line.unwrap_or_default();
        let value = |byte: &u8| (b' '..=b'`').contains(byte).then(|| (byte - b' ') & 63);
        let Some((Some(len @ 1..), digits)) =
            line.split_first().map(|(len, rest)| (value(len), rest))
        else {
            break;
        };
        let len = usize::from(len);
        // A line of its own length and no other: text after `begin` is none.
        if digits.len() < len.div_ceil(3) * 4 || digits.iter().any(|digit| value(digit).is_none()) {
            break;
        }
        let mut held = 0u32;
        let mut left = len;
        for (place, digit) in digits.iter().enumerate() {
            held = held << 6 | u32::from(value(digit).unwrap_or(0));
            if place % 4 == 3 {
                let [_, decoded @ ..] = held.to_be_bytes();
                let from = at + place - 2;
                let kept = decoded.iter().take(left);
                out.extend(kept.map(|byte| (*byte, from..from + 4)));
                left = left.saturating_sub(3);
                held = 0;
            }
        }
        at += line.len() + 1;
    }
    out
}
