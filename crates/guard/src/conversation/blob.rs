//! Embedded files: base64, standard or URL-safe (RFC 4648, sections 4 and 5).

/// The payload and media type of a `data:` URL (RFC 2397) in base64.
pub(super) fn data_url(url: &str) -> Option<(&str, &str)> {
    let rest = url
        .get(..5)
        .filter(|scheme| scheme.eq_ignore_ascii_case("data:"))
        .and_then(|_| url.get(5..))?;
    let (head, payload) = rest.split_once(',')?;
    let media = head.strip_suffix(";base64")?;
    Some((media, payload))
}

/// Whether `text` is a run of base64 and not a word of prose.
pub(super) fn is_base64(text: &str) -> bool {
    text.len() >= 16
        && text
            .trim_end_matches('=')
            .bytes()
            .all(|byte| sextet(byte).is_some() || byte == b'\n' || byte == b'\r')
}

/// Decodes up to `max_bytes` bytes; `None` where a character is not of the alphabet.
pub(super) fn decode(text: &str, max_bytes: usize) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity((text.len() / 4 * 3).min(max_bytes));
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        if decoded.len() >= max_bytes {
            break;
        }
        if byte == b'\n' || byte == b'\r' {
            continue;
        }
        bits = (bits << 6 | u32::from(sextet(byte)?)) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            decoded.push((bits >> held & 0xff) as u8);
        }
    }
    Some(decoded)
}

const fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}
