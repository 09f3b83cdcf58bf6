use bartizan_core::Span;

/// A way in which a text hides what it says, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disguise {
    /// What was done.
    pub kind: DisguiseKind,
    /// Where, in bytes of the original.
    pub span: Span,
    /// Characters concerned.
    pub count: u32,
}

/// How a text hides what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisguiseKind {
    /// Zero-width or filler characters between letters.
    Invisible,
    /// Characters that override the direction of writing.
    BidiOverride,
    /// Tag characters outside flags.
    Tags,
    /// Runs of variation selectors, or selectors on plain letters.
    VariationSelectors,
    /// Words that mix Latin letters with look-alikes of another script.
    MixedScript,
    /// Words written letter by letter.
    SpacedLetters,
    /// Letters with piles of combining marks.
    CombiningMarks,
    /// Control characters between letters.
    Control,
}

/// Collects disguises: neighbours of one kind become one, and the list is capped.
#[derive(Debug, Default)]
pub(crate) struct Disguises(Vec<Disguise>);

/// Disguises of one kind that stand at most this many bytes apart are one.
const NEAR: u64 = 64;
/// Beyond this many disguises, further ones only count towards the last.
const MAX: usize = 256;

impl Disguises {
    pub(crate) fn add(&mut self, kind: DisguiseKind, span: Span, count: u32) {
        let full = self.0.len() >= MAX;
        let near = self.0.iter_mut().rev().take(4).find(|last| {
            last.kind == kind && (full || span.start().saturating_sub(last.span.end()) <= NEAR)
        });
        if let Some(last) = near {
            last.span = last.span.cover(span);
            last.count = last.count.saturating_add(count);
        } else if !full {
            self.0.push(Disguise { kind, span, count });
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Disguise> {
        self.0
    }
}
