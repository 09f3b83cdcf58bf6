//! Compared with an earlier report.

use std::collections::BTreeSet;

use super::v1::{Number, Report, Trend, TrendRow};

/// What changed since an earlier report.
#[must_use]
pub fn trend(before: &Report, now: &Report) -> Trend {
    let families = now
        .families
        .iter()
        .filter_map(|group| {
            let earlier = before.families.iter().find(|old| old.name == group.name)?;
            Some(TrendRow {
                family: group.name.clone(),
                before: earlier.rate,
                now: group.rate,
                change: change(earlier.rate, group.rate).to_owned(),
            })
        })
        .collect();
    let failed = |report: &Report| -> BTreeSet<String> {
        let failed = report.failures.iter();
        let failed = failed.filter(|failure| failure.outcome == "failed");
        failed
            .map(|failure| format!("{} {}", failure.test, failure.chain))
            .collect()
    };
    let (old, new) = (failed(before), failed(now));
    Trend {
        families,
        bypassed_before: before.bypassed,
        newly_failed: new.difference(&old).cloned().collect(),
        mended: old.difference(&new).cloned().collect(),
        left_out: before
            .failures_left_out
            .saturating_add(now.failures_left_out),
    }
}

fn change(before: Option<Number>, now: Option<Number>) -> &'static str {
    match (before, now) {
        (Some(before), Some(now)) if now.low > before.high => "worse",
        (Some(before), Some(now)) if now.high < before.low => "better",
        _ => "same",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_needs_intervals_apart() {
        let number = |value, low, high| Some(Number { value, low, high });
        let few = number(0.1, 0.0, 0.2);
        let many = number(0.5, 0.4, 0.6);
        assert_eq!(change(many, few), "better");
        assert_eq!(change(few, many), "worse");
        assert_eq!(change(number(0.1, 0.0, 0.3), number(0.2, 0.1, 0.4)), "same");
        assert_eq!(change(None, many), "same");
    }
}
