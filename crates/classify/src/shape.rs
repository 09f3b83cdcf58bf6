//! The shape of the net.

/// Words that a filter sees: two before, one, and two after.
pub const TAPS: usize = 5;
/// Filters whose strongest answer in a window counts.
pub const FILTERS: usize = 48;
/// Features that are the mean over the words of a window.
pub const MEAN: usize = 16;
/// Numbers stored for each word: its share in every filter at every tap, and in every mean.
pub const ROW: usize = TAPS * FILTERS + MEAN;
/// Words of half a window; windows overlap by one block.
pub const BLOCK: usize = 24;
/// Rows that stand for parts of words that are not in the vocabulary.
pub const BUCKETS: usize = 4096;
/// Hidden units.
pub const HIDDEN: usize = 48;
/// Outputs: benign, injection, jailbreak, then one per harm.
pub const HEADS: usize = 3 + crate::HARMS;
/// What a window comes down to: the strongest answer of each filter, then the means.
pub const FEATURES: usize = FILTERS + MEAN;
