//! Rules for secrets in gitleaks' format (TOML, version 8).
//!
//! Expressions are of Go's RE2 and are translated ([`re2`]). Where gitleaks would use its default
//! rules, the guard's own formats stand in. Fields that are not known are refused, since a rule that
//! is read in half says something else: `required` rules of gitleaks 8.28 are among them.

mod allow;
mod file;
pub mod re2;
mod rule;

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
pub(crate) use allow::AllowPlace;
use allow::Allowlist;
use bartizan_core::{CheckError, RuleRef};
pub use file::{GitleaksError, Mistake};
use rule::GitleaksRule;

use super::{Leak, Where};

/// Most matches of one rule in one text.
const MAX_MATCHES: usize = 10_000;

/// The rules and allow-lists of a file.
#[derive(Debug)]
pub struct GitleaksConfig {
    rules: Vec<GitleaksRule>,
    allowlists: Vec<Allowlist>,
    disabled: BTreeSet<String>,
    extends_default: bool,
    extends: Option<String>,
    /// The keywords of all rules, each with the number of its rule; none where there are none.
    keywords: Option<(AhoCorasick, Vec<usize>)>,
}

impl GitleaksConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is no TOML of this form, or an expression cannot be used; every bad rule is named.
    pub fn parse(text: &str) -> Result<Self, GitleaksError> {
        file::read(text)
    }

    /// Whether the default rules are wanted as well.
    #[must_use]
    pub const fn extends_default(&self) -> bool {
        self.extends_default
    }

    /// The file that this one extends, beside it.
    #[must_use]
    pub fn extends(&self) -> Option<&str> {
        self.extends.as_deref()
    }

    /// How many rules it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Puts the rules of the file that this one extends under its own.
    ///
    /// # Errors
    /// When the keywords of both are too many.
    pub fn over(mut self, base: Self) -> Result<Self, GitleaksError> {
        let own: BTreeSet<String> = self.rules.iter().map(|rule| rule.id.clone()).collect();
        let kept = base
            .rules
            .into_iter()
            .filter(|rule| !own.contains(&rule.id) && !self.disabled.contains(&rule.id));
        self.rules.extend(kept);
        self.allowlists.extend(base.allowlists);
        self.disabled.extend(base.disabled);
        self.extends_default |= base.extends_default;
        self.index()?;
        Ok(self)
    }

    /// The rules that it may report under.
    pub fn rules(&self) -> impl Iterator<Item = RuleRef> + '_ {
        self.rules.iter().map(|rule| rule.page.clone())
    }

    pub(super) fn disables(&self, id: &str) -> bool {
        self.disabled.iter().any(|disabled| bare(id) == disabled)
    }

    /// Whether a global allow-list accepts everything at a place.
    pub(super) fn skips(&self, place: Where<'_>) -> bool {
        self.allowlists.iter().any(|list| list.skips(place))
    }

    /// Whether a global allow-list accepts a finding.
    pub(super) fn allows(&self, found: &AllowPlace<'_>) -> bool {
        self.allowlists.iter().any(|list| list.allows(found))
    }

    /// Adds what the rules find in `text`.
    pub(super) fn find(
        &self,
        text: &[u8],
        place: Where<'_>,
        leaks: &mut Vec<Leak>,
    ) -> Result<(), CheckError> {
        let mut named = vec![false; self.rules.len()];
        if let Some((finder, owners)) = &self.keywords {
            for hit in finder.find_overlapping_iter(text) {
                let owner = owners.get(hit.pattern().as_usize());
                if let Some(named) = owner.and_then(|owner| named.get_mut(*owner)) {
                    *named = true;
                }
            }
        }
        for (rule, named) in self.rules.iter().zip(named) {
            if named || rule.keywords.is_empty() {
                rule.find(text, place, leaks)?;
            }
        }
        Ok(())
    }

    /// Builds the search for keywords.
    fn index(&mut self) -> Result<(), GitleaksError> {
        let mut words = Vec::new();
        let mut owners = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            for keyword in &rule.keywords {
                words.push(keyword.as_str());
                owners.push(number);
            }
        }
        if words.is_empty() {
            self.keywords = None;
            return Ok(());
        }
        let finder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&words)
            .map_err(|_| GitleaksError::Keywords)?;
        self.keywords = Some((finder, owners));
        Ok(())
    }
}

/// A rule's id without its area.
fn bare(id: &str) -> &str {
    id.split_once('.').map_or(id, |(_, name)| name)
}

#[cfg(test)]
mod tests;
