use bartizan_redteam::report::v1::{Gate, Number, Report};

use crate::cli::RedteamGates;

/// What became of each gate. One whose number there is not fails.
pub(crate) fn judged(gates: &RedteamGates, report: &Report) -> Vec<Gate> {
    let value = |number: Option<Number>| number.map(|number| number.value);
    let most = |name: String, bound: f64, value: Option<f64>| Gate {
        gate: name,
        bound,
        value,
        passed: value.is_some_and(|value| value <= bound),
    };
    let mut judged = Vec::new();
    for (name, bound, value) in [
        ("--max-bypass", gates.max_bypass, value(report.bypassed)),
        ("--max-fpr", gates.max_fpr, value(report.false_positives)),
        (
            "--max-hard-fpr",
            gates.max_hard_fpr,
            value(report.false_positives_hard),
        ),
        ("--max-adaptive", gates.max_adaptive, adaptive(report)),
    ] {
        judged.extend(bound.map(|bound| most(name.to_owned(), bound, value)));
    }
    for (family, bound) in &gates.max_family {
        let value = of_family(report, family);
        judged.push(most(format!("--max-family {family}"), *bound, value));
    }
    if gates.no_worse {
        // What a cut list leaves out may be new.
        let trend = report.trend.as_ref().filter(|trend| trend.left_out == 0);
        let new = trend.map(|trend| trend.newly_failed.len());
        #[expect(clippy::cast_precision_loss, reason = "at most 1,000 are listed")]
        let new = new.map(|count| count as f64);
        judged.push(most("--no-worse".to_owned(), 0.0, new));
    }
    judged
}

/// The share that the search against the whole reached with its whole budget.
fn adaptive(report: &Report) -> Option<f64> {
    let whole = report.adaptive.iter().find(|row| row.against == "all")?;
    Some(whole.curve.last()?.reached?.value)
}

/// The share of attempts that failed of all families whose names begin so.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of attempts stay below 2^53"
)]
fn of_family(report: &Report, prefix: &str) -> Option<f64> {
    let groups = report.families.iter();
    let (failed, all) = groups
        .filter(|group| group.name.starts_with(prefix))
        .fold((0, 0), |(failed, all), group| {
            (failed + group.failed, all + group.attempts)
        });
    (all > 0).then(|| failed as f64 / all as f64)
}
