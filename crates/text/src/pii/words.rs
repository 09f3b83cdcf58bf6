//! Bytes and letters around a place in UTF-8 text.

/// The byte at `index`, or 0 outside the text.
#[inline]
pub(super) fn at(text: &[u8], index: usize) -> u8 {
    text.get(index).copied().unwrap_or(0)
}

/// The character that ends before byte `end`.
#[inline]
pub(super) fn last_char(text: &[u8], end: usize) -> Option<char> {
    let last = *text.get(end.checked_sub(1)?)?;
    if last < 0x80 {
        return Some(char::from(last));
    }
    let floor = end.saturating_sub(4);
    let start = (floor..end)
        .rev()
        .find(|index| at(text, *index) & 0xc0 != 0x80)?;
    std::str::from_utf8(text.get(start..end)?)
        .ok()?
        .chars()
        .next()
}

/// The character that starts at byte `start`.
#[inline]
pub(super) fn next_char(text: &[u8], start: usize) -> Option<char> {
    let width = match *text.get(start)? {
        ascii @ 0..0x80 => return Some(char::from(ascii)),
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    std::str::from_utf8(text.get(start..start + width)?)
        .ok()?
        .chars()
        .next()
}

/// Letters in a row from byte `start` on; counts to 8.
pub(super) fn letter_after(text: &[u8], start: usize) -> usize {
    let mut index = start;
    let mut count = 0;
    while count < 8
        && let Some(letter) = next_char(text, index).filter(|letter| letter.is_alphabetic())
    {
        index += letter.len_utf8();
        count += 1;
    }
    count
}

/// The first byte of the run of ASCII letters and digits that holds or ends at `index`, at most
/// `limit` bytes before it.
#[inline]
pub(super) fn run_start(text: &[u8], index: usize, limit: usize) -> usize {
    let floor = index.saturating_sub(limit);
    let mut start = index;
    while start > floor && at(text, start - 1).is_ascii_alphanumeric() {
        start -= 1;
    }
    start
}

/// One past the run of ASCII letters and digits from `index` on.
#[inline]
pub(super) fn run_end(text: &[u8], index: usize) -> usize {
    let rest = text.get(index..).unwrap_or_default();
    index
        + rest
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric())
            .unwrap_or(rest.len())
}
