//! What was seen, for people and for programs.

pub(crate) mod artifacts;
pub(crate) mod evaluation;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod listing;
pub(crate) mod page;
pub(crate) mod redteam;
pub(crate) mod safe;
pub(crate) mod sarif;

use bartizan_core::{Category, Finding, Severity, Verdict};
pub(crate) use bartizan_guard::Listed;
use bartizan_guard::{
    Judgement,
    redact::{Redactor, stretches},
};

use crate::{exit::Exit, input::Subject, problem::Problem};

/// A subject, and what was seen in it.
pub(crate) struct Checked {
    /// What was checked.
    pub(crate) subject: Subject,
    /// What was seen and decided.
    pub(crate) judgement: Judgement,
    /// How long that took, in nanoseconds.
    pub(crate) nanos: u64,
}

impl Checked {
    /// The listed findings in order of part and place.
    pub(crate) fn listed(&self) -> Vec<Listed<'_>> {
        self.judgement.listed()
    }

    /// Whether every check looked at everything.
    pub(crate) fn is_complete(&self) -> bool {
        self.judgement.is_complete()
    }

    /// How the command ends if this is all. What the allow-list accepts is no finding.
    pub(crate) fn exit(&self) -> Exit {
        let mut reasons = self.judgement.decision.reasons.iter();
        if reasons.any(|reason| reason.exception.is_none()) {
            Exit::Findings
        } else if self.is_complete() {
            Exit::Clean
        } else {
            Exit::Incomplete
        }
    }

    /// Number of checks that were asked, each counted once.
    pub(crate) fn checks(&self) -> usize {
        let coverage = self
            .judgement
            .parts
            .iter()
            .flat_map(|part| &part.inspection.report.coverage);
        let mut names: Vec<&str> = coverage.map(|check| check.check).collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    }

    /// The bytes of a part that must not be shown: personal data, secrets, and confidential text.
    pub(crate) fn sensitive(&self, part: usize) -> Vec<std::ops::Range<usize>> {
        let Some(judged) = self.judgement.parts.get(part) else {
            return Vec::new();
        };
        let findings = judged.inspection.report.findings.iter();
        stretches(findings.filter(|finding| is_sensitive(finding.rule.category)))
            .into_iter()
            .map(|stretch| stretch.range)
            .collect()
    }

    /// The safe version of the subject: everything that is redacted or refused is replaced.
    pub(crate) fn safe_version(&self, redactor: &mut Redactor) -> Result<Vec<u8>, Problem> {
        if !self.is_complete() {
            let message = format!(
                "no safe version of `{}`: not everything was looked at",
                self.subject.name
            );
            return Err(Problem::new(message).help("the report says which check did not finish"));
        }
        let mut removals: Vec<Vec<&Finding>> = vec![Vec::new(); self.judgement.parts.len()];
        for item in self.listed() {
            if item.reason.action >= Verdict::Redact
                && !item.reason.shadow
                && let Some(removals) = removals.get_mut(item.part)
            {
                removals.push(item.finding);
            }
        }
        let Some(conversation) = &self.subject.conversation else {
            let all = removals.into_iter().flatten();
            return Ok(redactor.rewrite(&self.subject.bytes, 0, all));
        };
        let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
        for (part, removals) in conversation.parts.iter().zip(removals) {
            for stretch in stretches(removals) {
                let text = part.text.as_bytes();
                let value = text.get(stretch.range.clone()).unwrap_or_default();
                let found = stretch.findings.iter().copied();
                let safe = redactor.rewrite(value, stretch.range.start, found);
                let span = bartizan_core::Span::from_range(stretch.range);
                let Some(span) = part.document_span(span) else {
                    let message = format!(
                        "no safe version of `{}`: `{}` is an embedded file",
                        self.subject.name, part.path
                    );
                    return Err(Problem::new(message).help("take the file out of the conversation"));
                };
                edits.push((span.as_range(), json_text(&String::from_utf8_lossy(&safe))));
            }
        }
        Ok(edited(&self.subject.bytes, edits))
    }
}

/// Whether findings of this kind are about text that must not be shown.
pub(crate) const fn is_sensitive(category: Category) -> bool {
    matches!(category, Category::Pii | Category::Secret | Category::Leak)
}

/// How many findings there are of each severity, worst first; none of those that are 0.
pub(crate) fn by_severity(listed: &[Listed<'_>]) -> Vec<(Severity, usize)> {
    let count = |severity| {
        let same = |item: &&Listed<'_>| item.finding.rule.severity == severity;
        listed.iter().filter(same).count()
    };
    Severity::ALL
        .into_iter()
        .rev()
        .map(|severity| (severity, count(severity)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// A text as it stands between the quotes of a JSON string.
fn json_text(text: &str) -> String {
    let quoted = serde_json::Value::String(text.to_owned()).to_string();
    quoted
        .get(1..quoted.len() - 1)
        .unwrap_or_default()
        .to_owned()
}

/// `document` with every edit in place; of edits that overlap, the first replaces them all.
fn edited(document: &[u8], mut edits: Vec<(std::ops::Range<usize>, String)>) -> Vec<u8> {
    edits.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut out = Vec::with_capacity(document.len());
    let mut from = 0;
    for (range, text) in edits {
        if range.start < from {
            from = from.max(range.end);
            continue;
        }
        out.extend_from_slice(document.get(from..range.start).unwrap_or_default());
        out.extend_from_slice(text.as_bytes());
        from = range.end;
    }
    out.extend_from_slice(document.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_leave_no_byte_of_what_they_replace() {
        let edits = vec![
            (4..6, "b".to_owned()),
            (1..5, "a".to_owned()),
            (7..8, "c".to_owned()),
        ];
        assert_eq!(edited(b"0123456789", edits), b"0a6c89");
        assert_eq!(json_text("a\"b\n"), "a\\\"b\\n");
    }
}
