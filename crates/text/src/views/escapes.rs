//! Escapes within text: percent-encoding, HTML entities, backslash escapes, quoted-printable.

use std::ops::Range;

use bartizan_core::Transform;
use memchr::memchr_iter;

use super::piece::{Piece, Pieces};

/// A kind of escape: the byte it begins with and how one is read.
struct Syntax {
    transform: Transform,
    begins: u8,
    /// The escape's value and length, from the bytes that begin with it.
    read: fn(&[u8]) -> Option<(Value, usize)>,
    /// Escapes that stand near each other before they are decoded.
    min: usize,
}

/// What an escape stands for.
enum Value {
    Byte(u8),
    Char(char),
    Nothing,
}

const SYNTAXES: [Syntax; 4] = [
    Syntax {
        transform: Transform::Url,
        begins: b'%',
        read: percent,
        min: 2,
    },
    Syntax {
        transform: Transform::HtmlEntities,
        begins: b'&',
        read: entity,
        min: 2,
    },
    Syntax {
        transform: Transform::UnicodeEscape,
        begins: b'\\',
        read: backslash,
        min: 3,
    },
    Syntax {
        transform: Transform::QuotedPrintable,
        begins: b'=',
        read: quoted,
        min: 2,
    },
];

/// Text around an escape that is read with it, in bytes, within the line.
const AROUND: usize = 128;

/// Decodes the escapes of `text`, with the text around them.
pub(super) fn decode(text: &str, pieces: &mut Pieces) {
    for syntax in &SYNTAXES {
        let mut piece = Piece::default();
        let mut group = Group::default();
        let mut done = 0;
        for at in memchr_iter(syntax.begins, text.as_bytes()) {
            if at < done {
                continue;
            }
            let Some(escape) = syntax.read_at(text.as_bytes(), at) else {
                group.strays += 1;
                continue;
            };
            done = escape.range.end;
            if let Some(last) = group.escapes.last()
                && escape.range.start > last.range.end + AROUND
            {
                syntax.read_group(text, &group, &mut piece);
                group = Group::default();
            }
            group.escapes.push(escape);
        }
        syntax.read_group(text, &group, &mut piece);
        if !piece.text.is_empty() {
            pieces.push((syntax.transform, piece));
        }
    }
}

/// Escapes that stand near each other.
#[derive(Default)]
struct Group {
    escapes: Vec<Escape>,
    /// First bytes of escapes that begin none.
    strays: usize,
}

impl Group {
    /// Whether these are escapes rather than numbers that are assigned, as in `status=200`: text
    /// in this syntax escapes the `=` itself, or escapes one byte after the other.
    fn is_meant(&self) -> bool {
        let touch = |pair: &[Escape]| matches!(pair, [a, b] if a.range.end == b.range.start);
        self.escapes.len() >= 4 * self.strays || self.escapes.windows(2).any(touch)
    }
}

struct Escape {
    range: Range<usize>,
    value: Value,
}

impl Syntax {
    fn read_at(&self, bytes: &[u8], at: usize) -> Option<Escape> {
        let (value, len) = (self.read)(bytes.get(at..)?)?;
        Some(Escape {
            range: at..at + len,
            value,
        })
    }

    fn read_group(&self, text: &str, group: &Group, piece: &mut Piece) {
        let escapes = group.escapes.as_slice();
        let (Some(first), Some(last)) = (escapes.first(), escapes.last()) else {
            return;
        };
        let is_assigned = self.transform == Transform::QuotedPrintable && !group.is_meant();
        if escapes.len() < self.min || is_assigned {
            return;
        }
        let start = line_start(text, first.range.start);
        let end = line_end(text, last.range.end);
        let (mut out, mut at) = (Piece::default(), start);
        let mut escapes = escapes.iter().peekable();
        while let Some(escape) = escapes.next() {
            out.copy(text, at..escape.range.start);
            let mut range = escape.range.clone();
            match escape.value {
                Value::Nothing | Value::Byte(..=8 | 11..=12 | 14..=31 | 127) => {}
                Value::Char(c) if c.is_control() && !c.is_whitespace() => {}
                Value::Char(c) => out.put(c.encode_utf8(&mut [0; 4]), range.clone()),
                Value::Byte(byte) => {
                    // Bytes that touch may be one character.
                    let (mut bytes, want) = (vec![byte], utf8_len(byte));
                    while bytes.len() < want
                        && let Some(next) = escapes
                            .next_if(|next| next.range.start == range.end && next.is_continuation())
                    {
                        if let Value::Byte(byte) = next.value {
                            bytes.push(byte);
                        }
                        range.end = next.range.end;
                    }
                    out.put(&String::from_utf8_lossy(&bytes), range.clone());
                }
            }
            at = range.end;
        }
        out.copy(text, at..end);
        if super::piece::is_plausible(&out.text) {
            piece.part(start);
            piece.append(&out, end);
        }
    }
}

impl Escape {
    const fn is_continuation(&self) -> bool {
        matches!(self.value, Value::Byte(0x80..=0xbf))
    }
}

const fn utf8_len(byte: u8) -> usize {
    match byte {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

fn line_start(text: &str, at: usize) -> usize {
    let from = text.floor_char_boundary(at.saturating_sub(AROUND));
    let before = text.get(from..at).unwrap_or_default();
    before
        .rfind('\n')
        .map_or(from, |newline| from + newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    let to = text.ceil_char_boundary((at + AROUND).min(text.len()));
    let after = text.get(at..to).unwrap_or_default();
    after.find('\n').map_or(to, |newline| at + newline)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .all(u8::is_ascii_hexdigit)
        .then(|| number(digits, 16))?
}

fn byte(digits: &[u8]) -> Option<Value> {
    Some(Value::Byte(u8::try_from(hex(digits)?).ok()?))
}

/// RFC 3986, section 2.1.
fn percent(bytes: &[u8]) -> Option<(Value, usize)> {
    Some((byte(bytes.get(1..3)?)?, 3))
}

/// RFC 2045, section 6.7; soft line breaks vanish.
fn quoted(bytes: &[u8]) -> Option<(Value, usize)> {
    match bytes {
        [_, b'\n', ..] => Some((Value::Nothing, 2)),
        [_, b'\r', b'\n', ..] => Some((Value::Nothing, 3)),
        _ => Some((byte(bytes.get(1..3)?)?, 3)),
    }
}

/// HTML, character references; the semicolon may be missing as it may in browsers.
fn entity(bytes: &[u8]) -> Option<(Value, usize)> {
    let rest = bytes.get(1..bytes.len().min(12))?;
    let (digits, skip, radix) = match rest {
        [b'#', b'x' | b'X', digits @ ..] => (digits, 3, 16),
        [b'#', digits @ ..] => (digits, 2, 10),
        _ => {
            let name_len = rest
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric())
                .count();
            if rest.get(name_len) != Some(&b';') {
                return None;
            }
            let name = rest.get(..name_len)?;
            let (_, c) = NAMED.iter().find(|(known, _)| known.as_bytes() == name)?;
            return Some((Value::Char(*c), name_len + 2));
        }
    };
    let len = digits
        .iter()
        .take(8)
        .take_while(|b| char::from(**b).is_digit(radix))
        .count();
    let c = char::from_u32(number(digits.get(..len)?, radix)?)?;
    let closed = usize::from(digits.get(len) == Some(&b';'));
    Some((Value::Char(c), skip + len + closed))
}

const NAMED: [(&str, char); 22] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("period", '.'),
    ("comma", ','),
    ("colon", ':'),
    ("semi", ';'),
    ("excl", '!'),
    ("quest", '?'),
    ("lpar", '('),
    ("rpar", ')'),
    ("NewLine", '\n'),
    ("Tab", '\t'),
    ("sol", '/'),
    ("num", '#'),
    ("equals", '='),
    ("commat", '@'),
    ("lowbar", '_'),
    ("hyphen", '-'),
];

/// Backslash escapes of C, Java, JavaScript, Python and JSON, with surrogate pairs.
fn backslash(bytes: &[u8]) -> Option<(Value, usize)> {
    match bytes {
        [_, b'x', ..] => Some((byte(bytes.get(2..4)?)?, 4)),
        [_, b'u', b'{', rest @ ..] => {
            let len = rest.iter().take(7).position(|b| *b == b'}')?;
            let c = char::from_u32(hex(rest.get(..len)?)?)?;
            Some((Value::Char(c), len + 4))
        }
        [_, b'u', ..] => {
            let unit = hex(bytes.get(2..6)?)?;
            if let Some(c) = char::from_u32(unit) {
                return Some((Value::Char(c), 6));
            }
            let low = match bytes.get(6..8)? {
                b"\\u" => hex(bytes.get(8..12)?)?,
                _ => return None,
            };
            let code = 0x1_0000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
            Some((Value::Char(char::from_u32(code)?), 12))
        }
        [_, b'U', ..] => Some((Value::Char(char::from_u32(hex(bytes.get(2..10)?)?)?), 10)),
        [_, b'0'..=b'3', b'0'..=b'7', b'0'..=b'7', ..] => {
            let value = number(bytes.get(1..4)?, 8)?;
            Some((Value::Byte(u8::try_from(value).ok()?), 4))
        }
        _ => None,
    }
}
