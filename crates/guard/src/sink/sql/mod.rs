//! What would change a SQL statement that the text becomes part of.

mod comment;
mod statement;
mod tokens;

use std::{borrow::Cow, sync::LazyLock};

use aho_corasick::AhoCorasick;

use self::{statement::Place, tokens::Tokens};
use super::hazard::{Hazard, is_whole_word, window};

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
pub(in crate::sink) fn hazards(text: &str, out: &mut Vec<Hazard>) {
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
        let stacked = is_stacked(text, range.start);
        let needs_end = matches!(*anchor, "select" | "create" | "shutdown" | "declare");
        if (needs_end && !stacked) || !worth_reading(anchor, after) {
            continue;
        }
        let place = Place {
            stacked,
            shouted: text.get(range).is_some_and(|word| {
                word.bytes()
                    .all(|b| b.is_ascii_uppercase() || !b.is_ascii_alphabetic())
            }),
        };
        let after = &*opened(after, versioned);
        let tokens = Tokens::read(after);
        let seen = if condition {
            statement::tautology(anchor, &tokens)
        } else {
            statement::statement(anchor, &tokens, place)
        };
        if let Some((rule, confidence, last)) = seen {
            let end = tokens::range_end(after, &tokens, last);
            let start = found.start();
            out.push(Hazard::new(rule, start..start + end, confidence));
        }
    }
    comment::hazards(text, out);
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::hazard::named;

    fn found(text: &str) -> Vec<(String, String)> {
        named(hazards, text, "output.")
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
