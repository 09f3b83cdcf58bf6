//! Check-digit algorithms that several countries share.

/// The values of `N` ASCII digits; `None` for any other length or byte.
pub(super) fn digits<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    let ascii: [u8; N] = value.try_into().ok()?;
    ascii
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| ascii.map(|byte| byte - b'0'))
}

/// The number that decimal `digits` spell; at most 19 of them.
pub(super) fn number(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |total, &digit| total * 10 + u64::from(digit))
}

/// The sum of each value times its weight, up to the shorter of both.
pub(super) fn weighted(values: &[u8], weights: &[u8]) -> u32 {
    values
        .iter()
        .zip(weights)
        .map(|(&value, &weight)| u32::from(value) * u32::from(weight))
        .sum()
}

/// Whether all digits are the same: never issued, often typed.
pub(super) fn all_same(digits: &[u8]) -> bool {
    digits
        .iter()
        .zip(digits.iter().skip(1))
        .all(|(left, right)| left == right)
}

/// Luhn's check, ISO/IEC 7812-1 annex B: the last digit is the check digit.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match (place % 2, u32::from(digit) * 2) {
            (0, _) => u32::from(digit),
            (_, doubled) => doubled / 10 + doubled % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO/IEC 7064 MOD 11,10: the last digit is the check digit.
pub(super) fn iso7064_mod_11_10(digits: &[u8]) -> bool {
    let Some((check, payload)) = digits.split_last() else {
        return false;
    };
    let carry = payload.iter().fold(10, |carry, &digit| {
        let sum = (carry + u32::from(digit)) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (carry + u32::from(*check)) % 10 == 1
}

/// The remainder that ISO/IEC 7064 MOD 11-2 leaves for the payload; the check character's value
/// (10 for `X`) plus it must be 1 modulo 11.
pub(super) fn iso7064_mod_11_2(payload: &[u8]) -> u32 {
    payload
        .iter()
        .fold(0, |total, &digit| (total + u32::from(digit)) * 2 % 11)
}

/// Verhoeff's check over the dihedral group D5: the last digit is the check digit.
///
/// J. Verhoeff, "Error Detecting Decimal Codes", Mathematical Centre Tract 29, Amsterdam 1969.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    digits
        .iter()
        .rev()
        .enumerate()
        .fold(0, |state, (place, &digit)| {
            dihedral(state, permuted(place, digit))
        })
        == 0
}

/// The product of two elements of D5, numbered as Verhoeff does.
const fn dihedral(left: u8, right: u8) -> u8 {
    match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => 5 + (left + right) % 5,
        (false, true) => 5 + (left - right) % 5,
        (false, false) => (left - right + 5) % 5,
    }
}

/// Verhoeff's permutation (1 5 7 6 2 8 3 0 9 4) applied `place` times.
fn permuted(place: usize, digit: u8) -> u8 {
    const ONCE: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    (0..place % 8).fold(digit, |digit, _| {
        ONCE.get(usize::from(digit)).copied().unwrap_or(digit)
    })
}

/// Whether the day exists in the (proleptic) Gregorian calendar.
pub(super) const fn is_date(year: u32, month: u8, day: u8) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    day >= 1 && day <= days
}

/// Whether the day exists in 1900 + `year` or in 2000 + `year`: for numbers whose year has two
/// digits and no mark of the century.
pub(super) const fn is_short_date(year: u8, month: u8, day: u8) -> bool {
    is_date(1900 + year as u32, month, day) || is_date(2000 + year as u32, month, day)
}

/// The number that two digits spell.
pub(super) const fn two(tens: u8, ones: u8) -> u8 {
    tens * 10 + ones
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A valid number with one digit changed is not valid.
    fn detects_single_errors(check: fn(&[u8]) -> bool, mut digits: Vec<u8>, place: usize, by: u8) {
        let found = (0..10).find(|&last| {
            *digits.last_mut().unwrap() = last;
            check(&digits)
        });
        // MOD 11,10 and the others here have a check digit for every payload.
        assert!(found.is_some());
        let place = place % digits.len();
        digits[place] = (digits[place] + by) % 10;
        assert!(!check(&digits), "{digits:?}");
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_seen(
            digits in prop::collection::vec(0u8..10, 2..19),
            place in 0usize..19,
            by in 1u8..10,
        ) {
            detects_single_errors(luhn, digits.clone(), place, by);
            detects_single_errors(verhoeff, digits.clone(), place, by);
            detects_single_errors(iso7064_mod_11_10, digits, place, by);
        }
    }

    #[test]
    fn published_examples() {
        // ISO/IEC 7812-1 annex B.
        assert!(luhn(&digits::<11>(b"79927398713").unwrap()));
        // The example that Wikipedia's article on the Verhoeff algorithm works out.
        assert!(verhoeff(&digits::<4>(b"2363").unwrap()));
        // ISO/IEC 7064 clause 7: 0794 gives check digit 0 in MOD 11-2 and 5 in MOD 11,10.
        assert_eq!(iso7064_mod_11_2(&[0, 7, 9, 4]), 1);
        assert!(iso7064_mod_11_10(&[0, 7, 9, 4, 5]));
    }

    #[test]
    fn calendar() {
        assert!(is_date(2000, 2, 29) && !is_date(1900, 2, 29) && !is_date(2023, 4, 31));
        assert!(!is_date(2023, 0, 1) && !is_date(2023, 13, 1) && !is_date(2023, 1, 0));
    }
}
