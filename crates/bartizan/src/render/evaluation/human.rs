//! An evaluation on a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::text::{
    interval, list, many, padded, percent, percent_interval, probability, right, share,
};
use crate::{
    eval::v1::{Breakdown, Comparison, Detector, Difference, Evaluation, Group, Miss, Number},
    render::{
        human::{duration, plural, short, wrapped},
        safe,
    },
};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::BrightGreen.on_default().bold();
const BAD: Style = AnsiColor::BrightRed.on_default().bold();

/// Groups of a breakdown that are shown; the others are in the JSON.
const GROUPS: usize = 20;

/// The report, in so many columns.
pub(crate) fn report(evaluation: &Evaluation, columns: usize) -> String {
    let mut out = String::new();
    data(&mut out, evaluation, columns);
    decisions(&mut out, &evaluation.stack);
    scores(&mut out, &evaluation.stack, columns);
    layers(&mut out, evaluation, columns);
    let compares = evaluation.against.is_some();
    for breakdown in &evaluation.breakdowns {
        groups(&mut out, breakdown, compares, columns);
    }
    if let Some(against) = &evaluation.against {
        comparison(&mut out, against, columns);
    }
    errors(&mut out, evaluation, columns);
    gaps(&mut out, evaluation, columns);
    closing(&mut out, evaluation);
    out
}

fn heading(out: &mut String, text: &str) {
    let _ = writeln!(out, "\n{BOLD}{text}{BOLD:#}");
}

/// A paragraph, wrapped and indented.
fn paragraph(out: &mut String, text: &str, columns: usize) {
    for line in wrapped(text, columns.saturating_sub(2)) {
        let _ = writeln!(out, "  {line}");
    }
}

/// What was read, and what was made of it.
fn data(out: &mut String, evaluation: &Evaluation, columns: usize) {
    let rows = &evaluation.rows;
    let _ = writeln!(
        out,
        "{BOLD}{} {}: {} should be caught, {} should pass{BOLD:#}",
        many(rows.evaluated),
        plural(usize::try_from(rows.evaluated).unwrap_or(2), "row"),
        many(rows.positives),
        many(rows.negatives)
    );
    for file in &evaluation.files {
        let id = match &file.id_column {
            Some(id) => format!(", ids in `{}`", safe::line(id)),
            None => String::new(),
        };
        let text = format!(
            "{} ({}): texts in `{}`, labels in `{}`{id}",
            file.name,
            file.format,
            safe::line(&file.text_column),
            safe::line(&file.label_column)
        );
        paragraph(out, &text, columns);
    }
    for (is_positive, side) in [(true, "to be caught"), (false, "to pass")] {
        let labels = evaluation.labels.iter();
        let labels: Vec<String> = labels
            .filter(|label| label.positive == is_positive)
            .map(|label| format!("{} ({})", safe::line(&label.label), many(label.rows)))
            .collect();
        if !labels.is_empty() {
            paragraph(out, &format!("{side}: {}", list(&labels, 10)), columns);
        }
    }
    let setting = &evaluation.setting;
    let score = match setting.score {
        "risk" => "the score is 1 minus the safety score",
        _ => "the score is the confidence of the surest finding",
    };
    let mut text = format!(
        "{} of {} origin; caught means a verdict of at least `{}`; {score}",
        setting.direction, setting.origin, setting.caught
    );
    if !setting.categories.is_empty() {
        let _ = write!(text, "; only findings of {}", setting.categories.join(", "));
    }
    if let Some(sample) = setting.sample {
        let _ = write!(
            text,
            "; a sample of {} by seed {}, {} rows were not drawn",
            many(sample),
            setting.seed,
            many(rows.not_drawn)
        );
    }
    paragraph(out, &text, columns);
}

/// The confusion matrix, and the rates of it.
fn decisions(out: &mut String, stack: &Detector) {
    heading(out, "What the policy decides");
    let counts = &stack.confusion;
    let _ = writeln!(out, "  {:<18}{:>10}{:>10}", "", "caught", "passed");
    for (name, caught, passed, rate, number) in [
        (
            "should be caught",
            counts.true_positives,
            counts.false_negatives,
            "recall",
            stack.recall,
        ),
        (
            "should pass",
            counts.false_positives,
            counts.true_negatives,
            "false positives",
            stack.false_positive_rate,
        ),
    ] {
        let _ = writeln!(
            out,
            "  {name:<18}{:>10}{:>10}   {rate:<16}{:>8} {}",
            many(caught),
            many(passed),
            percent(number),
            percent_interval(number)
        );
    }
    let _ = writeln!(
        out,
        "  {:<38}   {:<16}{:>8} {}",
        "",
        "precision",
        percent(stack.precision),
        percent_interval(stack.precision)
    );
    for (name, value) in [("F1", stack.f1), ("Matthews", stack.matthews)] {
        let _ = writeln!(out, "  {:<38}   {name:<16}{:>8}", "", share(value));
    }
}

/// What can be said of the score at any threshold.
fn scores(out: &mut String, stack: &Detector, columns: usize) {
    heading(out, "What the score can tell");
    let line = |out: &mut String, name: &str, number: Option<Number>| {
        let value = share(number.map(|number| number.value));
        let _ = writeln!(out, "  {name:<27}{value:>8} {}", interval(number));
    };
    line(out, "area under the ROC curve", stack.auc);
    line(out, "average precision", stack.average_precision);
    if let Some(calibration) = &stack.calibration {
        line(
            out,
            "expected calibration error",
            Some(calibration.expected_error),
        );
    }
    for at in &stack.at_false_positive_rate {
        let name = format!("recall at {} % FPR", at.rate * 100.0);
        let threshold = match at.threshold {
            Some(threshold) => format!("from {threshold:.3} on"),
            None => "at no threshold".to_owned(),
        };
        let few = if at.resolved { "" } else { " (few rows)" };
        let _ = writeln!(
            out,
            "  {name:<27}{:>8} {:<14} {DIM}{threshold}{few}{DIM:#}",
            percent(at.recall),
            percent_interval(at.recall)
        );
    }
    let counts = &stack.confusion;
    let passing = counts.false_positives + counts.true_negatives;
    if stack.at_false_positive_rate.iter().any(|at| !at.resolved) {
        let one = 100.0 / bounded(passing);
        let text = format!(
            "few rows: one of {} rows to pass is {one:.1} %",
            many(passing)
        );
        paragraph(out, &text, columns);
    }
}

/// A count of rows as a number.
fn bounded(rows: u64) -> f64 {
    u32::try_from(rows).map_or(f64::INFINITY, f64::from)
}

fn layers(out: &mut String, evaluation: &Evaluation, columns: usize) {
    heading(out, "By layer, each as if it were the only one");
    let _ = writeln!(
        out,
        "  {:<14}{:>9}{:>9}{:>8}{:>12}{:>22}",
        "", "recall", "FPR", "AUC", "at 1 % FPR", "it alone caught"
    );
    for layer in &evaluation.layers {
        let at = layer.at_false_positive_rate.iter();
        let mut at = at.filter(|at| (at.rate - 0.01).abs() < 1e-9);
        let alone = layer.alone.unwrap_or_default();
        let _ = writeln!(
            out,
            "  {:<14}{:>9}{:>9}{:>8}{:>12}{:>22}",
            layer.name,
            percent(layer.recall),
            percent(layer.false_positive_rate),
            share(layer.auc.map(|auc| auc.value)),
            percent(at.next().and_then(|at| at.recall)),
            format!(
                "{} (+{} wrongly)",
                many(alone.positives),
                many(alone.negatives)
            )
        );
    }
    if !evaluation.silent_layers.is_empty() {
        let text = format!("nothing found: {}", evaluation.silent_layers.join(", "));
        paragraph(out, &text, columns);
    }
}

/// A rate of a group, and what stands beside it: its interval, or the rate of the other.
fn rate(rows: u64, number: Option<Number>, against: Option<Number>, compares: bool) -> String {
    if rows == 0 {
        return format!("{:>9}{:>8}{:14}", "-", "", "");
    }
    let beside = if compares {
        format!("-> {}", percent(against))
    } else {
        percent_interval(number)
    };
    format!("{:>9}{:>8} {beside:<13}", many(rows), percent(number))
}

fn groups(out: &mut String, breakdown: &Breakdown, compares: bool, columns: usize) {
    // Two rates of 31 columns, the indent, and the area where there is room.
    let shows_auc = columns >= 96;
    let name_columns = columns
        .saturating_sub(2 + 62 + if shows_auc { 8 } else { 0 })
        .clamp(12, 40);
    heading(out, &format!("By {}", safe::line(&breakdown.by)));
    let _ = write!(
        out,
        "  {:name_columns$}{:>9}{:>8} {:<13}{:>9}{:>8}",
        "", "to catch", "recall", "", "to pass", "FPR"
    );
    if shows_auc {
        let _ = write!(out, "{:>22}", "AUC");
    }
    out.push('\n');
    for group in breakdown.groups.iter().take(GROUPS) {
        let Group {
            value,
            positives,
            negatives,
            recall,
            false_positive_rate,
            auc,
            recall_against,
            false_positive_rate_against,
        } = group;
        let mut line = format!(
            "  {}{}{}",
            padded(&safe::line(value), name_columns),
            rate(*positives, *recall, *recall_against, compares),
            rate(
                *negatives,
                *false_positive_rate,
                *false_positive_rate_against,
                compares
            )
        );
        if shows_auc {
            let _ = write!(line, "{}", right(&share(*auc), 8));
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if let Some(more) = breakdown
        .groups
        .len()
        .checked_sub(GROUPS)
        .filter(|&n| n > 0)
    {
        let _ = writeln!(out, "  {DIM}and {more} more, in `--format json`{DIM:#}");
    }
}

fn comparison(out: &mut String, against: &Comparison, columns: usize) {
    heading(
        out,
        &format!("Against the {} `{}`", against.kind, against.name),
    );
    let _ = writeln!(
        out,
        "  {:<28}{:>9}{:>9}{:>11}",
        "", "this", "other", "change"
    );
    let percents: fn(f64) -> String = |value| percent(Some(bare(value)));
    let shares: fn(f64) -> String = |value| share(Some(value));
    for (name, difference, show, scale) in [
        ("recall", against.recall, percents, 100.0),
        (
            "false positive rate",
            against.false_positive_rate,
            percents,
            100.0,
        ),
        ("area under the ROC curve", against.auc, shares, 1.0),
        ("average precision", against.average_precision, shares, 1.0),
        (
            "expected calibration error",
            against.expected_error,
            shares,
            1.0,
        ),
    ] {
        let Some(difference) = difference else {
            continue;
        };
        let _ = writeln!(
            out,
            "  {name:<28}{:>9}{:>9}{:>11} {}",
            show(difference.first),
            show(difference.second),
            change(difference.difference.value, scale),
            change_interval(difference.difference, scale)
        );
    }
    for (name, difference) in [
        ("to be caught", against.recall),
        ("to pass", against.false_positive_rate),
    ] {
        if let Some(Difference {
            test: Some(test), ..
        }) = difference
        {
            let text = format!(
                "{name}: {} caught by this alone, {} by the other alone (McNemar's exact test: p {})",
                many(test.only_first),
                many(test.only_second),
                probability(test.p)
            );
            paragraph(out, &text, columns);
        }
    }
}

/// A number without an interval.
const fn bare(value: f64) -> Number {
    Number {
        value,
        low: None,
        high: None,
    }
}

/// A change with its sign.
fn change(value: f64, scale: f64) -> String {
    if scale > 1.0 {
        format!("{:+.1}", value * scale)
    } else {
        format!("{value:+.3}")
    }
}

fn change_interval(number: Number, scale: f64) -> String {
    match (number.low, number.high) {
        (Some(low), Some(high)) => format!("[{}, {}]", change(low, scale), change(high, scale)),
        _ => String::new(),
    }
}

fn errors(out: &mut String, evaluation: &Evaluation, columns: usize) {
    let Some(errors) = &evaluation.errors else {
        return;
    };
    for (name, listed, all) in [
        (
            "Wrongly caught",
            &errors.wrongly_caught,
            errors.all_wrongly_caught,
        ),
        ("Missed", &errors.missed, errors.all_missed),
    ] {
        heading(out, &format!("{name}: {} of {}", listed.len(), many(all)));
        for miss in listed {
            one_miss(out, miss, columns);
        }
    }
}

fn one_miss(out: &mut String, miss: &Miss, columns: usize) {
    let id = match &miss.id {
        Some(id) => format!(" `{}`", safe::line(id)),
        None => String::new(),
    };
    let rules = if miss.rules.is_empty() {
        "no rule".to_owned()
    } else {
        list(&miss.rules, 6)
    };
    let text = format!(
        "{}{id}: {}, score {:.3}, {rules}",
        miss.place,
        safe::line(&miss.label),
        miss.score
    );
    paragraph(out, &text, columns);
    if let Some(text) = &miss.text {
        let room = columns.saturating_sub(4);
        let _ = writeln!(
            out,
            "    {DIM}{}{DIM:#}",
            padded(&safe::line(text), room).trim_end()
        );
    }
}

/// What is in no number.
fn gaps(out: &mut String, evaluation: &Evaluation, columns: usize) {
    let rows = &evaluation.rows;
    let incomplete = rows.incomplete_positives + rows.incomplete_negatives;
    if evaluation.complete {
        return;
    }
    heading(out, "In no number above");
    if incomplete > 0 {
        let text = format!(
            "{} {} on which a check did not finish: {} to be caught, {} to pass",
            many(incomplete),
            plural(usize::try_from(incomplete).unwrap_or(2), "row"),
            many(rows.incomplete_positives),
            many(rows.incomplete_negatives)
        );
        paragraph(out, &text, columns);
    }
    for unusable in &evaluation.unusable {
        let mut text = format!(
            "{} {} with {}, first at {}",
            many(unusable.rows),
            plural(usize::try_from(unusable.rows).unwrap_or(2), "row"),
            unusable.why,
            list(&unusable.first, 3)
        );
        if let Some(help) = unusable.help {
            let _ = write!(text, "; {help}");
        }
        paragraph(out, &text, columns);
    }
}

fn closing(out: &mut String, evaluation: &Evaluation) {
    out.push('\n');
    for gate in &evaluation.gates {
        let (style, word) = if gate.passed {
            (GOOD, "passed")
        } else {
            (BAD, "failed")
        };
        let value = match gate.value {
            Some(value) => format!("{value:.4}"),
            None => "there are no rows for it".to_owned(),
        };
        let _ = writeln!(
            out,
            "{style}{word}{style:#}: {} {}: {value}",
            gate.gate, gate.bound
        );
    }
    let speed = &evaluation.speed;
    let _ = writeln!(
        out,
        "  {DIM}{:.0} rows/s with {} {}, a row in {} (p50), {} (p99)\n  policy {}, rules {}{DIM:#}",
        speed.rows_per_second,
        speed.threads,
        plural(usize::try_from(speed.threads).unwrap_or(2), "thread"),
        duration(speed.p50_nanos),
        duration(speed.p99_nanos),
        short(&evaluation.policy_version),
        short(&evaluation.rules_version)
    );
}
