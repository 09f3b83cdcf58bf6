use std::sync::Arc;

use bartizan_core::{CheckError, Direction, Origin, Sink};

use crate::{
    Patterns, View,
    scan::{Group, Hit, OpenPlaces, Scan},
    views::{self, Derived, Disguise, ViewLimits},
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

    /// The main view of `raw`.
    #[must_use]
    pub fn main<'a>(&self, raw: &'a [u8]) -> View<'a> {
        views::main_view(raw)
    }

    /// Reads `raw`: the main view and everything derived from it.
    #[must_use]
    pub fn read<'a>(&self, origin: Origin, raw: &'a [u8]) -> Text<'a> {
        let (main, disguises) = views::read(raw);
        let derived = views::derive(raw, &main, &self.limits);
        self.text(origin, raw, main, disguises, derived)
    }

    /// Reads the main view of `raw` only: what depends on near-by bytes alone.
    #[must_use]
    pub fn read_main<'a>(&self, origin: Origin, raw: &'a [u8]) -> Text<'a> {
        let (main, disguises) = views::read(raw);
        let Scan { hits, open, broken } = self.patterns.read(&main.text, true);
        Text {
            origin,
            direction: Direction::Input,
            sink: None,
            raw,
            main,
            derived: Vec::new(),
            disguises,
            truncated: None,
            hits: vec![hits],
            open: Some(open),
            broken,
        }
    }

    /// Reads `raw` twice: as [`Scanner::read`] does, and with the derived views alone, for checks
    /// that have seen the main view by other means.
    #[must_use]
    pub fn read_deep<'a>(&self, origin: Origin, raw: &'a [u8]) -> (Text<'a>, Text<'a>) {
        let (main, disguises) = views::read(raw);
        let derived = views::derive(raw, &main, &self.limits);
        let alone = self.text(origin, &[], View::plain(""), Vec::new(), derived.clone());
        (self.text(origin, raw, main, disguises, derived), alone)
    }

    fn text<'a>(
        &self,
        origin: Origin,
        raw: &'a [u8],
        main: View<'a>,
        mut disguises: Vec<Disguise>,
        derived: Derived<'a>,
    ) -> Text<'a> {
        let (mut hits, mut broken) = (Vec::with_capacity(1 + derived.views.len()), Vec::new());
        for view in std::iter::once(&main).chain(&derived.views) {
            let scan = self.patterns.read(&view.text, false);
            hits.push(scan.hits);
            broken.extend(scan.broken);
        }
        disguises.extend(derived.disguises);
        Text {
            origin,
            direction: Direction::Input,
            sink: None,
            raw,
            main,
            derived: derived.views,
            disguises,
            truncated: derived.truncated,
            hits,
            open: None,
            broken,
        }
    }
}

/// A text with its views and with the pattern hits in each.
#[derive(Debug)]
pub struct Text<'a> {
    /// Who wrote it.
    pub origin: Origin,
    /// Which way it goes.
    pub direction: Direction,
    /// Where it will be shown or run, if that is known.
    pub sink: Option<Sink>,
    raw: &'a [u8],
    main: View<'a>,
    derived: Vec<View<'a>>,
    disguises: Vec<Disguise>,
    truncated: Option<&'static str>,
    hits: Vec<Vec<Hit>>,
    /// Asked for only where more text follows.
    open: Option<OpenPlaces>,
    /// Groups that were not looked for everywhere.
    broken: Vec<Group>,
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
    pub fn hits(&self, group: Group) -> impl Iterator<Item = (&View<'a>, &Hit)> {
        self.views().zip(&self.hits).flat_map(move |(view, hits)| {
            hits.iter()
                .filter(move |hit| hit.group == group)
                .map(move |hit| (view, hit))
        })
    }

    /// Whether every pattern of `group` could be looked for.
    ///
    /// # Errors
    /// [`CheckError::Unavailable`] when one that should have been tried cannot be compiled.
    pub fn complete(&self, group: Group) -> Result<(), CheckError> {
        if self.broken.contains(&group) {
            return Err(CheckError::Unavailable(
                "a pattern cannot be compiled".into(),
            ));
        }
        Ok(())
    }

    /// Where in the main view of a text read by [`Scanner::read_main`], if more text followed, a match of `group` could first come to be or
    /// grow.
    #[must_use]
    pub fn open_from(&self, group: Group) -> usize {
        self.open.as_ref().map_or(0, |open| open.first(group))
    }

    /// How parts of the text hide what they say, e.g. runs of invisible characters.
    #[must_use]
    pub fn disguises(&self) -> &[Disguise] {
        &self.disguises
    }

    /// The limit that cut the derivation of views short, if one did.
    #[must_use]
    pub const fn truncated(&self) -> Option<&'static str> {
        self.truncated
    }
}
