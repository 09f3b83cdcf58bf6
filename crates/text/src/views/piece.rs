use std::ops::Range;

use bartizan_core::Transform;

use crate::OffsetMap;

/// A reading of parts of a parent text that is being put together.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) map: OffsetMap,
    /// End of the last part, in the parent.
    end: usize,
}

/// Readings by transform.
pub(super) type Pieces = Vec<(Transform, Piece)>;

impl Piece {
    /// Starts a part at `at`: parts that do not touch become lines.
    pub(super) fn part(&mut self, at: usize) {
        if !self.text.is_empty() && at != self.end {
            self.map.push(self.text.len(), self.end, 1, 0);
            self.text.push('\n');
        }
        self.end = at;
    }

    /// Lets the next part at `at` go on where the last one ended.
    pub(super) const fn part_goes_on(&mut self, at: usize) {
        self.end = at;
    }

    /// Appends `other`, which ends at `end` of the parent.
    pub(super) fn append(&mut self, other: &Self, end: usize) {
        self.map.append(self.text.len(), &other.map);
        self.text.push_str(&other.text);
        self.end = end;
    }

    /// Writes `text` for as many bytes of the parent from `at` on, byte for byte.
    pub(super) fn put_bytes(&mut self, text: &str, at: usize) {
        if !text.is_empty() {
            self.map.push(self.text.len(), at, 1, 1);
            self.text.push_str(text);
        }
        self.end = at + text.len();
    }

    /// Copies `range` of `parent`.
    pub(super) fn copy(&mut self, parent: &str, range: Range<usize>) {
        if let Some(text) = parent.get(range.clone())
            && !text.is_empty()
        {
            self.map.push(self.text.len(), range.start, 1, 1);
            self.text.push_str(text);
        }
        self.end = range.end;
    }

    /// Writes `text` for `range` of the parent.
    pub(super) fn put(&mut self, text: &str, range: Range<usize>) {
        if !text.is_empty() {
            self.map
                .push(self.text.len(), range.start, text.len(), range.len());
            self.text.push_str(text);
        }
        self.end = range.end;
    }

    /// Writes the plausible text among `bytes`, whose byte `n` stands for the unit
    /// `n / view_unit` of `orig_unit` bytes of `range` of the parent.
    pub(super) fn bytes(
        &mut self,
        bytes: &[u8],
        range: Range<usize>,
        view_unit: usize,
        orig_unit: usize,
    ) {
        // Bytes that happen to be text come in short pieces between others.
        let most = (bytes.len() * 4).div_ceil(5).max(MIN_WHOLE);
        if !holds_text(bytes, most.min(MIN_EMBEDDED)) {
            return;
        }
        let mut at = 0;
        for chunk in bytes.utf8_chunks() {
            let text = chunk.valid();
            let whole = text.len() >= most;
            if (whole || text.len() >= MIN_EMBEDDED) && is_plausible(text) {
                self.part(range.start + at / view_unit * orig_unit);
                self.units(text, at, range.clone(), view_unit, orig_unit);
                self.end = range.end;
            }
            at += text.len() + chunk.invalid().len();
        }
    }

    fn units(&mut self, text: &str, at: usize, range: Range<usize>, view: usize, orig: usize) {
        let base = self.text.len();
        let into = at % view;
        let first = if into == 0 { 0 } else { view - into };
        let start = range.start + at / view * orig;
        if first > 0 {
            self.map.push(base, start, first.min(text.len()), orig);
        }
        if first < text.len() {
            let start = if first > 0 { start + orig } else { start };
            self.map.push(base + first, start, view, orig);
            // The last unit may be cut short, e.g. base64 without padding.
            let whole = (text.len() - first) / view * view;
            let left = range.end.saturating_sub(start + whole / view * orig);
            if first + whole < text.len() && left < orig {
                let rest = text.len() - first - whole;
                self.map.push(
                    base + first + whole,
                    start + whole / view * orig,
                    rest,
                    left,
                );
            }
        }
        self.text.push_str(text);
    }
}

/// Text among other bytes must be this long.
const MIN_EMBEDDED: usize = 24;
/// Text that is most of the bytes must be this long.
const MIN_WHOLE: usize = 8;

/// Whether `least` bytes in a row may be UTF-8 without control characters: sees quickly that most
/// bytes are no text.
fn holds_text(bytes: &[u8], least: usize) -> bool {
    let (mut run, mut before) = (0usize, Byte::Plain);
    for byte in bytes {
        let kind = Byte::of(*byte);
        let goes_on = match (before, kind) {
            (_, Byte::Never) | (Byte::Plain, Byte::Follows) => false,
            (Byte::Leads, other) => other == Byte::Follows,
            _ => true,
        };
        run = if goes_on { run + 1 } else { 0 };
        // What breaks a run may begin the next one.
        if !goes_on && matches!(kind, Byte::Plain | Byte::Leads) {
            run = 1;
        }
        before = if kind == Byte::Never {
            Byte::Plain
        } else {
            kind
        };
        if run >= least {
            return true;
        }
    }
    false
}

/// What UTF-8 (RFC 3629, section 4) makes of a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    /// A character of ASCII that text may hold.
    Plain,
    /// Goes on with a character.
    Follows,
    /// Begins a character of several bytes.
    Leads,
    /// Stands in no text.
    Never,
}

impl Byte {
    #[inline]
    fn of(byte: u8) -> Self {
        BYTES.get(usize::from(byte)).copied().unwrap_or(Self::Never)
    }
}

const BYTES: [Byte; 256] = {
    let mut kinds = [Byte::Never; 256];
    let mut byte = 0;
    while byte < kinds.len() {
        #[expect(clippy::indexing_slicing, reason = "a constant: checked when compiled")]
        {
            kinds[byte] = match byte {
                0..128 if KINDS[byte] != BAD => Byte::Plain,
                0x80..=0xbf => Byte::Follows,
                0xc2..=0xf4 => Byte::Leads,
                _ => Byte::Never,
            };
        }
        byte += 1;
    }
    kinds
};

/// Whether `text` may be what somebody wrote, rather than bytes that happen to be UTF-8.
///
/// At least 4 characters, no control characters, and nine of ten characters are letters, digits,
/// spaces or common punctuation; two of three of those of ASCII are letters, digits or spaces.
pub(super) fn is_plausible(text: &str) -> bool {
    let (mut all, mut common, mut letters) = (0usize, 0usize, 0usize);
    // Plain text is told from a table; the rest of the characters by one.
    let ascii = text.bytes().take_while(u8::is_ascii).count();
    let (plain, rest) = text.split_at_checked(ascii).unwrap_or(("", text));
    for byte in plain.bytes() {
        let kind = KINDS.get(usize::from(byte)).copied().unwrap_or(BAD);
        if kind == BAD {
            return false;
        }
        all += 1;
        common += usize::from(kind >= COMMON);
        letters += usize::from(kind == LETTER);
    }
    for c in rest.chars() {
        all += 1;
        match c {
            '\0'..='\x7f' => {
                let kind = KINDS.get(c as usize).copied().unwrap_or(BAD);
                if kind == BAD {
                    return false;
                }
                common += usize::from(kind >= COMMON);
                letters += usize::from(kind == LETTER);
            }
            '\u{80}'..='\u{9f}' => return false,
            '\u{fffd}' => {}
            _ if c.is_alphanumeric() => {
                letters += 1;
                common += 1;
            }
            _ if u32::from(c) >= 0x2000 => common += 1,
            _ => {}
        }
    }
    all >= 4 && common * 10 >= all * 9 && letters * 2 >= all
}

/// Control characters.
const BAD: u8 = 0;
const RARE: u8 = 1;
const COMMON: u8 = 2;
const LETTER: u8 = 3;

/// How common each character of ASCII is in what people write.
const KINDS: [u8; 128] = {
    let mut kinds = [RARE; 128];
    let mut byte = 0u8;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, reason = "a constant: checked when compiled")]
        {
            kinds[byte as usize] = match byte {
                b'a'..=b'z' | b'A'..=b'Z' => LETTER,
                b'\n' | b'\r' | b'\t' | b' '..=b'@' => COMMON,
                b'[' | b']' | b'{' | b'}' | b'_' | b'|' | b'\\' | b'`' => COMMON,
                0..=0x1f | 0x7f => BAD,
                _ => RARE,
            };
        }
        byte += 1;
    }
    kinds
};
