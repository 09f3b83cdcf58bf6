use bartizan_core::Direction;
use schemars::JsonSchema;
use serde::Deserialize;

use super::terms::Terms;

/// A model that is asked for its opinion.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct JudgeConfig {
    /// The model to ask, by a name that `routes` knows; empty for no judge.
    pub model: String,
    /// Which texts it is asked about.
    pub scope: JudgeScope,
    /// The directions in which it is asked: `input`, `output`.
    #[schemars(with = "Vec<String>")]
    pub directions: Vec<Direction>,
    /// What happens to a request for a stream where it is to look at answers.
    pub streams: Streams,
    /// The grey band begins at this confidence of an attack, 0 to 1.
    pub grey_from: f32,
    /// The grey band ends below this confidence, 0 to 1: from here on the text is refused anyway.
    pub grey_below: f32,
    /// The confidence of its findings, 0 to 1.
    pub confidence: f32,
    /// Questions per minute over all clients; a text beyond that is not looked at.
    pub per_minute: u32,
    /// Milliseconds to wait for an answer.
    pub timeout_ms: u64,
    /// Bytes of text in one question; a longer text is asked about in overlapping pieces.
    pub max_bytes: usize,
    /// Questions about one request; texts beyond that are not looked at.
    pub max_questions: usize,
    /// Answers that are remembered.
    pub cache_entries: usize,
    /// Seconds for which an answer is remembered.
    pub cache_seconds: u64,
}

/// Which texts the judge is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JudgeScope {
    /// Those that other layers neither cleared nor refused.
    #[default]
    GreyBand,
    /// All that are not refused yet.
    All,
}

/// What happens to a request for a stream where somebody outside is to look at answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Streams {
    /// It is refused with an error that says to ask without `stream`.
    #[default]
    Refuse,
    /// The stream passes unseen by this one.
    PassUnseen,
}

impl Default for JudgeConfig {
    fn default() -> Self {
        Self {
            model: String::new(),
            scope: JudgeScope::default(),
            directions: vec![Direction::Input, Direction::Output],
            streams: Streams::default(),
            grey_from: 0.3,
            grey_below: 0.8,
            confidence: 0.9,
            per_minute: 120,
            timeout_ms: 5_000,
            max_bytes: 16 << 10,
            max_questions: 8,
            cache_entries: 10_000,
            cache_seconds: 3_600,
        }
    }
}

impl JudgeConfig {
    /// Whether a judge is configured.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !self.model.is_empty()
    }

    /// Every mistake: the key, and what is wrong with it.
    #[must_use]
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        for (key, value) in [
            ("grey-from", self.grey_from),
            ("grey-below", self.grey_below),
            ("confidence", self.confidence),
        ] {
            if !(0.0..=1.0).contains(&value) {
                mistakes.push((key, format!("`{value}` is not between 0 and 1")));
            }
        }
        if self.grey_from > self.grey_below {
            mistakes.push(("grey-below", "the grey band ends before it begins".into()));
        }
        mistakes.extend(self.terms().check("leave `model` out instead"));
        mistakes
    }

    pub(super) fn terms(&self) -> Terms {
        Terms {
            directions: self.directions.clone(),
            per_minute: self.per_minute,
            timeout_ms: self.timeout_ms,
            max_bytes: self.max_bytes,
            max_questions: self.max_questions,
            cache_entries: self.cache_entries,
            cache_seconds: self.cache_seconds,
        }
    }
}
