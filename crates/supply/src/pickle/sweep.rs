//! A search for dangerous names in bytes that no machine followed.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use bartizan_core::{CheckError, Span};
use bartizan_formats::Source;

use super::{names, rules};
use crate::Desk;

/// Bytes that are searched at a time, and how far two times overlap.
const BLOCK: u64 = 256 << 10;
const OVERLAP: u64 = 128;

/// GLOBAL and INST with a dangerous module, as they stand in a file.
static PATTERNS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let modules = names::dangerous_modules();
    let patterns = modules
        .iter()
        .flat_map(|module| [format!("c{module}\n"), format!("i{module}\n")]);
    AhoCorasick::new(patterns).ok()
});

/// Names dangerous imports in the rest of a file that a loader may still read, or that was too much
/// to follow. `at` is where the rest begins.
pub(super) fn sweep(rest: &dyn Source, at: u64, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let Some(patterns) = &*PATTERNS else {
        return Err(CheckError::Unavailable("the search cannot be built".into()));
    };
    let mut from = 0;
    while from < rest.len() {
        // A search may use what is left, but is no reason to be incomplete twice.
        if desk.spend(BLOCK >> 6).is_err() {
            return Ok(());
        }
        let block = rest
            .read(from, BLOCK + OVERLAP)
            .map_err(|_| CheckError::Unavailable("the file cannot be read".into()))?;
        if let Some(found) = patterns.find(&block) {
            let start = at + from + found.start() as u64;
            let span = Span::new(start, start + found.len() as u64);
            let words = "a dangerous import stands in the part that was not followed";
            return desk.report(&rules::INDIRECTION, span, words);
        }
        from += BLOCK;
    }
    Ok(())
}
