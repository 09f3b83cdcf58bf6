//! Finds the anchors that may stand inside a word.

use aho_corasick::packed;
use memchr::memmem::Finder;

/// Literals to look for anywhere, with case.
#[derive(Debug, Default)]
pub(super) struct Inside {
    /// Each with its pattern.
    literals: Vec<(Finder<'static>, u32)>,
    /// All of them in one pass; `None` where the processor has no vectors for it.
    searcher: Option<packed::Searcher>,
}

impl Inside {
    pub(super) fn new(literals: Vec<(String, u32)>) -> Self {
        let searcher = packed::Searcher::new(literals.iter().map(|(literal, _)| literal));
        let finders = literals.iter().map(|(literal, pattern)| {
            let finder = Finder::new(literal.as_bytes());
            (finder.into_owned(), *pattern)
        });
        Self {
            literals: finders.collect(),
            searcher,
        }
    }

    /// Calls `found(pattern, start)` for every literal in `text`.
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(u32, usize)) {
        let Some(searcher) = &self.searcher else {
            for (finder, pattern) in &self.literals {
                finder.find_iter(text).for_each(|at| found(*pattern, at));
            }
            return;
        };
        let mut from = 0;
        while let Some(next) = searcher.find_in(text, (from..text.len()).into()) {
            let at = next.start();
            let rest = text.get(at..).unwrap_or_default();
            for (finder, pattern) in &self.literals {
                if rest.starts_with(finder.needle()) {
                    found(*pattern, at);
                }
            }
            from = at + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_that_overlap_are_all_found() {
        let literals = ["1000.", ":AA", "0.:", ":AAB"].map(str::to_owned);
        let inside = Inside::new(literals.into_iter().zip(0..).collect());
        let text = "Z1000.:AAB".repeat(9);
        let mut found = Vec::new();
        inside.find(text.as_bytes(), |pattern, at| found.push((at, pattern)));
        let slow = Inside {
            searcher: None,
            ..inside
        };
        let mut expected = Vec::new();
        slow.find(text.as_bytes(), |pattern, at| expected.push((at, pattern)));
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(found.len(), 4 * 9);
    }
}
