use std::borrow::Cow;

use bartizan_core::Span;

use super::{
    Disguises, Folded,
    disguises::DisguiseKind,
    entry::{Entry, Removed},
    is_special, plain_len,
};
use crate::{OffsetMap, view::Mark};

/// Folds one text from left to right.
///
/// Bytes that stay are copied in runs: `kept` is where the run began that is not copied yet.
#[derive(Default)]
pub(super) struct Folder {
    out: String,
    map: OffsetMap,
    kept: usize,
    word: Option<Word>,
    /// Whether the last word was Latin, as written or as folded.
    after_latin: bool,
    hidden: Hidden,
    disguises: Disguises,
}

/// A word that may have to be read again with its look-alikes folded.
struct Word {
    start: usize,
    out_len: usize,
    mark: Mark,
    latin: bool,
    /// Letters that look like ASCII ones.
    looks: u32,
    /// Letters of other alphabets that do not.
    others: u32,
    /// A Latin letter follows a look-alike: no inflected foreign name.
    looks_before_latin: bool,
}

/// A run of characters that go, until it is known what follows.
#[derive(Default)]
struct Hidden {
    start: usize,
    end: usize,
    invisible: u32,
    joiners: u32,
    controls: u32,
    selectors: u32,
    tags: u32,
    overrides: u32,
    marks: u32,
    /// What stood before.
    after: Before,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Before {
    /// The start, a space, or anything else.
    #[default]
    Other,
    /// A letter or digit of ASCII, or one that folded to it.
    Latin,
    /// A letter of Greek, Cyrillic and their like.
    Letter,
    /// A black flag, which tags may follow.
    Flag,
}

impl Folder {
    pub(super) fn fold(mut self, raw: &[u8]) -> Folded<'_> {
        self.out.reserve(raw.len());
        let mut at = 0;
        for chunk in raw.utf8_chunks() {
            self.valid(raw, at, chunk.valid());
            at += chunk.valid().len();
            let invalid = chunk.invalid().len();
            if invalid > 0 {
                self.end_word(raw, at);
                self.seen(Before::Other);
                self.replace(raw, at, at + invalid, "\u{fffd}");
                at += invalid;
            }
        }
        self.end_word(raw, raw.len());
        self.seen(Before::Other);
        if self.kept == 0
            && self.map.is_identity()
            && self.out.is_empty()
            && let Ok(text) = std::str::from_utf8(raw)
        {
            return Folded {
                text: Cow::Borrowed(text),
                map: self.map,
                disguises: self.disguises,
            };
        }
        self.flush(raw, raw.len());
        Folded {
            text: Cow::Owned(self.out),
            map: self.map,
            disguises: self.disguises,
        }
    }

    /// Folds `text`, which stands at `base` of `raw`.
    fn valid(&mut self, raw: &[u8], base: usize, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(rest) = bytes.get(at..) {
            let Some(&first) = rest.first() else { break };
            if !is_special(first) {
                let run = plain_len(rest);
                self.ascii(raw, base + at, rest.get(..run).unwrap_or_default());
                at += run;
            } else if first < 0x80 {
                self.remove(raw, base + at, 1, Removed::Control);
                at += 1;
            } else {
                let Some(c) = decode(rest) else { break };
                self.other(raw, base + at, c);
                at += c.len_utf8();
            }
        }
    }

    /// A run of ASCII that stays.
    fn ascii(&mut self, raw: &[u8], start: usize, run: &[u8]) {
        let end = start + run.len();
        let begins = run.first().is_some_and(u8::is_ascii_alphanumeric);
        self.seen(if begins { Before::Latin } else { Before::Other });
        let mut head = 0;
        if let Some(word) = &mut self.word {
            for byte in run.iter().take_while(|byte| byte.is_ascii_alphanumeric()) {
                head += 1;
                if byte.is_ascii_alphabetic() {
                    word.latin = true;
                    word.looks_before_latin |= word.looks > 0;
                }
            }
            if head == run.len() {
                self.hidden.after = Before::Latin;
                return;
            }
            self.end_word(raw, start + head);
        }
        let rest = run.get(head..).unwrap_or_default();
        let tail = rest
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let before = rest.get(..rest.len() - tail).unwrap_or_default();
        if before
            .iter()
            .rev()
            .take(WORD_GAP)
            .any(u8::is_ascii_alphabetic)
        {
            self.after_latin = true;
        } else if before.len() > WORD_GAP {
            self.after_latin = false;
        }
        if tail > 0 {
            let mut word = self.open_word(end - tail);
            word.latin = rest.iter().rev().take(tail).any(u8::is_ascii_alphabetic);
            self.word = Some(word);
        }
        self.hidden.after = match rest.last() {
            Some(last) if last.is_ascii_alphanumeric() => Before::Latin,
            _ => Before::Other,
        };
    }

    /// A character that is not ASCII.
    fn other(&mut self, raw: &[u8], at: usize, c: char) {
        let end = at + c.len_utf8();
        match Entry::of(c) {
            Entry::Keep => {
                self.end_word(raw, at);
                self.after_latin = false;
                self.seen(if c == BLACK_FLAG {
                    Before::Flag
                } else {
                    Before::Other
                });
            }
            Entry::Letter(look) => {
                self.letter(at, look);
                self.seen(Before::Letter);
            }
            Entry::FoldLetter(text, look) => {
                self.letter(at, look);
                self.seen(Before::Letter);
                self.replace(raw, at, end, text);
            }
            Entry::FoldLatin(text) => {
                self.open(at).latin();
                self.seen(Before::Latin);
                self.replace(raw, at, end, text);
            }
            Entry::FoldOther(text) => {
                // A digit of another script is part of the word as an ASCII digit is.
                if !text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
                    self.end_word(raw, at);
                }
                self.seen(Before::Other);
                self.replace(raw, at, end, text);
            }
            Entry::Remove(kind) => self.remove(raw, at, c.len_utf8(), kind),
            Entry::Mark => {
                self.hide(at, end).marks += 1;
                self.replace(raw, at, end, "");
            }
        }
    }

    fn letter(&mut self, at: usize, look: u8) {
        let word = self.open(at);
        if look == 0 {
            word.others += 1;
        } else {
            word.looks += 1;
        }
    }

    fn open(&mut self, at: usize) -> &mut Word {
        if self.word.is_none() {
            self.word = Some(self.open_word(at));
        }
        self.word.get_or_insert_with(Word::default)
    }

    fn open_word(&self, start: usize) -> Word {
        Word {
            start,
            // What will have been written by then: bytes not copied yet stay as they are.
            out_len: self.out.len() + (start - self.kept),
            mark: self.map.mark(),
            ..Word::default()
        }
    }

    /// Ends the open word before `end`, and reads it again if it was a Latin one in disguise.
    fn end_word(&mut self, raw: &[u8], end: usize) {
        let Some(word) = self.word.take() else { return };
        let disguised = word.looks > 0 && (word.latin || (word.others == 0 && self.after_latin));
        self.after_latin = disguised || word.latin;
        if !disguised {
            return;
        }
        if word.looks_before_latin && end - word.start >= MIN_MIXED_BYTES {
            let span = Span::from_range(word.start..end);
            self.disguises
                .add(DisguiseKind::MixedScript, span, word.looks);
        }
        self.rewind(raw, &word);
        let again = raw
            .get(word.start..end)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default();
        for (offset, c) in again.char_indices() {
            let (from, to) = (word.start + offset, word.start + offset + c.len_utf8());
            if c.is_ascii() {
                if u8::try_from(c).is_ok_and(is_special) {
                    self.replace(raw, from, to, "");
                }
                continue;
            }
            match Entry::of(c) {
                Entry::Letter(look) | Entry::FoldLetter(_, look) if look > 0 => {
                    let ascii = [look];
                    let ascii = std::str::from_utf8(&ascii).unwrap_or_default();
                    self.replace(raw, from, to, ascii);
                }
                Entry::FoldLetter(text, _) | Entry::FoldLatin(text) | Entry::FoldOther(text) => {
                    self.replace(raw, from, to, text);
                }
                Entry::Remove(_) | Entry::Mark => self.replace(raw, from, to, ""),
                Entry::Keep | Entry::Letter(_) => {}
            }
        }
    }

    /// Undoes everything from the start of `word` on.
    fn rewind(&mut self, raw: &[u8], word: &Word) {
        if self.kept <= word.start {
            self.flush(raw, word.start);
        } else {
            self.out.truncate(word.out_len);
            self.map.rewind(&word.mark);
        }
        self.kept = word.start;
    }

    fn remove(&mut self, raw: &[u8], at: usize, len: usize, kind: Removed) {
        let hidden = self.hide(at, at + len);
        match kind {
            Removed::Invisible => hidden.invisible += 1,
            Removed::Joiner => hidden.joiners += 1,
            Removed::Control => hidden.controls += 1,
            Removed::Selector => hidden.selectors += 1,
            Removed::Tag => hidden.tags += 1,
            Removed::BidiOverride => hidden.overrides += 1,
            // Part of ordinary web pages and of right-to-left text.
            Removed::Soft | Removed::Bidi => {}
        }
        self.replace(raw, at, at + len, "");
    }

    fn hide(&mut self, at: usize, end: usize) -> &mut Hidden {
        if self.hidden.end == 0 {
            self.hidden.start = at;
        }
        self.hidden.end = end;
        &mut self.hidden
    }

    /// Notes what comes next, and judges the run of hidden characters before it.
    fn seen(&mut self, next: Before) {
        if self.hidden.end != 0 {
            let hidden = std::mem::take(&mut self.hidden);
            for (kind, count) in hidden.judge(next) {
                if count > 0 {
                    let span = Span::from_range(hidden.start..hidden.end);
                    self.disguises.add(kind, span, count);
                }
            }
        }
        self.hidden.after = next;
    }

    /// Writes `text` for the bytes `from..to`.
    fn replace(&mut self, raw: &[u8], from: usize, to: usize, text: &str) {
        self.flush(raw, from);
        self.kept = to;
        let at = self.out.len();
        self.out.push_str(text);
        // One character for another of its length moves nothing.
        if text.len() != to - from || text.chars().nth(1).is_some() {
            self.map.replaced(at, text.len(), from, to);
        }
    }

    /// Copies what stays before `end`.
    fn flush(&mut self, raw: &[u8], end: usize) {
        let kept = raw
            .get(self.kept..end)
            .and_then(|bytes| std::str::from_utf8(bytes).ok());
        if let Some(kept) = kept {
            self.out.push_str(kept);
        }
        self.kept = end;
    }
}

impl Hidden {
    /// Which of the hidden characters between two others hide something.
    fn judge(&self, next: Before) -> [(DisguiseKind, u32); 6] {
        let inside = |side: Before| matches!(side, Before::Latin | Before::Letter);
        let between = inside(self.after) && inside(next);
        let latin = self.after == Before::Latin && next == Before::Latin;
        let when = |condition: bool, count: u32| if condition { count } else { 0 };
        let flag = self.after == Before::Flag && self.tags <= MAX_FLAG_TAGS;
        let styled = self.selectors == 1 && self.after != Before::Letter && !latin;
        [
            (
                DisguiseKind::Invisible,
                when(between, self.invisible) + when(latin, self.joiners),
            ),
            (DisguiseKind::BidiOverride, self.overrides),
            (DisguiseKind::Tags, when(!flag, self.tags)),
            (
                DisguiseKind::VariationSelectors,
                when(!styled, self.selectors),
            ),
            (
                DisguiseKind::CombiningMarks,
                when(self.marks >= MIN_PILE && inside(self.after), self.marks),
            ),
            (DisguiseKind::Control, when(between, self.controls)),
        ]
    }
}

impl Word {
    const fn latin(&mut self) {
        self.latin = true;
        if self.looks > 0 {
            self.looks_before_latin = true;
        }
    }
}

impl Default for Word {
    fn default() -> Self {
        Self {
            start: 0,
            out_len: 0,
            mark: Mark::default(),
            latin: false,
            looks: 0,
            others: 0,
            looks_before_latin: false,
        }
    }
}

/// The character that tag characters turn into a flag of a region.
const BLACK_FLAG: char = '\u{1f3f4}';
/// Tags of the longest flag: a region of six characters and the end.
const MAX_FLAG_TAGS: u32 = 7;
/// Marks on one letter that no orthography needs; Vietnamese takes two.
const MIN_PILE: u32 = 3;
/// Bytes between two words that still follow each other.
const WORD_GAP: usize = 8;
/// Shorter words that mix alphabets are formulas and units.
const MIN_MIXED_BYTES: usize = 5;

/// The first character of `bytes`, which are valid UTF-8.
fn decode(bytes: &[u8]) -> Option<char> {
    let low = |byte: &u8| u32::from(byte & 0x3f);
    let code = match bytes {
        [a, b, ..] if *a < 0xe0 => u32::from(a & 0x1f) << 6 | low(b),
        [a, b, c, ..] if *a < 0xf0 => u32::from(a & 0xf) << 12 | low(b) << 6 | low(c),
        [a, b, c, d, ..] => u32::from(a & 7) << 18 | low(b) << 12 | low(c) << 6 | low(d),
        _ => return None,
    };
    char::from_u32(code)
}
