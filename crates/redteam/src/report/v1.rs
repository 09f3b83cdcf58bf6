//! Version 1 of the report. Holds ids and numbers, no text of a test and no answer.

use bartizan_measure::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What came of a run of `bartizan redteam`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this format.
    pub version: u32,
    /// What was attacked.
    pub target: String,
    /// The versions behind the target's layers, where it consists of them.
    pub rules_version: Option<String>,
    /// The suites.
    pub suites: Vec<SuiteInfo>,
    /// The chains of mutators.
    pub chains: Vec<String>,
    /// Tries of what depends on the seed.
    pub repeat: u32,
    /// Fixes what is random.
    pub seed: u64,
    /// Attempts that were made.
    pub attempts: u64,
    /// Attempts that were not made, since no mutator found anything to change.
    pub unchanged: u64,
    /// Attempts without an outcome, which are in no rate.
    pub errors: Vec<ErrorCount>,
    /// Share of attacks that reached their goal.
    pub bypassed: Option<Number>,
    /// The same for the attacks as they are, without mutators.
    pub bypassed_plain: Option<Number>,
    /// Share of ordinary texts that were stopped.
    pub false_positives: Option<Number>,
    /// Share of harmless texts that look like attacks that were stopped.
    pub false_positives_hard: Option<Number>,
    /// By family.
    pub families: Vec<Group>,
    /// By chain.
    pub by_chain: Vec<Group>,
    /// By language of attacks.
    pub languages: Vec<Group>,
    /// What layers stop, where the target consists of them.
    pub layers: Option<LayerTable>,
    /// What attackers found that saw what became of their attempts.
    pub adaptive: Vec<AdaptiveRow>,
    /// Risks, worst first.
    pub risks: Vec<Risk>,
    /// What must hold.
    pub gates: Vec<Gate>,
    /// Attempts that are not as they should be; at most 1,000.
    pub failures: Vec<Failure>,
    /// Failures that are not listed.
    pub failures_left_out: u64,
    /// Compared with an earlier report.
    pub trend: Option<Trend>,
    /// Whether every gate held.
    pub passed: bool,
    /// Whether every attempt has an outcome.
    pub complete: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// A suite that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Its tests.
    pub tests: u64,
    /// Its licence.
    pub licence: String,
}

/// Attempts without an outcome for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorCount {
    /// Why.
    pub why: String,
    /// How many.
    pub attempts: u64,
}

/// A share in `[0, 1]` with Wilson's interval at 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Number {
    /// The share.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl From<Estimate> for Number {
    fn from(estimate: Estimate) -> Self {
        let ends = estimate.interval;
        Self {
            value: estimate.value,
            low: ends.map_or(estimate.value, |ends| ends.low),
            high: ends.map_or(estimate.value, |ends| ends.high),
        }
    }
}

/// Attempts that have something in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// `attack`, `control`, or `pair`.
    pub kind: String,
    /// Attempts with an outcome.
    pub attempts: u64,
    /// Those that are not as they should be: attacks that reached their goal, controls that were
    /// stopped.
    pub failed: u64,
    /// Attacks that reached their goal in part.
    pub partial: u64,
    /// Attempts without an outcome.
    pub errors: u64,
    /// The share of those that failed.
    pub rate: Option<Number>,
    /// OWASP and ATLAS ids.
    pub refs: Vec<String>,
}

/// What each layer stops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayerTable {
    /// Attacks that were tried.
    pub attacks: u64,
    /// Controls that were tried.
    pub controls: u64,
    /// Share of attacks that pass all layers.
    pub passed: Option<Number>,
    /// Share of controls that all layers stop.
    pub false_positives: Option<Number>,
    /// One row for each layer.
    pub layers: Vec<LayerRow>,
    /// Families of attacks by layers.
    pub heat: Vec<HeatRow>,
    /// The cheapest layers for the bypass rate that was asked for.
    pub cheapest: Option<StackRow>,
    /// The bypass rate that was asked for.
    pub wanted: f64,
    /// Subsets of layers that nothing beats in cost and bypass rate at once.
    pub front: Vec<StackRow>,
}

/// What one layer stops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayerRow {
    /// The layer.
    pub layer: String,
    /// Share of attacks that pass it alone.
    pub passed_alone: Option<Number>,
    /// Share of attacks that pass the others.
    pub passed_without: Option<Number>,
    /// Share of controls that it stops alone.
    pub false_alone: Option<Number>,
    /// Its Shapley value: the share of attacks that it adds on average over all orders.
    pub value: Option<f64>,
    /// What it takes, in nanoseconds for an attempt.
    pub nanos: f64,
    /// Share of goals that an attacker reaches who adapts to this layer alone.
    pub adaptive_alone: Option<Number>,
    /// Share of goals that an attacker reaches who adapts to the others.
    pub adaptive_without: Option<Number>,
}

/// What each layer stops of one family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HeatRow {
    /// The family.
    pub family: String,
    /// Its attempts.
    pub attempts: u64,
    /// Share that each layer stops alone, in the order of the layers.
    pub stopped: Vec<f64>,
    /// Share that all of them stop.
    pub stopped_by_all: f64,
}

/// Some layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StackRow {
    /// The layers.
    pub layers: Vec<String>,
    /// Share of attacks that pass them.
    pub passed: Option<Number>,
    /// Share of controls that they stop.
    pub false_positives: Option<Number>,
    /// What they take, in nanoseconds for an attempt.
    pub nanos: f64,
}

/// What an attacker with feedback reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdaptiveRow {
    /// `random` or `evolution`.
    pub strategy: String,
    /// The layers that were attacked; `all` for the whole.
    pub against: String,
    /// Goals.
    pub goals: u64,
    /// Questions for each goal.
    pub budget: u32,
    /// Share of goals reached with at most so many questions.
    pub curve: Vec<CurvePoint>,
    /// The chains that reached goals, by how many; at most 20.
    pub chains: Vec<ChainCount>,
}

/// A point of a curve of success against budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurvePoint {
    /// Questions.
    pub queries: u32,
    /// Share of goals reached.
    pub reached: Option<Number>,
}

/// How many goals a chain reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainCount {
    /// The chain.
    pub chain: String,
    /// Goals.
    pub goals: u64,
}

/// The risk of a family: likelihood, impact, and how hard it is to notice, each from 1 to 5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Risk {
    /// The family.
    pub family: String,
    /// How often its attacks succeed.
    pub likelihood: u32,
    /// How bad that is.
    pub impact: u32,
    /// How few of them leave a trace.
    pub detectability: u32,
    /// The product, 1 to 125.
    pub score: u32,
    /// `P0` to `P3`.
    pub priority: String,
    /// Time to mend it, in hours.
    pub hours: u32,
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// The argument.
    pub gate: String,
    /// The bound.
    pub bound: f64,
    /// What was measured; `None` where there was nothing to measure, which fails.
    pub value: Option<f64>,
    /// Whether it held.
    pub passed: bool,
}

/// An attempt that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The test.
    pub test: String,
    /// Its family.
    pub family: String,
    /// The chain; `none` for a test as it is.
    pub chain: String,
    /// The repetition, from 0.
    pub repetition: u32,
    /// `failed` or `partial`.
    pub outcome: String,
    /// What layers decided, where the target consists of them.
    pub verdict: Option<String>,
    /// OWASP and ATLAS ids.
    pub refs: Vec<String>,
}

/// Compared with an earlier report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// Families that are in both, with the rate before and after.
    pub families: Vec<TrendRow>,
    /// The bypass rate before.
    pub bypassed_before: Option<Number>,
    /// Tests that failed now and not before; as far as both list them.
    pub newly_failed: Vec<String>,
    /// Tests that failed before and not now; as far as both list them.
    pub mended: Vec<String>,
    /// Failures that one of the reports does not list, so that what is new is not all known.
    #[serde(default)]
    pub left_out: u64,
}

/// A family before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendRow {
    /// The family.
    pub family: String,
    /// The rate before.
    pub before: Option<Number>,
    /// The rate now.
    pub now: Option<Number>,
    /// `better`, `worse`, or `same`; a change counts when the intervals do not overlap.
    pub change: String,
}

/// The JSON schema of a report.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}
