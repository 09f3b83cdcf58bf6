//! What characters are, of the scripts of most languages: looked up, since the tables of the
//! standard library are searched, which costs as much as a word for each character.

use std::sync::OnceLock;

/// What one character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traits(u8);

const ALPHANUMERIC: u8 = 1;
const UPPER: u8 = 1 << 1;
const LOWER: u8 = 1 << 2;
const WHITE: u8 = 1 << 3;
/// Its lower case is itself.
const SMALL: u8 = 1 << 4;

impl Traits {
    /// Those of `c`.
    #[inline]
    pub(super) fn of(c: char) -> Self {
        let code = c as usize;
        let Some(page) = PAGES.get(code / PAGE) else {
            return Self::told(c);
        };
        let page = page.get_or_init(|| read(code / PAGE));
        page.get(code % PAGE).copied().unwrap_or(Self(0))
    }

    /// As the standard library tells them.
    fn told(c: char) -> Self {
        let when = |is: bool, bit: u8| if is { bit } else { 0 };
        Self(
            when(c.is_alphanumeric(), ALPHANUMERIC)
                | when(c.is_uppercase(), UPPER)
                | when(c.is_lowercase(), LOWER)
                | when(c.is_whitespace(), WHITE)
                | when(c.to_lowercase().eq([c]), SMALL),
        )
    }

    #[inline]
    pub(super) const fn is_alphanumeric(self) -> bool {
        self.0 & ALPHANUMERIC != 0
    }

    #[inline]
    pub(super) const fn is_uppercase(self) -> bool {
        self.0 & UPPER != 0
    }

    #[inline]
    pub(super) const fn is_lowercase(self) -> bool {
        self.0 & LOWER != 0
    }

    #[inline]
    pub(super) const fn is_whitespace(self) -> bool {
        self.0 & WHITE != 0
    }

    /// Whether its lower case is itself.
    #[inline]
    pub(super) const fn is_small(self) -> bool {
        self.0 & SMALL != 0
    }
}

/// Characters that are read together, when the first of them is met.
const PAGE: usize = 128;

/// Up to U+1FFFF: every living script, signs, and emoji.
static PAGES: [OnceLock<[Traits; PAGE]>; 0x2_0000 / PAGE] =
    [const { OnceLock::new() }; 0x2_0000 / PAGE];

fn read(page: usize) -> [Traits; PAGE] {
    std::array::from_fn(|place| {
        let code = u32::try_from(page * PAGE + place).ok();
        code.and_then(char::from_u32)
            .map_or(Traits(0), Traits::told)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_what_the_standard_library_says() {
        for c in '\0'..=char::MAX {
            assert_eq!(Traits::of(c), Traits::told(c), "{c:?}");
        }
    }
}
