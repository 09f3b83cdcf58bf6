use super::v1::{Detector, Gate};
use crate::cli::Gates;

/// What became of each gate. One whose number there is not fails.
pub(super) fn judged(gates: &Gates, stack: &Detector) -> Vec<Gate> {
    let value = |number: Option<super::v1::Number>| number.map(|number| number.value);
    let calibration = stack.calibration.as_ref();
    let least = [
        ("--min-recall", gates.min_recall, value(stack.recall)),
        (
            "--min-precision",
            gates.min_precision,
            value(stack.precision),
        ),
        ("--min-auc", gates.min_auc, value(stack.auc)),
        (
            "--min-average-precision",
            gates.min_average_precision,
            value(stack.average_precision),
        ),
    ];
    let most = [
        ("--max-fpr", gates.max_fpr, value(stack.false_positive_rate)),
        (
            "--max-ece",
            gates.max_ece,
            calibration.map(|calibration| calibration.expected_error.value),
        ),
    ];
    let gate = |name: &str, bound, value, passed: bool| Gate {
        gate: name.to_owned(),
        bound,
        value,
        passed,
    };
    let mut judged = Vec::new();
    for (name, bound, value) in least {
        judged.extend(bound.map(|bound| {
            gate(
                name,
                bound,
                value,
                value.is_some_and(|value| value >= bound),
            )
        }));
    }
    for (name, bound, value) in most {
        judged.extend(bound.map(|bound| {
            gate(
                name,
                bound,
                value,
                value.is_some_and(|value| value <= bound),
            )
        }));
    }
    for &(rate, bound) in &gates.min_recall_at {
        #[expect(clippy::float_cmp, reason = "the same number, handed through")]
        let at = stack
            .at_false_positive_rate
            .iter()
            .find(|at| at.rate == rate);
        let value = value(at.and_then(|at| at.recall));
        let name = format!("--min-recall-at {rate}");
        judged.push(gate(
            &name,
            bound,
            value,
            value.is_some_and(|value| value >= bound),
        ));
    }
    judged
}
