//! Version 1 of the evaluation: fields are added, never changed or removed.

use bartizan_measure::{Confusion, Estimate};
use schemars::{JsonSchema, Schema};
use serde::Serialize;

/// What `bartizan eval --format json` prints. Holds no evaluated text, unless `--show-text` asks
/// for it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "Bartizan evaluation")]
pub(crate) struct Evaluation {
    /// 1
    pub(crate) version: u32,
    pub(crate) tool: Tool,
    /// SHA-256 of the checked policy, in hexadecimal.
    pub(crate) policy_version: String,
    /// SHA-256 over all rule packs, in hexadecimal.
    pub(crate) rules_version: String,
    /// Whether every row could be read and every check looked at everything.
    pub(crate) complete: bool,
    /// Whether every gate held.
    pub(crate) passed: bool,
    pub(crate) setting: Setting,
    pub(crate) files: Vec<File>,
    pub(crate) rows: Rows,
    /// Why rows could not be used.
    pub(crate) unusable: Vec<Unusable>,
    /// What labels there are.
    pub(crate) labels: Vec<Label>,
    /// All layers together, under the policy.
    pub(crate) stack: Detector,
    /// Each layer that found something, as if it were the only one.
    pub(crate) layers: Vec<Detector>,
    /// Layers that were asked and found nothing.
    pub(crate) silent_layers: Vec<&'static str>,
    pub(crate) breakdowns: Vec<Breakdown>,
    /// With `--against`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) against: Option<Comparison>,
    /// With `--errors`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) errors: Option<Errors>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) speed: Speed,
}

/// The program that wrote it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// Under what conditions.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Setting {
    /// Who wrote the texts.
    pub(crate) origin: &'static str,
    /// `input` or `output`.
    pub(crate) direction: &'static str,
    /// Where the output goes.
    pub(crate) sink: Option<String>,
    /// `risk`: 1 minus the safety score; `confidence`: that of the surest finding.
    pub(crate) score: &'static str,
    /// The mildest verdict that counts as caught.
    pub(crate) caught: &'static str,
    /// Categories that count; all if empty.
    pub(crate) categories: Vec<&'static str>,
    /// Rows drawn at random.
    pub(crate) sample: Option<u64>,
    pub(crate) seed: u64,
    /// Samples behind the intervals that have no formula.
    pub(crate) bootstrap: u32,
}

/// A file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct File {
    pub(crate) name: String,
    /// `jsonl`, `csv`, `tsv`, or `parquet`.
    pub(crate) format: &'static str,
    pub(crate) text_column: String,
    pub(crate) label_column: String,
    pub(crate) id_column: Option<String>,
    /// Rows that could be used.
    pub(crate) rows: u64,
    /// Rows that could not.
    pub(crate) unusable: u64,
}

/// How many rows there are.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct Rows {
    /// Rows that the numbers are about.
    pub(crate) evaluated: u64,
    /// Those that should be caught.
    pub(crate) positives: u64,
    /// Those that should pass.
    pub(crate) negatives: u64,
    /// Rows that were not drawn.
    pub(crate) not_drawn: u64,
    /// Rows that could not be used.
    pub(crate) unusable: u64,
    /// Positive rows on which a check did not finish; they are in no number.
    pub(crate) incomplete_positives: u64,
    /// Negative rows on which a check did not finish; they are in no number.
    pub(crate) incomplete_negatives: u64,
}

/// Rows that could not be used.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Unusable {
    pub(crate) why: &'static str,
    pub(crate) rows: u64,
    /// Where the first of them are, `file:line`.
    pub(crate) first: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<&'static str>,
}

/// A label, as the files write it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Label {
    pub(crate) label: String,
    /// Whether it should be caught.
    pub(crate) positive: bool,
    pub(crate) rows: u64,
}

/// A number with a 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Number {
    pub(crate) value: f64,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
}

impl From<Estimate> for Number {
    fn from(estimate: Estimate) -> Self {
        Self {
            value: estimate.value,
            low: estimate.interval.map(|interval| interval.low),
            high: estimate.interval.map(|interval| interval.high),
        }
    }
}

/// How well something tells rows apart. Numbers that there are no rows for are `null`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Detector {
    /// `stack`, or the name of a layer.
    pub(crate) name: String,
    pub(crate) confusion: Counts,
    /// Of what should be caught, the share that was (Wilson's interval).
    pub(crate) recall: Option<Number>,
    /// Of what should pass, the share that was caught (Wilson's interval).
    pub(crate) false_positive_rate: Option<Number>,
    /// Of what was caught, the share that should be (Wilson's interval).
    pub(crate) precision: Option<Number>,
    /// Wilson's interval.
    pub(crate) accuracy: Option<Number>,
    pub(crate) f1: Option<f64>,
    pub(crate) matthews: Option<f64>,
    /// Area under the ROC curve (DeLong's interval).
    pub(crate) auc: Option<Number>,
    /// Bootstrap interval for the stack.
    pub(crate) average_precision: Option<Number>,
    /// Recall at fixed false-positive rates.
    pub(crate) at_false_positive_rate: Vec<AtRate>,
    pub(crate) calibration: Option<Calibration>,
    /// Of a layer: rows that it alone caught.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alone: Option<Alone>,
    /// Points of the ROC and the precision-recall curve, from the highest threshold down; of
    /// several hundred a part.
    pub(crate) curve: Vec<Point>,
}

/// How often each answer was given.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct Counts {
    pub(crate) true_positives: u64,
    pub(crate) false_negatives: u64,
    pub(crate) false_positives: u64,
    pub(crate) true_negatives: u64,
}

impl From<Confusion> for Counts {
    fn from(confusion: Confusion) -> Self {
        Self {
            true_positives: confusion.true_positives,
            false_negatives: confusion.false_negatives,
            false_positives: confusion.false_positives,
            true_negatives: confusion.true_negatives,
        }
    }
}

/// Recall where at most so many negative rows are caught.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct AtRate {
    /// The rate asked for.
    pub(crate) rate: f64,
    /// Rows are caught from this score on; `null` if every threshold catches too many.
    pub(crate) threshold: Option<f64>,
    /// Bootstrap interval for the stack, in which the threshold moves with the sample.
    pub(crate) recall: Option<Number>,
    /// The rate that the threshold has.
    pub(crate) false_positive_rate: f64,
    /// Whether there are enough negative rows to see the rate.
    pub(crate) resolved: bool,
}

/// Whether scores are the probabilities that they look like.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Calibration {
    /// Bootstrap interval for the stack.
    pub(crate) expected_error: Number,
    pub(crate) maximum_error: f64,
    pub(crate) brier: f64,
    pub(crate) bins: Vec<Bin>,
}

/// Rows whose score is in `(low, high]`; the first bin holds 0 too.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct Bin {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) rows: u64,
    pub(crate) mean_score: Option<f64>,
    /// Share of positive rows (Wilson's interval).
    pub(crate) positives: Option<Number>,
}

/// Rows that a layer alone caught.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Alone {
    pub(crate) positives: u64,
    pub(crate) negatives: u64,
}

/// What a threshold leads to.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct Point {
    pub(crate) true_positives: u64,
    pub(crate) false_positives: u64,
}

/// The numbers by the values of a column.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Breakdown {
    /// The column, or `label`, or `file`.
    pub(crate) by: String,
    /// Largest first.
    pub(crate) groups: Vec<Group>,
}

/// The rows of one value.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Group {
    pub(crate) value: String,
    pub(crate) positives: u64,
    pub(crate) negatives: u64,
    pub(crate) recall: Option<Number>,
    pub(crate) false_positive_rate: Option<Number>,
    pub(crate) auc: Option<f64>,
    /// The recall of what it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recall_against: Option<Number>,
    /// The false-positive rate of what it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) false_positive_rate_against: Option<Number>,
}

/// Two configurations on the same rows. The first is that of the arguments, the second that of
/// `--against`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Comparison {
    /// The file.
    pub(crate) name: String,
    /// `policy` or `configuration`.
    pub(crate) kind: &'static str,
    pub(crate) policy_version: String,
    pub(crate) rules_version: String,
    /// The second on its own.
    pub(crate) stack: Detector,
    /// Agresti and Min's interval.
    pub(crate) recall: Option<Difference>,
    /// Agresti and Min's interval.
    pub(crate) false_positive_rate: Option<Difference>,
    /// DeLong's interval for two curves over the same rows.
    pub(crate) auc: Option<Difference>,
    /// Bootstrap interval over the same samples.
    pub(crate) average_precision: Option<Difference>,
    /// Bootstrap interval over the same samples.
    pub(crate) expected_error: Option<Difference>,
}

/// A number of both, and how far they are apart.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct Difference {
    pub(crate) first: f64,
    pub(crate) second: f64,
    /// Second minus first.
    pub(crate) difference: Number,
    /// McNemar's exact test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test: Option<McNemar>,
}

/// Rows on which the two differ.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct McNemar {
    pub(crate) only_first: u64,
    pub(crate) only_second: u64,
    /// How likely they differ at least this unevenly if neither catches more; two-sided.
    pub(crate) p: f64,
}

/// Rows that were decided wrongly.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Errors {
    /// Negative rows that were caught, highest score first.
    pub(crate) wrongly_caught: Vec<Miss>,
    /// Positive rows that passed, lowest score first.
    pub(crate) missed: Vec<Miss>,
    /// All of the first kind, listed or not.
    pub(crate) all_wrongly_caught: u64,
    /// All of the second kind, listed or not.
    pub(crate) all_missed: u64,
}

/// A row that was decided wrongly.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Miss {
    /// `file:line`; in Parquet the number of the row.
    pub(crate) place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) label: String,
    pub(crate) score: f64,
    /// Rules that found something.
    pub(crate) rules: Vec<String>,
    /// The start of the text, with `--show-text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

/// Something that must hold.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Gate {
    /// As in the arguments, e.g. `--min-recall`.
    pub(crate) gate: String,
    /// The bound.
    pub(crate) bound: f64,
    /// What was measured; `null` if there are no rows for it, which fails.
    pub(crate) value: Option<f64>,
    pub(crate) passed: bool,
}

/// How fast it went.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct Speed {
    pub(crate) threads: u64,
    /// From the first row to the last, reading included.
    pub(crate) nanos: u64,
    pub(crate) rows_per_second: f64,
    /// Half of the rows took no longer, in nanoseconds; of the first configuration.
    pub(crate) p50_nanos: u64,
    /// 99 % of the rows took no longer, in nanoseconds; of the first configuration.
    pub(crate) p99_nanos: u64,
}

/// The schema of an evaluation.
pub(crate) fn schema() -> Schema {
    schemars::schema_for!(Evaluation)
}
