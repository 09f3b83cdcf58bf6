//! Folds text so that ASCII patterns see what a reader sees.
//!
//! Compatibility forms (NFKC), accents, invisible characters, controls, and non-ASCII digits and
//! punctuation always fold. Letters that only look like ASCII ones (UTS 39) fold word by word:
//! in a word that also holds a Latin letter, or in one made wholly of look-alikes that follows a
//! Latin word. So Russian and Greek stay what they are, and a disguised English word does not.

mod disguises;
mod entry;
mod folder;
mod table;

pub(crate) use disguises::Disguises;
pub use disguises::{Disguise, DisguiseKind};

use std::borrow::Cow;

use entry::Entry;
use folder::Folder;

use crate::OffsetMap;

/// What folding made of a text.
pub(crate) struct Folded<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) map: OffsetMap,
    pub(crate) disguises: Disguises,
}

/// Folds `raw`; borrows when there is nothing to fold.
pub(crate) fn fold(raw: &[u8]) -> Folded<'_> {
    if is_plain(raw)
        && let Ok(text) = std::str::from_utf8(raw)
    {
        return Folded {
            text: Cow::Borrowed(text),
            map: OffsetMap::identity(),
            disguises: Disguises::default(),
        };
    }
    Folder::default().fold(raw)
}

/// Folds a literal of a pattern the way the text is folded that it shall match.
#[must_use]
pub fn fold_str(text: &str) -> String {
    fold(text.as_bytes()).text.into_owned()
}

/// What a reader may take a character for, wherever it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing: it is invisible, a control character, or a combining mark.
    Nothing,
    /// An ASCII letter that it looks like.
    Letter(u8),
    /// The text that it folds to.
    Text(&'static str),
    /// Itself.
    Itself,
}

/// What a reader may take `c` for; folding itself takes the word around it into account.
pub(crate) fn seen(c: char) -> Seen {
    // The table is for what is not ASCII.
    if c.is_ascii() {
        let stays = u8::try_from(c).is_ok_and(|byte| !is_special(byte));
        return if stays { Seen::Itself } else { Seen::Nothing };
    }
    match Entry::of(c) {
        Entry::Keep | Entry::Letter(0) => Seen::Itself,
        Entry::Letter(look) | Entry::FoldLetter(_, look @ 1..) => Seen::Letter(look),
        Entry::FoldLetter(text, 0) | Entry::FoldLatin(text) | Entry::FoldOther(text) => {
            Seen::Text(text)
        }
        Entry::Remove(_) | Entry::Mark => Seen::Nothing,
    }
}

/// Whether `raw` is ASCII without control characters other than tab and line ends.
fn is_plain(raw: &[u8]) -> bool {
    // Small blocks leave early; within one there is no branch, so that it vectorises.
    raw.chunks(256).all(|block| {
        block
            .iter()
            .fold(0u8, |any, &byte| any | u8::from(is_special(byte)))
            == 0
    })
}

/// Whether `byte` is not ASCII, or a control character that text does not need.
const fn is_special(byte: u8) -> bool {
    (byte.wrapping_sub(0x20) > 0x5e) & (byte != b'\n') & (byte != b'\r') & (byte != b'\t')
}

/// Length of the run of bytes at the start of `bytes` that stay as they are.
fn plain_len(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<16>();
    let whole = blocks
        .iter()
        .take_while(|block| {
            block
                .iter()
                .fold(0u8, |any, &byte| any | u8::from(is_special(byte)))
                == 0
        })
        .count()
        * 16;
    whole
        + bytes
            .iter()
            .skip(whole)
            .take_while(|byte| !is_special(**byte))
            .count()
}

#[cfg(test)]
mod tests;
