//! The report for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use bartizan_core::{Severity, Verdict};
use unicode_width::UnicodeWidthStr;

use super::{Checked, Listed, by_severity, safe};
use bartizan_guard::position::Positions;

/// How a report is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Columns to write in.
    pub(crate) columns: usize,
    /// Say everything for every place.
    pub(crate) verbose: bool,
    /// Say what each check cost.
    pub(crate) timings: bool,
}

/// Places of one rule that are shown with their text, unless all are asked for.
const PLACES_SHOWN: usize = 3;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const MARK: Style = AnsiColor::BrightBlue.on_default();

/// The report on one subject.
pub(crate) fn report(checked: &Checked, rules_version: &str, look: Look) -> String {
    let listed = checked.listed();
    let mut out = String::new();
    let pages = Pages::of(checked, &listed);
    for group in by_rule(&listed) {
        rule_group(&mut out, &pages, &group, look);
    }
    closing(&mut out, checked, &listed, rules_version);
    if look.timings {
        timings(&mut out, checked);
    }
    out
}

/// The findings of each rule together, in order of their first place.
fn by_rule<'a>(listed: &[Listed<'a>]) -> Vec<Vec<Listed<'a>>> {
    let mut numbers = std::collections::HashMap::new();
    let mut groups: Vec<Vec<Listed<'a>>> = Vec::new();
    for &item in listed {
        let id: &str = &item.finding.rule.id;
        let number = *numbers.entry(id).or_insert(groups.len());
        match groups.get_mut(number) {
            Some(group) => group.push(item),
            None => groups.push(vec![item]),
        }
    }
    groups
}

fn rule_group(out: &mut String, pages: &Pages<'_>, group: &[Listed<'_>], look: Look) {
    let Some(first) = group.first() else { return };
    let rule = &first.finding.rule;
    let colour = severity_style(rule.severity);
    let head = format!("{}[{}]: ", rule.severity, rule.id);
    let title = wrapped(&rule.title, look.columns.saturating_sub(head.len()));
    let _ = writeln!(
        out,
        "{colour}{}{colour:#}{BOLD}[{}]: {}{BOLD:#}",
        rule.severity,
        rule.id,
        title.join("\n  ")
    );
    let shown = if look.verbose {
        group.len()
    } else {
        PLACES_SHOWN
    };
    let gutter = pages.gutter;
    for item in group.iter().take(shown) {
        pages.place(out, item, look);
        seen(out, pages.text(item.part), item, gutter, look);
    }
    if let Some(more) = group.len().checked_sub(shown).filter(|&more| more > 0) {
        let text = format!("{more} {}; `-v` shows all", plural(more, "place"));
        labelled(out, "more", &text, gutter, look.columns);
    }
    labelled(out, "why", &rule.why, gutter, look.columns);
    labelled(out, "do", &rule.fix, gutter, look.columns);
    out.push('\n');
}

/// The parts of a subject, ready to be quoted.
struct Pages<'a> {
    checked: &'a Checked,
    pages: Vec<Page<'a>>,
    /// Columns of line numbers.
    gutter: usize,
}

/// One part.
struct Page<'a> {
    text: &'a [u8],
    positions: Positions,
    /// What must not be shown.
    masks: Vec<std::ops::Range<usize>>,
}

impl<'a> Pages<'a> {
    fn of(checked: &'a Checked, listed: &[Listed<'_>]) -> Self {
        let mut starts: Vec<Vec<usize>> = vec![Vec::new(); checked.judgement.parts.len()];
        for item in listed {
            if let (Some(starts), Some(span)) = (starts.get_mut(item.part), item.finding.span) {
                starts.push(span.as_range().start);
            }
        }
        let mut lines = 0;
        let pages = checked
            .subject
            .texts()
            .into_iter()
            .zip(starts)
            .enumerate()
            .map(|(part, (text, starts))| {
                let last = starts.iter().copied().max();
                let is_quoted = last.is_some();
                let positions = Positions::of(text, starts);
                lines = lines.max(last.map_or(0, |last| positions.get(last).line));
                Page {
                    text,
                    positions,
                    masks: if is_quoted {
                        checked.sensitive(part)
                    } else {
                        Vec::new()
                    },
                }
            })
            .collect();
        Self {
            checked,
            pages,
            gutter: lines.to_string().len().max(2),
        }
    }

    fn text(&self, part: usize) -> &'a [u8] {
        self.pages.get(part).map_or(&[], |page| page.text)
    }

    /// The place, and the line with marks.
    fn place(&self, out: &mut String, item: &Listed<'_>, look: Look) {
        let gutter = self.gutter;
        let name = place_name(self.checked, item.part);
        let (Some(span), Some(page)) = (item.finding.span, self.pages.get(item.part)) else {
            let _ = writeln!(out, "{:gutter$}{MARK}-->{MARK:#} {name}", "");
            return;
        };
        let range = span.as_range();
        let at = page.positions.get(range.start);
        let (line, column) = (at.line, at.column);
        let _ = writeln!(
            out,
            "{:gutter$}{MARK}-->{MARK:#} {name}:{line}:{column}",
            ""
        );
        let room = look.columns.saturating_sub(gutter + 3);
        let excerpt = safe::excerpt(page.text, &range, at.line_start, &page.masks, room);
        let style = severity_style(item.finding.rule.severity);
        let _ = writeln!(out, "{MARK}{line:>gutter$} |{MARK:#} {}", excerpt.text);
        let _ = writeln!(
            out,
            "{:gutter$} {MARK}|{MARK:#} {style}{}{style:#}",
            "", excerpt.marks
        );
    }
}

/// What was seen at a place, how, and what it leads to.
fn seen(out: &mut String, text: &[u8], item: &Listed<'_>, gutter: usize, look: Look) {
    let finding = item.finding;
    let value = finding.span.and_then(|span| text.get(span.as_range()));
    let lines = value.map_or(0, |value| {
        value.iter().filter(|&&byte| byte == b'\n').count()
    });
    let mut what = Vec::new();
    if !item.detail().is_empty() {
        what.push(safe::line(item.detail()));
    }
    if lines > 0 {
        what.push(format!(
            "goes on for {lines} more {}",
            plural(lines, "line")
        ));
    }
    if !what.is_empty() {
        labelled(out, "seen", &what.join(", "), gutter, look.columns);
    }
    let sure = finding.confidence.get() * 100.0;
    let mut how = format!("{sure:.0} % sure, {} layer", finding.layer);
    if !finding.via.is_empty() {
        let via: Vec<&str> = finding.via.iter().map(|via| via.as_str()).collect();
        let _ = write!(how, ", via {}", via.join(" > "));
    }
    match item.reason.action {
        Verdict::Allow => how.push_str(", only listed"),
        action => {
            let _ = write!(how, ", leads to {action}");
        }
    }
    if item.reason.exception.is_some() {
        how.push_str(", accepted by the allow-list");
    }
    if item.reason.shadow {
        how.push_str(", in shadow, so nothing is done");
    }
    labelled(out, "how", &how, gutter, look.columns);
    if look.verbose {
        labelled(out, "row", &item.reason.row, gutter, look.columns);
    }
}

/// `= label: text`, wrapped under the text.
fn labelled(out: &mut String, label: &str, text: &str, gutter: usize, columns: usize) {
    let indent = gutter + label.len() + 5;
    let lines = wrapped(text, columns.saturating_sub(indent));
    let _ = write!(out, "{:gutter$} {MARK}={MARK:#} {DIM}{label}:{DIM:#} ", "");
    out.push_str(&lines.join(&format!("\n{:indent$}", "")));
    out.push('\n');
}

/// The last lines: what it comes to, and on what grounds.
fn closing(out: &mut String, checked: &Checked, listed: &[Listed<'_>], rules_version: &str) {
    let decision = &checked.judgement.decision;
    let name = &checked.subject.name;
    let texts = checked.judgement.parts.len();
    let cost = format!("{} checks, {}", checked.checks(), duration(checked.nanos));
    let subject = if checked.subject.path.is_some() || texts > 1 {
        let parts = if texts > 1 {
            format!(" ({texts} parts)")
        } else {
            String::new()
        };
        format!("{name}{parts}")
    } else {
        format!("{texts} {}", plural(texts, "text"))
    };
    for gap in &decision.gaps {
        let check = gap
            .check
            .as_deref()
            .or(gap.layer.map(|layer| layer.as_str()));
        let part = gap
            .part
            .map_or(String::new(), |part| place_name(checked, part as usize));
        let why = incomplete_reason(checked, gap);
        let _ = writeln!(
            out,
            "{BOLD}incomplete{BOLD:#}: `{}` did not look at all of {part}: {why}",
            check.unwrap_or("any check")
        );
    }
    for warning in &decision.warnings {
        let _ = writeln!(out, "{BOLD}warning{BOLD:#}: {warning}");
    }
    if listed.is_empty() {
        let word = if checked.is_complete() {
            "clean"
        } else {
            "incomplete"
        };
        let _ = writeln!(
            out,
            "{BOLD}{word}{BOLD:#}: 0 findings in {subject} ({cost})"
        );
        return;
    }
    let verdict = decision.verdict();
    let style = verdict_style(verdict);
    let counts: Vec<String> = by_severity(listed)
        .into_iter()
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    let findings = listed.len();
    let _ = writeln!(
        out,
        "{style}{verdict}{style:#}: {findings} {} in {subject}: {}",
        plural(findings, "finding"),
        counts.join(", ")
    );
    if decision.enforced() != verdict {
        let _ = writeln!(out, "  in shadow: enforced is `{}`", decision.enforced());
    }
    let band = decision.band.as_str();
    let complete = if checked.is_complete() {
        "complete"
    } else {
        "incomplete"
    };
    let _ = writeln!(
        out,
        "  {DIM}score {:.2} ({band}), {complete}, {cost}{DIM:#}\n  {DIM}policy {}, rules {}{DIM:#}",
        decision.score,
        short(decision.policy_version()),
        short(rules_version)
    );
}

fn incomplete_reason(checked: &Checked, gap: &bartizan_policy::Gap) -> String {
    let part = checked.judgement.parts.get(gap.part.unwrap_or(0) as usize);
    let coverage = part.map(|part| &part.inspection.report.coverage);
    coverage
        .into_iter()
        .flatten()
        .filter(|coverage| gap.check.as_deref() == Some(coverage.check))
        .find_map(|coverage| coverage.outcome.as_ref().err())
        .map_or_else(|| "it did not run".to_owned(), ToString::to_string)
}

fn timings(out: &mut String, checked: &Checked) {
    for step in checked.judgement.trace() {
        let _ = writeln!(
            out,
            "  {DIM}{:<16} {:<12} {:>10}{DIM:#}",
            step.check,
            step.layer.as_str(),
            duration(step.nanos)
        );
    }
}

/// The name of a part in places: its path, after the file's name where that is needed.
pub(crate) fn place_name(checked: &Checked, part: usize) -> String {
    let path = checked
        .judgement
        .parts
        .get(part)
        .map_or("", |part| &*part.path);
    match (path, &checked.subject.path) {
        ("", _) => checked.subject.name.clone(),
        (path, None) => safe::line(path),
        (path, Some(_)) => format!("{} {}", checked.subject.name, safe::line(path)),
    }
}

/// `text` in lines of at most `columns` columns, broken at blanks.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let width = word.width();
        if used > 0 && used + 1 + width > columns {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += width;
        }
    }
    lines
}

/// The first digits of a version.
pub(crate) fn short(version: &str) -> &str {
    version.get(..8).unwrap_or(version)
}

/// A duration in the unit that suits it.
pub(crate) fn duration(nanos: u64) -> String {
    match nanos {
        0..10_000_000 => format!("{} µs", nanos.div_ceil(1_000)),
        10_000_000..10_000_000_000 => format!("{} ms", nanos / 1_000_000),
        _ => format!("{} s", nanos / 1_000_000_000),
    }
}

/// `word` for one, with an s for any other number.
pub(crate) fn plural(count: usize, word: &str) -> String {
    if count == 1 {
        word.to_owned()
    } else {
        format!("{word}s")
    }
}

/// The colour of a severity; it is always written out too.
pub(crate) const fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => AnsiColor::BrightRed.on_default().bold(),
        Severity::Medium => AnsiColor::BrightYellow.on_default().bold(),
        Severity::Low => AnsiColor::BrightCyan.on_default().bold(),
        Severity::Info => Style::new().bold(),
    }
}

/// The colour of a verdict; it is always written out too.
pub(crate) const fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Block => AnsiColor::BrightRed.on_default().bold(),
        Verdict::Ask | Verdict::Redact => AnsiColor::BrightYellow.on_default().bold(),
        Verdict::Allow => AnsiColor::BrightGreen.on_default().bold(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_wrapped_at_blanks() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
