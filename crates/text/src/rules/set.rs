//! Checked rules, ready to be matched.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt,
    str::FromStr,
    sync::Arc,
};

use bartizan_core::{Category, Origin, Rule, Severity, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::format::At;
use crate::scan::Way;

/// The rules of several packs. Never changes; a reload makes another one.
#[derive(Clone, Debug)]
pub struct RuleSet {
    packs: Vec<Arc<Pack>>,
    version: String,
}

impl RuleSet {
    pub(super) fn new(mut packs: Vec<Arc<Pack>>) -> Self {
        packs.sort_by(|a, b| a.info.name.cmp(&b.info.name));
        let mut digest = Sha256::new();
        for pack in &packs {
            digest.update(format!("{} {}\n", pack.info.digest, pack.info.name));
        }
        let version = hex::encode(&digest.finalize());
        Self { packs, version }
    }

    /// The packs in order of their names.
    pub fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.packs.iter().map(|pack| &**pack)
    }

    /// The label of each rule in its pack, by the rule's id.
    #[must_use]
    pub fn families(&self) -> HashMap<&str, &str> {
        let all = self.packs().flat_map(|pack| pack.rules());
        all.filter_map(|info| Some((&*info.rule.id, info.family?)))
            .collect()
    }

    /// Number of rules.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules().count()
    }

    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SHA-256 over the contents of every pack, in hex: the version that decisions name.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// This set with the packs of `newer` added; a pack of the same name gives way to the newer one.
    #[must_use]
    pub fn overlaid(&self, newer: &Self) -> Self {
        let mut packs: BTreeMap<&str, &Arc<Pack>> = BTreeMap::new();
        for pack in self.packs.iter().chain(&newer.packs) {
            packs.insert(&pack.info.name, pack);
        }
        Self::new(packs.into_values().cloned().collect())
    }

    /// The first rule whose id another pack has taken.
    pub(super) fn duplicate(&self) -> Option<super::PackError> {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for pack in self.packs() {
            for rule in &pack.rules {
                if let Some(taken_by) = first.insert(&rule.rule.id, &pack.info.name) {
                    return Some(super::PackError {
                        file: rule.source.file.clone(),
                        place: super::Place::default(),
                        mistake: super::Mistake::DuplicateId {
                            id: rule.rule.id.to_string(),
                            first: format!("the pack `{taken_by}`"),
                        },
                    });
                }
            }
        }
        None
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Compiled> {
        self.packs.iter().flat_map(|pack| &pack.rules)
    }
}

/// One pack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pack {
    /// What it is.
    pub info: PackInfo,
    pub(super) rules: Vec<Compiled>,
}

impl Pack {
    /// Its rules with their family and languages, in the order of the files.
    pub fn rules(&self) -> impl Iterator<Item = RuleInfo<'_>> {
        self.rules.iter().map(|rule| RuleInfo {
            rule: &rule.rule,
            family: rule.family.as_deref(),
            languages: &rule.languages,
        })
    }
}

/// A rule of a pack, for listings.
#[derive(Clone, Copy, Debug)]
pub struct RuleInfo<'a> {
    /// The rule.
    pub rule: &'a Arc<Rule>,
    /// Its label for reports.
    pub family: Option<&'a str>,
    /// The languages that its patterns are for.
    pub languages: &'a [String],
}

/// What a pack is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackInfo {
    /// Unique name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// When it was last brought up to date.
    pub date: Option<PackDate>,
    /// What it is about.
    pub title: String,
    /// SPDX expression.
    pub licence: Option<String>,
    /// SHA-256 of its manifest, in hex.
    pub digest: String,
    /// Id of the key that signed it, in hex; `None` when it was not verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
}

impl PackInfo {
    /// Whole days since the pack's date at `now`, in seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn age_days(&self, now: u64) -> Option<i64> {
        let today = i64::try_from(now / 86_400).ok()?;
        Some(today - self.date?.days())
    }
}

/// A calendar date, proleptic Gregorian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackDate {
    year: i64,
    month: i64,
    day: i64,
}

impl PackDate {
    /// Days since 1970-01-01.
    ///
    /// `days_from_civil` of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    #[must_use]
    pub const fn days(self) -> i64 {
        let year = if self.month <= 2 {
            self.year - 1
        } else {
            self.year
        };
        let era = year.div_euclid(400);
        let of_era = year - era * 400;
        let of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }
}

impl FromStr for PackDate {
    type Err = super::Mistake;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || super::Mistake::BadDate(text.to_owned());
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts.as_slice() else {
            return Err(bad());
        };
        let number = |part: &str, digits: usize| {
            (part.len() == digits)
                .then(|| part.parse::<u16>().ok())
                .flatten()
                .map(i64::from)
                .ok_or_else(bad)
        };
        let date = Self {
            year: number(year, 4)?,
            month: number(month, 2)?,
            day: number(day, 2)?,
        };
        let leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
        let last = match date.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let real = (1..=12).contains(&date.month) && (1..=last).contains(&date.day);
        if real { Ok(date) } else { Err(bad()) }
    }
}

impl fmt::Display for PackDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl TryFrom<String> for PackDate {
    type Error = super::Mistake;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PackDate> for String {
    fn from(date: PackDate) -> Self {
        date.to_string()
    }
}

/// A rule as the matcher needs it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Compiled {
    #[serde(with = "whole_rule")]
    pub(super) rule: Arc<Rule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) family: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) languages: Vec<String>,
    /// Empty: every origin but the system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) origins: Vec<Origin>,
    pub(super) confidence: f32,
    pub(super) patterns: Vec<CompiledPattern>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) inside_words: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) all: Vec<String>,
    pub(super) within: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) raise: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lower: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unless: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) validator: Option<String>,
    #[serde(skip)]
    pub(super) source: Source,
}

impl Compiled {
    pub(super) fn reads(&self, origin: Origin) -> bool {
        match self.origins.as_slice() {
            [] => origin != Origin::System,
            origins => origins.contains(&origin),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CompiledPattern {
    pub(super) pattern: String,
    pub(super) ways: Vec<Way>,
    pub(super) max_len: usize,
}

/// Where a rule was written and what must and must not match.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) examples: Vec<At<String>>,
    pub(super) negative_examples: Vec<At<String>>,
}

mod whole_rule {
    use super::{Arc, Category, Cow, Deserialize, Rule, Serialize, Severity};

    type Text = Cow<'static, str>;

    #[derive(Deserialize)]
    struct Whole {
        id: Text,
        title: Text,
        severity: Severity,
        category: Category,
        refs: Vec<Text>,
        why: Text,
        fix: Text,
        entity: Option<Text>,
    }

    pub(super) fn serialize<S: serde::Serializer>(
        rule: &Arc<Rule>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        (**rule).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Rule>, D::Error> {
        let whole = Whole::deserialize(deserializer)?;
        Ok(Arc::new(Rule {
            id: whole.id,
            title: whole.title,
            severity: whole.severity,
            category: whole.category,
            refs: whole.refs.into(),
            why: whole.why,
            fix: whole.fix,
            entity: whole.entity,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_days() {
        let days = |text: &str| text.parse::<PackDate>().map(PackDate::days);
        assert_eq!(days("1970-01-01").unwrap(), 0);
        assert_eq!(days("2000-03-01").unwrap(), 11_017);
        assert_eq!(days("2026-11-21").unwrap(), 20_778);
        for bad in ["2026-02-29", "2026-13-01", "26-01-01", "2026-1-01", "x"] {
            assert!(days(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn jb_12_packs_have_an_age() {
        let info = PackInfo {
            name: "prompt".into(),
            version: "1".into(),
            date: Some("2026-11-21".parse().unwrap()),
            title: String::new(),
            licence: None,
            digest: String::new(),
            signer: None,
        };
        assert_eq!(info.age_days(20_778 * 86_400 + 5), Some(0));
        assert_eq!(info.age_days((20_778 + 32) * 86_400), Some(32));
    }
}
