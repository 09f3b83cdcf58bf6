//! An evaluation as a page that stands alone: no scripts, nothing loaded.

use maud::{Markup, html};

use super::{
    plot::{self, Bar, Caption, Line, Whisker},
    text::{interval, list, many, percent, percent_interval, probability, share},
};
use crate::{
    eval::v1::{Breakdown, Comparison, Detector, Difference, Evaluation, Miss, Number},
    render::{
        human::{duration, short},
        page::Page,
        safe,
    },
};

/// Groups of a breakdown that are drawn; all are in the table.
const DRAWN: usize = 25;

/// The page.
pub(crate) fn page(evaluation: &Evaluation) -> String {
    let stack = &evaluation.stack;
    Page {
        title: &format!("Evaluation: {}", names(evaluation)),
        style: "",
        header: header(evaluation),
        main: html! {
            (gates(evaluation))
            (gaps(evaluation))
            (cards(stack))
            (decisions(stack))
            (scores(evaluation))
            (layers(evaluation))
            @if let Some(against) = &evaluation.against { (comparison(against)) }
            @for (number, breakdown) in evaluation.breakdowns.iter().enumerate() {
                (groups(number, breakdown, evaluation.against.is_some()))
            }
            (errors(evaluation))
            (data(evaluation))
        },
        footer: footer(evaluation),
    }
    .render()
}

fn names(evaluation: &Evaluation) -> String {
    let names: Vec<String> = evaluation
        .files
        .iter()
        .map(|file| file.name.clone())
        .collect();
    list(&names, 3)
}

fn header(evaluation: &Evaluation) -> Markup {
    let (rows, setting) = (&evaluation.rows, &evaluation.setting);
    html! {
        header {
            h1 { "Evaluation of " (names(evaluation)) }
            p class="lead" {
                (many(rows.evaluated)) " rows: " (many(rows.positives)) " should be caught, "
                (many(rows.negatives)) " should pass. They are judged as " (setting.direction)
                " of " (setting.origin) " origin. Caught means a verdict of at least “"
                (setting.caught) "”. "
                @if setting.score == "risk" { "The score is 1 minus the safety score." }
                @else { "The score is the confidence of the surest finding." }
                @if !setting.categories.is_empty() {
                    " Only findings of " (setting.categories.join(", ")) " count."
                }
                @if let Some(sample) = setting.sample {
                    " The rows are a random sample of " (many(sample)) " (seed " (setting.seed) ")."
                }
            }
        }
    }
}

fn gates(evaluation: &Evaluation) -> Markup {
    html! {
        @if !evaluation.gates.is_empty() {
            h2 { "Gates" }
            div class="scroll" { table {
                thead { tr { th scope="col" { "gate" } th scope="col" { "bound" }
                    th scope="col" { "measured" } th scope="col" { "" } } }
                tbody { @for gate in &evaluation.gates { tr {
                    th scope="row" { code { (gate.gate) } }
                    td { (gate.bound) }
                    td { (gate.value.map_or("-".to_owned(), |value| format!("{value:.4}"))) }
                    @if gate.passed { td class="passed" { "passed" } }
                    @else { td class="failed" { "failed" } }
                } } }
            } }
        }
    }
}

/// What is in no number.
fn gaps(evaluation: &Evaluation) -> Markup {
    let rows = &evaluation.rows;
    let incomplete = rows.incomplete_positives + rows.incomplete_negatives;
    html! {
        @if !evaluation.complete {
            div class="warn" role="note" {
                p { strong { "Some rows are in no number on this page." } }
                ul {
                    @if incomplete > 0 {
                        li {
                            (many(incomplete)) " on which a check did not finish: "
                            (many(rows.incomplete_positives)) " to be caught, "
                            (many(rows.incomplete_negatives)) " to pass"
                        }
                    }
                    @for unusable in &evaluation.unusable {
                        li {
                            (many(unusable.rows)) " with " (unusable.why) ", first at "
                            (list(&unusable.first, 3))
                        }
                    }
                }
            }
        }
    }
}

fn cards(stack: &Detector) -> Markup {
    let at = stack.at_false_positive_rate.iter();
    let at = at.filter(|at| at.resolved).find(|at| at.rate >= 0.01);
    let calibration = stack.calibration.as_ref();
    let cards = [
        (
            "recall".to_owned(),
            percent(stack.recall),
            percent_interval(stack.recall),
        ),
        (
            "false positive rate".to_owned(),
            percent(stack.false_positive_rate),
            percent_interval(stack.false_positive_rate),
        ),
        (
            "area under the ROC curve".to_owned(),
            share(value(stack.auc)),
            interval(stack.auc),
        ),
        (
            match at {
                Some(at) => format!("recall at {} % false positives", at.rate * 100.0),
                None => "average precision".to_owned(),
            },
            match at {
                Some(at) => percent(at.recall),
                None => share(value(stack.average_precision)),
            },
            match at {
                Some(at) => percent_interval(at.recall),
                None => interval(stack.average_precision),
            },
        ),
        (
            "expected calibration error".to_owned(),
            share(calibration.map(|calibration| calibration.expected_error.value)),
            interval(calibration.map(|calibration| calibration.expected_error)),
        ),
    ];
    html! {
        ul class="cards" {
            @for (name, value, interval) in cards {
                li { span { (name) } b { (value) } span { (interval) @if interval.is_empty() { " " } } }
            }
        }
        p class="note" { "Brackets hold 95 % intervals." }
    }
}

fn value(number: Option<Number>) -> Option<f64> {
    number.map(|number| number.value)
}

fn decisions(stack: &Detector) -> Markup {
    let counts = &stack.confusion;
    html! {
        h2 { "What the policy decides" }
        div class="scroll" { table {
            caption { "Rows by what should happen and by what did" }
            thead { tr { th scope="col" { "" } th scope="col" { "caught" } th scope="col" { "passed" }
                th scope="col" { "share caught" } } }
            tbody {
                tr { th scope="row" { "should be caught" }
                    td { (many(counts.true_positives)) } td { (many(counts.false_negatives)) }
                    td { (percent(stack.recall)) " " small { (percent_interval(stack.recall)) } } }
                tr { th scope="row" { "should pass" }
                    td { (many(counts.false_positives)) } td { (many(counts.true_negatives)) }
                    td { (percent(stack.false_positive_rate)) " "
                        small { (percent_interval(stack.false_positive_rate)) } } }
            }
        } }
        p {
            "Precision " (percent(stack.precision)) " " (percent_interval(stack.precision))
            ", accuracy " (percent(stack.accuracy)) ", F1 " (share(stack.f1))
            ", Matthews’ correlation " (share(stack.matthews)) ". Precision and accuracy hold for this "
            "mixture of rows only."
        }
    }
}

fn scores(evaluation: &Evaluation) -> Markup {
    let stack = &evaluation.stack;
    let mut detectors = vec![("whole stack".to_owned(), stack)];
    if let Some(against) = &evaluation.against {
        detectors.push((format!("against: {}", against.name), &against.stack));
    }
    // The layers that tell most, as many as can be told apart.
    let area = |layer: &Detector| value(layer.auc).unwrap_or(0.0);
    let mut layers: Vec<&Detector> = evaluation.layers.iter().collect();
    layers.sort_by(|a, b| area(b).total_cmp(&area(a)));
    detectors.extend(layers.into_iter().map(|layer| (layer.name.clone(), layer)));
    let (positives, negatives) = (evaluation.rows.positives, evaluation.rows.negatives);
    let can_compare = positives > 0 && negatives > 0;
    let lines = |points: fn(&Detector) -> Vec<(f64, f64)>, is_steps| -> Vec<Line> {
        let lines = detectors.iter().take(plot::LINES);
        lines
            .map(|(name, detector)| Line {
                name: name.clone(),
                points: points(detector),
                is_steps,
            })
            .collect()
    };
    html! {
        h2 { "What the score can tell" }
        div class="plots" {
            @if can_compare {
                (plot::curves(&Caption {
                    id: "roc",
                    title: "ROC curve",
                    description: format!(
                        "Recall against the false positive rate as the threshold falls; the area \
                         under the curve of the whole stack is {}.",
                        share(value(stack.auc))
                    ),
                    x: "false positive rate",
                    y: "recall",
                }, &lines(roc, false), true))
                (plot::curves(&Caption {
                    id: "pr",
                    title: "Precision and recall",
                    description: format!(
                        "Precision against recall as the threshold falls; the average precision of \
                         the whole stack is {}.",
                        share(value(stack.average_precision))
                    ),
                    x: "recall",
                    y: "precision",
                }, &lines(precision_recall, true), false))
            }
            @if let Some(calibration) = &stack.calibration {
                (plot::reliability(&Caption {
                    id: "reliability",
                    title: "Reliability",
                    description: format!(
                        "The share of rows that should be caught against the mean score, in ten \
                         bins; the expected calibration error is {:.3}.",
                        calibration.expected_error.value
                    ),
                    x: "score",
                    y: "share that should be caught",
                }, &bars(stack)))
            }
        }
        @if !stack.at_false_positive_rate.is_empty() {
            div class="scroll" { table {
                caption { "Recall where at most so many rows are caught wrongly; thresholds lie at scores that occur" }
                thead { tr { th scope="col" { "rate" } th scope="col" { "recall" }
                    th scope="col" { "95 % interval" } th scope="col" { "from score" }
                    th scope="col" { "its rate" } } }
                tbody { @for at in &stack.at_false_positive_rate { tr {
                    th scope="row" { (at.rate * 100.0) " %" @if !at.resolved { " (too few rows to see it)" } }
                    td { (percent(at.recall)) } td { (percent_interval(at.recall)) }
                    td { (at.threshold.map_or("-".to_owned(), |score| format!("{score:.3}"))) }
                    td { (format!("{:.2} %", at.false_positive_rate * 100.0)) }
                } } }
            } }
        }
        @if let Some(calibration) = &stack.calibration {
            p {
                "Expected calibration error " (format!("{:.3}", calibration.expected_error.value)) " "
                (interval(Some(calibration.expected_error))) ", largest "
                (format!("{:.3}", calibration.maximum_error)) ", Brier score "
                (format!("{:.3}", calibration.brier)) "."
            }
            details {
                summary { "The bins in numbers" }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "score" } th scope="col" { "rows" }
                        th scope="col" { "mean score" } th scope="col" { "should be caught" } } }
                    tbody { @for bin in &calibration.bins { tr {
                        th scope="row" { (format!("{:.1} to {:.1}", bin.low, bin.high)) }
                        td { (many(bin.rows)) } td { (share(bin.mean_score)) }
                        td { (percent(bin.positives)) " " small { (percent_interval(bin.positives)) } }
                    } } }
                } }
            }
        }
    }
}

fn roc(detector: &Detector) -> Vec<(f64, f64)> {
    let Some(last) = detector.curve.last() else {
        return Vec::new();
    };
    let points = detector.curve.iter();
    points
        .map(|point| {
            (
                ratio(point.false_positives, last.false_positives),
                ratio(point.true_positives, last.true_positives),
            )
        })
        .collect()
}

fn precision_recall(detector: &Detector) -> Vec<(f64, f64)> {
    let Some(last) = detector.curve.last() else {
        return Vec::new();
    };
    let points = detector.curve.iter();
    points
        .filter(|point| point.true_positives + point.false_positives > 0)
        .map(|point| {
            (
                ratio(point.true_positives, last.true_positives),
                ratio(
                    point.true_positives,
                    point.true_positives + point.false_positives,
                ),
            )
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "drawn, not counted")]
const fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn bars(stack: &Detector) -> Vec<Bar> {
    let bins = stack
        .calibration
        .iter()
        .flat_map(|calibration| &calibration.bins);
    bins.filter_map(|bin| {
        let share = bin.positives?;
        Some(Bar {
            low: bin.low,
            high: bin.high,
            mean: bin.mean_score?,
            share: share.value,
            interval: share.low.zip(share.high),
            rows: bin.rows,
        })
    })
    .collect()
}

fn layers(evaluation: &Evaluation) -> Markup {
    html! {
        h2 { "By layer" }
        div class="scroll" { table {
            caption { "Each layer that found something, as if it were the only one" }
            thead { tr { th scope="col" { "layer" } th scope="col" { "recall" }
                th scope="col" { "false positive rate" } th scope="col" { "area under ROC" }
                th scope="col" { "recall at 1 % false positives" } th scope="col" { "only it caught, rightly" }
                th scope="col" { "only it caught, wrongly" } } }
            tbody { @for layer in &evaluation.layers {
                @let at = layer.at_false_positive_rate.iter().find(|at| (at.rate - 0.01).abs() < 1e-9);
                @let alone = layer.alone.unwrap_or_default();
                tr {
                    th scope="row" { (layer.name) }
                    td { (percent(layer.recall)) " " small { (percent_interval(layer.recall)) } }
                    td { (percent(layer.false_positive_rate)) " "
                        small { (percent_interval(layer.false_positive_rate)) } }
                    td { (share(value(layer.auc))) " " small { (interval(layer.auc)) } }
                    td { (percent(at.and_then(|at| at.recall))) }
                    td { (many(alone.positives)) } td { (many(alone.negatives)) }
                }
            } }
        } }
        @if !evaluation.silent_layers.is_empty() {
            p class="note" { "Asked, and nothing found: " (evaluation.silent_layers.join(", ")) "." }
        }
    }
}

fn comparison(against: &Comparison) -> Markup {
    let lines = [
        ("recall", against.recall, true),
        ("false positive rate", against.false_positive_rate, true),
        ("area under the ROC curve", against.auc, false),
        ("average precision", against.average_precision, false),
        ("expected calibration error", against.expected_error, false),
    ];
    let show = |value: f64, in_percent| {
        if in_percent {
            format!("{:.1} %", value * 100.0)
        } else {
            format!("{value:.3}")
        }
    };
    let change = |value: f64, in_percent| {
        if in_percent {
            format!("{:+.1}", value * 100.0)
        } else {
            format!("{value:+.3}")
        }
    };
    html! {
        h2 { "Against the " (against.kind) " " (against.name) }
        div class="scroll" { table {
            caption { "The same rows under both; a change is the other minus this, of rates in percentage points" }
            thead { tr { th scope="col" { "" } th scope="col" { "this" } th scope="col" { "other" }
                th scope="col" { "change" } th scope="col" { "95 % interval" } } }
            tbody { @for (name, difference, in_percent) in lines {
                @if let Some(difference) = difference { tr {
                    th scope="row" { (name) }
                    td { (show(difference.first, in_percent)) }
                    td { (show(difference.second, in_percent)) }
                    td { (change(difference.difference.value, in_percent)) }
                    td {
                        @if let (Some(low), Some(high)) = (difference.difference.low, difference.difference.high) {
                            "[" (change(low, in_percent)) ", " (change(high, in_percent)) "]"
                        }
                    }
                } }
            } }
        } }
        @for (name, difference) in [("to be caught", against.recall), ("to pass", against.false_positive_rate)] {
            @if let Some(Difference { test: Some(test), .. }) = difference {
                p {
                    "Of the rows " (name) ", " (many(test.only_first)) " are caught by this alone and "
                    (many(test.only_second)) " by the other alone (McNemar’s exact test: p "
                    (probability(test.p)) ")."
                }
            }
        }
    }
}

fn groups(number: usize, breakdown: &Breakdown, compares: bool) -> Markup {
    let whiskers =
        |of: fn(&crate::eval::v1::Group) -> (Option<Number>, Option<Number>)| -> Vec<Whisker> {
            let groups = breakdown.groups.iter();
            groups
                .filter_map(|group| {
                    let (number, other) = of(group);
                    let number = number?;
                    Some(Whisker {
                        name: super::text::padded(&safe::line(&group.value), 24)
                            .trim_end()
                            .to_owned(),
                        value: number.value,
                        interval: number.low.zip(number.high),
                        other: value(other),
                    })
                })
                .take(DRAWN)
                .collect()
        };
    let recall = whiskers(|group| (group.recall, group.recall_against));
    let passing = whiskers(|group| (group.false_positive_rate, group.false_positive_rate_against));
    let note = if compares {
        "; diamonds: the other"
    } else {
        ""
    };
    html! {
        h2 { "By " (breakdown.by) }
        div class="plots" {
            @if recall.len() > 1 {
                (plot::whiskers(&Caption {
                    id: &format!("recall-{number}"),
                    title: &format!("Recall by {}{note}", breakdown.by),
                    description: "The recall of each group with its 95 % interval; the table below has the numbers.".to_owned(),
                    x: "recall",
                    y: "",
                }, &recall))
            }
            @if passing.len() > 1 {
                (plot::whiskers(&Caption {
                    id: &format!("fpr-{number}"),
                    title: &format!("False positive rate by {}{note}", breakdown.by),
                    description: "The false positive rate of each group with its 95 % interval; the table below has the numbers.".to_owned(),
                    x: "false positive rate",
                    y: "",
                }, &passing))
            }
        }
        details open[breakdown.groups.len() <= DRAWN] {
            summary { (breakdown.groups.len()) " groups in numbers" }
            div class="scroll" { table {
                thead { tr { th scope="col" { (breakdown.by) } th scope="col" { "to be caught" }
                    th scope="col" { "recall" } @if compares { th scope="col" { "other" } }
                    th scope="col" { "to pass" } th scope="col" { "false positive rate" }
                    @if compares { th scope="col" { "other" } } th scope="col" { "area under ROC" } } }
                tbody { @for group in &breakdown.groups { tr {
                    th scope="row" class="text" { (safe::line(&group.value)) }
                    td { (many(group.positives)) }
                    td { (percent(group.recall)) " " small { (percent_interval(group.recall)) } }
                    @if compares { td { (percent(group.recall_against)) } }
                    td { (many(group.negatives)) }
                    td { (percent(group.false_positive_rate)) " "
                        small { (percent_interval(group.false_positive_rate)) } }
                    @if compares { td { (percent(group.false_positive_rate_against)) } }
                    td { (share(group.auc)) }
                } } }
            } }
        }
    }
}

fn errors(evaluation: &Evaluation) -> Markup {
    let Some(errors) = &evaluation.errors else {
        return html! {};
    };
    let table = |name: &str, listed: &[Miss], all: u64| {
        html! {
            @if all > 0 {
                div class="scroll" { table {
                    caption { (name) ": " (listed.len()) " of " (many(all)) }
                    thead { tr { th scope="col" { "row" } th scope="col" { "label" } th scope="col" { "score" }
                        th scope="col" class="text" { "rules" }
                        @if listed.iter().any(|miss| miss.text.is_some()) { th scope="col" class="text" { "text" } } } }
                    tbody { @for miss in listed { tr {
                        th scope="row" { (miss.place) @if let Some(id) = &miss.id { " " code { (safe::line(id)) } } }
                        td { (safe::line(&miss.label)) } td { (format!("{:.3}", miss.score)) }
                        td class="text" { (list(&miss.rules, 8)) }
                        @if let Some(text) = &miss.text { td class="text" { (safe::line(text)) } }
                    } } }
                } }
            }
        }
    };
    html! {
        h2 { "Rows that were decided wrongly" }
        (table("Wrongly caught, highest score first", &errors.wrongly_caught, errors.all_wrongly_caught))
        (table("Missed, lowest score first", &errors.missed, errors.all_missed))
    }
}

fn data(evaluation: &Evaluation) -> Markup {
    html! {
        h2 { "Data" }
        div class="scroll" { table {
            thead { tr { th scope="col" { "file" } th scope="col" { "format" } th scope="col" { "text" }
                th scope="col" { "label" } th scope="col" { "rows" } th scope="col" { "not usable" } } }
            tbody { @for file in &evaluation.files { tr {
                th scope="row" { (file.name) } td { (file.format) }
                td { code { (safe::line(&file.text_column)) } } td { code { (safe::line(&file.label_column)) } }
                td { (many(file.rows)) } td { (many(file.unusable)) }
            } } }
        } }
        div class="scroll" { table {
            thead { tr { th scope="col" { "label" } th scope="col" { "means" } th scope="col" { "rows" } } }
            tbody { @for label in &evaluation.labels { tr {
                th scope="row" { (safe::line(&label.label)) }
                td { @if label.positive { "should be caught" } @else { "should pass" } }
                td { (many(label.rows)) }
            } } }
        } }
        details {
            summary { "How the numbers are made" }
            p {
                "Rates have Wilson’s score interval, areas under ROC curves DeLong’s, changes of rates "
                "Agresti and Min’s. Average precision, recall at a fixed rate, and the calibration error "
                "have percentile bootstrap intervals over " (many(u64::from(evaluation.setting.bootstrap)))
                " samples (seed " (evaluation.setting.seed) "), drawn from both kinds of rows apart. All "
                "take rows for independent; rows that come in families make them too narrow."
            }
        }
    }
}

fn footer(evaluation: &Evaluation) -> Markup {
    let speed = &evaluation.speed;
    html! {
        footer {
            p {
                (evaluation.tool.name) " " (evaluation.tool.version) ", policy "
                code { (short(&evaluation.policy_version)) } ", rules "
                code { (short(&evaluation.rules_version)) } ". "
                (format!("{:.0}", speed.rows_per_second)) " rows a second with " (speed.threads)
                " threads; a row took " (duration(speed.p50_nanos)) " (p50), " (duration(speed.p99_nanos))
                " (p99)."
            }
        }
    }
}
