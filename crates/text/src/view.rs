use std::{borrow::Cow, ops::Range};

use bartizan_core::{Span, Transform};

/// One reading of a text, with the way back to the original bytes.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// What this reading says.
    pub text: Cow<'a, str>,
    /// Where each byte of it came from.
    pub map: OffsetMap,
    /// How it was made, outermost first; empty for the text as received.
    pub via: Vec<Transform>,
}

impl<'a> View<'a> {
    /// The text as it is.
    #[must_use]
    pub fn plain(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            map: OffsetMap::identity(),
            via: Vec::new(),
        }
    }

    /// The original bytes that `range` of this view came from.
    #[must_use]
    pub fn span(&self, range: Range<usize>) -> Span {
        self.map.span(range)
    }
}

/// Maps ranges of a view to ranges of the original bytes.
///
/// A list of segments. Within a segment every `view_unit` bytes of the view came from `orig_unit`
/// bytes of the original: 1 to 1 for copied text, 3 to 4 for base64, n to m for a folded
/// character. Bytes of the original that stand between segments were dropped.
///
/// The empty list is the identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetMap {
    // INVARIANT: sorted by `view`, first `view` is 0, `orig` does not decrease unless the view was reversed.
    segments: Vec<Segment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    view: u32,
    orig: u32,
    view_unit: u16,
    orig_unit: u16,
}

impl OffsetMap {
    /// Every byte came from where it stands.
    #[must_use]
    pub const fn identity() -> Self {
        Self {
            segments: Vec::new(),
        }
    }

    /// Whether every byte came from where it stands.
    #[must_use]
    pub const fn is_identity(&self) -> bool {
        self.segments.is_empty()
    }

    /// Says that from byte `view` on, each `view_unit` bytes came from `orig_unit` bytes from byte
    /// `orig` on. Calls must come in order of `view`. A segment that continues the last one is
    /// merged into it. Offsets above 4 GiB saturate: limits keep single texts below.
    pub fn push(&mut self, view: usize, orig: usize, view_unit: usize, orig_unit: usize) {
        let segment = Segment {
            view: u32::try_from(view).unwrap_or(u32::MAX),
            orig: u32::try_from(orig).unwrap_or(u32::MAX),
            view_unit: u16::try_from(view_unit).unwrap_or(u16::MAX).max(1),
            orig_unit: u16::try_from(orig_unit).unwrap_or(u16::MAX),
        };
        if let Some(last) = self.segments.last_mut() {
            if last.view == segment.view {
                *last = segment;
                return;
            }
            let grown = segment.view.saturating_sub(last.view);
            let continues = last.view_unit == segment.view_unit
                && last.orig_unit == segment.orig_unit
                && grown.is_multiple_of(u32::from(last.view_unit))
                && last
                    .orig
                    .saturating_add(grown / u32::from(last.view_unit) * u32::from(last.orig_unit))
                    == segment.orig;
            if continues {
                return;
            }
        }
        self.segments.push(segment);
    }

    /// The original bytes that `range` of the view came from.
    #[must_use]
    pub fn span(&self, range: Range<usize>) -> Span {
        if self.is_identity() {
            return Span::from_range(range);
        }
        if range.is_empty() {
            let at = self.start_of(range.start);
            return Span::from_range(at..at);
        }
        let (first, last) = (self.start_of(range.start), self.end_of(range.end));
        // A reversed view maps its start to the right of its end.
        let (other_first, other_last) =
            (self.end_of(range.start + 1), self.start_of(range.end - 1));
        Span::from_range(first.min(other_last)..last.max(other_first))
    }

    /// The map of a view of a view: `self` maps the inner view to the outer one, `outer` maps that
    /// to the original. Precise to a segment of either.
    #[must_use]
    pub fn then(&self, outer: &Self) -> Self {
        if outer.is_identity() {
            return self.clone();
        }
        if self.is_identity() {
            return outer.clone();
        }
        let mut composed = Self::default();
        for (index, segment) in self.segments.iter().enumerate() {
            let view_end = self
                .segments
                .get(index + 1)
                .map_or(u32::MAX, |next| next.view);
            let (vu, ou) = (u32::from(segment.view_unit), u32::from(segment.orig_unit));
            let mid_start = segment.orig;
            let units = (view_end.saturating_sub(segment.view)).div_ceil(vu);
            let mid_end = mid_start.saturating_add(units.saturating_mul(ou.max(1)));
            if vu == 1 && ou == 1 {
                // A straight copy: split it at the seams of the outer map.
                let from = outer.index_at(mid_start);
                for (offset, seam) in outer.segments.iter().enumerate().skip(from) {
                    if seam.view >= mid_end && offset > from {
                        break;
                    }
                    let start = seam.view.max(mid_start);
                    let into = start - seam.view;
                    let (svu, sou) = (u32::from(seam.view_unit), u32::from(seam.orig_unit));
                    composed.push(
                        (segment.view + (start - mid_start)) as usize,
                        (seam.orig + into / svu * sou) as usize,
                        seam.view_unit.into(),
                        seam.orig_unit.into(),
                    );
                }
            } else {
                for unit in 0..units.min(MAX_UNITS_SPLIT) {
                    let mid = mid_start + unit * ou;
                    let span = outer.span(mid as usize..(mid + ou.max(1)) as usize);
                    composed.push(
                        (segment.view + unit * vu) as usize,
                        span.as_range().start,
                        vu as usize,
                        span.as_range().len(),
                    );
                }
            }
        }
        composed
    }

    fn index_at(&self, view: u32) -> usize {
        self.segments
            .partition_point(|segment| segment.view <= view)
            .saturating_sub(1)
    }

    fn at(&self, view: usize) -> Option<(Segment, usize)> {
        let view = u32::try_from(view).unwrap_or(u32::MAX);
        let segment = *self.segments.get(self.index_at(view))?;
        Some((segment, view.saturating_sub(segment.view) as usize))
    }

    fn start_of(&self, view: usize) -> usize {
        self.at(view).map_or(view, |(segment, into)| {
            segment.orig as usize
                + into / usize::from(segment.view_unit) * usize::from(segment.orig_unit)
        })
    }

    fn end_of(&self, view: usize) -> usize {
        let Some(last) = view.checked_sub(1) else {
            return self.start_of(0);
        };
        self.at(last).map_or(view, |(segment, into)| {
            segment.orig as usize
                + (into + 1).div_ceil(usize::from(segment.view_unit))
                    * usize::from(segment.orig_unit)
        })
    }
}

/// Units of an encoded segment that [`OffsetMap::then`] maps one by one; beyond, the tail maps as
/// one piece. Decoded pieces are capped far below.
const MAX_UNITS_SPLIT: u32 = 1 << 20;
