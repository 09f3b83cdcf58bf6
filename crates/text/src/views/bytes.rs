//! Unbroken runs of base64, base32, hexadecimal and binary digits.

use std::ops::Range;

use bartizan_core::Transform;

use super::piece::{Piece, Pieces};

/// Decodes the runs of `text` that hold text.
pub(super) fn decode(text: &str, runs: &[Range<usize>], pieces: &mut Pieces) {
    let mut made = [
        (Transform::Binary, Piece::default()),
        (Transform::Hex, Piece::default()),
        (Transform::Base32, Piece::default()),
        (Transform::Base64, Piece::default()),
    ];
    // The end of the last line of wrapped base64, if it may go on.
    let mut wrapped = None;
    for run in runs {
        let Some(digits) = text.as_bytes().get(run.clone()) else {
            continue;
        };
        let goes_on = wrapped.take().is_some_and(|end| {
            text.get(end..run.start)
                .is_some_and(|gap| !gap.is_empty() && gap.len() <= 2 && gap.trim().is_empty())
        });
        for (transform, piece) in &mut made {
            let Some((decoded, from, view_unit, orig_unit)) = digits_of(*transform, digits) else {
                continue;
            };
            let before = piece.text.len();
            if goes_on && before > 0 {
                piece.part_goes_on(run.start);
            }
            piece.bytes(&decoded, run.start + from..run.end, view_unit, orig_unit);
            if piece.text.len() > before {
                if *transform == Transform::Base64 && digits.len() % 4 == 0 && digits.len() >= 60 {
                    wrapped = Some(run.end);
                }
                break;
            }
        }
    }
    pieces.extend(made.into_iter().filter(|(_, piece)| !piece.text.is_empty()));
}

/// The bytes that `digits` stand for, the offset at which they begin, and bytes per unit.
fn digits_of(transform: Transform, digits: &[u8]) -> Option<(Vec<u8>, usize, usize, usize)> {
    match transform {
        Transform::Binary => {
            let all = digits.len() >= 32 && digits.iter().all(|b| matches!(b, b'0' | b'1'));
            all.then(|| (groups(digits, 8, 1, |b| Some(u32::from(b - b'0'))), 0, 1, 8))
        }
        Transform::Hex => {
            let (from, hex) = match digits {
                [b'0', b'x' | b'X', rest @ ..] => (2, rest),
                _ => (0, digits),
            };
            let all = hex.len() >= MIN_HEX && hex.iter().all(u8::is_ascii_hexdigit);
            all.then(|| {
                (
                    groups(hex, 2, 4, |b| char::from(b).to_digit(16)),
                    from,
                    1,
                    2,
                )
            })
        }
        Transform::Base32 => {
            let all = digits
                .iter()
                .all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(b));
            all.then(|| (bits(digits, 5, base32), 0, 5, 8))
        }
        _ => Some((base64(digits), 0, 3, 4)),
    }
}

/// Fewer hexadecimal digits are a number.
const MIN_HEX: usize = 16;

/// Bytes of `size` digits each of `width` bits.
fn groups(digits: &[u8], size: usize, width: u32, value: fn(u8) -> Option<u32>) -> Vec<u8> {
    digits
        .chunks_exact(size)
        .filter_map(|group| {
            group
                .iter()
                .try_fold(0u32, |sum, b| Some(sum << width | value(*b)?))
                .and_then(|byte| u8::try_from(byte).ok())
        })
        .collect()
}

/// Bytes of a stream of digits of `width` bits; stops at a digit that is none.
fn bits(digits: &[u8], width: u32, value: fn(u8) -> Option<u32>) -> Vec<u8> {
    let mut out = Vec::with_capacity(digits.len() * width as usize / 8);
    let (mut held, mut count) = (0u32, 0u32);
    for digit in digits.iter().map_while(|digit| value(*digit)) {
        held = (held << width | digit) & 0xffff;
        count += width;
        if count >= 8 {
            count -= 8;
            out.extend(u8::try_from((held >> count) & 0xff));
        }
    }
    out
}

/// RFC 4648, section 6.
fn base32(digit: u8) -> Option<u32> {
    match digit {
        b'A'..=b'Z' => Some(u32::from(digit - b'A')),
        b'2'..=b'7' => Some(u32::from(digit - b'2') + 26),
        _ => None,
    }
}

/// RFC 4648, sections 4 and 5: both alphabets at once. Every one of `digits` is of these.
fn base64(digits: &[u8]) -> Vec<u8> {
    let value = |digit: &u8| u32::from(VALUES.get(usize::from(*digit)).copied().unwrap_or(0));
    let (fours, rest) = digits.as_chunks::<4>();
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    for four in fours {
        let held = four.iter().fold(0, |held, digit| held << 6 | value(digit));
        let [_, a, b, c] = held.to_be_bytes();
        out.extend([a, b, c]);
    }
    let held = rest.iter().fold(0, |held, digit| held << 6 | value(digit));
    let [_, a, b, _] = (held << (6 * (4 - rest.len()))).to_be_bytes();
    // Six bits of a last digit alone are no byte.
    out.extend([a, b].iter().take(rest.len().saturating_sub(1)));
    out
}

/// The values of the digits of base64; 0 for what is none.
const VALUES: [u8; 256] = {
    let mut values = [0; 256];
    let mut byte = 0u8;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, reason = "a constant: checked when compiled")]
        {
            values[byte as usize] = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => 0,
            };
        }
        byte += 1;
    }
    values
};
