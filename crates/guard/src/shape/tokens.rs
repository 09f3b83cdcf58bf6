/// An estimate of the tokens of a text, within about a third for the usual byte-pair vocabularies:
/// 4 bytes of a Latin word, 2 digits, a mark, or a character of another script each.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenEstimate {
    quarters: usize,
}

impl TokenEstimate {
    /// The estimate for a text.
    #[must_use]
    pub fn of(text: &str) -> usize {
        let quarters = text.bytes().map(|byte| usize::from(quarters(byte))).sum();
        Self { quarters }.count()
    }

    pub(super) fn add(&mut self, character: char) {
        let mut bytes = [0; 4];
        let first = character.encode_utf8(&mut bytes).bytes().next();
        self.quarters += usize::from(first.map_or(0, quarters));
    }

    pub(super) const fn count(self) -> usize {
        self.quarters.div_ceil(4)
    }
}

/// Quarters of a token that the character costs whose encoding `byte` begins; none inside of one.
fn quarters(byte: u8) -> u8 {
    QUARTERS.get(usize::from(byte)).copied().unwrap_or(4)
}

const QUARTERS: [u8; 256] = {
    let mut quarters = [4; 256];
    let mut byte = 0u8;
    loop {
        #[expect(clippy::indexing_slicing, reason = "a constant: checked when compiled")]
        {
            quarters[byte as usize] = match byte {
                // White space goes with the word after it.
                b'a'..=b'z' | b'A'..=b'Z' | b' ' | b'\n' | b'\t' | b'\r' => 1,
                b'0'..=b'9' => 2,
                0x80..=0xbf => 0,
                // U+0080 to U+027F: the rest of Latin.
                0xc2..=0xc9 => 2,
                _ => 4,
            };
        }
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    quarters
};
