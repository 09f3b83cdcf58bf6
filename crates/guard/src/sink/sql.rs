//! What would change a SQL statement that the text becomes part of.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use aho_corasick::AhoCorasick;
use bartizan_core::Rule;
use sqlparser::{
    dialect::GenericDialect,
    tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace, Word},
};

use super::{
    hazard::{Hazard, is_whole_word, is_word, window},
    rules,
};

/// Bytes after a word that are read to see whether it is SQL.
const MAX_STATEMENT: usize = 320;

/// Bytes after `OR` that are read.
const MAX_CONDITION: usize = 64;

/// Bytes in front of a place that are read.
const BEFORE: usize = 96;

/// What may start a hazard.
const ANCHORS: [&str; 40] = [
    "union",
    "drop",
    "delete",
    "insert",
    "update",
    "truncate",
    "alter",
    "create",
    "grant",
    "revoke",
    "exec",
    "execute",
    "shutdown",
    "merge",
    "copy",
    "attach",
    "load",
    "select",
    "declare",
    "call",
    "or",
    "and",
    "||",
    "sleep",
    "benchmark",
    "pg_sleep",
    "waitfor",
    "xp_cmdshell",
    "load_file",
    "into",
    "utl_http",
    "utl_inaddr",
    "dbms_pipe",
    "dbms_lock",
    "extractvalue",
    "updatexml",
    "load_extension",
    "lo_import",
    "randomblob",
    "having",
];

static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(aho_corasick::MatchKind::LeftmostLongest)
        .build(ANCHORS)
        .ok()
});

/// Reports the hazards of `text` as part of a statement, within a quoted string or not. Each place
/// is read with the words after it alone, so quotes that open before it cannot hide it.
pub(super) fn hazards(text: &str, out: &mut Vec<Hazard>) {
    let Some(words) = WORDS.as_ref() else { return };
    for found in words.find_iter(text) {
        let range = found.range();
        let Some(anchor) = ANCHORS.get(found.pattern().as_usize()) else {
            continue;
        };
        let versioned = is_versioned(text, range.start);
        if *anchor != "||" && !versioned && !is_whole_word(text, &range) {
            continue;
        }
        let condition = matches!(*anchor, "or" | "and" | "||" | "having");
        let reach = if condition {
            MAX_CONDITION
        } else {
            MAX_STATEMENT
        };
        let after = window(text, range.start, reach);
        if !worth_reading(anchor, after) {
            continue;
        }
        let place = Place {
            stacked: is_stacked(text, range.start),
            shouted: text.get(range).is_some_and(|word| {
                word.bytes()
                    .all(|b| b.is_ascii_uppercase() || !b.is_ascii_alphabetic())
            }),
        };
        let after = &*opened(after, versioned);
        let tokens = Tokens::read(after);
        let seen = if condition {
            tautology(anchor, &tokens)
        } else {
            statement(anchor, &tokens, place)
        };
        if let Some((rule, confidence, last)) = seen {
            let end = range_end(after, &tokens, last);
            let start = found.start();
            out.push(Hazard::new(rule, start..start + end, confidence));
        }
    }
    comments(text, out);
}

/// Where a word stands.
#[derive(Clone, Copy)]
struct Place {
    /// A statement ends right before it.
    stacked: bool,
    /// In capitals, as SQL is often written and prose is not.
    shouted: bool,
}

type Seen = Option<(&'static Rule, f32, usize)>;

/// A look at the bytes, before tokens are made.
fn worth_reading(anchor: &str, after: &str) -> bool {
    let rest = after.get(anchor.len()..).unwrap_or_default();
    let any = |set: &[u8]| rest.bytes().any(|b| set.contains(&b));
    match anchor {
        "or" | "and" | "having" | "||" => {
            rest.bytes()
                .take(3)
                .any(|b| b"'\"(0123456789-!~".contains(&b))
                || any(b"=<>")
                || starts_with_word(rest, &["true", "not", "null", "exists"])
        }
        "sleep" | "benchmark" | "pg_sleep" | "load_file" | "extractvalue" | "updatexml"
        | "load_extension" | "lo_import" | "randomblob" => any(b"("),
        _ => true,
    }
}

fn starts_with_word(text: &str, words: &[&str]) -> bool {
    let text = text.trim_start();
    words.iter().any(|word| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    })
}

/// Whether the word at `start` stands in a comment that MySQL runs, `/*!50000UNION*/`.
fn is_versioned(text: &str, start: usize) -> bool {
    let from = text.floor_char_boundary(start.saturating_sub(12));
    let before = text.get(from..start).unwrap_or_default().trim_end();
    before
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .ends_with("/*!")
}

/// `text` with blanks for the marks of comments that MySQL runs.
fn opened(text: &str, inside: bool) -> Cow<'_, str> {
    if !inside && !text.contains("/*!") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut inside = inside;
    while !rest.is_empty() {
        let (mark, next) = if inside { ("*/", false) } else { ("/*!", true) };
        let Some((before, after)) = rest.split_once(mark) else {
            break;
        };
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let digits = if next { digits } else { 0 };
        out.push_str(before);
        out.extend(std::iter::repeat_n(' ', mark.len() + digits));
        rest = after.get(digits..).unwrap_or_default();
        inside = next;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The tokens of a stretch without white space and comments.
struct Tokens {
    tokens: Vec<TokenWithSpan>,
    /// Whether the text went on where no token could be read, e.g. in an open string.
    open: bool,
}

impl Tokens {
    fn read(text: &str) -> Self {
        let mut tokens = Vec::with_capacity(24);
        let read =
            Tokenizer::new(&GenericDialect {}, text).tokenize_with_location_into_buf(&mut tokens);
        let after = tokens.iter().position(|token| {
            matches!(
                token.token,
                Token::Whitespace(Whitespace::SingleLineComment { .. })
            )
        });
        if let Some(after) = after {
            tokens.truncate(after);
        }
        tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
        Self {
            tokens,
            open: read.is_err() && after.is_none(),
        }
    }

    fn get(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at).map(|token| &token.token)
    }

    /// Whether the word at `at` is one of `words`.
    fn is(&self, at: usize, words: &[&str]) -> bool {
        matches!(self.get(at), Some(Token::Word(word)) if words.iter().any(|w| word.value.eq_ignore_ascii_case(w)))
    }

    /// Skips the words at `at` that are among `words`.
    fn skip(&self, mut at: usize, words: &[&str]) -> usize {
        while self.is(at, words) {
            at += 1;
        }
        at
    }

    /// The place after a possibly dotted name at `at`.
    fn name(&self, at: usize) -> Option<usize> {
        let is_name = |at| {
            matches!(
                self.get(at),
                Some(Token::Word(_) | Token::Placeholder(_) | Token::DoubleQuotedString(_))
            )
        };
        if !is_name(at) {
            return None;
        }
        let mut end = at + 1;
        while self.get(end) == Some(&Token::Period) && is_name(end + 1) {
            end += 2;
        }
        Some(end)
    }

    /// Whether a statement ends at `at`.
    fn ends(&self, at: usize) -> bool {
        match self.get(at) {
            None => true,
            Some(token) => matches!(
                token,
                Token::SemiColon
                    | Token::RParen
                    | Token::EOF
                    | Token::SingleQuotedString(_)
                    | Token::Sharp
            ),
        }
    }

    /// Whether a token that `is` comes within the next `reach`, before a semicolon.
    fn soon(&self, at: usize, reach: usize, is: impl Fn(&Token) -> bool) -> bool {
        self.tokens
            .iter()
            .skip(at)
            .take(reach)
            .take_while(|token| token.token != Token::SemiColon)
            .any(|token| is(&token.token))
    }

    fn soon_word(&self, at: usize, reach: usize, words: &[&str]) -> bool {
        self.soon(at, reach, |token| {
            matches!(token, Token::Word(word) if words.iter().any(|w| word.value.eq_ignore_ascii_case(w)))
        })
    }

    fn is_open_paren(&self, at: usize) -> bool {
        self.get(at) == Some(&Token::LParen)
    }
}

fn is_constant(token: &Token) -> bool {
    matches!(
        token,
        Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::HexStringLiteral(_)
            | Token::NationalStringLiteral(_)
            // MySQL reads what ISO SQL takes for a quoted name as a string.
            | Token::Word(Word {
                quote_style: Some('"'),
                ..
            })
    )
}

/// What the statement that starts with `anchor` does, and the number of its last token of note.
fn statement(anchor: &str, tokens: &Tokens, place: Place) -> Seen {
    let known = |destructive: bool, last| {
        let rule = match (place.stacked, destructive) {
            (true, _) => &rules::SQL_STACKED,
            (false, true) => &rules::SQL_DESTRUCTIVE,
            (false, false) => return None,
        };
        let confidence = match place {
            Place { stacked: true, .. } => 0.95,
            Place { shouted: true, .. } => 0.9,
            _ => 0.7,
        };
        Some((rule, confidence, last))
    };
    let function = |confidence, last| Some((&rules::SQL_FUNCTION, confidence, last));
    match anchor {
        "union" => union(tokens, place),
        "drop" => {
            let objects = [
                "table",
                "database",
                "schema",
                "view",
                "index",
                "user",
                "role",
                "function",
                "procedure",
                "trigger",
                "sequence",
                "login",
            ];
            let at = tokens.skip(2, &["if", "exists"]);
            let end = tokens.name(at)?;
            let after = tokens.ends(end)
                || tokens.is(end, &["cascade", "restrict"])
                || tokens.get(end) == Some(&Token::Comma);
            (tokens.is(1, &objects) && after)
                .then(|| known(true, end - 1))
                .flatten()
        }
        "delete" => {
            let end = tokens.name(2).filter(|_| tokens.is(1, &["from"]))?;
            let filtered = tokens.is(end, &["where", "using"]);
            if filtered
                && !tokens.soon(end, 12, |t| {
                    matches!(
                        t,
                        Token::Eq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq | Token::Neq
                    )
                })
                && !tokens.soon_word(end, 12, &["in", "like", "is", "between", "exists"])
            {
                return None;
            }
            (filtered || tokens.ends(end))
                .then(|| known(!filtered, end - 1))
                .flatten()
        }
        "update" => {
            let end = tokens.name(1)?;
            let set = tokens.skip(end, &["as"]);
            let set = if tokens.is(set, &["set"]) {
                set
            } else {
                set + 1
            };
            let column = tokens.name(set + 1).filter(|_| tokens.is(set, &["set"]))?;
            let assigned = tokens.get(column) == Some(&Token::Eq);
            let filtered = tokens.soon_word(column, 64, &["where"]);
            assigned.then(|| known(!filtered, column)).flatten()
        }
        "insert" | "merge" => {
            let end = tokens.name(2).filter(|_| tokens.is(1, &["into"]))?;
            let grammar = tokens.is(end, &["values", "select", "using", "default"])
                || (tokens.is_open_paren(end) && tokens.soon_word(end, 48, &["values", "select"]));
            grammar.then(|| known(false, end - 1)).flatten()
        }
        "truncate" => {
            let named = tokens.is(1, &["table"]);
            let end = tokens.name(if named { 2 } else { 1 })?;
            ((named || place.stacked) && tokens.ends(end))
                .then(|| known(true, end - 1))
                .flatten()
        }
        "alter" => {
            let end = tokens.name(2).filter(|_| {
                tokens.is(1, &["table", "user", "role", "database", "login", "schema"])
            })?;
            let verbs = [
                "add",
                "drop",
                "modify",
                "alter",
                "rename",
                "set",
                "with",
                "identified",
                "owner",
                "enable",
                "disable",
                "password",
            ];
            tokens.is(end, &verbs).then(|| known(true, end)).flatten()
        }
        "create" => {
            let at = tokens.skip(1, &["or", "replace", "temporary", "temp", "unique"]);
            let objects = [
                "table",
                "user",
                "role",
                "login",
                "function",
                "procedure",
                "trigger",
                "database",
                "view",
                "extension",
                "alias",
            ];
            let end = tokens.name(tokens.skip(at + 1, &["if", "not", "exists"]))?;
            (tokens.is(at, &objects) && place.stacked)
                .then(|| known(false, end - 1))
                .flatten()
        }
        "grant" | "revoke" => {
            let to = tokens.soon_word(1, 24, &["to", "from"]);
            let on = tokens.soon_word(1, 16, &["on"]);
            let rights = [
                "all",
                "select",
                "insert",
                "update",
                "delete",
                "execute",
                "usage",
                "create",
                "drop",
                "alter",
                "superuser",
                "dba",
                "connect",
            ];
            (tokens.is(1, &rights) && to && (on || tokens.is(1, &["dba", "superuser"])))
                .then(|| known(true, 1))
                .flatten()
        }
        "exec" | "execute" | "call" => {
            let end = tokens.name(1)?;
            let stored = matches!(tokens.get(1), Some(Token::Word(word)) if {
                let name = word.value.to_ascii_lowercase();
                name.starts_with("xp_") || name.starts_with("sp_") || name == "master"
            });
            if stored {
                return function(0.9, end - 1);
            }
            (place.stacked
                && (tokens.is_open_paren(end) || tokens.get(end).is_some_and(is_constant)))
            .then(|| known(false, end - 1))
            .flatten()
        }
        "shutdown" => (place.stacked && (tokens.ends(1) || tokens.is(1, &["with"])))
            .then(|| known(true, 0))
            .flatten(),
        "declare" => (place.stacked
            && matches!(tokens.get(1), Some(Token::Placeholder(_) | Token::AtSign)))
        .then(|| known(false, 1))
        .flatten(),
        "attach" => (tokens.is(1, &["database"])
            && matches!(tokens.get(2), Some(Token::SingleQuotedString(_))))
        .then_some((&rules::SQL_FUNCTION, 0.85, 2)),
        "copy" => (tokens.soon_word(1, 12, &["program"])
            && tokens.soon_word(1, 12, &["from", "to"]))
        .then_some((&rules::SQL_FUNCTION, 0.9, 2)),
        "load" => (tokens.is(1, &["data"]) && tokens.soon_word(2, 3, &["infile"])).then_some((
            &rules::SQL_FUNCTION,
            0.9,
            2,
        )),
        "into" => (tokens.is(1, &["outfile", "dumpfile"])
            && (tokens.get(2).is_some() || tokens.open))
            .then_some((&rules::SQL_FUNCTION, 0.9, 1)),
        "waitfor" => tokens
            .is(1, &["delay", "time"])
            .then_some((&rules::SQL_FUNCTION, 0.95, 1)),
        "select" => {
            let from =
                tokens.soon_word(1, 40, &["from"]) || tokens.soon(1, 4, |t| *t == Token::LParen);
            (place.stacked && from && looks_like_columns(tokens, 1))
                .then(|| known(false, 1))
                .flatten()
        }
        "utl_http" | "utl_inaddr" | "dbms_pipe" | "dbms_lock" => {
            (tokens.get(1) == Some(&Token::Period)).then_some((&rules::SQL_FUNCTION, 0.9, 1))
        }
        "xp_cmdshell" => function(0.95, 0),
        "sleep" | "randomblob" => {
            let number = matches!(tokens.get(2), Some(Token::Number(..)));
            let closed = matches!(tokens.get(3), Some(Token::RParen | Token::Mul | Token::Div));
            (tokens.is_open_paren(1) && number && closed).then_some((&rules::SQL_FUNCTION, 0.9, 3))
        }
        "benchmark" => (tokens.is_open_paren(1) && tokens.get(3) == Some(&Token::Comma))
            .then_some((&rules::SQL_FUNCTION, 0.9, 3)),
        _ => tokens
            .is_open_paren(1)
            .then_some((&rules::SQL_FUNCTION, 0.9, 1)),
    }
}

/// Whether what follows `SELECT` reads like columns rather than prose.
fn looks_like_columns(tokens: &Tokens, at: usize) -> bool {
    let at = tokens.skip(at, &["distinct", "all", "top"]);
    match tokens.get(at) {
        Some(Token::Word(word)) => {
            word.value.eq_ignore_ascii_case("null")
                || tokens.name(at).is_some_and(|end| {
                    tokens.is(end, &["from", "as"])
                        || matches!(
                            tokens.get(end),
                            Some(Token::Comma | Token::LParen | Token::StringConcat)
                        )
                })
        }
        Some(token) => {
            is_constant(token)
                || matches!(
                    token,
                    Token::Mul
                        | Token::LParen
                        | Token::AtAt
                        | Token::AtSign
                        | Token::Placeholder(_)
                        | Token::Minus
                        | Token::Plus
                        | Token::Char(_)
                )
        }
        None => tokens.open,
    }
}

fn union(tokens: &Tokens, place: Place) -> Seen {
    let mut at = tokens.skip(1, &["all", "distinct", "distinctrow"]);
    while tokens.is_open_paren(at) {
        at += 1;
    }
    if !tokens.is(at, &["select", "values", "table"]) {
        return None;
    }
    let columns = looks_like_columns(tokens, at + 1);
    let confidence = match (columns, place.shouted) {
        (true, _) => 0.95,
        (false, true) => 0.7,
        (false, false) => return None,
    };
    Some((&rules::SQL_UNION, confidence, at))
}

/// `OR 1=1` and its kin: a constant compared with a constant, or a name with itself.
fn tautology(anchor: &str, tokens: &Tokens) -> Seen {
    let mut at = 1;
    while tokens.is(at, &["not"])
        || matches!(
            tokens.get(at),
            Some(Token::LParen | Token::Minus | Token::Tilde | Token::ExclamationMark)
        )
    {
        at += 1;
    }
    let seen = |confidence, last| Some((&rules::SQL_TAUTOLOGY, confidence, last));
    let is_compared = |at| {
        matches!(
            tokens.get(at),
            Some(
                Token::Eq
                    | Token::DoubleEq
                    | Token::Neq
                    | Token::Lt
                    | Token::Gt
                    | Token::LtEq
                    | Token::GtEq
                    | Token::Spaceship
            )
        ) || tokens.is(at, &["like", "is", "rlike", "regexp"])
    };
    let left = tokens.get(at)?;
    if is_constant(left) {
        if is_compared(at + 1) {
            let right = tokens.skip(at + 2, &["not"]);
            let constant = match tokens.get(right) {
                Some(token) => {
                    is_constant(token)
                        || matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("null"))
                }
                None => tokens.open,
            };
            let spoken = tokens.is(at + 1, &["is"]);
            return (constant && !spoken)
                .then_some(())
                .and_then(|()| seen(0.92, right));
        }
        // `OR 1`, `OR 1--`, `OR 1 /*`: only where the statement ends.
        let bare =
            matches!(left, Token::Number(..)) && tokens.tokens.len() == at + 1 && tokens.open;
        return bare.then_some(()).and_then(|()| seen(0.5, at));
    }
    if let (Some(Token::Word(left)), Some(Token::Word(right))) =
        (tokens.get(at), tokens.get(at + 2))
    {
        let same = left.value.eq_ignore_ascii_case(&right.value);
        if tokens.get(at + 1) == Some(&Token::Eq) && same {
            return seen(0.85, at + 2);
        }
    }
    let exists = tokens.is(at, &["exists"])
        && tokens.is_open_paren(at + 1)
        && tokens.is(at + 2, &["select"]);
    (exists && anchor != "having")
        .then_some(())
        .and_then(|()| seen(0.7, at + 2))
}

/// Whether a statement or a quoted string ends right before `start`.
fn is_stacked(text: &str, start: usize) -> bool {
    let from = text.floor_char_boundary(start.saturating_sub(BEFORE));
    let before = text.get(from..start).unwrap_or_default();
    // A comment between the semicolon and the word changes nothing.
    let before = before.trim_end();
    let before = match before
        .strip_suffix("*/")
        .and_then(|b| b.rfind("/*").and_then(|at| b.get(..at)))
    {
        Some(outside) => outside.trim_end(),
        None => before,
    };
    before.ends_with(';')
}

/// Byte after the token number `last`, within the text that was read.
fn range_end(text: &str, tokens: &Tokens, last: usize) -> usize {
    let token = tokens.tokens.get(last).or_else(|| tokens.tokens.last());
    let Some(end) = token.map(|token| token.span.end) else {
        return 0;
    };
    let line = usize::try_from(end.line.saturating_sub(1)).unwrap_or(0);
    let column = usize::try_from(end.column.saturating_sub(1)).unwrap_or(0);
    let start = match line.checked_sub(1) {
        Some(skip) => memchr::memchr_iter(b'\n', text.as_bytes())
            .nth(skip)
            .map_or(0, |at| at + 1),
        None => 0,
    };
    let chars = text.get(start..).unwrap_or_default().char_indices();
    chars
        .map(|(at, _)| start + at)
        .nth(column)
        .unwrap_or(text.len())
}

/// Finds a quote that closes a string which the text did not open, with a comment behind it.
fn comments(text: &str, out: &mut Vec<Hazard>) {
    let bytes = text.as_bytes();
    for at in memchr::memchr2_iter(b'\'', b'"', bytes) {
        let after = window(text, at + 1, 12);
        let rest = after.trim_start_matches([' ', ')', ';', '\t']);
        let mark = match rest.as_bytes() {
            [b'-', b'-', ..] | [b'/', b'*', ..] => 2,
            [b'#', ..] => 1,
            _ => continue,
        };
        let mark_at = at + 1 + (after.len() - rest.len());
        let tail = window(text, mark_at + mark, 80)
            .lines()
            .next()
            .unwrap_or_default()
            .trim();
        let near = mark_at == at + 1;
        if !is_opening(bytes, at) || (rest.starts_with('#') && !tail.is_empty()) {
            continue;
        }
        // `"--option"` is a string of its own.
        let own = tail.starts_with(|c: char| c.is_ascii_alphabetic())
            && at
                .checked_sub(1)
                .and_then(|before| bytes.get(before))
                .is_some_and(|before| !is_word(*before));
        if own {
            continue;
        }
        let confidence = match (near, tail.is_empty()) {
            (true, true) => 0.9,
            (true, false) => 0.75,
            (false, true) => 0.8,
            (false, false) => 0.5,
        };
        out.push(hazard_of(at..mark_at + mark, confidence));
    }
}

const fn hazard_of(range: Range<usize>, confidence: f32) -> Hazard {
    Hazard::new(&rules::SQL_COMMENT, range, confidence)
}

/// Whether the quote at `at` has no partner before it on its line; apostrophes within words do not
/// count.
fn is_opening(bytes: &[u8], at: usize) -> bool {
    let Some(quote) = bytes.get(at) else {
        return false;
    };
    let from = at.saturating_sub(BEFORE);
    let before = bytes.get(from..at).unwrap_or_default();
    let line = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(before, |end| before.get(end + 1..).unwrap_or_default());
    let mut count = 0;
    let mut last = b' ';
    let mut rest = line.iter().peekable();
    while let Some(byte) = rest.next() {
        let inside = last.is_ascii_alphanumeric()
            && rest.peek().is_some_and(|next| next.is_ascii_alphabetic());
        if byte == quote && !inside {
            count += 1;
        }
        last = *byte;
    }
    count % 2 == 0
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let mut out = Vec::new();
        hazards(text, &mut out);
        out.into_iter()
            .map(|h| {
                (
                    h.rule.id.trim_start_matches("output.").to_owned(),
                    text[h.range].to_owned(),
                )
            })
            .collect()
    }

    #[test]
    fn injections_of_every_kind_are_seen() {
        for (text, rule) in [
            ("1 UNION SELECT name, pass FROM users", "sql-union"),
            ("1' union all select null,null--", "sql-union"),
            ("1/**/UnIoN/**/SeLeCt/**/1,2", "sql-union"),
            ("1) UNION (SELECT * FROM t)", "sql-union"),
            ("/*!50000UNION*/ /*!50000SELECT*/ 1", "sql-union"),
            ("1; DROP TABLE users", "sql-stacked-statement"),
            ("x'; drop table users; --", "sql-stacked-statement"),
            ("1;/**/DELETE FROM users WHERE 1=1", "sql-stacked-statement"),
            (
                "1; insert into admins values ('a')",
                "sql-stacked-statement",
            ),
            (
                "1; UPDATE users SET role='admin' WHERE id=1",
                "sql-stacked-statement",
            ),
            ("1; SELECT * FROM secrets", "sql-stacked-statement"),
            ("1; CREATE USER evil", "sql-stacked-statement"),
            ("1; TRUNCATE accounts", "sql-stacked-statement"),
            ("' OR 1=1 --", "sql-tautology"),
            ("' or 'a'='a", "sql-tautology"),
            ("\" or \"a\"=\"a", "sql-tautology"),
            ("' or''='", "sql-tautology"),
            ("') OR ('x'='x", "sql-tautology"),
            ("1 OR 2>1", "sql-tautology"),
            ("1 or name=name", "sql-tautology"),
            ("'||'1'='1", "sql-tautology"),
            ("admin'--", "sql-comment-cut"),
            ("admin' #", "sql-comment-cut"),
            ("admin'/*", "sql-comment-cut"),
            ("x') -- ", "sql-comment-cut"),
            ("1 AND SLEEP(5)", "sql-dangerous-function"),
            ("1 AND BENCHMARK(1000000,MD5(1))", "sql-dangerous-function"),
            ("1; WAITFOR DELAY '0:0:5'", "sql-dangerous-function"),
            ("SELECT pg_sleep(5)", "sql-dangerous-function"),
            ("EXEC xp_cmdshell 'dir'", "sql-dangerous-function"),
            ("LOAD_FILE('/etc/passwd')", "sql-dangerous-function"),
            ("SELECT 1 INTO OUTFILE '/tmp/x'", "sql-dangerous-function"),
            (
                "UTL_HTTP.REQUEST('http://evil.example')",
                "sql-dangerous-function",
            ),
            ("COPY t FROM PROGRAM 'id'", "sql-dangerous-function"),
            ("DROP TABLE users", "sql-destructive-statement"),
            (
                "drop database if exists prod cascade",
                "sql-destructive-statement",
            ),
            ("DELETE FROM users", "sql-destructive-statement"),
            (
                "UPDATE users SET role = 'admin'",
                "sql-destructive-statement",
            ),
            (
                "ALTER TABLE users DROP COLUMN password",
                "sql-destructive-statement",
            ),
            ("GRANT ALL ON db TO evil", "sql-destructive-statement"),
        ] {
            let found = found(text);
            assert!(found.iter().any(|(id, _)| id == rule), "{text} {found:?}");
        }
    }

    #[test]
    fn spans_cover_what_was_seen() {
        assert_eq!(found("a\n; DROP TABLE\nusers")[0].1, "DROP TABLE\nusers");
        assert_eq!(found("é 1 UNION SELECT 1")[0].1, "UNION SELECT");
    }

    #[test]
    fn prose_and_reading_queries_pass() {
        for text in [
            "Review the draft; delete what you dislike",
            "O'Brien and D'Angelo",
            "select the best option",
            "Please update the set of rules",
            "the union; select a delegate from the list",
            "the European Union selects members",
            "drop table reservations at the door",
            "grant all students access to the library",
            "delete from the list what you like",
            "I slept; sleep (8 hours) helps",
            "1 or 2 items",
            "He said 'yes' -- and left",
            "It's 'fine' /* really */",
            "true or false = a question",
            "insert into the slot (see figure)",
            "either a = b or b = c",
            "x || y",
            "SELECT name FROM users WHERE id = 3 OR id = 4",
            "UPDATE t SET a = 1 WHERE id = 2",
            "INSERT INTO t (a) VALUES (1)",
            "load data into memory",
            "call me; execute the plan",
            "create table reservations; alter the table",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
