use super::table::{INDEX, PAGES, RULES, TEXT};

/// What happens to a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Stays, and is no letter that passes for a Latin one.
    Keep,
    /// A letter that stays, with the ASCII letter that it looks like, or 0.
    Letter(u8),
    /// A letter of another alphabet that is replaced, with its look-alike, or 0.
    FoldLetter(&'static str, u8),
    /// Becomes ASCII letters.
    FoldLatin(&'static str),
    /// Becomes something else.
    FoldOther(&'static str),
    /// Goes.
    Remove(Removed),
    /// Goes: a combining mark.
    Mark,
}

/// What kind of character goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    /// Zero-width and filler characters.
    Invisible,
    /// Zero-width joiner and non-joiner: part of many scripts and of emoji.
    Joiner,
    /// Soft hyphen.
    Soft,
    /// Direction marks, embeddings, isolates.
    Bidi,
    /// Direction overrides.
    BidiOverride,
    /// Variation selectors.
    Selector,
    /// Control characters.
    Control,
    /// Tag characters.
    Tag,
}

impl Entry {
    /// The entry of `c`.
    pub(super) fn of(c: char) -> Self {
        let code = u32::from(c);
        let Some(page) = INDEX
            .get((code >> 7) as usize)
            .and_then(|page| PAGES.get(usize::from(*page)))
        else {
            return Self::beyond(code);
        };
        let packed = page.get((code & 0x7f) as usize).copied().unwrap_or(0);
        let payload = packed & 0x1fff;
        match packed >> 13 {
            0 => Self::Keep,
            1 => Self::Letter(u8::try_from(payload).unwrap_or(0)),
            2 => {
                let (text, look) = rule(payload);
                Self::FoldLetter(text, look)
            }
            3 => Self::FoldLatin(rule(payload).0),
            4 => Self::FoldOther(rule(payload).0),
            5 => Self::Remove(match payload {
                0 => Removed::Invisible,
                1 => Removed::Joiner,
                2 => Removed::Soft,
                3 => Removed::Bidi,
                4 => Removed::BidiOverride,
                5 => Removed::Selector,
                _ => Removed::Control,
            }),
            _ => Self::Mark,
        }
    }

    const fn beyond(code: u32) -> Self {
        match code {
            0xe0100..=0xe01ef => Self::Remove(Removed::Selector),
            0xe0000..=0xe007f => Self::Remove(Removed::Tag),
            0xe0080..=0xe0fff => Self::Remove(Removed::Invisible),
            _ => Self::Keep,
        }
    }
}

fn rule(number: u16) -> (&'static str, u8) {
    let [look, length, low, high] = RULES
        .get(usize::from(number))
        .copied()
        .unwrap_or(0)
        .to_le_bytes();
    let offset = usize::from(u16::from_le_bytes([low, high]));
    let text = TEXT
        .get(offset..offset + usize::from(length))
        .unwrap_or_default();
    (text, look)
}
