use std::{borrow::Cow, sync::Arc};

use bartizan_core::{Category, CheckError, Rule, RuleRef, Severity};
use bartizan_text::secrets::entropy::shannon;

use super::{
    MAX_MATCHES,
    allow::{AllowPlace, Allowlist},
    re2::Expression,
};
use crate::secrets::{Leak, Where, scanner::line_around};

/// Confidence in a rule that somebody wrote for their own secrets.
const CONFIDENCE: f32 = 0.8;

/// A rule that was loaded.
#[derive(Debug)]
pub(super) struct GitleaksRule {
    /// As written.
    pub(super) id: String,
    pub(super) page: RuleRef,
    pub(super) keywords: Vec<String>,
    regex: Option<Expression>,
    path: Option<Expression>,
    group: usize,
    min_entropy: f32,
    allowlists: Vec<Allowlist>,
}

impl GitleaksRule {
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of a rule, called once"
    )]
    pub(super) fn new(
        id: String,
        description: String,
        regex: Option<Expression>,
        path: Option<Expression>,
        group: usize,
        min_entropy: f32,
        keywords: Vec<String>,
        allowlists: Vec<Allowlist>,
    ) -> Self {
        let title = match description.trim().trim_end_matches('.') {
            "" => id.clone(),
            title => title.to_owned(),
        };
        let page = Rule {
            id: Cow::Owned(format!("gitleaks.{id}")),
            title: Cow::Owned(title),
            severity: Severity::High,
            category: Category::Secret,
            refs: Cow::Borrowed(const { &[Cow::Borrowed("CWE-798")] }),
            why: Cow::Borrowed("A rule that was loaded says that this is a secret."),
            fix: Cow::Borrowed(
                "Revoke the secret, take it out of the file and of the history, and read it from a store.",
            ),
            entity: None,
        };
        Self {
            id,
            page: RuleRef::Shared(Arc::new(page)),
            keywords,
            regex,
            path,
            group,
            min_entropy,
            allowlists,
        }
    }

    /// Adds what it finds in `text`.
    pub(super) fn find(
        &self,
        text: &[u8],
        place: Where<'_>,
        leaks: &mut Vec<Leak>,
    ) -> Result<(), CheckError> {
        let elsewhere = |path: &Expression| !path.is_match(place.path.as_bytes());
        if self.path.as_ref().is_some_and(elsewhere)
            || self.allowlists.iter().any(|list| list.skips(place))
        {
            return Ok(());
        }
        let Some(regex) = &self.regex else {
            // A rule about a path alone accuses the file.
            leaks.push(self.leak(0..0));
            return Ok(());
        };
        for (count, captures) in regex.captures_iter(text).enumerate() {
            if count >= MAX_MATCHES {
                return Err(CheckError::Exhausted {
                    limit: "matches of one rule",
                    at: MAX_MATCHES as u64,
                });
            }
            let Some(matched) = captures.get_match() else {
                continue;
            };
            // Group 0 stands for the first group that took part, as in gitleaks 8.19 and later.
            let group = if self.group > 0 {
                captures.get_group(self.group)
            } else {
                let mut groups = (1..captures.group_len()).filter_map(|n| captures.get_group(n));
                groups.find(|group| !group.is_empty())
            };
            let secret = group.unwrap_or_else(|| matched.span());
            let bytes = text.get(secret.range()).unwrap_or_default();
            if self.min_entropy > 0.0 && shannon(bytes) <= self.min_entropy {
                continue;
            }
            let found = AllowPlace {
                place,
                rule: &self.id,
                secret: bytes,
                matched: text.get(matched.range()).unwrap_or_default(),
                line: line_around(text, &secret.range()),
            };
            if !self.allowlists.iter().any(|list| list.allows(&found)) {
                leaks.push(self.leak(secret.range()));
            }
        }
        Ok(())
    }

    fn leak(&self, secret: std::ops::Range<usize>) -> Leak {
        Leak {
            rule: self.page.clone(),
            secret,
            line: 0,
            confidence: CONFIDENCE,
        }
    }
}
