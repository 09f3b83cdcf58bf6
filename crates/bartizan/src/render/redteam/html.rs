//! A run as a page that stands alone: no scripts, nothing loaded.

use bartizan_redteam::report::{
    interval, percent,
    v1::{AdaptiveRow, Group, LayerTable, Number, Report},
};
use maud::{Markup, html};

use crate::render::{
    evaluation::{
        plot::{self, Caption, Line},
        text::many,
    },
    page::Page,
};

/// Cells of the heat map, from mostly stopped to mostly passed. The numbers stand in them, so that
/// nothing is said by colour alone.
const HEAT: &str = "
td.heat { text-align: right; }
.heat-0 { background: color-mix(in srgb, var(--bad) 45%, var(--paper)); }
.heat-1 { background: color-mix(in srgb, var(--bad) 30%, var(--paper)); }
.heat-2 { background: color-mix(in srgb, var(--bad) 15%, var(--paper)); }
.heat-3 { background: color-mix(in srgb, var(--good) 15%, var(--paper)); }
.heat-4 { background: color-mix(in srgb, var(--good) 35%, var(--paper)); }
";

/// The page.
pub(crate) fn page(report: &Report) -> String {
    Page {
        title: &format!("Red team: {}", report.target),
        style: HEAT,
        header: html! {
            header {
                h1 { "Red team: " (report.target) }
                p class="lead" {
                    (many(report.attempts)) " attempts of " (report.suites.len()) " suites, seed "
                    (report.seed) ". Brackets hold 95 % intervals (Wilson)."
                }
            }
        },
        main: html! {
            (cards(report))
            (gates(report))
            (errors(report))
            h2 { "Families" }
            (groups("family", &report.families, true))
            @if let Some(table) = &report.layers { (layers(table)) (heat(table)) (front(table)) }
            (adaptive(&report.adaptive))
            @if report.by_chain.len() > 1 {
                h2 { "Mutators" }
                (groups("chain", &report.by_chain, false))
            }
            @if report.languages.len() > 1 {
                h2 { "Languages" }
                (groups("language", &report.languages, false))
            }
            (risks(report))
            (failures(report))
        },
        footer: html! {},
    }
    .render()
}

fn cards(report: &Report) -> Markup {
    let cards = [
        ("attacks that reached their goal", report.bypassed),
        ("the same without mutators", report.bypassed_plain),
        ("ordinary texts stopped", report.false_positives),
        ("harmless look-alikes stopped", report.false_positives_hard),
    ];
    html! {
        ul class="cards" {
            @for (name, number) in cards {
                li { span { (name) } b { (percent(number)) } span { (interval(number)) " " } }
            }
        }
    }
}

fn gates(report: &Report) -> Markup {
    html! {
        @if !report.gates.is_empty() {
            h2 { "Gates" }
            div class="scroll" { table {
                thead { tr { th scope="col" { "gate" } th scope="col" { "at most" }
                    th scope="col" { "measured" } th scope="col" { "" } } }
                tbody { @for gate in &report.gates { tr {
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

fn errors(report: &Report) -> Markup {
    html! {
        @if !report.errors.is_empty() {
            div class="warn" role="note" {
                p { strong { "Some attempts are in no number on this page." } }
                ul { @for error in &report.errors { li { (many(error.attempts)) ": " (error.why) } } }
            }
        }
    }
}

fn groups(title: &str, groups: &[Group], has_refs: bool) -> Markup {
    html! {
        div class="scroll" { table {
            thead { tr { th scope="col" { (title) } th scope="col" { "failed" } th scope="col" { "of" }
                th scope="col" { "rate" } th scope="col" { "95 %" }
                @if has_refs { th scope="col" class="text" { "references" } } } }
            tbody { @for group in groups { tr {
                th scope="row" { (group.name) }
                td { (many(group.failed)) } td { (many(group.attempts)) }
                td { (percent(group.rate)) } td { small { (interval(group.rate)) } }
                @if has_refs { td class="text" { small { (group.refs.join(" ")) } } }
            } } }
        } }
    }
}

fn layers(table: &LayerTable) -> Markup {
    let has_search = table.layers.iter().any(|row| row.adaptive_alone.is_some());
    let cell = |number: Option<Number>| {
        html! { td { (percent(number)) " " small { (interval(number)) } } }
    };
    html! {
        h2 { "What each layer stops" }
        p {
            "All layers let " (percent(table.passed)) " " (interval(table.passed)) " of "
            (many(table.attacks)) " attacks pass and stop " (percent(table.false_positives)) " "
            (interval(table.false_positives)) " of " (many(table.controls)) " controls."
        }
        div class="scroll" { table {
            caption { "Attacks that pass a layer alone, and all layers but it; the last columns say what it costs" }
            thead { tr { th scope="col" { "layer" } th scope="col" { "alone" } th scope="col" { "without it" }
                @if has_search { th scope="col" { "attacker adapts to it" } th scope="col" { "to the others" } }
                th scope="col" { "controls stopped" } th scope="col" { "adds (Shapley)" } th scope="col" { "µs" } } }
            tbody { @for row in &table.layers { tr {
                th scope="row" { (row.layer) }
                (cell(row.passed_alone)) (cell(row.passed_without))
                @if has_search { (cell(row.adaptive_alone)) (cell(row.adaptive_without)) }
                (cell(row.false_alone))
                td { (row.value.map_or("-".to_owned(), |value| format!("{:.1} %", value * 100.0))) }
                td { (format!("{:.1}", row.nanos / 1_000.0)) }
            } } }
        } }
        p {
            @match &table.cheapest {
                Some(row) => {
                    "The cheapest layers that let at most " (format!("{:.1}", table.wanted * 100.0))
                    " % pass: " strong { (row.layers.join(", ")) } " (" (percent(row.passed)) " pass, "
                    (format!("{:.1}", row.nanos / 1_000.0)) " µs)."
                }
                // Without attacks, or with too many layers, no set was looked at.
                None if table.front.is_empty() => {}
                None => {
                    "No set of these layers lets at most " (format!("{:.1}", table.wanted * 100.0)) " % pass."
                }
            }
        }
    }
}

fn heat(table: &LayerTable) -> Markup {
    let cell = |share: f64| {
        let step = [0.2, 0.4, 0.6, 0.8]
            .iter()
            .filter(|&&bound| share >= bound)
            .count();
        html! { td class={ "heat heat-" (step) } { (format!("{:.0}", share * 100.0)) } }
    };
    html! {
        h2 { "Families by layers" }
        div class="scroll" { table {
            caption { "Share in percent of a family's attempts that each layer stops alone, and that all stop" }
            thead { tr { th scope="col" { "family" } th scope="col" { "attempts" }
                @for row in &table.layers { th scope="col" { (row.layer) } } th scope="col" { "all" } } }
            tbody { @for row in &table.heat { tr {
                th scope="row" { (row.family) } td { (many(row.attempts)) }
                @for share in &row.stopped { (cell(*share)) }
                (cell(row.stopped_by_all))
            } } }
        } }
    }
}

fn front(table: &LayerTable) -> Markup {
    let Some(dearest) = table.front.last().map(|row| row.nanos.max(1.0)) else {
        return html! {};
    };
    let points = table.front.iter();
    let points = points.map(|row| {
        (
            row.nanos / dearest,
            row.passed.map_or(1.0, |share| share.value),
        )
    });
    let line = Line {
        name: "best sets of layers".to_owned(),
        points: points.collect(),
        is_steps: true,
    };
    html! {
        h2 { "What protection costs" }
        div class="plots" { (plot::curves(&Caption {
            id: "front",
            title: "Bypass rate against cost",
            description: format!(
                "The share of attacks that pass the best set of layers for a cost; 1 on the lower axis \
                 is {:.1} µs an attempt.", dearest / 1_000.0),
            x: "cost, share of the dearest set",
            y: "attacks that pass",
        }, &[line], false)) }
        details {
            summary { "The sets in numbers" }
            div class="scroll" { table {
                thead { tr { th scope="col" { "layers" } th scope="col" { "pass" } th scope="col" { "controls stopped" }
                    th scope="col" { "µs" } } }
                tbody { @for row in &table.front { tr {
                    th scope="row" class="text" { @if row.layers.is_empty() { "none" } @else { (row.layers.join(", ")) } }
                    td { (percent(row.passed)) } td { (percent(row.false_positives)) }
                    td { (format!("{:.1}", row.nanos / 1_000.0)) }
                } } }
            } }
        }
    }
}

fn adaptive(rows: &[AdaptiveRow]) -> Markup {
    let lines: Vec<Line> = rows
        .iter()
        .take(plot::LINES)
        .map(|row| Line {
            name: row.against.clone(),
            points: row
                .curve
                .iter()
                .filter_map(|point| {
                    let across = f64::from(point.queries.max(1)).ln();
                    let end = f64::from(row.budget.max(2)).ln();
                    Some((across / end, point.reached?.value))
                })
                .collect(),
            is_steps: true,
        })
        .collect();
    html! {
        @if let Some(first) = rows.first() {
            h2 { "Attackers with feedback" }
            p { (first.strategy) ", " (many(first.goals)) " goals, at most " (many(first.budget.into()))
                " questions each." }
            div class="plots" { (plot::curves(&Caption {
                id: "budget",
                title: "Success against budget",
                description: format!(
                    "The share of goals reached with at most so many questions; the lower axis is \
                     logarithmic, from one question to {}.", first.budget),
                x: "questions, logarithm as a share of the budget",
                y: "goals reached",
            }, &lines, false)) }
            div class="scroll" { table {
                thead { tr { th scope="col" { "against" }
                    @for point in &first.curve { th scope="col" { (many(point.queries.into())) } } } }
                tbody { @for row in rows { tr {
                    th scope="row" { (row.against) }
                    @for point in &row.curve { td { (percent(point.reached)) } }
                } } }
            } }
            @if !first.chains.is_empty() {
                p { "What got past: " @for (place, chain) in first.chains.iter().enumerate() {
                    @if place > 0 { ", " } code { (chain.chain) } " (" (chain.goals) ")"
                } "." }
            }
        }
    }
}

fn risks(report: &Report) -> Markup {
    html! {
        @if !report.risks.is_empty() {
            h2 { "Risks" }
            div class="scroll" { table {
                thead { tr { th scope="col" { "family" } th scope="col" { "likelihood" } th scope="col" { "impact" }
                    th scope="col" { "detectability" } th scope="col" { "score" } th scope="col" { "priority" }
                    th scope="col" { "mend within" } } }
                tbody { @for risk in &report.risks { tr {
                    th scope="row" { (risk.family) } td { (risk.likelihood) } td { (risk.impact) }
                    td { (risk.detectability) } td { (risk.score) } td { strong { (risk.priority) } }
                    td { (risk.hours) " h" }
                } } }
            } }
        }
    }
}

/// Failures on a page; all are in the JSON.
const SHOWN: usize = 200;

fn failures(report: &Report) -> Markup {
    html! {
        @if !report.failures.is_empty() {
            h2 { "Not as it should be" }
            details {
                summary { "The first " (report.failures.len().min(SHOWN)) }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "test" } th scope="col" class="text" { "disguise" } th scope="col" { "outcome" }
                        th scope="col" { "verdict" } } }
                    tbody { @for failure in report.failures.iter().take(SHOWN) { tr {
                        th scope="row" { code { (failure.test) } } td class="text" { (failure.chain) }
                        td { (failure.outcome) } td { (failure.verdict.as_deref().unwrap_or("-")) }
                    } } }
                } }
            }
        }
    }
}
