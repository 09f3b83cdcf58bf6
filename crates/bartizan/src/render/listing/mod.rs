//! What any command saw, file by file: the form that is written as JUnit XML and as a page.

pub(crate) mod html;
pub(crate) mod junit;

use bartizan_core::{Finding, Severity};
use bartizan_guard::position::Positions;
use bartizan_policy::Reason;

use super::{Checked, artifacts::Judged, safe};
use crate::{cli::Format, exit::Exit};

/// What was looked at, and what was seen.
pub(crate) struct Listing<'a> {
    /// The command, e.g. `scan`.
    pub(crate) command: &'static str,
    /// The version of the policy that decided.
    pub(crate) policy_version: &'a str,
    /// One entry per file, member of an archive, or text.
    pub(crate) files: Vec<Entry<'a>>,
}

/// A file, a member of one, or a text.
pub(crate) struct Entry<'a> {
    /// Its path, fit for a terminal.
    pub(crate) path: String,
    /// What it is.
    pub(crate) about: String,
    /// The checks that looked at it, each once.
    pub(crate) checks: Vec<&'static str>,
    /// What was seen, in order of place.
    pub(crate) lines: Vec<Line<'a>>,
    /// The checks that did not look at everything, and why.
    pub(crate) gaps: Vec<(&'static str, String)>,
}

/// A finding at its place.
pub(crate) struct Line<'a> {
    /// What was seen.
    pub(crate) finding: &'a Finding,
    /// What it leads to.
    pub(crate) reason: &'a Reason,
    /// Where; empty for the file as a whole.
    pub(crate) place: String,
    /// Why it does not count, if it does not.
    pub(crate) waived: Option<&'static str>,
}

impl<'a> Listing<'a> {
    /// The report of a scan.
    pub(crate) fn of_files(
        command: &'static str,
        policy_version: &'a str,
        all: &'a [Judged],
    ) -> Self {
        Self {
            command,
            policy_version,
            files: all.iter().map(Entry::of_file).collect(),
        }
    }

    /// The report on texts; what is milder than `least` is listed and does not count.
    pub(crate) fn of_texts(
        command: &'static str,
        policy_version: &'a str,
        all: &'a [Checked],
        least: Severity,
    ) -> Self {
        let entries = all.iter().map(|checked| Entry::of_text(checked, least));
        Self {
            command,
            policy_version,
            files: entries.collect(),
        }
    }

    /// The report as JUnit XML, or as a page otherwise.
    pub(crate) fn document(&self, format: Format) -> String {
        match format {
            Format::Junit => junit::document(self),
            _ => html::page(self),
        }
    }

    /// How many findings of each severity count, worst first.
    pub(crate) fn by_severity(&self) -> [(Severity, usize); 5] {
        let mut severities = Severity::ALL.map(|severity| {
            let lines = self.files.iter().flat_map(|file| &file.lines);
            let same = lines
                .filter(|line| line.waived.is_none() && line.finding.rule.severity == severity);
            (severity, same.count())
        });
        severities.reverse();
        severities
    }
}

impl<'a> Entry<'a> {
    fn of_file(judged: &'a Judged) -> Self {
        let scanned = &judged.scanned;
        let formats = scanned.formats.iter().map(|format| format.as_str());
        let formats: Vec<&str> = formats.collect();
        let lines = judged.listed().into_iter().map(|(finding, reason)| Line {
            finding,
            reason,
            place: finding
                .span
                .map_or_else(String::new, |span| format!("byte {}", span.start())),
            waived: accepted(reason),
        });
        let report = &scanned.report;
        Self {
            path: safe::line(&scanned.path),
            about: format!("{}, {} bytes", formats.join(" and "), scanned.bytes),
            checks: report.coverage.iter().map(|check| check.check).collect(),
            lines: lines.collect(),
            gaps: gaps(report),
        }
    }

    fn of_text(checked: &'a Checked, least: Severity) -> Self {
        let texts = checked.subject.texts();
        let listed = checked.listed();
        let mut lines = Vec::with_capacity(listed.len());
        for group in listed.chunk_by(|a, b| a.part == b.part) {
            let part = group.first().map_or(0, |item| item.part);
            let starts = group
                .iter()
                .filter_map(|item| Some(item.finding.span?.as_range().start));
            let positions = Positions::of(texts.get(part).copied().unwrap_or_default(), starts);
            let path = checked.judgement.parts.get(part);
            let path = path.map_or(String::new(), |part| safe::line(&part.path));
            for item in group {
                let at = item.finding.span.map(|span| {
                    let at = positions.get(span.as_range().start);
                    format!("{}:{}", at.line, at.column)
                });
                let place = [path.clone(), at.unwrap_or_default()];
                let place: Vec<&str> = place.iter().map(String::as_str).collect();
                let is_mild = item.finding.rule.severity < least;
                lines.push(Line {
                    finding: item.finding,
                    reason: item.reason,
                    place: place.join(" ").trim().to_owned(),
                    waived: accepted(item.reason).or(is_mild.then_some("milder than what fails")),
                });
            }
        }
        let parts = &checked.judgement.parts;
        let mut checks: Vec<&str> = parts
            .iter()
            .flat_map(|part| &part.inspection.report.coverage)
            .map(|coverage| coverage.check)
            .collect();
        checks.sort_unstable();
        checks.dedup();
        Self {
            path: safe::line(&checked.subject.name),
            about: checked.subject.format().to_owned(),
            checks,
            lines,
            gaps: parts
                .iter()
                .flat_map(|part| gaps(&part.inspection.report))
                .collect(),
        }
    }

    /// How a command ends that saw only this.
    pub(crate) fn exit(&self) -> Exit {
        if self.lines.iter().any(|line| line.waived.is_none()) {
            Exit::Findings
        } else if self.gaps.is_empty() {
            Exit::Clean
        } else {
            Exit::Incomplete
        }
    }
}

impl Line<'_> {
    /// The message, or the rule's title where there is none.
    pub(crate) fn text(&self) -> String {
        match &*self.finding.message {
            "" => self.finding.rule.title.to_string(),
            message => safe::line(message),
        }
    }
}

fn accepted(reason: &Reason) -> Option<&'static str> {
    reason
        .exception
        .is_some()
        .then_some("accepted by the allow-list")
}

fn gaps(report: &bartizan_core::Report) -> Vec<(&'static str, String)> {
    let gaps = report.gaps();
    gaps.map(|(coverage, error)| (coverage.check, safe::line(&error.to_string())))
        .collect()
}
