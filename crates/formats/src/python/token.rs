use unicode_normalization::UnicodeNormalization;

/// How many tokens one source may have.
const MAX_TOKENS: usize = 4_000_000;
/// How deep expressions may stand in strings.
const MAX_DEPTH: u32 = 4;

/// A token of Python source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in bytes, from 0.
    pub column: u32,
}

/// What a [`Token`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A name or keyword, in normal form NFKC as the interpreter takes it.
    Name(String),
    /// A number; which one does not matter.
    Number,
    /// A string, its escapes resolved. What an f-string computes follows as tokens in parentheses.
    Text(String),
    /// A sign of one character.
    Sign(char),
    /// The end of a statement's line.
    Newline,
}

/// The tokens of `source`; `None` when there are too many.
///
/// Source: <https://docs.python.org/3/reference/lexical_analysis.html>
#[must_use]
pub fn tokens(source: &str) -> Option<Vec<Token>> {
    let mut lexer = Lexer {
        source,
        at: 0,
        line: 1,
        line_start: 0,
        brackets: 0,
        depth: 0,
        out: Vec::new(),
    };
    lexer.run()?;
    Some(lexer.out)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    line: u32,
    line_start: usize,
    brackets: u32,
    depth: u32,
    out: Vec<Token>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.out.push(Token {
            kind,
            line: self.line,
            column: u32::try_from(start.saturating_sub(self.line_start)).unwrap_or(u32::MAX),
        });
    }

    fn next_line(&mut self) {
        self.line = self.line.saturating_add(1);
        self.line_start = self.at;
    }

    fn run(&mut self) -> Option<()> {
        while let Some(c) = self.rest().chars().next() {
            if self.out.len() > MAX_TOKENS {
                return None;
            }
            let start = self.at;
            match c {
                '\n' | '\r' => {
                    self.at += 1;
                    if self.brackets == 0 && c == '\n' {
                        self.push(TokenKind::Newline, start);
                    }
                    if c == '\n' {
                        self.next_line();
                    }
                }
                '\\' if self.rest().starts_with("\\\n") => {
                    self.at += 2;
                    self.next_line();
                }
                '\\' if self.rest().starts_with("\\\r\n") => {
                    self.at += 3;
                    self.next_line();
                }
                c if c.is_whitespace() || c == '\u{feff}' => self.at += c.len_utf8(),
                '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                '"' | '\'' => self.text("", start),
                c if c.is_ascii_digit() => self.number(),
                c if c == '_' || c.is_alphabetic() || !c.is_ascii() => self.name(start),
                _ => {
                    match c {
                        '(' | '[' | '{' => self.brackets += 1,
                        ')' | ']' | '}' => self.brackets = self.brackets.saturating_sub(1),
                        _ => {}
                    }
                    self.at += c.len_utf8();
                    self.push(TokenKind::Sign(c), start);
                }
            }
        }
        self.push(TokenKind::Newline, self.at);
        Some(())
    }

    fn number(&mut self) {
        let start = self.at;
        let digits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let end = self
            .rest()
            .find(|c| !digits(c))
            .unwrap_or(self.rest().len());
        self.at += end;
        self.push(TokenKind::Number, start);
    }

    fn name(&mut self, start: usize) {
        let part = |c: char| c == '_' || c.is_alphanumeric() || !c.is_ascii();
        let end = self.rest().find(|c| !part(c)).unwrap_or(self.rest().len());
        let name: String = self.rest().get(..end).unwrap_or_default().nfkc().collect();
        self.at += end;
        let is_prefix = name.len() <= 2 && name.chars().all(|c| "rRbBuUfFtT".contains(c));
        if is_prefix && self.rest().starts_with(['"', '\'']) {
            self.text(&name, start);
        } else {
            self.push(TokenKind::Name(name), start);
        }
    }

    /// A string, whose opening quote is next.
    fn text(&mut self, prefix: &str, start: usize) {
        let quote = self.rest().chars().next().unwrap_or('"');
        let long: String = std::iter::repeat_n(quote, 3).collect();
        let is_long = self.rest().starts_with(&long);
        let close: &str = if is_long {
            &long
        } else {
            long.get(..1).unwrap_or("\"")
        };
        self.at += close.len();
        let is_raw = prefix.contains(['r', 'R']);
        let begin = self.at;
        let (line, column) = (self.line, self.line_start);
        let mut value = String::new();
        while let Some(c) = self.rest().chars().next() {
            if self.rest().starts_with(close) || (c == '\n' && !is_long) {
                break;
            }
            self.at += c.len_utf8();
            if c == '\n' {
                self.next_line();
            }
            if c != '\\' {
                value.push(c);
                continue;
            }
            let Some(next) = self.rest().chars().next() else {
                break;
            };
            if is_raw {
                value.push(c);
                value.push(next);
                self.at += next.len_utf8();
                if next == '\n' {
                    self.next_line();
                }
                continue;
            }
            self.escape(next, &mut value);
        }
        let body = self.source.get(begin..self.at).unwrap_or_default();
        if self.rest().starts_with(close) {
            self.at += close.len();
        }
        let inner = (prefix.contains(['f', 'F', 't', 'T']) && self.depth < MAX_DEPTH)
            .then(|| expressions(body));
        self.out.push(Token {
            kind: TokenKind::Text(value),
            line,
            column: u32::try_from(start.saturating_sub(column)).unwrap_or(u32::MAX),
        });
        for expression in inner.unwrap_or_default() {
            let mut lexer = Lexer {
                source: expression,
                at: 0,
                line,
                line_start: 0,
                brackets: 1,
                depth: self.depth + 1,
                out: Vec::new(),
            };
            self.push(TokenKind::Sign('('), start);
            if lexer.run().is_some() {
                lexer.out.pop();
                let inside = lexer.out.into_iter();
                self.out.extend(inside.map(|token| Token { line, ..token }));
            }
            self.push(TokenKind::Sign(')'), start);
        }
    }

    /// An escape, of which `next` follows the backslash.
    fn escape(&mut self, next: char, value: &mut String) {
        self.at += next.len_utf8();
        let digits = match next {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if digits > 0 {
            let code = self.rest().get(..digits);
            let code = code.and_then(|hex| u32::from_str_radix(hex, 16).ok());
            if let Some(c) = code.and_then(char::from_u32) {
                self.at += digits;
                value.push(c);
            }
            return;
        }
        match next {
            '\n' => self.next_line(),
            'n' => value.push('\n'),
            't' => value.push('\t'),
            'r' => value.push('\r'),
            '0'..='7' => {
                let mut code = next.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.rest().chars().next().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    self.at += 1;
                    code = code * 8 + digit;
                }
                value.extend(char::from_u32(code));
            }
            '\\' | '\'' | '"' => value.push(next),
            other => {
                value.push('\\');
                value.push(other);
            }
        }
    }
}

/// What an f-string computes.
fn expressions(body: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = body;
    while let Some(open) = rest.find('{') {
        rest = rest.get(open + 1..).unwrap_or_default();
        if let Some(literal) = rest.strip_prefix('{') {
            rest = literal;
            continue;
        }
        let mut depth = 1;
        let end = rest.find(|c| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            depth == 0
        });
        let end = end.unwrap_or(rest.len());
        found.extend(rest.get(..end));
        rest = rest.get(end..).unwrap_or_default();
    }
    found
}
