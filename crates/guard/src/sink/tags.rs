//! Tags of a page, one at a time and with their place.

use std::{cell::RefCell, ops::Range};

use html5ever::{
    TokenizerResult,
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};

use super::hazard::window;

/// Longest tag that is read, in bytes.
pub(super) const MAX_TAG: usize = 8 << 10;

/// One tag and where it stands.
#[derive(Debug)]
pub(super) struct Found {
    /// From `<` to `>`.
    pub(super) range: Range<usize>,
    /// What the tokenizer of the HTML standard reads there.
    pub(super) tag: Tag,
    /// Whether its `>` is missing at the end of the text.
    pub(super) cut_off: bool,
}

/// Reads tags out of a text. What stands in comments and scripts counts too, since the text may
/// be put anywhere in a page; a `<` within a tag does not start another.
///
/// Takes time linear in the text: tags do not overlap, and what may be spent on tags that do not
/// end within [`MAX_TAG`] bytes is bounded.
pub(super) struct Tags<'t> {
    text: &'t str,
    at: usize,
    tokenizer: Option<Tokenizer<First>>,
    /// Bytes that may still be spent on tags that do not end.
    patience: usize,
    /// Where to look for the next tag at the earliest, once patience is lost.
    given_up: usize,
}

impl<'t> Tags<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            tokenizer: None,
            patience: (1 << 20) + 4 * text.len(),
            given_up: 0,
        }
    }

    /// Reads the tag that starts at `start`; `None` when none ends in reach.
    fn read(&mut self, start: usize) -> Option<Found> {
        let reach = window(self.text, start, MAX_TAG);
        let mut fed = 0;
        let tokenizer = self.tokenizer.get_or_insert_with(First::tokenizer);
        let mut found = None;
        for close in memchr::memchr_iter(b'>', reach.as_bytes()) {
            let piece = reach.get(fed..=close)?;
            fed = close + 1;
            if let Some(tag) = feed(tokenizer, piece) {
                found = Some((tag, fed, false));
                break;
            }
        }
        if found.is_none() {
            // The next `<` gets a fresh start.
            let tokenizer = self.tokenizer.take()?;
            if start + reach.len() == self.text.len() {
                found = reach.get(fed..).and_then(|rest| {
                    let _ = feed(&tokenizer, rest);
                    [" >", "\" >", "' >"]
                        .into_iter()
                        .find_map(|end| feed(&tokenizer, end))
                        .map(|tag| (tag, reach.len(), true))
                });
            }
        }
        let (tag, len, cut_off) = found?;
        Some(Found {
            range: start..start + len,
            tag,
            cut_off,
        })
    }
}

impl Iterator for Tags<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let bytes = self.text.as_bytes();
        loop {
            let start = self.at + memchr::memchr(b'<', bytes.get(self.at..)?)?;
            self.at = start + 1;
            let next = bytes.get(self.at).copied().unwrap_or(b' ');
            if !(next.is_ascii_alphabetic() || next == b'/') || start < self.given_up {
                continue;
            }
            if let Some(found) = self.read(start) {
                self.at = if found.cut_off {
                    self.text.len()
                } else {
                    found.range.end
                };
                return Some(found);
            }
            match self.patience.checked_sub(MAX_TAG) {
                Some(rest) => self.patience = rest,
                None => self.given_up = start + MAX_TAG / 2,
            }
        }
    }
}

fn feed(tokenizer: &Tokenizer<First>, piece: &str) -> Option<Tag> {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(piece));
    match tokenizer.feed(&queue) {
        TokenizerResult::Script(()) => tokenizer.sink.0.take(),
        _ => None,
    }
}

/// Keeps a tag and asks the tokenizer to pause.
#[derive(Debug, Default)]
struct First(RefCell<Option<Tag>>);

impl First {
    fn tokenizer() -> Tokenizer<Self> {
        Tokenizer::new(Self::default(), TokenizerOpts::default())
    }
}

impl TokenSink for First {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token {
            self.0.replace(Some(tag));
            return TokenSinkResult::Script(());
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<(String, String)> {
        Tags::new(text)
            .map(|found| (found.tag.name.to_string(), text[found.range].to_owned()))
            .collect()
    }

    #[test]
    fn places_are_those_of_the_text() {
        let found = tags("a < b <p title='x > y'>é</p><3 <br/>");
        let expected = [("p", "<p title='x > y'>"), ("p", "</p>"), ("br", "<br/>")];
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_tag_cut_off_at_the_end_counts() {
        let found = Tags::new("x <img src='https://evil.example/?")
            .last()
            .unwrap();
        assert!(found.cut_off);
        assert_eq!(found.tag.attrs.len(), 1);
    }

    #[test]
    fn what_does_not_end_does_not_hide_what_follows() {
        let text = format!("<a title=\"{}<script>", "> ".repeat(MAX_TAG));
        assert!(tags(&text).iter().any(|(name, _)| name == "script"));
    }

    #[test]
    fn endless_tags_take_linear_time() {
        for piece in ["<", "<a ", "<a b=\"", "<a b='>", "</", "<a <a b=\"> > "] {
            assert!(tags(&piece.repeat(200_000)).len() <= 200_000);
        }
    }
}
