use bartizan_core::Origin;
use jiff::civil::Date;
use serde::Serialize;

use crate::{glob, row::Described};

/// An entry of the allow-list: findings that are known and accepted until a day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exception {
    /// Rule id; `*` stands for any run of characters.
    pub rule: String,
    /// Keyed hash of the exact text, lower-case hexadecimal.
    pub text_hash: Option<String>,
    /// Who wrote the text.
    pub origin: Option<Origin>,
    /// Route; `*` stands for any run of characters.
    pub route: Option<String>,
    /// Tenant; `*` stands for any run of characters.
    pub tenant: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it holds.
    #[serde(serialize_with = "iso")]
    pub expires: Date,
}

impl Exception {
    /// Whether the entry is about this finding, its text aside.
    pub(crate) fn is_about(&self, evidence: &Described<'_>) -> bool {
        let fits = |pattern: &Option<String>, text: &str| {
            pattern
                .as_ref()
                .is_none_or(|pattern| glob::matches(pattern, text))
        };
        glob::matches(&self.rule, evidence.rule)
            && self.origin.is_none_or(|origin| origin == evidence.origin)
            && fits(&self.route, evidence.route)
            && fits(&self.tenant, evidence.tenant)
    }

    /// Whether the entry is about this text.
    pub(crate) fn covers_text(&self, hash: Option<&str>) -> bool {
        self.text_hash
            .as_deref()
            .is_none_or(|wanted| hash == Some(wanted))
    }

    /// Whether it no longer holds on `today`.
    #[must_use]
    pub fn is_expired(&self, today: Date) -> bool {
        today > self.expires
    }
}

/// What the operator should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Warning {
    /// An entry of the allow-list no longer holds and is ignored.
    ExpiredException {
        /// Its place in the list, from 0.
        index: usize,
        /// Its rule.
        rule: String,
        /// Its last day, `YYYY-MM-DD`.
        expires: String,
    },
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ExpiredException {
                index,
                rule,
                expires,
            } => write!(
                f,
                "entry {index} of `allow` for `{rule}` expired on {expires} and is ignored; renew or remove it"
            ),
        }
    }
}

fn iso<S: serde::Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}
