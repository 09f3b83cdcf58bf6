//! E-mail addresses, as written and as spelled out.

use std::ops::Range;

use bartizan_core::Severity;

use super::recogniser::{Recogniser, by_grammar, rule};
use super::words::{at, last_char, next_char};

/// E-mail addresses.
pub(super) static EMAIL: Recogniser = Recogniser {
    rule: rule(
        "pii.email-address",
        "e-mail address",
        "EMAIL_ADDRESS",
        Severity::Medium,
    ),
    shapes: &[],
    check: by_grammar,
    plausible: 0.95,
    valid: 0.95,
    context: &[
        "email",
        "e-mail",
        "mail",
        "correo",
        "courriel",
        "posta",
        "emailadres",
        "e-post",
        "почта",
        "メール",
        "邮箱",
        "이메일",
        "بريد",
        "eposta",
        "sahkoposti",
    ],
};

/// Bytes of a local part (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Bytes of a domain (RFC 5321, section 4.5.3.1.2).
const MAX_DOMAIN: usize = 255;

/// Endings of file names that follow an `@` in the names of images and packages.
const FILE_ENDINGS: [&[u8]; 12] = [
    b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"js", b"css", b"html", b"json", b"ts",
    b"whl",
];

/// Top-level domains that people spell out.
const SPOKEN_TOP_LEVELS: [&str; 56] = [
    "com", "org", "net", "edu", "gov", "info", "io", "co", "me", "app", "dev", "ai", "biz", "name",
    "eu", "uk", "us", "ca", "au", "nz", "ie", "in", "za", "de", "at", "ch", "fr", "be", "nl", "lu",
    "es", "pt", "br", "mx", "ar", "cl", "it", "gr", "pl", "cz", "sk", "hu", "ro", "bg", "hr", "dk",
    "se", "no", "fi", "ru", "ua", "tr", "il", "jp", "cn", "kr",
];

/// The address around the `@` at byte `sign`.
pub(super) fn address(text: &[u8], sign: usize) -> Option<Range<usize>> {
    let start = local_start(text, sign)?;
    let end = domain_end(text, sign + 1)?;
    let local = text.get(start..sign)?;
    let before = start.checked_sub(1).map_or(0, |index| at(text, index));
    // `git@github.com:owner/repository` and `https://user:password@host` are no mailboxes.
    if local == b"git" && at(text, end) == b':' {
        return None;
    }
    if matches!(before, b':' | b'/') && in_userinfo(text, start) {
        return None;
    }
    Some(start..end)
}

fn local_start(text: &[u8], sign: usize) -> Option<usize> {
    let floor = sign.saturating_sub(MAX_LOCAL);
    if at(text, sign.checked_sub(1)?) == b'"' {
        return quoted_start(text, sign - 1, floor);
    }
    let mut start = sign;
    let mut foreign = false;
    while start > floor {
        let letter = last_char(text, start)?;
        let fits = match letter {
            'a'..='z' | 'A'..='Z' => !foreign,
            '0'..='9' | '.' | '_' | '%' | '+' | '-' | '\'' | '~' | '&' | '!' => true,
            other if other.is_alphabetic() => {
                // One script only: in `写信给jane@...` the mailbox starts at the Latin letter.
                let first = start == sign
                    || foreign
                    || text
                        .get(start..sign)?
                        .iter()
                        .all(|byte| !byte.is_ascii_alphabetic());
                foreign |= first;
                first
            }
            _ => false,
        };
        if !fits {
            break;
        }
        start -= letter.len_utf8();
    }
    while start < sign
        && matches!(
            at(text, start),
            b'.' | b'\'' | b'&' | b'!' | b'-' | b'~' | b'%' | b'+'
        )
    {
        start += 1;
    }
    (start < sign && at(text, sign - 1) != b'.').then_some(start)
}

/// `"john doe"@example.com` (RFC 5321, `Quoted-string`).
fn quoted_start(text: &[u8], close: usize, floor: usize) -> Option<usize> {
    let inner = text.get(floor..close)?;
    let open = memchr::memrchr(b'"', inner)?;
    let quoted = inner.get(open + 1..)?;
    let printable = quoted.iter().all(|byte| (b' '..=b'~').contains(byte));
    (!quoted.is_empty() && printable).then_some(floor + open)
}

fn domain_end(text: &[u8], start: usize) -> Option<usize> {
    let ceiling = start + MAX_DOMAIN;
    let mut end = start;
    let mut accepted = None;
    loop {
        let label = end;
        while end < ceiling {
            match next_char(text, end) {
                Some(letter) if letter.is_ascii_alphanumeric() || letter == '-' => end += 1,
                Some(letter)
                    if !letter.is_ascii()
                        && letter.is_alphanumeric()
                        && (label == end || at(text, label) >= 0x80) =>
                {
                    end += letter.len_utf8();
                }
                _ => break,
            }
        }
        let name = text.get(label..end)?;
        let fits = (1..=63).contains(&name.len())
            && name.first() != Some(&b'-')
            && name.last() != Some(&b'-');
        if !fits {
            break;
        }
        if label > start && is_top_level(name) {
            accepted = Some(end);
        }
        if at(text, end) != b'.' {
            break;
        }
        end += 1;
    }
    let end = accepted?;
    let domain = text.get(start..end)?;
    let ending = domain.rsplit(|byte| *byte == b'.').next()?;
    let file = FILE_ENDINGS.contains(&ending) && domain.first().is_some_and(u8::is_ascii_digit);
    (!file).then_some(end)
}

/// Letters only, or the encoded form of an international name.
fn is_top_level(label: &[u8]) -> bool {
    label.len() >= 2
        && label.len() <= 24
        && (label
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
            || label
                .get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case(b"xn--")))
}

/// Whether `start` stands in the part of an address before the host.
fn in_userinfo(text: &[u8], start: usize) -> bool {
    let floor = start.saturating_sub(MAX_LOCAL);
    let Some(before) = text.get(floor..start) else {
        return false;
    };
    memchr::memmem::rfind(before, b"://").is_some_and(|scheme| {
        before.get(scheme + 3..).is_some_and(|rest| {
            !rest
                .iter()
                .any(|byte| matches!(byte, b'/' | b'?' | b' ' | b'=' | b'\n'))
        })
    })
}

/// `jane at example dot com`, `jane [at] example.com`: the address that ends with the word for the
/// dot, or holds the word for the sign, at `word`.
pub(super) fn spelled(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    let is_dot = text.get(word.clone())?.eq_ignore_ascii_case(b"dot");
    let (start, after_sign) = if is_dot {
        let (open, _) = spaced(text, &word)?;
        // Up to three labels of the domain stand before this dot: `mail dot example dot com`.
        let mut domain = open;
        let mut found = None;
        for _ in 0..3 {
            let label = name_before(text, domain)?;
            if let Some(sign) = sign_before(text, label) {
                found = Some((sign, label));
                break;
            }
            domain = dot_before(text, label)?;
        }
        found?
    } else {
        let (open, close) = spaced(text, &word)?;
        (open, close)
    };
    let mut local = name_before(text, start)?;
    while let Some(dot) = dot_before(text, local) {
        local = name_before(text, dot)?;
    }
    let end = spelled_domain(text, after_sign)?;
    (end - local <= 160).then_some(local..end)
}

/// The word with the brackets or blanks around it, as `(start, end)`.
fn spaced(text: &[u8], word: &Range<usize>) -> Option<(usize, usize)> {
    let (mut start, mut end) = (word.start, word.end);
    let open = at(text, start.checked_sub(1)?);
    let bracketed = matches!(
        (open, at(text, end)),
        (b'[', b']') | (b'(', b')') | (b'{', b'}') | (b'<', b'>')
    );
    if bracketed {
        start -= 1;
        end += 1;
    } else if open != b' ' || at(text, end) != b' ' {
        return None;
    }
    while start > 0 && word.start - start < 4 && at(text, start - 1) == b' ' {
        start -= 1;
    }
    while end - word.end < 4 && at(text, end) == b' ' {
        end += 1;
    }
    Some((start, end))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'.')
}

fn name_before(text: &[u8], end: usize) -> Option<usize> {
    let floor = end.saturating_sub(MAX_LOCAL);
    let mut start = end;
    while start > floor && is_name(at(text, start - 1)) {
        start -= 1;
    }
    (start < end).then_some(start)
}

/// Start of the word for the sign that ends right before `end`, with what surrounds it.
fn sign_before(text: &[u8], end: usize) -> Option<usize> {
    word_before(text, end, b"at")
}

fn dot_before(text: &[u8], end: usize) -> Option<usize> {
    word_before(text, end, b"dot")
}

fn word_before(text: &[u8], end: usize, word: &[u8]) -> Option<usize> {
    let mut close = end;
    while end - close < 4
        && close > 0
        && matches!(at(text, close - 1), b' ' | b']' | b')' | b'}' | b'>')
    {
        close -= 1;
    }
    let start = close.checked_sub(word.len())?;
    if close == end || !text.get(start..close)?.eq_ignore_ascii_case(word) {
        return None;
    }
    spaced(text, &(start..close)).map(|(start, _)| start)
}

fn spelled_domain(text: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    let mut dots = 0;
    loop {
        let label = end;
        while end - label < 63 && is_name(at(text, end)) {
            end += 1;
        }
        let name = text.get(label..end)?;
        let name = name.strip_suffix(b".").unwrap_or(name);
        end = label + name.len();
        dots += name.iter().filter(|byte| **byte == b'.').count();
        if name.is_empty() {
            return None;
        }
        let Some(close) = dot_after(text, end) else {
            let ending = name.rsplit(|byte| *byte == b'.').next()?;
            let known = SPOKEN_TOP_LEVELS
                .iter()
                .any(|known| known.as_bytes().eq_ignore_ascii_case(ending));
            return (dots > 0 && known).then_some(end);
        };
        dots += 1;
        if dots > 4 {
            return None;
        }
        end = close;
    }
}

/// End of the word for the dot that starts right after `end`.
fn dot_after(text: &[u8], end: usize) -> Option<usize> {
    let mut start = end;
    while start - end < 4 && matches!(at(text, start), b' ' | b'[' | b'(' | b'{' | b'<') {
        start += 1;
    }
    if start == end || !text.get(start..start + 3)?.eq_ignore_ascii_case(b"dot") {
        return None;
    }
    spaced(text, &(start..start + 3)).map(|(_, close)| close)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let sign = text.find('@').unwrap();
        let found = address(text.as_bytes(), sign).map(|range| text.get(range).unwrap());
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn addresses_end_where_they_end() {
        check(
            "write to jane.doe+news@mail.example.co.uk.",
            Some("jane.doe+news@mail.example.co.uk"),
        );
        check("email=jane@example.com&x=1", Some("jane@example.com"));
        check("'jane@example.com'", Some("jane@example.com"));
        check("写信给jane@example.com吧", Some("jane@example.com"));
        check("пишите на почта@пример.рф!", Some("почта@пример.рф"));
        check("\"john doe\"@example.com", Some("\"john doe\"@example.com"));
        check("o'neill@example.ie", Some("o'neill@example.ie"));
    }

    #[test]
    fn what_only_looks_like_one() {
        check("git@github.com:owner/name", None);
        check("logo@2x.png", None);
        check("lodash@4.17.21", None);
        check("https://user:secret@db.example.com/x", None);
        check("@handle.name", None);
        check("a@b", None);
    }
}
