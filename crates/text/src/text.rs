use std::sync::Arc;

use bartizan_core::Origin;

use crate::{
    Patterns, View,
    scan::Hit,
    views::{self, ViewLimits},
};

/// Reads bytes into [`Text`]s: folds, decodes, and matches the patterns of every detector once.
#[derive(Debug, Clone)]
pub struct Scanner {
    patterns: Arc<Patterns>,
    limits: ViewLimits,
}

impl Scanner {
    /// A scanner for `patterns`.
    #[must_use]
    pub const fn new(patterns: Arc<Patterns>, limits: ViewLimits) -> Self {
        Self { patterns, limits }
    }

    /// The patterns that it matches.
    #[must_use]
    pub fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// Reads `raw`.
    #[must_use]
    pub fn read<'a>(&self, origin: Origin, raw: &'a [u8]) -> Text<'a> {
        let (main, mut disguises) = views::read(raw);
        let mut hits = vec![self.patterns.scan(&main.text)];
        let derived = views::derive(raw, &main, &self.limits);
        disguises.extend(derived.disguises);
        hits.extend(
            derived
                .views
                .iter()
                .map(|view| self.patterns.scan(&view.text)),
        );
        Text {
            origin,
            raw,
            main,
            derived: derived.views,
            disguises,
            truncated: derived.truncated,
            hits,
        }
    }
}

/// A text with its views and with the pattern hits in each.
#[derive(Debug)]
pub struct Text<'a> {
    /// Who wrote it.
    pub origin: Origin,
    raw: &'a [u8],
    main: View<'a>,
    derived: Vec<View<'a>>,
    disguises: Vec<views::Disguise>,
    truncated: Option<&'static str>,
    hits: Vec<Vec<Hit>>,
}

impl<'a> Text<'a> {
    /// The bytes as received.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The text as a reader sees it.
    #[must_use]
    pub const fn main(&self) -> &View<'a> {
        &self.main
    }

    /// The main view first, then every derived one.
    pub fn views(&self) -> impl Iterator<Item = &View<'a>> {
        std::iter::once(&self.main).chain(&self.derived)
    }

    /// Each view with the hits of the patterns of one group in it, in order of their start.
    pub fn hits(&self, group: crate::scan::Group) -> impl Iterator<Item = (&View<'a>, &Hit)> {
        self.views().zip(&self.hits).flat_map(move |(view, hits)| {
            hits.iter()
                .filter(move |hit| hit.group == group)
                .map(move |hit| (view, hit))
        })
    }

    /// How parts of the text hide what they say, e.g. runs of invisible characters.
    #[must_use]
    pub fn disguises(&self) -> &[views::Disguise] {
        &self.disguises
    }

    /// The limit that cut the derivation of views short, if one did.
    #[must_use]
    pub const fn truncated(&self) -> Option<&'static str> {
        self.truncated
    }
}
