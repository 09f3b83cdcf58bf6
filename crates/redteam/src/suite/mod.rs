//! Tests as data.

mod builtin;
mod error;
mod file;

use std::collections::HashSet;

use bartizan_core::{Direction, Origin, Sink, Verdict};
pub use builtin::{builtin, builtin_names, named};
pub use error::SuiteError;
pub use file::schema;

use crate::{
    Family, Goal, Turn,
    attempt::TurnKind,
    family::FamilyKind,
    suite::file::{RawSuite, RawTest, RawTurn},
};

/// Tests that belong together, with where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Counts up when a test changes.
    pub version: u32,
    /// What it is about, in one line.
    pub title: String,
    /// Its licence, as SPDX expression.
    pub licence: String,
    /// Who wrote it, or where it was taken from.
    pub source: String,
    /// Its tests.
    pub tests: Vec<Test>,
}

/// One attack, or one control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// `suite/name`; never reused.
    pub id: String,
    /// What kind of attack it is.
    pub family: Family,
    /// What is said, first to last.
    pub turns: Vec<Turn>,
    /// The number of the turn that mutators change.
    pub payload: usize,
    /// What it wants to see.
    pub goal: Goal,
    /// Which way the turns go.
    pub direction: Direction,
    /// Where an answer goes.
    pub sink: Option<Sink>,
    /// The mildest verdict that stops it.
    pub stops_at: Verdict,
    /// Its language, BCP 47; empty for English.
    pub language: String,
    /// The test that should be treated alike, by id.
    pub pair: Option<String>,
    /// References beside those of the family.
    pub refs: Vec<String>,
}

impl Test {
    /// A test of one text of the user.
    #[must_use]
    pub fn of_text(id: String, family: Family, text: String, goal: Goal) -> Self {
        Self {
            id,
            family,
            turns: vec![Turn::user(text)],
            payload: 0,
            goal,
            direction: Direction::Input,
            sink: None,
            stops_at: Verdict::Ask,
            language: String::new(),
            pair: None,
            refs: Vec::new(),
        }
    }

    /// Whether it should be stopped.
    #[must_use]
    pub fn is_attack(&self) -> bool {
        self.family.is_attack()
    }

    /// Whether mutators may disguise it: an attack on its way in.
    #[must_use]
    pub fn is_mutable(&self) -> bool {
        self.is_attack() && self.direction == Direction::Input
    }

    /// OWASP and ATLAS ids, and its own references.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        let known = self.family.owasp.iter().chain(self.family.atlas).copied();
        known.chain(self.refs.iter().map(String::as_str))
    }
}

impl Suite {
    /// Reads a suite from YAML.
    ///
    /// # Errors
    /// When it is no YAML of that form, names a family that there is not, has an id twice, or a
    /// goal that no answer or every answer reaches.
    pub fn from_yaml(yaml: &str) -> Result<Self, SuiteError> {
        let raw: RawSuite =
            serde_saphyr::from_str(yaml).map_err(|error| SuiteError::Syntax(first_line(&error)))?;
        Self::checked(raw)
    }

    fn checked(raw: RawSuite) -> Result<Self, SuiteError> {
        let mut tests = Vec::new();
        let given: Vec<RawTest> = raw
            .tests
            .into_iter()
            .chain(expanded(raw.matrices))
            .collect();
        for test in given {
            let defaults = Defaults {
                family: &raw.family,
                goal: raw.goal.as_ref(),
                system: raw.system.as_deref(),
                stops_at: raw.stops_at,
            };
            tests.push(defaults.test(&raw.suite, test)?);
        }
        let suite = Self {
            name: raw.suite,
            version: raw.version,
            title: raw.title,
            licence: raw.licence,
            source: raw.source,
            tests,
        };
        suite.ids_are_good()?;
        Ok(suite)
    }

    /// Every id once, and pairs that are there.
    fn ids_are_good(&self) -> Result<(), SuiteError> {
        let mut ids = HashSet::new();
        for test in &self.tests {
            if !ids.insert(&*test.id) {
                return Err(SuiteError::Twice(test.id.clone()));
            }
        }
        for test in &self.tests {
            if let Some(pair) = &test.pair
                && !ids.contains(&**pair)
            {
                return Err(SuiteError::NoPair {
                    test: test.id.clone(),
                    pair: pair.clone(),
                });
            }
            if test.family.kind == FamilyKind::Pair
                && test.pair.is_none()
                && !self
                    .tests
                    .iter()
                    .any(|other| other.pair.as_ref() == Some(&test.id))
            {
                return Err(SuiteError::Alone(test.id.clone()));
            }
        }
        Ok(())
    }
}

/// What is wrong and where, without the lines around it, which hold texts of tests.
fn first_line(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    text.lines().next().unwrap_or("no suite").to_owned()
}

/// What a test says nothing about, its suite says.
struct Defaults<'a> {
    family: &'a str,
    goal: Option<&'a Goal>,
    system: Option<&'a str>,
    stops_at: Option<Verdict>,
}

impl Defaults<'_> {
    fn test(&self, suite: &str, raw: RawTest) -> Result<Test, SuiteError> {
        let id = format!("{suite}/{}", raw.id);
        let name = raw.family.as_deref().unwrap_or(self.family);
        let family = Family::named(name).ok_or_else(|| SuiteError::UnknownFamily {
            test: id.clone(),
            family: name.to_owned(),
        })?;
        let goal = raw.goal.or_else(|| self.goal.cloned()).unwrap_or_default();
        if let Some(fault) = goal.fault() {
            return Err(SuiteError::Goal { test: id, fault });
        }
        let direction = match (raw.direction, raw.sink) {
            (Some(direction), _) => direction,
            (None, Some(_)) => Direction::Output,
            (None, None) => Direction::Input,
        };
        let mut turns = turns(raw.text, raw.turns, direction);
        let asks_alone = !turns.iter().any(|turn| turn.origin == Origin::System);
        if let Some(system) = self.system
            && asks_alone
            && direction == Direction::Input
        {
            turns.insert(
                0,
                Turn {
                    origin: Origin::System,
                    kind: TurnKind::Text,
                    text: system.to_owned(),
                },
            );
        }
        let payload = payload(&turns).ok_or_else(|| SuiteError::NoText(id.clone()))?;
        let plants = turns.iter().any(|turn| turn.text.contains("{canary}"));
        if family.is_attack() && direction == Direction::Input && goal == Goal::Canary && !plants {
            let fault = "no answer can reach the goal: no turn holds `{canary}`";
            return Err(SuiteError::Goal { test: id, fault });
        }
        if goal == Goal::SystemPrompt && !turns.iter().any(|turn| turn.origin == Origin::System) {
            let fault = "no answer can reach the goal: there is no system turn";
            return Err(SuiteError::Goal { test: id, fault });
        }
        let by_default = match direction {
            Direction::Input => Verdict::Ask,
            // What is taken out of an answer is stopped.
            Direction::Output => Verdict::Redact,
        };
        Ok(Test {
            family,
            turns,
            payload,
            goal,
            direction,
            sink: raw.sink,
            stops_at: raw.stops_at.or(self.stops_at).unwrap_or(by_default),
            language: raw.language,
            pair: raw.pair.map(|pair| format!("{suite}/{pair}")),
            refs: raw.refs,
            id,
        })
    }
}

fn turns(text: Option<String>, raw: Vec<RawTurn>, direction: Direction) -> Vec<Turn> {
    let by = match direction {
        Direction::Input => Origin::User,
        Direction::Output => Origin::Model,
    };
    let mut turns: Vec<Turn> = raw
        .into_iter()
        .map(|turn| Turn {
            origin: turn.origin,
            kind: turn.kind,
            text: turn.text,
        })
        .collect();
    turns.extend(text.map(|text| Turn {
        origin: by,
        ..Turn::user(text)
    }));
    turns
}

/// The last turn that an attacker writes: of an answer the last of all.
fn payload(turns: &[Turn]) -> Option<usize> {
    let foreign = |turn: &Turn| matches!(turn.origin, Origin::Retrieved | Origin::Tool);
    let said = |turn: &Turn| turn.origin == Origin::User;
    let has_text = |turn: &&Turn| !turn.text.trim().is_empty();
    turns.iter().find(has_text)?;
    turns
        .iter()
        .rposition(foreign)
        .or_else(|| turns.iter().rposition(said))
        .or_else(|| turns.len().checked_sub(1))
}

/// Every template with every goal put in the place of `{goal}`.
fn expanded(matrices: Vec<file::RawMatrix>) -> impl Iterator<Item = RawTest> {
    matrices.into_iter().flat_map(|matrix| {
        let goals = matrix.goals.clone();
        let pairs: Vec<(usize, String, usize, String)> = matrix
            .templates
            .iter()
            .enumerate()
            .flat_map(|(row, template)| {
                let column = move |(column, goal): (usize, &String)| {
                    (row, template.clone(), column, goal.clone())
                };
                goals.iter().enumerate().map(column)
            })
            .collect();
        pairs
            .into_iter()
            .map(move |(row, template, column, goal)| RawTest {
                id: format!("{}-{}-{}", matrix.id, row + 1, column + 1),
                family: matrix.family.clone(),
                text: Some(template.replace("{goal}", &goal)),
                goal: matrix.goal.clone(),
                language: matrix.language.clone(),
                ..RawTest::default()
            })
    })
}

#[cfg(test)]
mod tests;
