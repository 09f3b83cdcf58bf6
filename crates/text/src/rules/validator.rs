//! Tests that a matched text must pass.

/// A test by name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validator {
    pub(super) name: &'static str,
    pub(super) test: fn(&[u8]) -> bool,
}

/// Every test that rules may name.
pub(super) const VALIDATORS: [Validator; 2] = [
    Validator {
        name: "luhn",
        test: luhn,
    },
    Validator {
        name: "mod97",
        test: mod97,
    },
];

pub(super) fn named(name: &str) -> Option<Validator> {
    VALIDATORS
        .into_iter()
        .find(|validator| validator.name == name)
}

/// ISO/IEC 7812-1 annex B: from the right, every second digit doubled, sum divisible by 10.
fn luhn(text: &[u8]) -> bool {
    let digits = text.iter().rev().filter(|byte| byte.is_ascii_digit());
    let sum: u32 = digits
        .enumerate()
        .map(|(index, byte)| match (u32::from(byte - b'0'), index % 2) {
            (digit, 0) => digit,
            (digit, _) if digit > 4 => 2 * digit - 9,
            (digit, _) => 2 * digit,
        })
        .sum();
    sum > 0 && sum.is_multiple_of(10)
}

/// ISO 7064 MOD 97-10 as in ISO 13616 (IBAN): first four characters to the end, letters as 10 to
/// 35, remainder 1.
fn mod97(text: &[u8]) -> bool {
    let compact: Vec<u8> = text
        .iter()
        .copied()
        .filter(u8::is_ascii_alphanumeric)
        .collect();
    let Some((head, tail)) = compact.split_at_checked(4) else {
        return false;
    };
    let remainder = tail.iter().chain(head).fold(0_u32, |rest, byte| {
        let value = (*byte as char).to_digit(36).unwrap_or(0);
        let shift = if value > 9 { 100 } else { 10 };
        (rest * shift + value) % 97
    });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits() {
        assert!(luhn(b"4111 1111 1111 1111"));
        assert!(!luhn(b"4111 1111 1111 1112"));
        assert!(!luhn(b"0000"));
        assert!(mod97(b"DE89 3704 0044 0532 0130 00"));
        assert!(!mod97(b"DE88 3704 0044 0532 0130 00"));
    }
}
