//! Bytes as hexadecimal digits.

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let halves = [byte >> 4, byte & 15].map(u32::from);
        digits.extend(
            halves
                .into_iter()
                .filter_map(|half| char::from_digit(half, 16)),
        );
    }
    digits
}

/// The bytes that an even number of hexadecimal digits in either case stand for.
#[must_use]
pub fn decode(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let byte = |pair: &[u8; 2]| {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        u8::try_from(high? << 4 | low?).ok()
    };
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let all: Vec<u8> = (0..=255).collect();
        let digits = encode(&all);
        assert!(digits.starts_with("000102") && digits.ends_with("fdfeff"));
        assert_eq!(decode(&digits), Some(all));
        assert_eq!(decode("0aFf"), Some(vec![0x0a, 0xff]));
        for bad in ["0", "0g", "+1", " 1", "\u{e9}"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
