//! The shape of the net, the same as in `bartizan_classify`.

pub(crate) use bartizan_classify::shape::{
    BLOCK, BUCKETS, FILTERS, HEADS, HIDDEN, MEAN, ROW, TAPS,
};

/// Numbers of an embedding.
pub(crate) const WIDTH: usize = 64;
/// Words of the vocabulary, at most.
pub(crate) const VOCABULARY: usize = 20_480;
/// Features of a window.
pub(crate) const FEATURES: usize = FILTERS + MEAN;
