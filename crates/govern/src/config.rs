//! The `govern` block of `bartizan.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::subject::SubjectHash;

/// Days for which logs of agents are kept at least.
pub(crate) const AGENT_LOG_DAYS: u32 = 90;

/// Personal data: where it lies, how long it is kept, and what people are asked for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GovernConfig {
    /// Where personal data lies. What is not listed here is neither erased nor exported.
    pub stores: Vec<StoreEntry>,
    /// How long each class of data is kept.
    pub classes: BTreeMap<String, ClassConfig>,
    /// What must be kept because of the law.
    pub holds: Vec<HoldConfig>,
    /// What people are asked for, e.g. `training`.
    pub purposes: BTreeMap<String, PurposeConfig>,
    /// Which requests to models need somebody's consent.
    pub consent: ConsentConfig,
}

/// Which requests to models need somebody's consent, and whose. Needs `BARTIZAN_KEY`, as
/// `bartizan consent` does.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ConsentConfig {
    /// What is done with requests, each with a purpose; all that fit a request count.
    pub rules: Vec<ConsentRule>,
    /// Principals that may say for whom they ask, by `header` or in the request's own field (`user`
    /// of OpenAI, `metadata.user_id` of Anthropic), with `*` as a wildcard at the end. What others
    /// say there does not count: they ask for themselves.
    pub trusted: Vec<String>,
    /// The header that names the subject.
    pub header: Option<String>,
}

/// A purpose for which requests are used.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConsentRule {
    /// One of `purposes`.
    pub purpose: String,
    /// Models, by the names that clients use, with `*` as a wildcard at the end; empty for all.
    #[serde(default)]
    pub models: Vec<String>,
    /// What happens to the request of somebody who did not agree.
    pub without: Without,
}

/// What happens without consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Without {
    /// It is refused.
    Refuse,
    /// It is answered and kept out of the purpose: the upstream is told to store nothing, no content
    /// is kept here, and its record names the purpose that it is excluded from.
    Exclude,
}

impl ConsentConfig {
    /// The rules for a model.
    pub fn rules_for<'a>(&'a self, model: &'a str) -> impl Iterator<Item = &'a ConsentRule> {
        let fits = |rule: &&ConsentRule| {
            rule.models.is_empty() || rule.models.iter().any(|name| matches(name, model))
        };
        self.rules.iter().filter(fits)
    }

    /// Whether a principal may say for whom it asks.
    #[must_use]
    pub fn trusts(&self, principal: &str) -> bool {
        self.trusted.iter().any(|name| matches(name, principal))
    }
}

/// Whether `pattern`, which may end in `*`, is the name.
fn matches(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |start| name.starts_with(start))
}

/// A place that holds personal data: `files` or `sql`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct StoreEntry {
    /// A name of your own.
    pub name: String,
    /// Its class, which says how long it is kept; without end if empty.
    pub class: String,
    /// Files with a record in each line.
    pub files: Option<FilesConfig>,
    /// A table.
    pub sql: Option<SqlConfig>,
}

/// Files with a record in each line: JSON Lines, or text.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FilesConfig {
    /// Paths relative to this file; the last part may hold `*`.
    pub paths: Vec<String>,
    /// The JSON field that names the subject, `a.b` for a field in a field. If empty, a line is
    /// about whoever it names anywhere.
    pub subject: String,
    /// The JSON field with the time.
    pub time: String,
    /// How times are written.
    pub time_in: TimeIn,
}

/// A table of a database.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SqlConfig {
    /// The path of a SQLite file relative to this file, or `env:NAME` of a variable with a
    /// `postgres://` address.
    pub place: String,
    /// The table.
    pub table: String,
    /// The column that names the subject.
    pub subject: String,
    /// The column with the time.
    pub time: String,
    /// How times are written.
    pub time_in: TimeIn,
}

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeIn {
    /// Milliseconds since 1970, UTC.
    #[default]
    Milliseconds,
    /// Seconds since 1970, UTC.
    Seconds,
    /// A text like `2026-11-21T12:00:00Z` (RFC 3339, in UTC).
    Text,
}

/// How long data of a class is kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ClassConfig {
    /// Days.
    pub days: u32,
    /// It is the log of what agents did, which is kept for at least 90 days.
    pub agent_log: bool,
}

impl Default for ClassConfig {
    fn default() -> Self {
        Self {
            days: 90,
            agent_log: false,
        }
    }
}

/// Something that must be kept: a class, or what is about a subject.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct HoldConfig {
    /// The case, for reports.
    pub id: String,
    /// The class.
    pub class: Option<String>,
    /// The keyed hash of the subject, as `bartizan subject hash` prints it.
    #[schemars(with = "Option<String>")]
    pub subject: Option<SubjectHash>,
}

/// What people are asked for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PurposeConfig {
    /// The version of the words that people agree to now; consent to another does not count. Any
    /// version counts if empty.
    pub version: String,
    /// Days after which consent ends by itself; without end if 0.
    pub days: u32,
}

impl GovernConfig {
    /// Every mistake, as the place in `govern` and what is wrong.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut mistakes = Vec::new();
        let mut say = |at: String, what: &str| mistakes.push((at, what.to_owned()));
        let mut names = BTreeSet::new();
        for (place, store) in self.stores.iter().enumerate() {
            let at = format!("stores[{place}]");
            if store.name.is_empty() || !names.insert(&store.name) {
                say(format!("{at}.name"), "is empty or stands twice");
            }
            if !store.class.is_empty() && !self.classes.contains_key(&store.class) {
                say(format!("{at}.class"), "is no class under `classes`");
            }
            match (&store.files, &store.sql) {
                (Some(files), None) if files.paths.is_empty() => {
                    say(format!("{at}.files.paths"), "names no file");
                }
                (Some(files), None) => {
                    for (path, text) in files.paths.iter().enumerate() {
                        let folder = text.rsplit_once('/').map_or("", |(folder, _)| folder);
                        if folder.contains('*') {
                            let at = format!("{at}.files.paths[{path}]");
                            say(at, "has a `*` before its last part");
                        }
                    }
                }
                (None, Some(sql)) => {
                    for (field, name) in [("table", &sql.table), ("subject", &sql.subject)] {
                        if !is_identifier(name) {
                            say(format!("{at}.sql.{field}"), IS_IDENTIFIER);
                        }
                    }
                    if !sql.time.is_empty() && !is_identifier(&sql.time) {
                        say(format!("{at}.sql.time"), IS_IDENTIFIER);
                    }
                    if sql.place.is_empty() {
                        say(format!("{at}.sql.place"), "is empty");
                    }
                }
                _ => say(at, "needs one of `files` and `sql`"),
            }
        }
        for (name, class) in &self.classes {
            if class.days == 0 {
                say(format!("classes.{name}.days"), "must be at least 1");
            }
            if class.agent_log && class.days < AGENT_LOG_DAYS {
                let what = "must be at least 90 for the log of agents";
                say(format!("classes.{name}.days"), what);
            }
        }
        for (place, rule) in self.consent.rules.iter().enumerate() {
            if !self.purposes.contains_key(&rule.purpose) {
                let at = format!("consent.rules[{place}].purpose");
                say(at, "is no purpose under `purposes`");
            }
        }
        if let Some(header) = &self.consent.header {
            let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if header.is_empty() || !header.chars().all(is_token) {
                say("consent.header".to_owned(), "is no name of a header");
            } else if self.consent.trusted.is_empty() {
                say(
                    "consent.header".to_owned(),
                    "counts for nobody without `trusted`",
                );
            }
        }
        for (place, hold) in self.holds.iter().enumerate() {
            let at = format!("holds[{place}]");
            if hold.id.is_empty() {
                say(format!("{at}.id"), "is empty");
            }
            match (&hold.class, &hold.subject) {
                (Some(class), None) if !self.classes.contains_key(class) => {
                    say(format!("{at}.class"), "is no class under `classes`");
                }
                (Some(_), None) | (None, Some(_)) => {}
                _ => say(at, "needs one of `class` and `subject`"),
            }
        }
        mistakes
    }
}

const IS_IDENTIFIER: &str = "is 1 to 63 letters, digits, and `_`, no digit first";

/// Whether `name` can stand in a statement as it is.
fn is_identifier(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=63).contains(&name.len())
        && name.chars().all(is_part)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
