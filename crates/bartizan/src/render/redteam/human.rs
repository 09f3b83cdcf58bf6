//! A run on a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use bartizan_redteam::report::{
    interval, percent,
    v1::{Gate, Group, LayerTable, Number, Report},
};

use crate::render::{
    evaluation::text::{list, many, padded, right},
    human::{plural, wrapped},
    safe,
};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::BrightGreen.on_default().bold();
const BAD: Style = AnsiColor::BrightRed.on_default().bold();

/// Chains that are shown; the others are in the JSON.
const CHAINS: usize = 25;

/// Failures that are shown.
const FAILURES: usize = 15;

/// The report, in so many columns.
pub(crate) fn report(report: &Report, columns: usize) -> String {
    let mut out = String::new();
    head(&mut out, report, columns);
    families(&mut out, report, columns);
    if let Some(table) = &report.layers {
        layers(&mut out, table, columns);
    }
    adaptive(&mut out, report, columns);
    if report.by_chain.len() > 1 {
        heading(&mut out, "Mutators");
        groups(&mut out, report.by_chain.iter().take(CHAINS), columns);
        more(&mut out, report.by_chain.len(), CHAINS);
    }
    risks(&mut out, report);
    failures(&mut out, report, columns);
    trend(&mut out, report, columns);
    gates(&mut out, &report.gates);
    gaps(&mut out, report, columns);
    out
}

fn heading(out: &mut String, text: &str) {
    let _ = writeln!(out, "\n{BOLD}{text}{BOLD:#}");
}

fn paragraph(out: &mut String, text: &str, columns: usize) {
    for line in wrapped(text, columns.saturating_sub(2)) {
        let _ = writeln!(out, "  {line}");
    }
}

fn more(out: &mut String, all: usize, shown: usize) {
    if all > shown {
        let _ = writeln!(out, "  {DIM}{} more in the JSON{DIM:#}", all - shown);
    }
}

fn head(out: &mut String, report: &Report, columns: usize) {
    let attempts = usize::try_from(report.attempts).unwrap_or(usize::MAX);
    let _ = writeln!(
        out,
        "{BOLD}{} {} against {}{BOLD:#}",
        many(report.attempts),
        plural(attempts, "attempt"),
        safe::line(&report.target)
    );
    let suites: Vec<String> = report
        .suites
        .iter()
        .map(|suite| format!("{} ({})", safe::line(&suite.name), suite.tests))
        .collect();
    paragraph(out, &format!("suites: {}", list(&suites, 20)), columns);
    let _ = writeln!(out);
    for (name, number) in [
        ("attacks that reached their goal", report.bypassed),
        ("the same without mutators", report.bypassed_plain),
        ("ordinary texts stopped", report.false_positives),
        ("harmless look-alikes stopped", report.false_positives_hard),
    ] {
        if number.is_some() {
            let _ = writeln!(
                out,
                "  {}{}  {}",
                padded(name, 34),
                right(&percent(number), 8),
                interval(number)
            );
        }
    }
    let _ = writeln!(out, "  {DIM}brackets hold 95 % intervals{DIM:#}");
}

fn families(out: &mut String, report: &Report, columns: usize) {
    for (title, kind) in [
        ("Attacks that reached their goal", "attack"),
        ("Controls that were stopped", "control"),
        ("Pairs that were not treated alike", "pair"),
    ] {
        let of_kind = || report.families.iter().filter(|group| group.kind == kind);
        if of_kind().next().is_some() {
            heading(out, title);
            groups(out, of_kind(), columns);
        }
    }
}

fn groups<'g>(out: &mut String, groups: impl Iterator<Item = &'g Group>, columns: usize) {
    let name = columns.saturating_sub(50).clamp(24, 46);
    for group in groups {
        let style = if group.failed == 0 { GOOD } else { BAD };
        let errors = if group.errors > 0 {
            format!(", {} without outcome", group.errors)
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "  {}{} of {} {style}{}{style:#}  {}{errors}",
            padded(&safe::line(&group.name), name),
            right(&many(group.failed), 7),
            padded(&many(group.attempts), 7),
            right(&percent(group.rate), 8),
            interval(group.rate)
        );
    }
}

fn layers(out: &mut String, table: &LayerTable, columns: usize) {
    heading(out, "What each layer stops");
    let text = format!(
        "all layers let {} {} of {} attacks pass and stop {} {} of {} controls",
        percent(table.passed),
        interval(table.passed),
        many(table.attacks),
        percent(table.false_positives),
        interval(table.false_positives),
        many(table.controls)
    );
    paragraph(out, &text, columns);
    let is_wide = columns >= 110;
    let has_search = table.layers.iter().any(|row| row.adaptive_alone.is_some());
    let cell = |number: Option<Number>| {
        let ends = if is_wide {
            format!(" {}", padded(&interval(number), 14))
        } else {
            String::new()
        };
        format!("{}{ends}", right(&percent(number), 8))
    };
    let width = if is_wide { 23 } else { 8 };
    let _ = write!(
        out,
        "\n  {DIM}{}{}  {}",
        padded("layer", 12),
        padded(&right("alone", 8), width),
        padded(&right("without", 8), width),
    );
    if has_search {
        let _ = write!(
            out,
            "  {}  {}",
            padded(&right("adapt.", 8), width),
            padded(&right("adapt. w/o", 10), width.max(10))
        );
    }
    let _ = writeln!(
        out,
        "  {}{}{}{DIM:#}",
        right("false", 8),
        right("adds", 9),
        right("µs", 8)
    );
    for row in &table.layers {
        let _ = write!(
            out,
            "  {}{}  {}",
            padded(&row.layer, 12),
            cell(row.passed_alone),
            cell(row.passed_without)
        );
        if has_search {
            let _ = write!(
                out,
                "  {}  {}",
                cell(row.adaptive_alone),
                padded(&cell(row.adaptive_without), width.max(10))
            );
        }
        let value = row
            .value
            .map_or("-".to_owned(), |value| format!("{:.1} %", value * 100.0));
        let _ = writeln!(
            out,
            "  {}{}{}",
            right(&percent(row.false_alone), 8),
            right(&value, 9),
            right(&format!("{:.1}", row.nanos / 1_000.0), 8)
        );
    }
    let text = "alone: attacks that pass this layer alone; without: that pass all the others; false: \
                controls that it stops; adds: its Shapley value, the share of attacks that it adds";
    let _ = write!(out, "{DIM}");
    paragraph(out, text, columns);
    let _ = write!(out, "{DIM:#}");
    let text = match &table.cheapest {
        Some(row) => format!(
            "the cheapest layers that let at most {:.1} % pass: {} ({} pass, {} of controls stopped, \
             {:.1} µs)",
            table.wanted * 100.0,
            row.layers.join(", "),
            percent(row.passed),
            percent(row.false_positives),
            row.nanos / 1_000.0
        ),
        // Without attacks, or with too many layers, no set was looked at.
        None if table.front.is_empty() => return,
        None => format!(
            "no set of these layers lets at most {:.1} % pass",
            table.wanted * 100.0
        ),
    };
    let _ = writeln!(out);
    paragraph(out, &text, columns);
}

fn adaptive(out: &mut String, report: &Report, columns: usize) {
    for row in report.adaptive.iter().filter(|row| row.against == "all") {
        heading(out, &format!("Attacker with feedback: {}", row.strategy));
        let _ = writeln!(
            out,
            "  {} goals, at most {} questions each",
            many(row.goals),
            many(row.budget.into())
        );
        for point in &row.curve {
            let _ = writeln!(
                out,
                "  {} questions{}  {}",
                right(&many(point.queries.into()), 7),
                right(&percent(point.reached), 9),
                interval(point.reached)
            );
        }
        let chains: Vec<String> = row
            .chains
            .iter()
            .map(|chain| format!("{} ({})", chain.chain, chain.goals))
            .collect();
        if !chains.is_empty() {
            paragraph(
                out,
                &format!("what got past: {}", list(&chains, 10)),
                columns,
            );
        }
    }
}

fn risks(out: &mut String, report: &Report) {
    if report.risks.is_empty() {
        return;
    }
    heading(out, "Risks");
    for risk in &report.risks {
        let _ = writeln!(
            out,
            "  {}  {}{} = {} x {} x {}, mend within {} h",
            risk.priority,
            padded(&risk.family, 28),
            right(&risk.score.to_string(), 4),
            risk.likelihood,
            risk.impact,
            risk.detectability,
            risk.hours
        );
    }
    let _ = writeln!(
        out,
        "  {DIM}likelihood x impact x detectability, each 1 to 5{DIM:#}"
    );
}

fn failures(out: &mut String, report: &Report, columns: usize) {
    if report.failures.is_empty() {
        return;
    }
    heading(out, "Not as it should be");
    for failure in report.failures.iter().take(FAILURES) {
        let verdict = failure.verdict.as_deref().unwrap_or("-");
        let line = format!(
            "{} ({}), {}: {}",
            safe::line(&failure.test),
            failure.chain,
            failure.outcome,
            verdict
        );
        let _ = writeln!(
            out,
            "  {}",
            padded(&line, columns.saturating_sub(2)).trim_end()
        );
    }
    let left_out = usize::try_from(report.failures_left_out).unwrap_or(usize::MAX);
    more(
        out,
        report.failures.len().saturating_add(left_out),
        FAILURES,
    );
}

fn trend(out: &mut String, report: &Report, columns: usize) {
    let Some(trend) = &report.trend else {
        return;
    };
    heading(out, "Since the earlier report");
    let changed = trend.families.iter().filter(|row| row.change != "same");
    for row in changed {
        let style = if row.change == "better" { GOOD } else { BAD };
        let _ = writeln!(
            out,
            "  {}{} -> {}  {style}{}{style:#}",
            padded(&row.family, 28),
            right(&percent(row.before), 8),
            percent(row.now),
            row.change
        );
    }
    let text = format!(
        "{} fail now that did not, {} are mended",
        trend.newly_failed.len(),
        trend.mended.len()
    );
    paragraph(out, &text, columns);
    if trend.left_out > 0 {
        let text = format!(
            "{} failures are in no list, so more may be new",
            many(trend.left_out)
        );
        paragraph(out, &text, columns);
    }
    for test in trend.newly_failed.iter().take(FAILURES) {
        let _ = writeln!(out, "  {BAD}new{BAD:#} {}", safe::line(test));
    }
}

fn gates(out: &mut String, gates: &[Gate]) {
    if gates.is_empty() {
        return;
    }
    heading(out, "Gates");
    for gate in gates {
        let (word, style) = if gate.passed {
            ("passed", GOOD)
        } else {
            ("failed", BAD)
        };
        let value = gate
            .value
            .map_or("-".to_owned(), |value| format!("{value:.4}"));
        let _ = writeln!(
            out,
            "  {style}{word}{style:#}  {}  measured {value}, at most {}",
            padded(&safe::line(&gate.gate), 28),
            gate.bound
        );
    }
}

fn gaps(out: &mut String, report: &Report, columns: usize) {
    for error in &report.errors {
        let text = format!(
            "{} {} in no rate: {}",
            many(error.attempts),
            if error.attempts == 1 {
                "attempt is"
            } else {
                "attempts are"
            },
            safe::line(&error.why)
        );
        let _ = writeln!(out);
        paragraph(out, &text, columns);
    }
}
