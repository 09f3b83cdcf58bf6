//! Python's pickles: programs for a small stack machine, which loaders run.

use crate::Source;

/// Whether the bytes begin as a pickle does.
#[must_use]
pub fn is_pickle(source: &dyn Source) -> bool {
    matches!(source.read(0, 2).as_deref(), Ok([0x80, 0..=5]))
}
