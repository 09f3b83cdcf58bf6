//! What a statement or a condition does.

use bartizan_core::Rule;
use sqlparser::tokenizer::Token;

use super::{
    super::rules,
    tokens::{Tokens, is_constant},
};

/// Where a word stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// A statement ends right before it.
    pub(super) stacked: bool,
    /// In capitals, as SQL is often written and prose is not.
    pub(super) shouted: bool,
}

/// A rule, how sure, and the number of the last token of note.
pub(super) type Seen = Option<(&'static Rule, f32, usize)>;

/// What the statement that starts with `anchor` does, and the number of its last token of note.
pub(super) fn statement(anchor: &str, tokens: &Tokens, place: Place) -> Seen {
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
pub(super) fn tautology(anchor: &str, tokens: &Tokens) -> Seen {
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
