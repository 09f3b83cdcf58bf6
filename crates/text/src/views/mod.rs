//! Further readings of a text: decoded, joined, turned.
//!
//! [`derive()`] looks for places worth decoding with cheap triggers and makes one view per kind of
//! encoding of the places where it found plausible text, not of the whole text. What it decoded
//! is folded and looked at again, up to [`ViewLimits`].
//!
//! Bounds: every transform is linear in the text. Rotated text is looked for in the first
//! 64 KiB of each view only, since there is no syntax that gives it away.

mod acrostic;
mod bytes;
mod check;
mod concatenated;
mod deriver;
mod escapes;
mod framed;
mod hidden;
mod piece;
mod pig_latin;
mod respaced;
mod respelled;
mod segment;
mod spaced;
mod spelled;
mod triggers;
mod turned;
mod words;

pub use check::ViewChecks;

use bartizan_core::Transform;

pub use crate::fold::{Disguise, DisguiseKind};
use crate::{View, fold};

/// How much may be derived from one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewLimits {
    /// Encodings inside encodings that are followed.
    pub max_depth: u8,
    /// Derived views of one text.
    pub max_views: usize,
    /// Bytes of all derived views together, as a multiple of the text, with a floor of 64 KiB.
    pub max_growth: usize,
}

impl Default for ViewLimits {
    fn default() -> Self {
        Self {
            max_depth: 4,
            max_views: 64,
            max_growth: 2,
        }
    }
}

/// What [`derive()`] made.
#[derive(Clone, Debug, Default)]
pub struct Derived<'a> {
    /// The views.
    pub views: Vec<View<'a>>,
    /// Disguises seen on the way.
    pub disguises: Vec<Disguise>,
    /// The limit that was reached, if one was.
    pub truncated: Option<&'static str>,
}

/// The text as a reader sees it.
#[must_use]
pub fn main_view(raw: &[u8]) -> View<'_> {
    read(raw).0
}

/// The text as a reader sees it, with the disguises that folding met.
pub(crate) fn read(raw: &[u8]) -> (View<'_>, Vec<Disguise>) {
    let folded = fold::fold(raw);
    let via = match folded.text {
        std::borrow::Cow::Borrowed(_) => Vec::new(),
        std::borrow::Cow::Owned(_) => vec![Transform::Folded],
    };
    let view = View {
        text: folded.text,
        map: folded.map,
        via,
    };
    (view, folded.disguises.into_vec())
}

/// Further views of `raw`, whose main view is `main`.
#[must_use]
pub fn derive<'a>(raw: &'a [u8], main: &View<'a>, limits: &ViewLimits) -> Derived<'a> {
    deriver::Deriver::new(raw.len(), limits).run(raw, main)
}

#[cfg(test)]
mod tests;
