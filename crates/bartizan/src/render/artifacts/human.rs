//! The report on files for people.

use std::{collections::BTreeMap, fmt::Write};

use anstyle::{AnsiColor, Style};
use bartizan_core::{Rule, Verdict};
use bartizan_policy::Policy;

use super::{Judged, Word, by_severity, coverage, word};
use crate::render::{
    human::{plural, severity_style, short, verdict_style, wrapped},
    safe,
};

/// How a report is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Columns to write in.
    pub(crate) columns: usize,
    /// Show every file, and the policy row of each finding.
    pub(crate) verbose: bool,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const MARK: Style = AnsiColor::BrightBlue.on_default();

/// The report: every file that is not clean, each rule once, what it comes to.
pub(crate) fn report(all: &[Judged], policy: &Policy, look: Look) -> String {
    let mut out = String::new();
    let mut rules: BTreeMap<&str, &Rule> = BTreeMap::new();
    for judged in all {
        file(&mut out, judged, look);
        for (finding, _) in judged.listed() {
            rules.insert(&finding.rule.id, &finding.rule);
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let mut rules: Vec<&Rule> = rules.into_values().collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.severity));
    for rule in rules {
        page(&mut out, rule, look);
    }
    closing(&mut out, all, policy);
    out
}

const fn style(word: Word) -> Style {
    match word {
        Word::Malicious => verdict_style(Verdict::Block),
        Word::Review => verdict_style(Verdict::Ask),
        Word::Incomplete => BOLD,
        Word::Clean => verdict_style(Verdict::Allow),
    }
}

fn file(out: &mut String, judged: &Judged, look: Look) {
    let listed = judged.listed();
    let scanned = &judged.scanned;
    let word = judged.word();
    if listed.is_empty() && word == Word::Clean && !look.verbose {
        return;
    }
    let formats: Vec<&str> = scanned
        .formats
        .iter()
        .map(|format| format.as_str())
        .collect();
    let style = style(word);
    let _ = writeln!(
        out,
        "{style}{}{style:#} {BOLD}{}{BOLD:#} {DIM}({}, {} bytes){DIM:#}",
        word.as_str(),
        safe::line(&scanned.path),
        formats.join(" and "),
        scanned.bytes
    );
    for (finding, reason) in listed {
        let colour = severity_style(finding.rule.severity);
        let place = match (finding.span, &judged.positions) {
            (None, _) => String::new(),
            (Some(span), None) => format!(" at byte {}", span.start()),
            (Some(span), Some(positions)) => {
                let at = positions.get(span.as_range().start);
                format!(" at line {}, column {}", at.line, at.column)
            }
        };
        let message = match &*finding.message {
            "" => String::new(),
            message => format!(": {}", safe::line(message)),
        };
        let accepted = match reason.exception {
            Some(_) => ", accepted by the allow-list",
            None => "",
        };
        let _ = writeln!(
            out,
            "  {colour}{}{colour:#}[{}]{place}{message}{accepted}",
            finding.rule.severity, finding.rule.id
        );
        if look.verbose {
            let _ = writeln!(
                out,
                "    {DIM}leads to {} by row {}{DIM:#}",
                reason.action, reason.row
            );
        }
    }
    for (coverage, error) in scanned.report.gaps() {
        let _ = writeln!(
            out,
            "  {BOLD}incomplete{BOLD:#}: `{}` did not look at everything: {error}",
            coverage.check
        );
    }
    if look.verbose {
        let checks: Vec<&str> = scanned
            .report
            .coverage
            .iter()
            .map(|check| check.check)
            .collect();
        let _ = writeln!(out, "  {DIM}looked at by {}{DIM:#}", checks.join(", "));
    }
}

/// What a rule is about, once for all files.
fn page(out: &mut String, rule: &Rule, look: Look) {
    let colour = severity_style(rule.severity);
    let _ = writeln!(
        out,
        "{colour}{}{colour:#}{BOLD}[{}]: {}{BOLD:#}",
        rule.severity, rule.id, rule.title
    );
    for (label, text) in [("why", &rule.why), ("do", &rule.fix)] {
        let indent = label.len() + 7;
        let lines = wrapped(text, look.columns.saturating_sub(indent));
        let _ = write!(out, "   {MARK}={MARK:#} {DIM}{label}:{DIM:#} ");
        out.push_str(&lines.join(&format!("\n{:indent$}", "")));
        out.push('\n');
    }
    out.push('\n');
}

/// The last lines: what it comes to, and on what grounds.
fn closing(out: &mut String, all: &[Judged], policy: &Policy) {
    let word = word(all);
    let style = style(word);
    let counts: Vec<(bartizan_core::Severity, usize)> = by_severity(all)
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect();
    let findings: usize = counts.iter().map(|(_, count)| count).sum();
    let files = all
        .iter()
        .filter(|judged| !judged.scanned.path.contains('!'))
        .count();
    let members = all.len() - files;
    let inside = if members > 0 {
        format!(" with {members} {}", plural(members, "member"))
    } else {
        String::new()
    };
    let severities: Vec<String> = counts
        .iter()
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    let severities = if severities.is_empty() {
        String::new()
    } else {
        format!(": {}", severities.join(", "))
    };
    let _ = writeln!(
        out,
        "{style}{}{style:#}: {findings} {} in {files} {}{inside}{severities}",
        word.as_str(),
        plural(findings, "finding"),
        plural(files, "file")
    );
    let checks: Vec<String> = coverage(all)
        .into_iter()
        .map(|(check, count)| format!("{check} {count}"))
        .collect();
    let _ = writeln!(
        out,
        "  {DIM}looked at by {}; policy {}{DIM:#}",
        checks.join(", "),
        short(policy.version())
    );
}
