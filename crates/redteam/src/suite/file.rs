//! The form of a suite in YAML.

use bartizan_core::{Direction, Origin, Sink, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Goal, attempt::TurnKind};

/// A file of tests for `bartizan redteam`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawSuite {
    /// Its name.
    pub(super) suite: String,
    /// Counts up when a test changes.
    #[serde(default = "one")]
    pub(super) version: u32,
    /// What it is about, in one line.
    #[serde(default)]
    pub(super) title: String,
    /// Its licence, as SPDX expression.
    #[serde(default)]
    pub(super) licence: String,
    /// Who wrote it, or where it was taken from.
    #[serde(default)]
    pub(super) source: String,
    /// The family of tests that name none.
    #[serde(default = "imported")]
    pub(super) family: String,
    /// The goal of tests that name none; `canary` if the suite names none either.
    #[serde(default)]
    pub(super) goal: Option<Goal>,
    /// The system prompt of tests that have none.
    #[serde(default)]
    pub(super) system: Option<String>,
    /// The mildest verdict that stops a test: `redact`, `ask`, or `block`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) stops_at: Option<Verdict>,
    /// The tests.
    #[serde(default)]
    pub(super) tests: Vec<RawTest>,
    /// Templates, each with every goal.
    #[serde(default)]
    pub(super) matrices: Vec<RawMatrix>,
}

const fn one() -> u32 {
    1
}

fn imported() -> String {
    "imported".to_owned()
}

/// One test.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawTest {
    /// Its name in the suite.
    pub(super) id: String,
    /// The kind of attack; `bartizan redteam list` names them.
    pub(super) family: Option<String>,
    /// What the user says last, or what the model answers.
    pub(super) text: Option<String>,
    /// What is said before that.
    pub(super) turns: Vec<RawTurn>,
    /// What it wants to see in an answer.
    pub(super) goal: Option<Goal>,
    /// `input` or `output`.
    #[schemars(with = "Option<String>")]
    pub(super) direction: Option<Direction>,
    /// Where an answer goes; makes it one.
    #[schemars(with = "Option<String>")]
    pub(super) sink: Option<Sink>,
    /// The mildest verdict that stops it.
    #[schemars(with = "Option<String>")]
    pub(super) stops_at: Option<Verdict>,
    /// Its language, BCP 47; English if empty.
    pub(super) language: String,
    /// The test that should be treated alike, by its name in the suite.
    pub(super) pair: Option<String>,
    /// References beside those of the family.
    pub(super) refs: Vec<String>,
}

/// One turn.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawTurn {
    /// Who wrote it: `system`, `user`, `retrieved`, `tool`, or `model`.
    #[schemars(with = "String")]
    pub(super) origin: Origin,
    /// What it is.
    #[serde(default)]
    pub(super) kind: TurnKind,
    /// What it says.
    pub(super) text: String,
}

/// Templates and goals: as many tests as their product.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawMatrix {
    /// How the ids of its tests begin.
    pub(super) id: String,
    /// The kind of attack.
    #[serde(default)]
    pub(super) family: Option<String>,
    /// Texts with `{goal}` where a goal goes.
    pub(super) templates: Vec<String>,
    /// What is put there.
    pub(super) goals: Vec<String>,
    /// What the tests want to see in an answer.
    #[serde(default)]
    pub(super) goal: Option<Goal>,
    /// Their language, BCP 47; English if empty.
    #[serde(default)]
    pub(super) language: String,
}

/// The JSON schema of a suite.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RawSuite).to_value()
}
