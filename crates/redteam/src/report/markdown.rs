//! The report as Markdown, for a comment or a wiki.

use super::{
    interval, percent,
    v1::{Group, LayerTable, Report},
};

/// The report as Markdown (GitHub's tables).
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = format!(
        "# Red team: {}\n\n{} attempts, {} suites, seed {}. Attacks that reached their goal: **{}** {}; as \
         they are, without mutators: {} {}. False positives: {} {} of ordinary texts, {} {} of \
         harmless texts that look like attacks. Brackets hold 95 % intervals.\n",
        plain(&report.target),
        report.attempts,
        report.suites.len(),
        report.seed,
        percent(report.bypassed),
        interval(report.bypassed),
        percent(report.bypassed_plain),
        interval(report.bypassed_plain),
        percent(report.false_positives),
        interval(report.false_positives),
        percent(report.false_positives_hard),
        interval(report.false_positives_hard),
    );
    for error in &report.errors {
        out.push_str(&format!(
            "\n{} attempts are in no rate: {}.\n",
            error.attempts,
            plain(&error.why)
        ));
    }
    if !report.gates.is_empty() {
        out.push_str("\n## Gates\n\n| gate | bound | measured | |\n| --- | ---: | ---: | --- |\n");
        for gate in &report.gates {
            let value = gate
                .value
                .map_or("-".to_owned(), |value| format!("{value:.4}"));
            let word = if gate.passed { "passed" } else { "**failed**" };
            out.push_str(&format!(
                "| `{}` | {} | {value} | {word} |\n",
                gate.gate, gate.bound
            ));
        }
    }
    out.push_str(&groups("Families", &report.families, true));
    if let Some(table) = &report.layers {
        out.push_str(&layers(table));
    }
    for row in &report.adaptive {
        out.push_str(&format!(
            "\n## Attacker with feedback: {}, against {}\n\n{} goals, at most {} questions each.\n\n| \
             questions | goals reached | 95 % |\n| ---: | ---: | --- |\n",
            row.strategy, row.against, row.goals, row.budget
        ));
        for point in &row.curve {
            out.push_str(&format!(
                "| {} | {} | {} |\n",
                point.queries,
                percent(point.reached),
                interval(point.reached)
            ));
        }
    }
    out.push_str(&groups("Mutators", &report.by_chain, false));
    out.push_str(&groups("Languages", &report.languages, false));
    if !report.risks.is_empty() {
        out.push_str(
            "\n## Risks\n\n| family | likelihood | impact | detectability | score | priority | mend \
             within |\n| --- | ---: | ---: | ---: | ---: | --- | ---: |\n",
        );
        for risk in &report.risks {
            out.push_str(&format!(
                "| {} | {} | {} | {} | {} | {} | {} h |\n",
                risk.family,
                risk.likelihood,
                risk.impact,
                risk.detectability,
                risk.score,
                risk.priority,
                risk.hours
            ));
        }
    }
    out
}

fn groups(title: &str, groups: &[Group], has_refs: bool) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let mut out = format!("\n## {title}\n\n");
    out.push_str(
        "| name | failed | rate | 95 % | references |\n| --- | ---: | ---: | --- | --- |\n",
    );
    for group in groups {
        let refs = if has_refs {
            group.refs.join(" ")
        } else {
            String::new()
        };
        out.push_str(&format!(
            "| {} | {} of {} | {} | {} | {refs} |\n",
            plain(&group.name),
            group.failed,
            group.attempts,
            percent(group.rate),
            interval(group.rate)
        ));
    }
    out
}

fn layers(table: &LayerTable) -> String {
    let mut out = format!(
        "\n## Layers\n\nAll layers let {} {} of {} attacks pass and stop {} {} of {} controls.\n\n| layer | \
         alone lets pass | without it pass | stops controls | adds | µs |\n| --- | ---: | ---: | ---: | \
         ---: | ---: |\n",
        percent(table.passed),
        interval(table.passed),
        table.attacks,
        percent(table.false_positives),
        interval(table.false_positives),
        table.controls
    );
    for row in &table.layers {
        let value = row
            .value
            .map_or("-".to_owned(), |value| format!("{:.1} %", value * 100.0));
        out.push_str(&format!(
            "| {} | {} {} | {} {} | {} | {value} | {:.1} |\n",
            row.layer,
            percent(row.passed_alone),
            interval(row.passed_alone),
            percent(row.passed_without),
            interval(row.passed_without),
            percent(row.false_alone),
            row.nanos / 1_000.0
        ));
    }
    if let Some(cheapest) = &table.cheapest {
        out.push_str(&format!(
            "\nThe cheapest layers that let at most {:.1} % pass are {}: {} pass, {:.1} µs an attempt.\n",
            table.wanted * 100.0,
            cheapest.layers.join(", "),
            percent(cheapest.passed),
            cheapest.nanos / 1_000.0
        ));
    }
    out
}

/// A text that may come from a file, without what has a meaning in a table.
fn plain(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '|' | '\n' | '\r' | '<' | '>' | '`' | '[' | ']' => ' ',
            other => other,
        })
        .collect()
}
