//! Checks of what is inside a key: checksums, alphabets, embedded JSON.

/// Accepts everything: the pattern says it all.
#[must_use]
pub fn any(_: &[u8]) -> bool {
    true
}

/// GitHub and npm: the last six characters are the CRC-32 of the random part in base 62, padded
/// with zeroes (GitHub blog, "Behind GitHub's new authentication token formats", April 2021).
#[must_use]
pub fn crc32_base62(token: &[u8]) -> bool {
    let body = token
        .iter()
        .position(|byte| *byte == b'_')
        .and_then(|at| token.get(at + 1..));
    let Some((random, check)) = body.and_then(<[u8]>::split_last_chunk::<6>) else {
        return false;
    };
    let mut sum = crc32(random);
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62.get((sum % 62) as usize).copied().unwrap_or(b'0');
        sum /= 62;
    }
    digits == *check
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// CRC-32 as of ISO 3309, reflected, polynomial 0xEDB88320. Bit by bit: inputs have 30 bytes.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

/// A JWT or JWE in compact form (RFC 7519 section 3): three or five parts, and the first is a JSON
/// object that names an algorithm.
#[must_use]
pub fn jwt(token: &[u8]) -> bool {
    let mut parts = token.split(|byte| *byte == b'.');
    let header = parts.next().and_then(base64);
    let count = 1 + parts.count();
    let Some(header) = header else {
        return false;
    };
    let Ok(serde_json::Value::Object(header)) = serde_json::from_slice(&header) else {
        return false;
    };
    (count == 3 || count == 5) && (header.contains_key("alg") || header.contains_key("typ"))
}

/// A JWT whose payload says that it opens a Supabase project past its row security.
#[must_use]
pub fn supabase_service_role(token: &[u8]) -> bool {
    jwt(token) && payload_holds(token, b"service_role")
}

/// A JWT that a Kubernetes API server issued to a service account.
#[must_use]
pub fn kubernetes_service_account(token: &[u8]) -> bool {
    jwt(token)
        && (payload_holds(token, b"kubernetes/serviceaccount")
            || payload_holds(token, b"system:serviceaccount:"))
}

fn payload_holds(token: &[u8], needle: &[u8]) -> bool {
    token
        .split(|byte| *byte == b'.')
        .nth(1)
        .and_then(base64)
        .is_some_and(|payload| memchr::memmem::find(&payload, needle).is_some())
}

/// Credentials of HTTP Basic (RFC 7617 section 2): base64 of printable text with a colon, and a
/// password that is not empty.
#[must_use]
pub fn basic_credentials(value: &[u8]) -> bool {
    base64(value).is_some_and(|plain| {
        let colon = plain.iter().position(|byte| *byte == b':');
        colon.is_some_and(|at| at + 3 < plain.len())
            && std::str::from_utf8(&plain).is_ok_and(|text| !text.contains(char::is_control))
    })
}

/// A PyPI token is a macaroon of `pypi.org` or `test.pypi.org`, version 2: the byte 2, then a
/// location field (type 1) of that length.
#[must_use]
pub fn pypi_macaroon(token: &[u8]) -> bool {
    token
        .strip_prefix(b"pypi-")
        .and_then(|body| base64(body.get(..24)?))
        .is_some_and(|head| {
            head.starts_with(b"\x02\x01\x08pypi.org")
                || head.starts_with(b"\x02\x01\x0dtest.pypi.org")
        })
}

/// At least one digit and one letter.
#[must_use]
pub fn digit_and_letter(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic)
}

/// Lower case, upper case, and a digit.
#[must_use]
pub fn three_classes(value: &[u8]) -> bool {
    digit_and_letter(value)
        && value.iter().any(u8::is_ascii_lowercase)
        && value.iter().any(u8::is_ascii_uppercase)
}

/// At least half of it looks drawn at random.
#[must_use]
pub fn random(value: &[u8]) -> bool {
    super::entropy::looks_random(value)
}

/// Decodes base64, standard or URL-safe, with or without padding (RFC 4648 sections 4 and 5).
#[must_use]
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for &byte in text.iter().take_while(|byte| **byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_check_value() {
        // The check value of the CRC catalogue for CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn base64_vectors() {
        // RFC 4648 section 10.
        assert_eq!(base64(b"Zm9vYmE=").unwrap(), b"fooba");
        assert_eq!(base64(b"Zm9vYmFy").unwrap(), b"foobar");
        assert!(base64(b"Zm9v!mFy").is_none());
    }

    #[test]
    fn basic_needs_a_password() {
        assert!(basic_credentials(b"YWxpY2U6aHVudGVyMg=="));
        assert!(!basic_credentials(b"YWxpY2U6"));
        assert!(!basic_credentials(b"understanding"));
    }
}
