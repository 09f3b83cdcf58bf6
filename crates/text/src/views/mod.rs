//! Further readings of a text: decoded, joined, turned.

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

/// What [`derive`] made.
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
pub fn derive<'a>(_raw: &'a [u8], _main: &View<'a>, _limits: &ViewLimits) -> Derived<'a> {
    Derived::default()
}
