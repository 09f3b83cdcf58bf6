//! Encoders: what a value must look like so that a sink takes it as text.
//!
//! Each is for one place. A value that goes through two of them, e.g. a script within an attribute,
//! needs both, the inner one first.

use std::fmt::Write as _;

/// The value holds a NUL byte, which the sink cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value holds a NUL character, remove it first")]
pub struct NulCharacter;

/// `text` between the tags of a page.
///
/// NUL becomes U+FFFD, as browsers do. Not for script and style elements.
#[must_use]
pub fn html_text(text: &str) -> String {
    html_attribute(text)
}

/// `text` as the value of an attribute in quotes of either kind.
///
/// Not for attributes that hold addresses, styles, or handlers: check those first.
#[must_use]
pub fn html_attribute(text: &str) -> String {
    map(text, |c, out| match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        '`' => out.push_str("&#96;"),
        '=' => out.push_str("&#61;"),
        '\r' => out.push_str("&#13;"),
        '\0' => out.push(char::REPLACEMENT_CHARACTER),
        c => out.push(c),
    })
}

/// `text` within the quotes of a JavaScript or JSON string; safe in a script element, too.
///
/// ECMA-262, section 12.9.4: everything but ASCII letters, digits, and blanks is `\uXXXX`.
#[must_use]
pub fn javascript_string(text: &str) -> String {
    map(text, |c, out| {
        if c.is_ascii_alphanumeric() || c == ' ' {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    })
}

/// `text` as a path segment, or as the name or value of a query: all but the unreserved characters
/// of RFC 3986, section 2.3, percent-encoded.
#[must_use]
pub fn url_component(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// `text` within the quotes of a CSS string, or as an identifier that starts with a letter.
///
/// CSS Syntax Level 3, section 4.3.7: all but ASCII letters and digits as six hexadecimal digits.
/// NUL becomes U+FFFD.
#[must_use]
pub fn css_string(text: &str) -> String {
    map(text, |c, out| match c {
        c if c.is_ascii_alphanumeric() => out.push(c),
        '\0' => out.push_str("\\00fffd"),
        c => {
            let _ = write!(out, "\\{:06x}", u32::from(c));
        }
    })
}

/// `text` as one run of Markdown text: no formatting, links, HTML, or blocks come out of it.
///
/// Line ends become character references, so they show as white space. NUL becomes U+FFFD.
#[must_use]
pub fn markdown_text(text: &str) -> String {
    let last = text.len();
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for (at, c) in text.char_indices() {
        let at_edge = at == 0 || at + 1 == last;
        match c {
            '\0' => out.push(char::REPLACEMENT_CHARACTER),
            // References where a backslash is no escape in some dialects.
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            ' ' if !at_edge => out.push(c),
            c if c.is_whitespace() || c.is_ascii_control() => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c if c.is_ascii_punctuation() => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// `text` as one cell of a CSV file, in quotes (RFC 4180, section 2) and never a formula.
///
/// A value that a spreadsheet might evaluate gets an apostrophe in front (OWASP "CSV Injection").
#[must_use]
pub fn csv_cell(text: &str) -> String {
    let first = text
        .trim_start_matches([' ', '\u{a0}', '"', '\''])
        .chars()
        .next();
    let active = first.is_some_and(|c| {
        matches!(
            c,
            '=' | '+'
                | '-'
                | '@'
                | '\t'
                | '\r'
                | '\n'
                | '|'
                | '\u{ff1d}'
                | '\u{ff0b}'
                | '\u{ff0d}'
                | '\u{ff20}'
        )
    });
    let guard = if active { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// `text` as one word of a POSIX shell, in single quotes (POSIX.1-2017, XCU section 2.2.2).
///
/// A word that starts with `-` is still an option: put `--` in front of it.
///
/// # Errors
/// [`NulCharacter`]: no argument can hold one.
pub fn shell_word(text: &str) -> Result<String, NulCharacter> {
    if text.contains('\0') {
        return Err(NulCharacter);
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// `text` as a string literal of ISO SQL (ISO/IEC 9075-2, section 5.3).
///
/// For servers that read backslashes as escapes, such as MySQL outside `NO_BACKSLASH_ESCAPES`, and
/// everywhere else if there is a choice, take [`ParameterisedQuery`](super::ParameterisedQuery).
///
/// # Errors
/// [`NulCharacter`]: servers end the statement there.
pub fn sql_string(text: &str) -> Result<String, NulCharacter> {
    if text.contains('\0') {
        return Err(NulCharacter);
    }
    Ok(format!("'{}'", text.replace('\'', "''")))
}

fn map(text: &str, mut write: impl FnMut(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for c in text.chars() {
        write(c, &mut out);
    }
    out
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests {
    use html5ever::{
        buffer_queue::BufferQueue,
        tendril::StrTendril,
        tokenizer::{Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
    };
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag as Block, TagEnd};
    use sqlparser::{dialect::GenericDialect, tokenizer};

    use super::*;

    #[derive(Default)]
    struct Page {
        text: std::cell::RefCell<String>,
        tags: std::cell::RefCell<Vec<Tag>>,
        others: std::cell::Cell<usize>,
    }

    impl TokenSink for Page {
        type Handle = ();

        fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
            match token {
                Token::CharacterTokens(text) => self.text.borrow_mut().push_str(&text),
                Token::TagToken(tag) => self.tags.borrow_mut().push(tag),
                Token::ParseError(_) | Token::EOFToken => {}
                _ => self.others.set(self.others.get() + 1),
            }
            TokenSinkResult::Continue
        }
    }

    fn page(html: &str) -> Page {
        let tokenizer = Tokenizer::new(Page::default(), TokenizerOpts::default());
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from_slice(html));
        let _ = tokenizer.feed(&queue);
        tokenizer.end();
        tokenizer.sink
    }

    /// Text rich in what the sinks care about.
    fn values() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            "[ -~]{0,6}",
            "\\PC{0,4}",
            prop::sample::select(vec![
                "<script>",
                "</",
                "<!--",
                "-->",
                "&lt;",
                "&#",
                "\"",
                "'",
                "\\",
                "\n",
                "\r\n",
                "\t",
                "![x](//e)",
                "```",
                "    ",
                "1. ",
                "- ",
                "# ",
                "===",
                "$(id)",
                "`",
                "; DROP TABLE t",
                "--",
                "/*",
                "=1+1",
                ",",
                "\u{2028}",
                "javascript:",
                "https://e.example",
                "*",
                "_",
                "[a]: b",
                "|",
                "~~",
                "$x$",
                "\u{feff}",
                "www.e.example",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(pieces, 0..8)
            .prop_map(|pieces| pieces.concat().replace('\u{feff}', ""))
    }

    proptest! {
        #[test]
        fn html_holds_text_only(value in values()) {
            let page = page(&format!("x{}", html_text(&value)));
            prop_assert_eq!(&page.text.borrow()[1..], &*value);
            prop_assert!(page.tags.borrow().is_empty());
            prop_assert_eq!(page.others.get(), 0);
        }

        #[test]
        fn attributes_hold_their_value(value in values()) {
            for quote in ['"', '\''] {
                let page = page(&format!("<p title={quote}{}{quote}>", html_attribute(&value)));
                let tags = page.tags.borrow();
                prop_assert_eq!(tags.len(), 1);
                prop_assert_eq!(tags[0].attrs.len(), 1);
                prop_assert_eq!(&*tags[0].attrs[0].value, &*value);
            }
        }

        #[test]
        fn scripts_hold_their_string(value in values()) {
            let encoded = javascript_string(&value);
            let back: String = serde_json::from_str(&format!("\"{encoded}\"")).unwrap();
            prop_assert_eq!(back, value);
            prop_assert!(!encoded.contains(['<', '>', '&', '"', '\'', '`', '/', '\n', '\r']));
        }

        #[test]
        fn addresses_hold_their_component(value in values()) {
            let encoded = url_component(&value);
            let inert = |b: u8| b.is_ascii_alphanumeric() || b"-._~%".contains(&b);
            prop_assert!(encoded.bytes().all(inert));
            let mut bytes = Vec::new();
            let mut rest = encoded.as_bytes();
            while let [first, tail @ ..] = rest {
                if *first == b'%' {
                    let hex = std::str::from_utf8(&tail[..2]).unwrap();
                    bytes.push(u8::from_str_radix(hex, 16).unwrap());
                    rest = &tail[2..];
                } else {
                    bytes.push(*first);
                    rest = tail;
                }
            }
            prop_assert_eq!(String::from_utf8(bytes).unwrap(), value);
        }

        #[test]
        fn styles_hold_their_string(value in values()) {
            let encoded = css_string(&value);
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'\\'));
            let mut back = String::new();
            let mut rest = encoded.as_str();
            while let Some(c) = rest.chars().next() {
                if c == '\\' {
                    let code = u32::from_str_radix(&rest[1..7], 16).unwrap();
                    back.push(char::from_u32(code).unwrap());
                    rest = &rest[7..];
                } else {
                    back.push(c);
                    rest = &rest[1..];
                }
            }
            prop_assert_eq!(back, value);
        }

        #[test]
        fn markdown_holds_text_only(value in values()) {
            let encoded = markdown_text(&value);
            let mut text = String::new();
            for event in Parser::new_ext(&encoded, Options::all()) {
                match event {
                    Event::Text(piece) => text.push_str(&piece),
                    Event::Start(Block::Paragraph) | Event::End(TagEnd::Paragraph) => {}
                    other => prop_assert!(false, "{:?} in {:?}", other, encoded),
                }
            }
            prop_assert_eq!(text, value);
        }

        #[test]
        fn tables_hold_one_inert_cell(value in values()) {
            let encoded = csv_cell(&value);
            let inner = encoded.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            prop_assert!(!inner.replace("\"\"", "").contains('"'));
            let cell = inner.replace("\"\"", "\"");
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert_eq!(cell.strip_prefix('\'').filter(|rest| *rest == value).unwrap_or(&cell), value);
        }

        #[test]
        fn shells_hold_one_word(value in values()) {
            let encoded = shell_word(&value).unwrap();
            // Single quotes and `\'` are all that POSIX needs to know here.
            let mut word = String::new();
            let mut quoted = false;
            let mut chars = encoded.chars();
            while let Some(c) = chars.next() {
                match c {
                    '\'' => quoted = !quoted,
                    '\\' if !quoted => word.extend(chars.next()),
                    c => {
                        prop_assert!(quoted, "{:?} stands outside quotes", c);
                        word.push(c);
                    }
                }
            }
            prop_assert!(!quoted);
            prop_assert_eq!(word, value);
        }

        #[test]
        fn statements_hold_one_literal(value in values()) {
            let encoded = sql_string(&value).unwrap();
            let tokens = tokenizer::Tokenizer::new(&GenericDialect {}, &encoded).tokenize().unwrap();
            prop_assert_eq!(tokens, vec![tokenizer::Token::SingleQuotedString(value)]);
        }
    }

    #[test]
    fn nul_is_refused_where_it_cannot_be_carried() {
        assert_eq!(shell_word("a\0b"), Err(NulCharacter));
        assert_eq!(sql_string("a\0b"), Err(NulCharacter));
        assert_eq!(html_text("a\0"), "a\u{fffd}");
    }

    #[test]
    fn no_check_objects_to_an_encoded_value() {
        let none = super::super::AllowedHosts::default();
        let mut out = Vec::new();
        let attack = "\"><img src=x onerror=alert(1)> ![x](https://evil.example/?q=1)";
        super::super::html::hazards(&html_text(attack), &none, &mut out);
        super::super::markdown::hazards(&markdown_text(attack), &none, &mut out);
        super::super::csv::hazards(&csv_cell("=WEBSERVICE(\"//evil.example\")"), &mut out);
        assert_eq!(out, []);
    }
}
