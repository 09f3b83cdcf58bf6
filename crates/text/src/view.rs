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
/// bytes of the original: 1 from 1 for copied text, 3 from 4 for base64, n from m for a folded
/// character. A negative `orig_unit` walks backwards from `orig`, for reversed text. Bytes of the
/// original that no segment covers were dropped.
///
/// The empty list is the identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetMap {
    // INVARIANT: sorted by `view` without duplicates, the first `view` is 0.
    segments: Vec<Segment>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Segment {
    view: u32,
    orig: u32,
    view_unit: u16,
    orig_unit: i16,
}

/// A state of an [`OffsetMap`] that is being built, to go back to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    len: usize,
    last: Option<Segment>,
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
    /// `orig` on. Calls must come in order of `view`, the first with 0. A segment that continues
    /// the last one is merged into it. Offsets above 4 GiB saturate: limits keep single texts
    /// below.
    pub fn push(&mut self, view: usize, orig: usize, view_unit: usize, orig_unit: usize) {
        self.segment(
            view,
            orig,
            view_unit,
            i16::try_from(orig_unit).unwrap_or(i16::MAX),
        );
    }

    /// Says that from byte `view` on, each `unit` bytes came from as many bytes that end at byte
    /// `orig_end`, the next ones from those before, and so on.
    pub fn push_reversed(&mut self, view: usize, orig_end: usize, unit: usize) {
        self.segment(
            view,
            orig_end,
            unit,
            -i16::try_from(unit).unwrap_or(i16::MAX),
        );
    }

    /// Says that the `view_len` bytes at `view` stand for the bytes `from..to`, and that copied
    /// bytes follow. Bytes before, if there is no segment yet, stand where they stood.
    pub(crate) fn replaced(&mut self, view: usize, view_len: usize, from: usize, to: usize) {
        if self.segments.is_empty() && view > 0 {
            self.push(0, 0, 1, 1);
        }
        if view_len > 0 {
            self.push(view, from, view_len, to - from);
        }
        self.push(view + view_len, to, 1, 1);
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            len: self.segments.len(),
            last: self.segments.last().copied(),
        }
    }

    pub(crate) fn rewind(&mut self, mark: &Mark) {
        self.segments.truncate(mark.len.saturating_sub(1));
        self.segments.extend(mark.last);
    }

    fn segment(&mut self, view: usize, orig: usize, view_unit: usize, orig_unit: i16) {
        let segment = Segment {
            view: u32::try_from(view).unwrap_or(u32::MAX),
            orig: u32::try_from(orig).unwrap_or(u32::MAX),
            view_unit: u16::try_from(view_unit).unwrap_or(u16::MAX).max(1),
            orig_unit,
        };
        if self
            .segments
            .last()
            .is_some_and(|last| last.view >= segment.view)
        {
            self.segments.pop();
        }
        if !self
            .segments
            .last()
            .is_some_and(|last| last.continues_as(&segment))
        {
            self.segments.push(segment);
        }
    }

    /// The original bytes that `range` of the view came from.
    #[must_use]
    pub fn span(&self, range: Range<usize>) -> Span {
        if self.is_identity() {
            return Span::from_range(range);
        }
        let first = self.unit_at(range.start);
        if range.is_empty() {
            return Span::from_range(first.start..first.start);
        }
        let last = self.unit_at(range.end - 1);
        Span::from_range(first.start.min(last.start)..first.end.max(last.end))
    }

    /// The map of a view of a view: `self` maps the inner view, of `len` bytes, to the outer one,
    /// and `outer` maps that to the original.
    #[must_use]
    pub fn then(&self, len: usize, outer: &Self) -> Self {
        if outer.is_identity() {
            return self.clone();
        }
        if self.is_identity() {
            return outer.clone();
        }
        let mut composed = Self::default();
        let ends = self
            .segments
            .iter()
            .skip(1)
            .map(|next| next.view as usize)
            .chain([len]);
        for (segment, end) in self.segments.iter().zip(ends) {
            let end = end.min(len);
            let view = segment.view as usize;
            if segment.is_copy() {
                let mid = segment.orig as usize;
                outer.copy_into(&mut composed, view, mid..mid + end.saturating_sub(view));
                continue;
            }
            for start in (view..end).step_by(usize::from(segment.view_unit)) {
                let mid = segment.unit_at(start);
                let span = outer.span(mid).as_range();
                composed.push(start, span.start, segment.view_unit.into(), span.len());
            }
        }
        composed
    }

    /// Appends the part `range` of this map to `composed`, where it begins at byte `view`.
    fn copy_into(&self, composed: &mut Self, view: usize, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        if self.is_identity() {
            composed.push(view, range.start, 1, 1);
            return;
        }
        let from = self.index_at(range.start);
        let mut seams = self.segments.iter().skip(from).peekable();
        while let Some(seam) = seams.next() {
            let end = seams
                .peek()
                .map_or(range.end, |next| range.end.min(next.view as usize));
            let mut at = range.start.max(seam.view as usize);
            if at >= range.end {
                break;
            }
            let unit = usize::from(seam.view_unit);
            let inside = (at - seam.view as usize) % unit;
            if inside > 0 && at < end {
                // The copy begins within a unit: its rest is a unit of its own.
                let rest = (unit - inside).min(end - at);
                let span = seam.unit_at(at);
                composed.push(view + (at - range.start), span.start, rest, span.len());
                at += rest;
            }
            if at < end {
                let span = seam.unit_at(at);
                let orig = if seam.orig_unit < 0 {
                    span.end
                } else {
                    span.start
                };
                composed.segment(view + (at - range.start), orig, unit, seam.orig_unit);
            }
        }
    }

    fn index_at(&self, view: usize) -> usize {
        self.segments
            .partition_point(|segment| segment.view as usize <= view)
            .saturating_sub(1)
    }

    /// The original bytes that the unit with the byte `view` came from.
    fn unit_at(&self, view: usize) -> Range<usize> {
        self.segments
            .get(self.index_at(view))
            .map_or(view..view + 1, |segment| segment.unit_at(view))
    }
}

impl Segment {
    const fn is_copy(&self) -> bool {
        self.view_unit == 1 && self.orig_unit == 1
    }

    /// Whether `next` says what this segment says anyway.
    fn continues_as(&self, next: &Self) -> bool {
        let grown = next.view - self.view;
        let unit = u32::from(self.view_unit);
        self.view_unit == next.view_unit
            && self.orig_unit == next.orig_unit
            && grown.is_multiple_of(unit)
            && i64::from(self.orig) + i64::from(grown / unit) * i64::from(self.orig_unit)
                == i64::from(next.orig)
    }

    fn unit_at(&self, view: usize) -> Range<usize> {
        let unit = view.saturating_sub(self.view as usize) / usize::from(self.view_unit);
        let size = usize::from(self.orig_unit.unsigned_abs());
        let orig = self.orig as usize;
        if self.orig_unit < 0 {
            orig.saturating_sub((unit + 1) * size)..orig.saturating_sub(unit * size)
        } else {
            orig + unit * size..orig + (unit + 1) * size
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A map with the original bytes of every byte of its view, to compare with.
    fn pieces() -> impl Strategy<Value = (OffsetMap, Vec<Range<usize>>)> {
        let piece = (1..4usize, 1..5usize, 1..6usize, 0..4usize);
        proptest::collection::vec(piece, 1..12).prop_map(|pieces| {
            let (mut map, mut model) = (OffsetMap::default(), Vec::new());
            let mut orig = 0;
            for (view_unit, orig_unit, units, skip) in pieces {
                orig += skip;
                map.push(model.len(), orig, view_unit, orig_unit);
                for _ in 0..units {
                    for _ in 0..view_unit {
                        model.push(orig..orig + orig_unit);
                    }
                    orig += orig_unit;
                }
            }
            (map, model)
        })
    }

    fn cover(model: &[Range<usize>]) -> Span {
        let start = model.iter().map(|range| range.start).min().unwrap();
        let end = model.iter().map(|range| range.end).max().unwrap();
        Span::from_range(start..end)
    }

    proptest! {
        #[test]
        fn a_span_covers_what_the_range_came_from(
            (map, model) in pieces(),
            start in 0..100usize,
            len in 1..20usize,
        ) {
            let start = start % model.len();
            let end = (start + len).min(model.len());
            prop_assert_eq!(map.span(start..end), cover(&model[start..end]));
        }

        #[test]
        fn composition_is_one_map_after_the_other(
            (inner, inner_model) in pieces(),
            (outer, _) in pieces(),
        ) {
            let composed = inner.then(inner_model.len(), &outer);
            for (at, mid) in inner_model.iter().enumerate() {
                prop_assert_eq!(composed.span(at..at + 1), outer.span(mid.clone()), "at {}", at);
            }
        }
    }

    #[test]
    fn reversed_text_points_back() {
        let mut map = OffsetMap::default();
        for at in 0..5 {
            map.push_reversed(at, 10 - at, 1);
        }
        assert_eq!(map.segments.len(), 1);
        assert_eq!(map.span(0..5), Span::from_range(5..10));
        assert_eq!(map.span(1..3), Span::from_range(7..9));
        let mut outer = OffsetMap::default();
        outer.push(0, 100, 1, 1);
        assert_eq!(map.then(5, &outer).span(1..3), Span::from_range(107..109));
    }

    #[test]
    fn equal_replacements_share_a_segment() {
        let mut map = OffsetMap::default();
        for at in 0..100 {
            map.replaced(at, 1, at * 3, at * 3 + 3);
        }
        assert_eq!(map.segments.len(), 2);
        assert_eq!(map.span(10..20), Span::from_range(30..60));
    }
}
