/// An estimate of the tokens of a text, within about a third for the usual byte-pair vocabularies:
/// 4 bytes of a Latin word, 3 digits, a mark, or a character of another script each.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenEstimate {
    whole: usize,
    quarters: usize,
}

impl TokenEstimate {
    /// The estimate for a text.
    #[must_use]
    pub fn of(text: &str) -> usize {
        let mut estimate = Self::default();
        text.chars().for_each(|character| estimate.add(character));
        estimate.count()
    }

    pub(super) fn add(&mut self, character: char) {
        match character {
            'a'..='z' | 'A'..='Z' => self.quarters += 1,
            '0'..='9' => self.quarters += 2,
            // White space goes with the word after it.
            ' ' | '\n' | '\t' | '\r' => self.quarters += 1,
            '\u{80}'..='\u{24f}' => self.quarters += 2,
            _ => self.whole += 1,
        }
    }

    pub(super) const fn count(self) -> usize {
        self.whole + self.quarters.div_ceil(4)
    }
}
