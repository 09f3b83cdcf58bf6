use bartizan_core::{Span, Transform};

use super::{
    Derived, Disguise, DisguiseKind, ViewLimits, acrostic, bytes, concatenated, escapes, framed,
    hidden,
    piece::{Piece, Pieces},
    pig_latin, respaced, respelled, segment, spaced, spelled,
    triggers::Triggers,
    turned,
};
use crate::{View, fold};

/// Derives views, breadth first, within limits.
pub(super) struct Deriver<'l> {
    limits: &'l ViewLimits,
    /// Bytes that views may still take.
    left: usize,
    derived: Derived<'static>,
}

/// Views of any text may take this many bytes.
const MIN_GROWTH: usize = 64 << 10;

impl<'l> Deriver<'l> {
    pub(super) fn new(len: usize, limits: &'l ViewLimits) -> Self {
        Self {
            limits,
            left: len.saturating_mul(limits.max_growth).max(MIN_GROWTH),
            derived: Derived::default(),
        }
    }

    pub(super) fn run<'a>(mut self, raw: &[u8], main: &View<'_>) -> Derived<'a> {
        let mut pieces = Pieces::new();
        if !main.via.is_empty() {
            hidden::decode(raw, &mut pieces);
            // These point into the bytes as received, not into the main view.
            for (transform, piece) in pieces.drain(..) {
                self.add(None, transform, piece);
            }
        }
        let spelled = readings(main, &mut pieces);
        self.derived.disguises.extend(spelled);
        self.add_all(Some(main), pieces);
        let mut next = 0;
        while let Some(view) = self.derived.views.get(next).cloned() {
            next += 1;
            let mut pieces = Pieces::new();
            readings(&view, &mut pieces);
            self.add_all(Some(&view), pieces);
        }
        self.derived
    }

    fn add_all(&mut self, parent: Option<&View<'_>>, pieces: Pieces) {
        for (transform, piece) in pieces {
            self.add(parent, transform, piece);
        }
    }

    fn add(&mut self, parent: Option<&View<'_>>, transform: Transform, piece: Piece) {
        let via: Vec<Transform> = parent
            .map(|view| view.via.as_slice())
            .unwrap_or_default()
            .iter()
            .copied()
            .filter(|via| *via != Transform::Folded)
            .chain([transform])
            .collect();
        let limit = if via.len() > usize::from(self.limits.max_depth) {
            Some("max-depth")
        } else if self.derived.views.len() >= self.limits.max_views {
            Some("max-views")
        } else if piece.text.len() > self.left {
            Some("max-growth")
        } else {
            None
        };
        if limit.is_some() {
            self.derived.truncated = self.derived.truncated.or(limit);
            return;
        }
        let folded = fold::fold(piece.text.as_bytes());
        // A character can fold to eleven times its length.
        let Some(left) = self.left.checked_sub(folded.text.len()) else {
            self.derived.truncated = self.derived.truncated.or(Some("max-growth"));
            return;
        };
        self.left = left;
        let mut map = match parent {
            Some(parent) => piece.map.then(piece.text.len(), &parent.map),
            None => piece.map,
        };
        map = folded.map.then(folded.text.len(), &map);
        let text = folded.text.into_owned();
        self.derived.views.push(View {
            text: text.into(),
            map,
            via,
        });
    }
}

/// Every reading of `view`, and the words in it that are written letter by letter.
fn readings(view: &View<'_>, pieces: &mut Pieces) -> Vec<Disguise> {
    let text = view.text.as_ref();
    let done = |transform| view.via.contains(&transform);
    let triggers = Triggers::find(text);
    bytes::decode(text, &triggers.runs, pieces);
    escapes::decode(text, pieces);
    spaced::codes(text, &triggers.codes, pieces);
    concatenated::decode(text, pieces);
    let spelled = if done(Transform::Joined) {
        Vec::new()
    } else {
        spaced::join(text, &triggers.letters, pieces)
    };
    if !done(Transform::Leet) && !done(Transform::Rotated) {
        turned::leet(text, &triggers.digits, &triggers.seams, pieces);
    }
    let signs = turned::Signs::find(text);
    if !done(Transform::Reversed) {
        turned::reversed(text, &signs.reversed, pieces);
    }
    if !done(Transform::Rotated) {
        turned::rotated(text, &triggers.shifted, pieces);
    }
    framed::decode(text, pieces);
    if !done(Transform::Spelled) {
        spelled::alphabet(text, &signs.alphabet, pieces);
        spelled::cells(text, pieces);
    }
    if !done(Transform::PigLatin) {
        pig_latin::decode(text, &triggers.pig_latin, pieces);
    }
    if !done(Transform::Respaced) {
        respaced::decode(text, &triggers.marks, pieces);
        segment::decode(text, &triggers.runs, pieces);
    }
    if !done(Transform::Respelled) {
        respelled::decode(text, &triggers.words, pieces);
    }
    if !done(Transform::Acrostic) {
        acrostic::decode(text, triggers.lines, pieces);
    }
    spelled
        .into_iter()
        .map(|(range, count)| Disguise {
            kind: DisguiseKind::SpacedLetters,
            span: Span::from_range(view.span(range).as_range()),
            count,
        })
        .collect()
}
