//! Names and places, by an embedded tagger.
//!
//! [`Names`] finds people, postal addresses, places and, when asked to, organisations in 24
//! languages. A cheap filter picks the few words that are written as names are, a conditional
//! random field labels the phrases around them. Every decision leans on a bounded piece of text,
//! so that a stream gives what the whole text gives. `MODEL_CARD.md` tells what the weights were
//! trained on and how good they are.

pub mod candidate;
mod check;
mod decode;
pub mod gazetteer;
mod identity;
mod letters;
pub mod model;
pub mod phrase;
mod scan;
mod settled;
pub mod shape;
#[cfg(test)]
mod tests;
pub mod token;

use std::ops::Range;

use bartizan_core::{Confidence, Reach};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use model::{Model, ModelError};
use phrase::{MAX_PHRASE, Phrase};

/// The weights that ship with this crate.
static WEIGHTS: &[u8] = include_bytes!("names.weights");

/// Kinds of names.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum NameKind {
    /// A person's name, without honorifics.
    Person,
    /// A postal address, from the street to the town.
    Address,
    /// A town, region or country.
    Location,
    /// A company or an institution.
    Organization,
}

impl NameKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Person,
        Self::Address,
        Self::Location,
        Self::Organization,
    ];
}

/// What [`Names`] looks for, and how sure it must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct NamesConfig {
    /// The kinds to report.
    pub kinds: Vec<NameKind>,
    /// Least confidence of what is reported, in `[0, 1]`.
    pub min_confidence: f32,
}

impl Default for NamesConfig {
    /// People, addresses and places at [`NamesConfig::MIN_CONFIDENCE`].
    fn default() -> Self {
        Self {
            kinds: vec![NameKind::Person, NameKind::Address, NameKind::Location],
            min_confidence: Self::MIN_CONFIDENCE,
        }
    }
}

impl NamesConfig {
    /// The confidence from which names are reported unless configured otherwise: about one false
    /// person in 1,000 words of ordinary text, see `MODEL_CARD.md`.
    pub const MIN_CONFIDENCE: f32 = 0.5;
}

/// A name or place in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct NameMatch {
    /// What it is.
    pub kind: NameKind,
    /// Where it is, in bytes.
    pub range: Range<usize>,
    /// How probable it is.
    pub confidence: Confidence,
}

/// Finds names and places.
#[derive(Clone, Debug)]
pub struct Names<'m> {
    model: Model<'m>,
    config: NamesConfig,
}

impl Names<'static> {
    /// A finder with the weights that ship with this crate. Costs nothing: weights are read in
    /// place.
    ///
    /// # Errors
    /// When the weights are not of this version, which a test rules out.
    pub fn new(config: NamesConfig) -> Result<Self, ModelError> {
        Ok(Self::with_model(Model::parse(WEIGHTS)?, config))
    }
}

impl<'m> Names<'m> {
    /// A finder with other weights.
    #[must_use]
    pub const fn with_model(model: Model<'m>, config: NamesConfig) -> Self {
        Self { model, config }
    }

    /// How far around a name the decision about it looks, in bytes.
    pub const REACH: Reach = Reach::Bounded(Self::REACH_BYTES as u64);
    const REACH_BYTES: usize = MAX_PHRASE + phrase::CONTEXT_REACH + candidate::WINDOW_REACH;

    /// Appends what is in `text` to `out`, in order of place.
    pub fn find(&self, text: &str, out: &mut Vec<NameMatch>) {
        let (mut phrase, mut scratch) = (Phrase::new(), decode::Scratch::default());
        candidate::phrases(text, &self.model, |range| {
            phrase.read(text, range, &self.model);
            self.label(&phrase, &mut scratch, out);
        });
    }

    fn label(&self, phrase: &Phrase, scratch: &mut decode::Scratch, out: &mut Vec<NameMatch>) {
        for stretch in phrase::stretches(phrase.tokens()) {
            for entity in decode::entities(phrase, stretch, &self.model, scratch) {
                if entity.confidence < self.config.min_confidence
                    || !self.config.kinds.contains(&entity.kind)
                {
                    continue;
                }
                let tokens = phrase.tokens().get(entity.tokens).unwrap_or_default();
                if let (Some(first), Some(last)) = (tokens.first(), tokens.last()) {
                    out.push(NameMatch {
                        kind: entity.kind,
                        range: first.start..last.end,
                        confidence: Confidence::clamped(entity.confidence),
                    });
                }
            }
        }
    }
}
