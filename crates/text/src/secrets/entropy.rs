//! How random a string looks.
//!
//! Shannon entropy alone cannot tell a key from a long identifier, so a string must also change
//! its character class often, and neither count up nor repeat itself.

/// Shannon entropy of `bytes` in bits per byte, `[0, 8]`: `H = log2 n - (1/n) * sum c log2 c` over
/// the counts `c` of the distinct bytes (Shannon 1948, section 6).
#[must_use]
pub fn shannon(bytes: &[u8]) -> f32 {
    if bytes.is_empty() {
        return 0.0;
    }
    let mut counts = [0u16; 256];
    for &byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count = count.saturating_add(1);
        }
    }
    let n = f32::from(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
    let sum: f32 = counts
        .iter()
        .filter(|&&count| count > 1)
        .map(|&count| f32::from(count) * f32::from(count).log2())
        .sum();
    n.log2() - sum / n
}

/// The alphabet that a string seems to be drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Decimal digits.
    Digits,
    /// Hexadecimal digits of one case.
    Hex,
    /// Letters of one case and digits.
    OneCase,
    /// Letters of both cases, digits, and punctuation.
    Mixed,
}

impl Alphabet {
    /// The smallest alphabet that holds all of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let all = |test: fn(&u8) -> bool| bytes.iter().all(test);
        if all(u8::is_ascii_digit) {
            Self::Digits
        } else if all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            || all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'))
        {
            Self::Hex
        } else if all(|b| !b.is_ascii_uppercase()) || all(|b| !b.is_ascii_lowercase()) {
            Self::OneCase
        } else {
            Self::Mixed
        }
    }

    const fn size(self) -> f32 {
        match self {
            Self::Digits => 10.0,
            Self::Hex => 16.0,
            Self::OneCase => 36.0,
            Self::Mixed => 62.0,
        }
    }

    /// The entropy in bits per byte that a random string of `len` bytes over this alphabet hardly
    /// ever falls below: four fifths of the most that it can have, `log2 min(len, alphabet)`.
    #[must_use]
    pub fn floor(self, len: usize) -> f32 {
        let len = f32::from(u16::try_from(len.max(1)).unwrap_or(u16::MAX));
        0.8 * len.min(self.size()).log2()
    }
}

/// Whether `value` looks drawn at random rather than written: enough entropy for its length and
/// alphabet, letters as well as digits or both cases, frequent changes between them, not counting
/// up, not repeating itself.
#[must_use]
pub fn looks_random(value: &[u8]) -> bool {
    let core = value.trim_ascii_end_matches(b'=');
    if core.len() < 12 || is_sequential(core) || is_repeated(core) {
        return false;
    }
    let alphabet = Alphabet::of(core);
    if alphabet == Alphabet::Digits || shannon(core) < alphabet.floor(core.len()) {
        return false;
    }
    changes(core) * 6 >= core.len() && longest_word(core) < 12
}

/// Places where the class of characters changes: lower case, upper case, digit, other. The step
/// from a capital to small letters does not count, since words start with one.
#[must_use]
pub fn changes(value: &[u8]) -> usize {
    let class = |byte: &u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let separator = |byte: &u8| matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b' ');
    value
        .array_windows()
        .filter(|[a, b]| {
            class(a) != class(b) && (class(a), class(b)) != (1, 0) && !separator(a) && !separator(b)
        })
        .count()
}

/// Longest run of letters that reads as a word: of one case, perhaps with a capital first.
fn longest_word(value: &[u8]) -> usize {
    let mut longest = 0;
    let mut run = 0;
    let mut previous = b' ';
    for &byte in value {
        run = match byte {
            b'a'..=b'z' if previous.is_ascii_alphabetic() => run + 1,
            b'A'..=b'Z' if previous.is_ascii_uppercase() => run + 1,
            _ if byte.is_ascii_alphabetic() => 1,
            _ => 0,
        };
        longest = longest.max(run);
        previous = byte;
    }
    longest
}

/// Whether `value` counts up, down, or stands still most of the time, or for six bytes or more.
#[must_use]
pub fn is_sequential(value: &[u8]) -> bool {
    let (mut steps, mut up, mut down, mut longest) = (0, 1, 1, 1);
    for [a, b] in value.array_windows() {
        let (rises, falls) = (*b == a.wrapping_add(1), *a == b.wrapping_add(1));
        // `...789` goes on with `0`.
        let wraps = (*a, *b) == (b'9', b'0');
        steps += usize::from(rises || falls || a == b);
        up = if rises || wraps { up + 1 } else { 1 };
        down = if falls { down + 1 } else { 1 };
        longest = up.max(down).max(longest);
    }
    longest >= 6 || (value.len() >= 4 && steps * 2 >= value.len())
}

/// Whether `value` is one short piece over and over, or holds the same byte six times in a row.
#[must_use]
pub fn is_repeated(value: &[u8]) -> bool {
    let same = |[a, b, c, d, e, f]: &[u8; 6]| a == b && b == c && c == d && d == e && e == f;
    value.array_windows().any(same)
        || (1..=value.len() / 3).take(16).any(|period| {
            value
                .iter()
                .zip(value.iter().skip(period))
                .all(|(a, b)| a == b)
        })
}

trait TrimEnd {
    fn trim_ascii_end_matches(&self, byte: u8) -> &Self;
}

impl TrimEnd for [u8] {
    fn trim_ascii_end_matches(&self, byte: u8) -> &Self {
        let mut rest = self;
        while let [head @ .., last] = rest
            && *last == byte
        {
            rest = head;
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_of_known_strings() {
        assert!((shannon(b"aaaa") - 0.0).abs() < 1e-6);
        assert!((shannon(b"abcd") - 2.0).abs() < 1e-6);
        assert!((shannon(b"aabb") - 1.0).abs() < 1e-6);
        assert!(shannon(b"").abs() < 1e-6);
    }

    #[test]
    fn random_strings_look_random() {
        for value in [
            "q7Rk2ZpX9vLm4TbW",
            "9f86d081884c7d659a2feaa0c55ad015",
            "x1p9z7k3w5m2q8r4t6v0",
        ] {
            assert!(looks_random(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn written_strings_do_not() {
        for value in [
            "getAuthenticationTokenFromRequest",
            "authentication_token_header_name",
            "1234567890abcdef",
            "deadbeefdeadbeefdeadbeef",
            "00000000000000000000",
            "ABCDEFGHIJKLMNOP",
            "my-very-long-resource-name-1",
            "2024010112345678",
        ] {
            assert!(!looks_random(value.as_bytes()), "{value}");
        }
    }
}
