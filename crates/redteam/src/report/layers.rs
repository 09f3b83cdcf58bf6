//! The table of layers.

use std::collections::BTreeMap;

use bartizan_measure::Estimate;

use super::{
    Adaptive,
    v1::{HeatRow, LayerRow, LayerTable, Number, StackRow},
};
use crate::{
    Family, LayerSet, Stack, StackSample,
    adaptive::success_at,
    family::FamilyKind,
    run::{Plan, Run},
    stack::Enough,
};

/// Attacks and controls of a run by the layers that stop them.
#[must_use]
pub fn stack(plan: &Plan<'_>, run: &Run) -> Stack {
    let mut stack = Stack {
        asked: run.asked,
        ..Stack::default()
    };
    let mut decided = 0_u32;
    for record in run.counted() {
        let (Some(layers), Some(test)) = (&record.layers, plan.tests.get(record.trial.test)) else {
            continue;
        };
        decided = decided.saturating_add(1);
        match test.family.kind {
            FamilyKind::Attack => stack.attacks.add(&layers.catchers),
            FamilyKind::Control => stack.controls.add(&layers.catchers),
            FamilyKind::Pair => {}
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "nanoseconds stay below 2^53 for 100 days"
    )]
    let mean = |nanos: u64| nanos as f64 / f64::from(decided.max(1));
    let costs = run.costs.iter();
    stack.costs = costs.map(|(&layer, &nanos)| (layer, mean(nanos))).collect();
    stack
}

/// The table of layers with the cheapest stack for the bypass rate `wanted`.
#[must_use]
pub fn layer_table(
    plan: &Plan<'_>,
    run: &Run,
    stack: &Stack,
    adaptive: &[Adaptive],
    wanted: f64,
) -> LayerTable {
    let rows = stack.contributions();
    let reached = |layers: LayerSet| {
        let found = adaptive.iter().find(|one| one.against == Some(layers))?;
        success_at(&found.hunts, found.means.queries).map(Number::from)
    };
    let layers = rows
        .iter()
        .map(|row| {
            let alone = LayerSet::of(row.layer);
            LayerRow {
                layer: row.layer.as_str().to_owned(),
                passed_alone: row.passed_alone.map(Number::from),
                passed_without: row.passed_without.map(Number::from),
                false_alone: row.false_alone.map(Number::from),
                value: row.value,
                nanos: row.nanos,
                adaptive_alone: reached(alone),
                adaptive_without: reached(stack.asked.without(alone)),
            }
        })
        .collect();
    let controls = &stack.controls;
    LayerTable {
        attacks: stack.attacks.len(),
        controls: controls.len(),
        passed: stack.attacks.passed(stack.asked).map(Number::from),
        false_positives: Estimate::share(controls.stopped(stack.asked), controls.len())
            .map(Number::from),
        layers,
        heat: heat_rows(plan, run, stack),
        cheapest: stack.cheapest(wanted).map(|enough| stack_row(&enough)),
        wanted,
        front: stack.front().iter().map(stack_row).collect(),
    }
}

fn stack_row(enough: &Enough) -> StackRow {
    StackRow {
        layers: enough
            .layers
            .iter()
            .map(|layer| layer.as_str().to_owned())
            .collect(),
        passed: Some(enough.passed.into()),
        false_positives: enough.false_positives.map(Number::from),
        nanos: enough.nanos,
    }
}

fn heat_rows(plan: &Plan<'_>, run: &Run, stack: &Stack) -> Vec<HeatRow> {
    let mut samples: BTreeMap<usize, StackSample> = BTreeMap::new();
    for record in run.counted() {
        let (Some(layers), Some(test)) = (&record.layers, plan.tests.get(record.trial.test)) else {
            continue;
        };
        if test.is_attack() {
            let sample = samples.entry(test.family.number()).or_default();
            sample.add(&layers.catchers);
        }
    }
    let families: Vec<Family> = Family::all().collect();
    samples
        .into_iter()
        .filter_map(|(number, sample)| {
            let share = |layers| 1.0 - sample.passed(layers).map_or(1.0, |share| share.value);
            Some(HeatRow {
                family: families.get(number)?.id.to_owned(),
                attempts: sample.len(),
                stopped: stack
                    .asked
                    .iter()
                    .map(|layer| share(LayerSet::of(layer)))
                    .collect(),
                stopped_by_all: share(stack.asked),
            })
        })
        .collect()
}
