//! Personal data: recognisers, validators, context.
//!
//! [`Pii::find`] walks over the digits and the `@` signs of a folded text, matches the shapes of
//! every recogniser at once, asks the recogniser's check, and weighs what the words around say.
//! [`resolve`] keeps one match for each place.

mod bank;
mod config;
mod context;
mod crypto;
mod date;
mod documents;
mod email;
mod engine;
mod keyed;
pub mod national;
mod net;
pub mod phone;
mod phones;
mod recogniser;
mod resolve;
mod run;
mod sha256;
mod shapes;
mod starts;
mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use bartizan_core::{Check, CheckError, Confidence, Cx, Layer, Reach, Rule, RuleRef, Transform};

pub use config::{PiiConfig, PiiConfigError};
pub use recogniser::{Recogniser, Validity};
pub use resolve::resolve;

use crate::{
    Text,
    scan::{Group, Patterns, PatternsBuilder},
};
use config::Settings;
use engine::Engine;

/// Finds personal data in texts.
///
/// Cheap to clone; built once from a [`PiiConfig`].
#[derive(Clone, Debug)]
pub struct Pii {
    engine: Arc<Engine>,
    settings: Arc<Settings>,
    words: Words,
}

/// Who looks for the words that announce a value.
#[derive(Clone, Copy, Debug)]
enum Words {
    /// A scanner that reads every text anyway.
    Scanned(Group),
    /// The detector itself.
    Own(&'static Patterns),
}

/// One place where a rule saw something.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// What it is.
    pub rule: &'static Rule,
    /// Where, in bytes of the text that was searched.
    pub range: Range<usize>,
    /// How likely it is meant.
    pub confidence: Confidence,
}

impl Default for Pii {
    #[expect(clippy::expect_used, reason = "every text of a test reads them")]
    fn default() -> Self {
        let engine = engine::builtin();
        let settings = Settings::of(&engine);
        let words = keyed::own().expect("compiled in");
        Self::of(engine, settings, Words::Own(words))
    }
}

impl Pii {
    /// A detector for what `config` asks for.
    ///
    /// # Errors
    /// When the configuration names an entity that does not exist or a confidence outside 0 to 1.
    pub fn new(config: &PiiConfig) -> Result<Self, PiiConfigError> {
        Self::with(config, Words::Own(keyed::own()?))
    }

    /// A detector for what `config` asks for as a check of a guard: some of its words are found by
    /// the scanner of `patterns`, which reads every text anyway.
    ///
    /// # Errors
    /// As [`Pii::new`], and when `patterns` takes no more.
    pub fn register(
        patterns: &mut PatternsBuilder,
        config: &PiiConfig,
    ) -> Result<Self, PiiConfigError> {
        Self::with(config, Words::Scanned(keyed::register(patterns)?))
    }

    fn with(config: &PiiConfig, words: Words) -> Result<Self, PiiConfigError> {
        let builtin = engine::builtin();
        let settings = Settings::new(config, &builtin)?;
        let engine = if config.context.is_empty() {
            builtin
        } else {
            Arc::new(Engine::new(&config.context))
        };
        Ok(Self::of(engine, settings, words))
    }

    fn of(engine: Arc<Engine>, settings: Settings, words: Words) -> Self {
        Self {
            engine,
            settings: Arc::new(settings),
            words,
        }
    }

    /// What it knows, whether asked for or not, for listings.
    pub fn recognisers(&self) -> impl Iterator<Item = &'static Recogniser> {
        self.engine.recognisers().iter().copied()
    }

    /// Adds every match in `text`, which must be folded (as the main [`crate::View`] is), to
    /// `out`; matches may overlap, see [`resolve`].
    ///
    /// A detector that was made by [`Pii::register`] knows the words that announce user names and
    /// codes of banks from its scanner only: it finds neither here.
    pub fn find(&self, text: &str, out: &mut Vec<Match>) {
        let hits = match self.words {
            Words::Own(patterns) => patterns.scan(text),
            Words::Scanned(_) => Vec::new(),
        };
        run::find(&self.engine, &self.settings, text, &hits, out);
    }
}

/// Bytes before and after a place that [`Pii`] looks at: a table's header stands furthest away.
const REACH: u64 = (table::REACH + 1024 + 256) as u64;

/// Bytes behind the start of a match that can change it, outside of tables: an address (64 bytes,
/// `@`, and 255), or the longest candidate (212), and the words and blanks behind it (88).
const AHEAD: usize = 420;

impl Check<Text<'_>> for Pii {
    fn name(&self) -> &'static str {
        "pii"
    }

    fn layer(&self) -> Layer {
        Layer::Sensitive
    }

    fn rules(&self) -> Vec<RuleRef> {
        let mut seen = BTreeSet::new();
        (0_u16..)
            .zip(self.engine.recognisers())
            .filter(|(kind, recogniser)| {
                self.settings.enabled(*kind) && seen.insert(recogniser.rule.id.clone())
            })
            .map(|(_, recogniser)| RuleRef::Static(&recogniser.rule))
            .collect()
    }

    fn reach(&self) -> Reach {
        Reach::Bounded(REACH)
    }

    fn settled(&self, text: &Text<'_>) -> Option<u64> {
        let main = text.main().text.as_bytes();
        let ahead = if self.settings.enabled(self.engine.own.url) {
            net::MAX_URL
        } else {
            AHEAD
        };
        let near = main.len().saturating_sub(ahead);
        Some(table::open_row(main).map_or(near, |line| line.min(near)) as u64)
    }

    fn check(&self, text: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        let mut seen = BTreeSet::new();
        let mut matches = Vec::new();
        let scanned = match self.words {
            Words::Scanned(group) => Some(text.hits(group)),
            Words::Own(_) => None,
        };
        let mut hits = scanned.into_iter().flatten().peekable();
        let mut words = Vec::new();
        for view in text.views() {
            words.clear();
            while let Some((_, hit)) = hits.next_if(|(of, _)| std::ptr::eq(*of, view)) {
                words.push(hit);
            }
            if !is_read(&view.via) {
                continue;
            }
            cx.spend(view.text.len() as u64)?;
            matches.clear();
            match self.words {
                Words::Scanned(_) => run::find(
                    &self.engine,
                    &self.settings,
                    &view.text,
                    words.iter().copied(),
                    &mut matches,
                ),
                Words::Own(_) => self.find(&view.text, &mut matches),
            }
            for found in &matches {
                let span = view.span(found.range.clone());
                if seen.insert((found.rule.id.as_ref(), span)) {
                    let message = found.rule.title.clone();
                    cx.report_via(
                        &RuleRef::Static(found.rule),
                        Some(span),
                        found.confidence,
                        &view.via,
                        message,
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// The text itself and what was encoded in it. Turned, joined or respelled letters make numbers
/// that nobody wrote.
fn is_read(via: &[Transform]) -> bool {
    via.iter().all(|transform| {
        matches!(
            transform,
            Transform::Folded
                | Transform::Base64
                | Transform::Base32
                | Transform::Hex
                | Transform::Url
                | Transform::HtmlEntities
                | Transform::UnicodeEscape
                | Transform::QuotedPrintable
        )
    })
}
