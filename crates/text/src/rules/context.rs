//! Expressions that are looked for near a match.
//!
//! They are matched in the window around a hit, not registered with the scan: a hit is rare, most
//! context words are common (`you`, `for example`), and a window is at most a few hundred bytes, so
//! ordinary text pays nothing for them.

use std::sync::OnceLock;

use regex_automata::{Input, meta};

/// One list of expressions, as one alternation, compiled when it is first needed.
#[derive(Debug)]
pub(super) struct Near {
    source: String,
    regex: OnceLock<Option<meta::Regex>>,
}

impl Near {
    pub(super) fn new(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            regex: OnceLock::new(),
        }
    }

    /// Whether one of the expressions matches within `window` of `text`.
    pub(super) fn matches(&self, text: &[u8], window: std::ops::Range<usize>) -> bool {
        let regex = self
            .regex
            .get_or_init(|| crate::scan::compile(&self.source, false, true).ok());
        regex
            .as_ref()
            .is_some_and(|regex| regex.search_half(&Input::new(text).range(window)).is_some())
    }
}
