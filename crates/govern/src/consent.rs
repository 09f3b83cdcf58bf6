//! What people agreed to, when, and to which words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{config::PurposeConfig, subject::SubjectHash};

/// Somebody agreed, or took it back. One line of the record of consent; nothing is ever changed in
/// it, so that what held at any time can be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEvent {
    /// The version of this form, 1.
    pub v: u32,
    /// When, in milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// Who, as a keyed hash.
    pub subject: SubjectHash,
    /// For what.
    pub purpose: String,
    /// What they did.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    /// Agreed.
    Granted {
        /// To this version of the words; empty where words have no versions.
        version: String,
        /// Until then, in milliseconds since 1970; without end if not given.
        ends_ms: Option<i64>,
    },
    /// Took it back.
    Withdrawn,
}

/// Whether somebody agrees to something at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsentState {
    /// Yes: since when, and to which words.
    Given {
        /// Since then, in milliseconds since 1970.
        since_ms: i64,
        /// The words.
        version: String,
        /// Until then.
        ends_ms: Option<i64>,
    },
    /// Nobody asked them, or nobody wrote it down.
    Never,
    /// They took it back, at this time.
    Withdrawn(i64),
    /// It ended, at this time.
    Ended(i64),
    /// They agreed to other words than those that hold now.
    OtherVersion(String),
}

impl ConsentState {
    /// Whether they agree.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        matches!(self, Self::Given { .. })
    }

    /// A stable name, e.g. `given`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Given { .. } => "given",
            Self::Never => "never",
            Self::Withdrawn(_) => "withdrawn",
            Self::Ended(_) => "ended",
            Self::OtherVersion(_) => "other-version",
        }
    }
}

/// A record of consent.
#[derive(Clone, Debug, Default)]
pub struct Consents {
    events: BTreeMap<(SubjectHash, String), Vec<ConsentEvent>>,
}

/// Why a record of consent cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// A line is no event; the last one may have been cut off when the program was ended.
    #[error("line {0} is no event of consent")]
    Line(usize),
    /// A line is of a later form.
    #[error("line {0} was written by a later version of the program")]
    Version(usize),
}

impl ConsentEvent {
    /// The version of the form of lines.
    pub const VERSION: u32 = 1;

    /// As a line, with its end.
    #[must_use]
    pub fn line(&self) -> String {
        // A struct of texts and numbers always has a JSON.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

impl Consents {
    /// Reads a record: a JSON object in each line.
    ///
    /// # Errors
    /// When a line is no event. A record that cannot be read gives no consent.
    pub fn read(text: &str) -> Result<Self, ConsentError> {
        let mut consents = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            let event: ConsentEvent =
                serde_json::from_str(line).map_err(|_| ConsentError::Line(number))?;
            if event.v != ConsentEvent::VERSION {
                return Err(ConsentError::Version(number));
            }
            consents.add(event);
        }
        Ok(consents)
    }

    /// Adds what happened; later ones of the same time count.
    pub fn add(&mut self, event: ConsentEvent) {
        let key = (event.subject.clone(), event.purpose.clone());
        let events = self.events.entry(key).or_default();
        let place = events.partition_point(|other| other.at_ms <= event.at_ms);
        events.insert(place, event);
    }

    /// Whether `subject` agrees to `purpose` at `at_ms`. Withdrawal counts from its own moment on.
    #[must_use]
    pub fn check(
        &self,
        subject: &SubjectHash,
        purpose: &str,
        rules: &PurposeConfig,
        at_ms: i64,
    ) -> ConsentState {
        let key = (subject.clone(), purpose.to_owned());
        let events = self.events.get(&key).map_or(&[][..], Vec::as_slice);
        let Some(last) = events.iter().rev().find(|event| event.at_ms <= at_ms) else {
            return ConsentState::Never;
        };
        match &last.deed {
            Deed::Withdrawn => ConsentState::Withdrawn(last.at_ms),
            Deed::Granted { version, ends_ms } => {
                let ends_ms = earlier(*ends_ms, by_rule(last.at_ms, rules));
                if let Some(end) = ends_ms.filter(|end| *end <= at_ms) {
                    return ConsentState::Ended(end);
                }
                if !rules.version.is_empty() && *version != rules.version {
                    return ConsentState::OtherVersion(version.clone());
                }
                ConsentState::Given {
                    since_ms: last.at_ms,
                    version: version.clone(),
                    ends_ms,
                }
            }
        }
    }

    /// Everything that is known of `subject`, in order of time; of all if `None`.
    pub fn events(&self, subject: Option<&SubjectHash>) -> Vec<&ConsentEvent> {
        let all = self.events.iter();
        let asked = all.filter(|((of, _), _)| subject.is_none_or(|subject| of == subject));
        let mut events: Vec<&ConsentEvent> = asked.flat_map(|(_, events)| events).collect();
        events.sort_by_key(|event| event.at_ms);
        events
    }
}

/// When consent ends by itself.
fn by_rule(at_ms: i64, rules: &PurposeConfig) -> Option<i64> {
    (rules.days > 0).then(|| at_ms.saturating_add(i64::from(rules.days) * 86_400_000))
}

fn earlier(one: Option<i64>, two: Option<i64>) -> Option<i64> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    }
}
