use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{context::Kinds, engine::Engine, recogniser::Validity};
use crate::scan::PatternError;

/// Least confidence of a match that is reported, unless configured otherwise.
///
/// F1 over the structured types of the development set is flat around it: 0.9943 at 0.3, 0.9947 at
/// 0.4, 0.9995 at 0.45, and 0.9994 from 0.5 to 0.7.
const MIN_CONFIDENCE: f32 = 0.5;

/// Entities that are looked for only when asked for: they are everywhere and identify nobody.
const OFF: [&str; 2] = ["DATE_TIME", "URL"];

/// What to look for, and how sure to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PiiConfig {
    /// Only these entities, by Presidio's name, e.g. `EMAIL_ADDRESS`; empty: every entity except
    /// `DATE_TIME` and `URL`.
    pub entities: Vec<String>,
    /// Entities to look for besides, e.g. `DATE_TIME`.
    pub enable: Vec<String>,
    /// Entities to leave out.
    pub disable: Vec<String>,
    /// Least confidence of a match, 0 to 1.
    pub min_confidence: f32,
    /// Further context words for an entity: lower case, in any language.
    pub context: BTreeMap<String, Vec<String>>,
    /// Countries whose identifiers are likely here, as ISO 3166 codes, e.g. `DE`.
    pub regions: Vec<String>,
}

impl Default for PiiConfig {
    fn default() -> Self {
        Self {
            entities: Vec::new(),
            enable: Vec::new(),
            disable: Vec::new(),
            min_confidence: MIN_CONFIDENCE,
            context: BTreeMap::new(),
            regions: Vec::new(),
        }
    }
}

/// The configuration asks for what there is not.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PiiConfigError {
    /// No recogniser reports under that name.
    #[error("unknown entity `{0}`; entities have Presidio's names, such as `EMAIL_ADDRESS`")]
    UnknownEntity(String),
    /// Not a probability.
    #[error("minimum confidence `{0}` is not between 0 and 1")]
    BadConfidence(f32),
    /// Not two letters.
    #[error("unknown region `{0}`; regions are ISO 3166 codes of two letters, such as `DE`")]
    BadRegion(String),
    /// The scanner takes no more patterns.
    #[error("in the words of personal data: {0}")]
    Pattern(#[from] PatternError),
}

/// A checked configuration, by number of recogniser.
#[derive(Debug)]
pub(super) struct Settings {
    enabled: Vec<bool>,
    favoured: Vec<bool>,
    pub(super) min_confidence: f32,
    regions: Vec<[u8; 2]>,
    /// Kinds that are asked for and likely enough without a word near them.
    pub(super) alone: Kinds,
    /// Kinds that are asked for and count only near a word for them.
    pub(super) with_word: Kinds,
}

impl Settings {
    pub(super) fn of(engine: &Engine) -> Self {
        Self {
            enabled: entities(engine)
                .map(|entity| !OFF.contains(&entity))
                .collect(),
            favoured: entities(engine).map(|_| false).collect(),
            min_confidence: MIN_CONFIDENCE,
            regions: Vec::new(),
            alone: Kinds::default(),
            with_word: Kinds::default(),
        }
        .sorted(engine)
    }

    pub(super) fn new(config: &PiiConfig, engine: &Engine) -> Result<Self, PiiConfigError> {
        if !(0.0..=1.0).contains(&config.min_confidence) {
            return Err(PiiConfigError::BadConfidence(config.min_confidence));
        }
        let known: BTreeSet<&str> = entities(engine).collect();
        let named = config
            .entities
            .iter()
            .chain(&config.enable)
            .chain(&config.disable)
            .chain(config.context.keys());
        for name in named {
            if !known.contains(name.as_str()) {
                return Err(PiiConfigError::UnknownEntity(name.clone()));
            }
        }
        let mut regions = Vec::new();
        for region in &config.regions {
            match region.as_bytes() {
                [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                    regions.push([a.to_ascii_uppercase(), b.to_ascii_uppercase()]);
                }
                _ => return Err(PiiConfigError::BadRegion(region.clone())),
            }
        }
        let has = |names: &[String], entity: &str| names.iter().any(|name| name == entity);
        let enabled = entities(engine)
            .map(|entity| {
                let asked = if config.entities.is_empty() {
                    !OFF.contains(&entity)
                } else {
                    has(&config.entities, entity)
                };
                (asked || has(&config.enable, entity)) && !has(&config.disable, entity)
            })
            .collect();
        let favoured = entities(engine)
            .map(|entity| {
                regions.iter().any(|region| {
                    entity.as_bytes().starts_with(region) && entity.as_bytes().get(2) == Some(&b'_')
                })
            })
            .collect();
        Ok(Self {
            enabled,
            favoured,
            min_confidence: config.min_confidence,
            regions,
            alone: Kinds::default(),
            with_word: Kinds::default(),
        }
        .sorted(engine))
    }

    /// Sorts the kinds into those that stand alone and those that need a word.
    fn sorted(mut self, engine: &Engine) -> Self {
        for (kind, recogniser) in (0..).zip(engine.recognisers()) {
            if !self.enabled(kind) {
                continue;
            }
            let most = [Validity::Plausible, Validity::Valid]
                .map(|validity| recogniser.base(validity, self.favoured(kind)));
            if most.iter().all(|most| *most < self.min_confidence) {
                self.with_word.insert(kind);
            } else {
                self.alone.insert(kind);
            }
        }
        self
    }

    /// Whether recogniser `kind` is asked for.
    #[inline]
    pub(super) fn enabled(&self, kind: u16) -> bool {
        self.enabled.get(usize::from(kind)) == Some(&true)
    }

    /// Whether no region is in favour, and no match is asked for that is likelier wrong than right.
    pub(super) fn is_plain(&self) -> bool {
        self.regions.is_empty() && self.min_confidence >= 0.5
    }

    /// Whether `region`, an ISO 3166 code, is in favour.
    pub(super) fn favours(&self, region: &str) -> bool {
        self.regions.iter().any(|known| known == region.as_bytes())
    }

    /// Whether recogniser `kind` is of a region in favour.
    pub(super) fn favoured(&self, kind: u16) -> bool {
        self.favoured.get(usize::from(kind)) == Some(&true)
    }
}

fn entities(engine: &Engine) -> impl Iterator<Item = &'static str> {
    engine
        .recognisers()
        .iter()
        .map(|recogniser| recogniser.rule.entity.as_deref().unwrap_or_default())
}
