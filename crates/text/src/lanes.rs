//! Sixty-four bytes of a text at once: one bit for each byte of a class.
//!
//! Every scan of this crate asks first where letters, digits, or signs stand: a handful of vector
//! instructions for each block.

use wide::u8x16;

/// Bytes of a block.
pub(crate) const BLOCK: usize = 64;

/// Sixteen bytes; comparisons answer with all bits of a byte, or none.
#[derive(Clone, Copy)]
pub(crate) struct Lanes(u8x16);

/// One bit for each byte of `block` for which `class` answers, the first byte lowest.
#[inline]
pub(crate) fn bits(block: &[u8; BLOCK], class: impl Fn(Lanes) -> Lanes) -> u64 {
    let (parts, _) = block.as_chunks::<16>();
    let [a, b, c, d] = parts else { return 0 };
    let of = |part: &[u8; 16]| u64::from(class(Lanes(u8x16::new(*part))).0.to_bitmask());
    of(a) | of(b) << 16 | of(c) << 32 | of(d) << 48
}

impl Lanes {
    /// Those from `low` to `high`.
    #[inline]
    pub(crate) fn within(self, low: u8, high: u8) -> Self {
        let from_low = self.0 - u8x16::splat(low);
        let most = u8x16::splat(high.wrapping_sub(low));
        Self(from_low.min(most).simd_eq(from_low))
    }

    /// ASCII letters.
    #[inline]
    pub(crate) fn letters(self) -> Self {
        Self(self.0 | u8x16::splat(0x20)).within(b'a', b'z')
    }

    /// ASCII digits.
    #[inline]
    pub(crate) fn digits(self) -> Self {
        self.within(b'0', b'9')
    }

    /// Those that are not ASCII.
    #[inline]
    pub(crate) const fn foreign(self) -> Self {
        // The upper bit is the answer.
        self
    }

    /// Those that are `byte`.
    #[inline]
    pub(crate) fn is(self, byte: u8) -> Self {
        Self(self.0.simd_eq(u8x16::splat(byte)))
    }
}

impl std::ops::BitOr for Lanes {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A class, and the same a byte at a time.
    type Class = (fn(Lanes) -> Lanes, fn(u8) -> bool);

    #[test]
    fn every_byte_is_of_its_classes_wherever_it_stands() {
        let classes: [Class; 6] = [
            (Lanes::letters, |byte| byte.is_ascii_alphabetic()),
            (Lanes::digits, |byte| byte.is_ascii_digit()),
            (Lanes::foreign, |byte| byte >= 0x80),
            (
                |lanes| lanes.within(0x80, 0xbf),
                |byte| (0x80..=0xbf).contains(&byte),
            ),
            (|lanes| lanes.within(0, b' '), |byte| byte <= b' '),
            (
                |lanes| lanes.is(b'@') | lanes.is(0),
                |byte| matches!(byte, b'@' | 0),
            ),
        ];
        for byte in 0..=u8::MAX {
            for place in [0, 15, 16, 47, 63] {
                let mut block = [b'+'; BLOCK];
                block[place] = byte;
                for (fast, plain) in classes {
                    let expected = (0..BLOCK).filter(|at| plain(block[*at]));
                    let expected = expected.fold(0u64, |bits, at| bits | 1 << at);
                    assert_eq!(bits(&block, fast), expected, "{byte} at {place}");
                }
            }
        }
    }
}
