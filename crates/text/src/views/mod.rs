//! Further readings of a text: decoded, joined, turned.

use bartizan_core::{Span, Transform};

use crate::View;

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

/// A way in which a text hides what it says, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disguise {
    /// What was done.
    pub transform: Transform,
    /// Where.
    pub span: Span,
    /// Characters concerned.
    pub count: u32,
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
    // placeholder until folding lands
    View::plain(std::str::from_utf8(raw).unwrap_or_default())
}

/// Further views of `raw`, whose main view is `main`.
#[must_use]
pub fn derive<'a>(_raw: &'a [u8], _main: &View<'a>, _limits: &ViewLimits) -> Derived<'a> {
    Derived::default()
}
