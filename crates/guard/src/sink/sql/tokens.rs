use sqlparser::{
    dialect::GenericDialect,
    tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace, Word},
};

/// The tokens of a stretch without white space and comments.
pub(super) struct Tokens {
    pub(super) tokens: Vec<TokenWithSpan>,
    /// Whether the text went on where no token could be read, e.g. in an open string.
    pub(super) open: bool,
}

impl Tokens {
    pub(super) fn read(text: &str) -> Self {
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

    pub(super) fn get(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at).map(|token| &token.token)
    }

    /// Whether the word at `at` is one of `words`.
    pub(super) fn is(&self, at: usize, words: &[&str]) -> bool {
        matches!(self.get(at), Some(Token::Word(word)) if words.iter().any(|w| word.value.eq_ignore_ascii_case(w)))
    }

    /// Skips the words at `at` that are among `words`.
    pub(super) fn skip(&self, mut at: usize, words: &[&str]) -> usize {
        while self.is(at, words) {
            at += 1;
        }
        at
    }

    /// The place after a possibly dotted name at `at`.
    pub(super) fn name(&self, at: usize) -> Option<usize> {
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
    pub(super) fn ends(&self, at: usize) -> bool {
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
    pub(super) fn soon(&self, at: usize, reach: usize, is: impl Fn(&Token) -> bool) -> bool {
        self.tokens
            .iter()
            .skip(at)
            .take(reach)
            .take_while(|token| token.token != Token::SemiColon)
            .any(|token| is(&token.token))
    }

    pub(super) fn soon_word(&self, at: usize, reach: usize, words: &[&str]) -> bool {
        self.soon(at, reach, |token| {
            matches!(token, Token::Word(word) if words.iter().any(|w| word.value.eq_ignore_ascii_case(w)))
        })
    }

    pub(super) fn is_open_paren(&self, at: usize) -> bool {
        self.get(at) == Some(&Token::LParen)
    }
}

pub(super) fn is_constant(token: &Token) -> bool {
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

/// Byte after the token number `last`, within the text that was read.
pub(super) fn range_end(text: &str, tokens: &Tokens, last: usize) -> usize {
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
