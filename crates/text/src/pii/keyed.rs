//! Kinds that only the word before them tells: user names, and BICs, which are all letters.

use std::{ops::Range, sync::LazyLock};

use bartizan_core::Severity;

use super::bank;
use super::recogniser::{Recogniser, by_grammar, rule};
use super::table;
use super::words::{at, last_char, letter_after};
use crate::scan::{Group, Hit, PatternError, PatternSpec, Patterns, PatternsBuilder};

/// User names and handles.
pub(super) static USERNAME: Recogniser = Recogniser {
    rule: rule(
        "pii.username",
        "user name or handle",
        "USERNAME",
        Severity::Low,
    ),
    shapes: &[],
    check: by_grammar,
    plausible: 0.85,
    valid: 0.85,
    context: &["username", "login"],
};

/// What a word announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A user name.
    Username,
    /// A BIC.
    Bic,
    /// An address that is spelled out; the word is part of it.
    Spelled,
}

/// Words in every spelling that is looked for.
const WORDS: [(&[&str], Kind); 3] = [
    (
        &[
            "user",
            "User",
            "USER",
            "login",
            "Login",
            "LOGIN",
            "handle",
            "Handle",
            "HANDLE",
            "nick",
            "Nick",
            "alias",
            "Alias",
            "telegram",
            "Telegram",
            "twitter",
            "Twitter",
            "instagram",
            "Instagram",
            "discord",
            "Discord",
            "benutzer",
            "Benutzer",
            "utilisateur",
            "Utilisateur",
            "identifiant",
            "Identifiant",
            "usuario",
            "Usuario",
            "utente",
            "Utente",
            "gebruikersnaam",
            "Gebruikersnaam",
            "brugernavn",
            "Brugernavn",
            "kullanici",
            "Kullanici",
            "имя пользователя",
            "логин",
            "ユーザー名",
            "用户名",
            "사용자",
            "اسم المستخدم",
        ],
        Kind::Username,
    ),
    (&["bic", "BIC", "Bic", "swift", "SWIFT", "Swift"], Kind::Bic),
    (
        &["dot", "DOT", "[at]", "(at)", "{at}", "[AT]", "(AT)"],
        Kind::Spelled,
    ),
];

/// Values that are words about user names, not user names.
const STOP: [&str; 62] = [
    "is",
    "was",
    "are",
    "and",
    "or",
    "not",
    "the",
    "for",
    "with",
    "has",
    "had",
    "have",
    "must",
    "should",
    "can",
    "will",
    "name",
    "field",
    "required",
    "invalid",
    "incorrect",
    "wrong",
    "missing",
    "taken",
    "empty",
    "null",
    "none",
    "true",
    "false",
    "undefined",
    "string",
    "text",
    "password",
    "email",
    "please",
    "already",
    "available",
    "unknown",
    "failed",
    "success",
    "page",
    "form",
    "button",
    "screen",
    "your",
    "their",
    "from",
    "this",
    "that",
    "here",
    "below",
    "above",
    "given",
    "same",
    "different",
    "changed",
    "updated",
    "self",
    "user",
    "username",
    "varchar",
    "str",
];

/// Adds the announcing words to the patterns that a scanner looks for.
pub(super) fn register(patterns: &mut PatternsBuilder) -> Result<Group, PatternError> {
    let group = patterns.group();
    for (forms, _) in WORDS {
        let alternatives: Vec<String> = forms
            .iter()
            .map(|form| regex_syntax::escape(form))
            .collect();
        patterns.add(
            group,
            &PatternSpec {
                anchors: forms,
                max_len: forms.iter().map(|form| form.len()).max(),
                case_sensitive: true,
                ..PatternSpec::new(&alternatives.join("|"))
            },
        )?;
    }
    Ok(group)
}

/// What finds the announcing words in a text that no scanner has read, built once for the process.
///
/// # Errors
/// When a pattern is refused; the tests of this module keep that from happening.
pub(super) fn own() -> Result<&'static Patterns, PatternError> {
    static OWN: LazyLock<Result<Patterns, PatternError>> = LazyLock::new(|| {
        let mut patterns = PatternsBuilder::default();
        register(&mut patterns)?;
        Ok(patterns.build())
    });
    OWN.as_ref().map_err(Clone::clone)
}

/// What a hit of the announcing words announces, and the word without the brackets of a spelled
/// `at`.
pub(super) fn announced(text: &[u8], hit: &Hit) -> Option<(Kind, Range<usize>)> {
    let (_, kind) = *WORDS.get(hit.pattern as usize)?;
    let Range { start, end } = hit.range;
    let range = match kind {
        Kind::Spelled if at(text, start).is_ascii_alphabetic() => {
            // Part of an address only behind a blank or a bracket.
            matches!(at(text, start.checked_sub(1)?), b' ' | b'[' | b'(').then_some(start..end)?
        }
        Kind::Spelled => start + 1..end - 1,
        Kind::Username | Kind::Bic => start..end,
    };
    Some((kind, range))
}

/// The values that the word at `word` announces.
pub(super) fn values(text: &[u8], kind: Kind, word: &Range<usize>) -> Vec<Range<usize>> {
    let mut end = word.end;
    let unspaced = at(text, word.start) >= 0xe0;
    if !unspaced {
        if last_char(text, word.start).is_some_and(|letter| {
            letter.is_alphanumeric() && !at(text, word.start).is_ascii_uppercase()
        }) {
            return Vec::new();
        }
        // `userName`, `user_id`, `loginName`, `Benutzername`: the rest of the key.
        let mut rest = end;
        while rest - end < 12 && (at(text, rest).is_ascii_alphabetic() || at(text, rest) == b'_') {
            rest += 1;
        }
        let tail = text.get(end..rest).unwrap_or_default().to_ascii_lowercase();
        let tail = std::str::from_utf8(&tail).unwrap_or("?");
        let fits = matches!(
            tail.trim_start_matches('_'),
            "" | "name" | "id" | "handle" | "code" | "_code" | "names" | "handles" | "nme"
        );
        if !fits || letter_after(text, rest) > 0 {
            return Vec::new();
        }
        end = rest;
        // `user name`, `User ID`
        let spaced = [" name", " id"].iter().find(|tail| {
            text.get(end..end + tail.len())
                .is_some_and(|rest| rest.eq_ignore_ascii_case(tail.as_bytes()))
        });
        if let Some(tail) = spaced.filter(|tail| letter_after(text, end + tail.len()) == 0) {
            end += tail.len();
        }
    }
    let bare_user = text.get(word.start..end).is_some_and(|key| {
        key.eq_ignore_ascii_case(b"user")
            || key.eq_ignore_ascii_case(b"userid")
            || key.eq_ignore_ascii_case(b"user id")
    });
    if let Some(value) = value_after(text, kind, end, bare_user) {
        return vec![value];
    }
    if bare_user {
        return Vec::new();
    }
    let cells = match table::values_of(text, word.start..end) {
        Some(value) => vec![value],
        None => table::cells_below(text, word.start..end),
    };
    cells
        .into_iter()
        .map(|cell| trimmed(text, cell))
        .filter(|cell| match kind {
            Kind::Bic => text.get(cell.clone()).is_some_and(bank::is_bic),
            _ => text
                .get(cell.clone())
                .is_some_and(|value| is_name(value) && !is_stop(value)),
        })
        .collect()
}

fn trimmed(text: &[u8], cell: Range<usize>) -> Range<usize> {
    let outside =
        |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'@');
    let (mut start, mut end) = (cell.start, cell.end);
    while start < end && outside(at(text, start)) {
        start += 1;
    }
    while start < end && outside(at(text, end - 1)) {
        end -= 1;
    }
    start..end
}

/// How a word and its value are tied together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tie {
    /// By a sign: `username: x`, `<login>x`.
    Sign,
    /// By a word: `my username is x`.
    Verb,
    /// By a blank: `username x`.
    Blank,
}

fn value_after(text: &[u8], kind: Kind, end: usize, bare_user: bool) -> Option<Range<usize>> {
    let mut next = end;
    let mut tie = Tie::Blank;
    while next - end < 24 {
        match at(text, next) {
            b' ' | b'"' | b'\'' | b'`' | b'*' | b'#' | b'@' | b'\\' | b'(' => next += 1,
            b':' | b'=' | b'>' | b'|' => {
                tie = Tie::Sign;
                next += 1;
            }
            _ => {
                let rest = text.get(next..)?;
                let fill = [
                    "is ",
                    "was ",
                    "to ",
                    "for ",
                    "-code",
                    "-nummer",
                    "/bic",
                    "/swift",
                    "given was ",
                    "given is ",
                    "code ",
                    "no. ",
                    "no ",
                    "nr. ",
                    "name ",
                    "：",
                    "は",
                    "是",
                ]
                .iter()
                .find(|fill| {
                    rest.get(..fill.len())
                        .is_some_and(|head| head.eq_ignore_ascii_case(fill.as_bytes()))
                });
                match fill {
                    Some(fill) => {
                        next += fill.len();
                        if tie == Tie::Blank
                            && !matches!(
                                *fill,
                                "code " | "name " | "-code" | "-nummer" | "/bic" | "/swift"
                            )
                        {
                            tie = Tie::Verb;
                        }
                    }
                    None => break,
                }
            }
        }
    }
    if next == end {
        return None;
    }
    let mut stop = next;
    while stop - next < 64
        && (at(text, stop).is_ascii_alphanumeric() || matches!(at(text, stop), b'_' | b'.' | b'-'))
    {
        stop += 1;
    }
    while stop > next && matches!(at(text, stop - 1), b'.' | b'-') {
        stop -= 1;
    }
    let value = text.get(next..stop)?;
    if kind == Kind::Bic {
        return bank::is_bic(value).then_some(next..stop);
    }
    let after = at(text, stop);
    if !is_name(value)
        || is_stop(value)
        || matches!(after, b'@' | b'(' | b'[' | b'$')
        || after >= 0x80
    {
        return None;
    }
    // `a: b.c`, `login=form.value`: source code.
    if after == b'/' || (after == b':' && tie != Tie::Sign) || (after == b'=' && tie != Tie::Sign) {
        return None;
    }
    let telling = value
        .iter()
        .any(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'.'));
    let fits = match tie {
        Tie::Sign => !bare_user || telling,
        Tie::Verb => !bare_user && (telling || value.len() >= 8),
        Tie::Blank => {
            !bare_user && (telling || (value.len() >= 6 && matches!(after, b';' | b',' | b'\n')))
        }
    };
    fits.then_some(next..stop)
}

fn is_name(value: &[u8]) -> bool {
    (3..=40).contains(&value.len())
        && value.iter().any(u8::is_ascii_alphabetic)
        && value
            .first()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn is_stop(value: &[u8]) -> bool {
    STOP.iter()
        .any(|stop| stop.as_bytes().eq_ignore_ascii_case(value))
}
