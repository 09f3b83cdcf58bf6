//! The order of Alpine's versions (apk-tools 3, `src/version.c`; `apk-package(5)`).

use std::cmp::Ordering;

/// A piece of a version. The order of the variants is the one in which they may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    First(&'a str),
    Number(&'a str),
    Letter(u8),
    Suffix(i8),
    SuffixNumber(&'a str),
    Commit(&'a str),
    Revision(&'a str),
    End,
}

/// Suffixes in their order; those before 0 stand before the release.
const SUFFIXES: &[(&str, i8)] = &[
    ("alpha", -4),
    ("beta", -3),
    ("pre", -2),
    ("rc", -1),
    ("cvs", 1),
    ("svn", 2),
    ("git", 3),
    ("hg", 4),
    ("p", 5),
];

/// Compares two versions; `None` when one of them is none.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let [a, b] = [tokens(a)?, tokens(b)?];
    for (a, b) in a.iter().zip(&b) {
        match a.order(*b) {
            Ordering::Equal => {}
            order => return Some(order),
        }
    }
    Some(Ordering::Equal)
}

/// Whether `text` is a version.
pub(super) fn parses(text: &str) -> bool {
    tokens(text).is_some()
}

impl Token<'_> {
    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            // After a dot a leading zero makes it the digits behind a point.
            (Self::Number(a), Self::Number(b)) if a.starts_with('0') || b.starts_with('0') => {
                a.cmp(b)
            }
            (Self::First(a), Self::First(b))
            | (Self::Number(a), Self::Number(b))
            | (Self::SuffixNumber(a), Self::SuffixNumber(b))
            | (Self::Revision(a), Self::Revision(b)) => {
                let [a, b] = [a, b].map(|digits| digits.trim_start_matches('0'));
                a.len().cmp(&b.len()).then_with(|| a.cmp(b))
            }
            (Self::Letter(a), Self::Letter(b)) => a.cmp(&b),
            (Self::Suffix(a), Self::Suffix(b)) => a.cmp(&b),
            (Self::Commit(a), Self::Commit(b)) => a.cmp(b),
            (Self::Suffix(..0), _) => Ordering::Less,
            (_, Self::Suffix(..0)) => Ordering::Greater,
            // The one that goes on is the later one.
            (a, b) => b.place().cmp(&a.place()),
        }
    }

    const fn place(self) -> u8 {
        match self {
            Self::First(_) => 0,
            Self::Number(_) => 1,
            Self::Letter(_) => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Commit(_) => 5,
            Self::Revision(_) => 6,
            Self::End => 7,
        }
    }
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let (first, mut rest) = digits(text)?;
    let mut tokens = vec![Token::First(first)];
    while let Some(next) = rest.strip_prefix('.') {
        let (number, after) = digits(next)?;
        tokens.push(Token::Number(number));
        rest = after;
    }
    if let Some(letter @ b'a'..=b'z') = rest.bytes().next() {
        tokens.push(Token::Letter(letter));
        rest = rest.get(1..)?;
    }
    while let Some(next) = rest.strip_prefix('_') {
        let end = next.find(|c: char| !c.is_ascii_lowercase());
        let (word, after) = next.split_at(end.unwrap_or(next.len()));
        let (_, rank) = SUFFIXES.iter().find(|(own, _)| *own == word)?;
        tokens.push(Token::Suffix(*rank));
        rest = after;
        if let Some((number, after)) = digits(rest) {
            tokens.push(Token::SuffixNumber(number));
            rest = after;
        }
    }
    if let Some(next) = rest.strip_prefix('~') {
        let end = next.find(|c: char| !c.is_ascii_hexdigit());
        let (commit, after) = next.split_at(end.unwrap_or(next.len()));
        tokens.push(Token::Commit(commit));
        rest = after;
    }
    if let Some(next) = rest.strip_prefix("-r") {
        let (number, after) = digits(next)?;
        tokens.push(Token::Revision(number));
        rest = after;
    }
    tokens.push(Token::End);
    rest.is_empty().then_some(tokens)
}

/// At least one digit, and what follows.
fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    (!digits.is_empty()).then_some((digits, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cases of apk-tools' own tests (`test/version.data`).
    #[test]
    fn versions_stand_in_their_order() {
        for (a, order, b) in [
            ("2.34", '>', "0.1.0_alpha"),
            ("0.1.0_alpha", '=', "0.1.0_alpha"),
            ("0.1.0_alpha2", '>', "0.1.0_alpha"),
            ("1.0.4-r3", '<', "1.0.4-r4"),
            ("1.1", '>', "1.1_alpha1"),
            ("2.3.0b-r1", '<', "2.3.0b-r2"),
            ("0.12.3", '>', "0.12"),
            ("3.1_p16", '<', "3.1_p17"),
            ("1.06-r6", '<', "006"),
            ("006", '>', "1.0.0"),
            ("1.2.2-r1", '>', "1.2.2"),
            ("0.2.0-r1", '=', "0.2.0-r1"),
            ("1.0", '>', "0.99.3.20040818"),
            ("4.2.52_p2-r1", '<', "4.2.52_p4-r2"),
            ("1.02.07", '<', "1.02.10-r1"),
            ("2.18.3-r10", '>', "1.05-r18"),
            ("2.0.0_rc3-r1", '>', "1.5"),
            ("3.0.0-r2", '<', "021109-r3"),
            ("6b-r7", '>', "1.12-r7"),
            ("0.15.1b-r2", '>', "0.15.1b"),
            ("1.1.2.1-r1", '>', "0.0.31"),
            ("2.10.1", '>', "02.08.01b"),
            ("1.07-r1", '<', "1.07.5"),
            ("4.5_p1-r1", '>', "4.5_p1"),
            ("1.3-r0", '<', "1.3.1-r0"),
            ("1.3_pre1-r1", '<', "1.3.2"),
            ("1.0_p10-r0", '>', "1.0_p9-r0"),
            ("0.1.0_alpha_pre2", '<', "0.1.0_alpha"),
            (
                "1.0.0_pre20191002222144-r0",
                '<',
                "1.0.0_pre20210530193627-r0",
            ),
            ("6.0_pre1", '<', "6.0"),
            ("6.1_p1", '>', "6.1"),
        ] {
            let expected = match order {
                '<' => Ordering::Less,
                '>' => Ordering::Greater,
                _ => Ordering::Equal,
            };
            assert_eq!(compare(a, b), Some(expected), "{a} {b}");
            assert_eq!(compare(b, a), Some(expected.reverse()), "{b} {a}");
        }
        for bad in ["", "x", "1.0bc", "23_foo", "1..2", "1-1", "1.0-r"] {
            assert!(!parses(bad), "{bad}");
        }
    }
}
