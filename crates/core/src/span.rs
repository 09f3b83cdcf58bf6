use std::{fmt, ops::Range};

use serde::Serialize;

/// Half-open byte range `start..end` into the **original** input, in bytes.
///
/// Offsets are `u64` because artifacts exceed 4 GiB.
// INVARIANT: `start <= end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    start: u64,
    end: u64,
}

impl Span {
    /// Returns `None` when `start > end`.
    #[must_use]
    pub const fn new(start: u64, end: u64) -> Option<Self> {
        if start <= end {
            Some(Self { start, end })
        } else {
            None
        }
    }

    /// The span of `range`; a reversed range becomes the empty span at its end.
    #[must_use]
    pub const fn from_range(range: Range<usize>) -> Self {
        let end = range.end as u64;
        let start = if range.start > range.end {
            end
        } else {
            range.start as u64
        };
        Self { start, end }
    }

    /// First byte of the range.
    #[must_use]
    pub const fn start(self) -> u64 {
        self.start
    }

    /// One past the last byte of the range.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.end
    }

    /// Number of bytes covered.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "an empty span is a position, not a container"
    )]
    pub const fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether the two share at least one byte.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` lies within `self`.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The span moved `by` bytes to the right.
    #[must_use]
    pub const fn shifted(self, by: u64) -> Self {
        Self {
            start: self.start.saturating_add(by),
            end: self.end.saturating_add(by),
        }
    }

    /// As a range for slicing; saturates on targets whose `usize` is narrower.
    #[must_use]
    pub fn as_range(self) -> Range<usize> {
        let narrow = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        narrow(self.start)..narrow(self.end)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
