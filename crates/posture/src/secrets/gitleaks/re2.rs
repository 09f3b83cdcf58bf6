//! Expressions of Go's RE2 (<https://github.com/google/re2/wiki/Syntax>) as `regex-automata` reads
//! them.
//!
//! Both are automata without backtracking, and differ in little: Perl's classes and `\b` are of
//! ASCII in RE2, a brace that counts nothing is a brace, `\Q...\E` quotes, and brackets, ampersands,
//! and tildes inside a class have no meaning.

use std::iter::Peekable;

use regex_automata::{
    meta::{BuildError, Regex},
    util::{captures::Captures, syntax},
};

/// The most memory that one compiled expression may take, in bytes; `{1000}` needs much.
const MAX_SIZE: usize = 32 << 20;

/// A compiled expression.
#[derive(Debug)]
pub struct Expression(Regex);

/// Why an expression cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the expression cannot be used: {0}")]
pub struct ExpressionError(String);

impl Expression {
    /// Compiles an expression of RE2 that is searched for in bytes.
    ///
    /// # Errors
    /// When it is malformed or too large.
    pub fn new(expression: &str) -> Result<Self, ExpressionError> {
        let built = Regex::builder()
            .syntax(syntax::Config::new().utf8(false).nest_limit(200))
            .configure(
                Regex::config()
                    .utf8_empty(false)
                    .nfa_size_limit(Some(MAX_SIZE)),
            )
            .build(&translate(expression));
        built.map(Self).map_err(|error: BuildError| {
            let said = match error.syntax_error() {
                Some(error) => error.to_string(),
                None => error.to_string(),
            };
            // The library draws the expression over several lines; the last says what is wrong.
            let last = said.lines().last().unwrap_or_default();
            ExpressionError(last.trim_start_matches("error: ").to_owned())
        })
    }

    /// How many groups it has, the whole match being one.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.0.captures_len()
    }

    /// Whether it matches somewhere in `bytes`.
    #[must_use]
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.0.is_match(bytes)
    }

    /// Every match that does not overlap an earlier one, with its groups.
    pub fn captures_iter<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Captures> + 'a {
        self.0.captures_iter(bytes)
    }
}

/// An expression of RE2 in the words of Rust's `regex-syntax`.
#[must_use]
pub fn translate(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len() + 16);
    let mut chars = expression.chars().peekable();
    let mut in_class = false;
    // The first character of a class may be its closing bracket.
    let mut first_in_class = false;
    while let Some(c) = chars.next() {
        let is_first = std::mem::take(&mut first_in_class);
        match c {
            '\\' => escape(&mut chars, in_class, &mut out),
            '[' if !in_class => {
                in_class = true;
                first_in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            // `[:alpha:]` is the one thing that a bracket begins inside a class.
            '[' if chars.peek() == Some(&':') => out.push('['),
            '[' => out.push_str("\\["),
            ']' if in_class && is_first => out.push_str("\\]"),
            ']' if in_class => {
                // The end of `[:alpha:]` is not the end of the class.
                in_class = out.ends_with(':') && named_class(&out);
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            // In Rust's classes two hyphens take one set from another.
            '-' if in_class && out.ends_with('-') => out.push_str("\\-"),
            '{' if !in_class && !counts(chars.clone()) => out.push_str("\\{"),
            _ => out.push(c),
        }
    }
    out
}

/// Whether the text ends inside a named class such as `[:alpha:`.
fn named_class(text: &str) -> bool {
    let Some((_, name)) = text.rsplit_once("[:") else {
        return false;
    };
    let name = name.trim_end_matches(':').trim_start_matches('^');
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Whether what follows a brace is a count: `3}`, `3,}`, `3,5}`.
fn counts(chars: impl Iterator<Item = char>) -> bool {
    let inside: String = chars.take(12).collect();
    let Some((count, _)) = inside.split_once('}') else {
        return false;
    };
    let (from, to) = count.split_once(',').unwrap_or((count, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !from.is_empty() && digits(from) && digits(to)
}

fn escape(chars: &mut Peekable<impl Iterator<Item = char>>, in_class: bool, out: &mut String) {
    const WORD: &str = "0-9A-Za-z_";
    const SPACE: &str = r"\t\n\f\r ";
    let Some(c) = chars.next() else {
        out.push('\\');
        return;
    };
    let class = |members: &str, negated: bool, out: &mut String| match (in_class, negated) {
        (true, false) => out.push_str(members),
        (_, true) => out.push_str(&format!("[^{members}]")),
        (false, false) => out.push_str(&format!("[{members}]")),
    };
    match c {
        'w' | 'W' => class(WORD, c == 'W', out),
        'd' | 'D' => class("0-9", c == 'D', out),
        's' | 'S' => class(SPACE, c == 'S', out),
        'b' | 'B' if !in_class => out.push_str(&format!("(?-u:\\{c})")),
        // One byte, whatever it is.
        'C' if !in_class => out.push_str(r"(?s-u:.)"),
        'Q' => {
            let mut quoted = String::new();
            while let Some(c) = chars.next() {
                if c == '\\' && chars.next_if_eq(&'E').is_some() {
                    break;
                }
                quoted.push(c);
            }
            for c in quoted.chars() {
                // Letters, digits, and the brackets of word boundaries take no backslash.
                if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        // Word boundaries in Rust, and themselves in RE2.
        '<' | '>' => out.push(c),
        _ => {
            out.push('\\');
            out.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, hits: &[&str], misses: &[&str]) {
        let compiled = Expression::new(expression).unwrap();
        for text in hits {
            assert!(
                compiled.is_match(text.as_bytes()),
                "`{expression}` misses `{text}`"
            );
        }
        for text in misses {
            assert!(
                !compiled.is_match(text.as_bytes()),
                "`{expression}` hits `{text}`"
            );
        }
    }

    #[test]
    fn what_go_reads_means_the_same() {
        check(r"^\w+$", &["ab_9"], &["é", "a b"]);
        check(r"^[\w.-]{3}$", &["a.b"], &["a+b"]);
        check(r"^[^\W]$", &["a"], &["-"]);
        check(r"a{x}", &["a{x}"], &["ax"]);
        check(r"^a{2,3}$", &["aaa"], &["a{2,3}"]);
        check(r"{{", &["{{"], &["{"]);
        check(r"^[[a]$", &["[", "a"], &["b"]);
        check(r"^[]a]$", &["]", "a"], &["b"]);
        check(r"^[^]a]$", &["b"], &["]"]);
        check(r"^[a&&b~~]$", &["&", "~", "a"], &["c"]);
        check(r"^[+--]$", &["+", ",", "-"], &["a"]);
        check(r"^[[:alpha:]_]+$", &["a_"], &["1"]);
        check(r"^[[:^alpha:]]$", &["1"], &["a"]);
        check(r"^\Qa.b<\E$", &["a.b<"], &["axb<"]);
        check(r"\<a\>", &["<a>"], &[" a "]);
        check(r"\bkey\b", &["a key."], &["keys"]);
        check(r"(?i)key\s*=", &["KEY \t="], &["KEY\u{a0}="]);
        check(r"^\x60\z", &["`"], &["a"]);
        check(r"(?P<name>a)", &["a"], &["b"]);
    }

    #[test]
    fn what_cannot_be_used_is_said_in_one_line() {
        for expression in ["(", "a**", "[z-a]", r"\8", "(?<=a)b"] {
            if let Err(error) = Expression::new(expression) {
                assert_eq!(error.to_string().lines().count(), 1);
            } else {
                assert_eq!(expression, "a**", "Rust takes a repetition of a repetition");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(expression in ".{0,40}") {
            let _ = Expression::new(&expression);
        }
    }
}
