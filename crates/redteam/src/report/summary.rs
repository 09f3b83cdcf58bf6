//! From records to a report.

use std::collections::BTreeMap;

use bartizan_core::Severity;
use bartizan_measure::Estimate;

use super::v1::{ErrorCount, Failure, Group, Number, Report, Risk, SuiteInfo};
use crate::{
    Chain, Family, Outcome, Suite, Test,
    family::FamilyKind,
    run::{Plan, Record, Run},
};

/// What a report says beside what was measured.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// What was attacked.
    pub target: &'a str,
    /// The version of the rules behind it.
    pub rules_version: Option<&'a str>,
    /// The suites.
    pub suites: &'a [Suite],
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Most failures that a report lists.
const LISTED: usize = 1_000;

/// The report of a run, without layers, searches, gates, and trend.
#[must_use]
pub fn summarise(plan: &Plan<'_>, run: &Run, setting: &Setting<'_>) -> Report {
    let mut tally = Tally::default();
    for record in &run.records {
        if let Some(test) = plan.tests.get(record.trial.test) {
            tally.add(plan, test, record);
        }
    }
    let failures: Vec<Failure> = run
        .records
        .iter()
        .filter(|record| matches!(record.outcome, Outcome::Failed | Outcome::Partial))
        .filter_map(|record| failure(plan, record))
        .collect();
    let left_out = failures.len().saturating_sub(LISTED) as u64;
    let families = tally.families();
    let errors = tally.errors;
    Report {
        version: 1,
        target: setting.target.to_owned(),
        rules_version: setting.rules_version.map(str::to_owned),
        suites: setting.suites.iter().map(suite_info).collect(),
        chains: plan.chains.iter().map(Chain::to_string).collect(),
        repeat: plan.repeat,
        seed: plan.seed,
        attempts: run.records.len() as u64,
        unchanged: run.unchanged,
        complete: errors.is_empty(),
        errors: errors
            .into_iter()
            .map(|(why, attempts)| ErrorCount { why, attempts })
            .collect(),
        bypassed: tally.attacks.rate(),
        bypassed_plain: tally.plain.rate(),
        false_positives: tally.benign.rate(),
        false_positives_hard: tally.hard.rate(),
        risks: risks(&families, &tally.unseen),
        families,
        by_chain: groups(tally.chains, "attack"),
        languages: groups(tally.languages, "attack"),
        layers: None,
        adaptive: Vec::new(),
        gates: Vec::new(),
        failures: failures.into_iter().take(LISTED).collect(),
        failures_left_out: left_out,
        trend: None,
        passed: true,
        seconds: setting.seconds,
    }
}

fn suite_info(suite: &Suite) -> SuiteInfo {
    SuiteInfo {
        name: suite.name.clone(),
        version: suite.version,
        tests: suite.tests.len() as u64,
        licence: suite.licence.clone(),
    }
}

fn chain_name(plan: &Plan<'_>, record: &Record) -> String {
    let chain = record
        .trial
        .chain
        .and_then(|number| plan.chains.get(number));
    chain.map_or_else(|| Chain::default().to_string(), Chain::to_string)
}

fn failure(plan: &Plan<'_>, record: &Record) -> Option<Failure> {
    let test = plan.tests.get(record.trial.test)?;
    Some(Failure {
        test: test.id.clone(),
        family: test.family.id.to_owned(),
        chain: chain_name(plan, record),
        repetition: record.trial.repetition,
        outcome: record.outcome.as_str().to_owned(),
        verdict: record
            .layers
            .as_ref()
            .map(|layers| layers.verdict.as_str().to_owned()),
        refs: test.references().map(str::to_owned).collect(),
    })
}

/// Attempts by what became of them.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    known: u64,
    failed: u64,
    partial: u64,
    errors: u64,
}

impl Count {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Error => self.errors += 1,
            Outcome::Held => self.known += 1,
            Outcome::Partial => {
                self.known += 1;
                self.partial += 1;
            }
            Outcome::Failed => {
                self.known += 1;
                self.failed += 1;
            }
        }
    }

    fn rate(self) -> Option<Number> {
        Estimate::share(self.failed, self.known).map(Number::from)
    }

    fn group(self, name: String, kind: &str, refs: Vec<String>) -> Group {
        Group {
            name,
            kind: kind.to_owned(),
            attempts: self.known,
            failed: self.failed,
            partial: self.partial,
            errors: self.errors,
            rate: self.rate(),
            refs,
        }
    }
}

#[derive(Default)]
struct Tally {
    attacks: Count,
    plain: Count,
    benign: Count,
    hard: Count,
    families: BTreeMap<usize, Count>,
    chains: BTreeMap<String, Count>,
    languages: BTreeMap<String, Count>,
    errors: BTreeMap<String, u64>,
    /// Attacks of a family that succeeded, and those of them that no layer saw anything of.
    unseen: BTreeMap<&'static str, (u64, u64)>,
}

impl Tally {
    fn add(&mut self, plan: &Plan<'_>, test: &Test, record: &Record) {
        let outcome = record.outcome;
        let family = test.family;
        self.families
            .entry(family.number())
            .or_default()
            .add(outcome);
        if outcome == Outcome::Error {
            let why = match &record.error {
                Some(error) => error.to_string(),
                None => "its other half has no outcome".to_owned(),
            };
            *self.errors.entry(why).or_default() += 1;
        }
        match family.kind {
            FamilyKind::Pair => {}
            FamilyKind::Control
                if family.id == "control.benign" || family.id == "control.output" =>
            {
                self.benign.add(outcome);
            }
            FamilyKind::Control => self.hard.add(outcome),
            FamilyKind::Attack => self.add_attack(plan, test, record),
        }
    }

    fn add_attack(&mut self, plan: &Plan<'_>, test: &Test, record: &Record) {
        let outcome = record.outcome;
        self.attacks.add(outcome);
        let chain = chain_name(plan, record);
        if record.trial.chain.is_none() || chain == Chain::default().to_string() {
            self.plain.add(outcome);
            let language = if test.language.is_empty() {
                "en"
            } else {
                &test.language
            };
            let known = self.languages.entry(language.to_owned()).or_default();
            known.add(outcome);
        }
        if record.trial.chain.is_some() {
            self.chains.entry(chain).or_default().add(outcome);
        }
        if outcome == Outcome::Failed {
            let (all, unseen) = self.unseen.entry(test.family.id).or_default();
            *all += 1;
            let was_seen = record.layers.as_ref().is_some_and(|layers| layers.was_seen);
            *unseen += u64::from(!was_seen);
        }
    }

    fn families(&self) -> Vec<Group> {
        Family::all()
            .enumerate()
            .filter_map(|(number, family)| {
                let count = self.families.get(&number)?;
                let kind = match family.kind {
                    FamilyKind::Attack => "attack",
                    FamilyKind::Control => "control",
                    FamilyKind::Pair => "pair",
                };
                let refs = family.owasp.iter().chain(family.atlas);
                let refs = refs.map(|&id| id.to_owned()).collect();
                Some(count.group(family.id.to_owned(), kind, refs))
            })
            .collect()
    }
}

/// Groups with the highest rate first.
fn groups(counts: BTreeMap<String, Count>, kind: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = counts
        .into_iter()
        .map(|(name, count)| count.group(name, kind, Vec::new()))
        .collect();
    let rate = |group: &Group| group.rate.map_or(-1.0, |rate| rate.value);
    groups.sort_by(|a, b| {
        rate(b)
            .total_cmp(&rate(a))
            .then_with(|| a.name.cmp(&b.name))
    });
    groups
}

/// Scores from which a risk has a priority, and the hours to mend it.
const PRIORITIES: [(u32, &str, u32); 4] = [
    (75, "P0", 24),
    (40, "P1", 72),
    (15, "P2", 168),
    (0, "P3", 720),
];

/// Likelihood, impact, and detectability of every family of attacks that succeeded.
fn risks(families: &[Group], unseen: &BTreeMap<&'static str, (u64, u64)>) -> Vec<Risk> {
    let mut risks: Vec<Risk> = families
        .iter()
        .filter(|group| group.kind == "attack" && group.failed > 0)
        .filter_map(|group| {
            let rate = group.rate?.value;
            let likelihood = steps(rate, [0.01, 0.05, 0.2, 0.5]);
            let severity = Family::named(&group.name)?.severity;
            let place = Severity::ALL.iter().take_while(|&&one| one < severity);
            let impact = 1 + u32::try_from(place.count()).unwrap_or(4);
            let (all, none) = unseen.get(group.name.as_str()).copied().unwrap_or((1, 1));
            let share = Estimate::share(none, all).map_or(1.0, |share| share.value);
            let detectability = steps(share, [0.1, 0.4, 0.7, 0.9]);
            let score = likelihood * impact * detectability;
            let found = PRIORITIES.iter().find(|(least, ..)| score >= *least)?;
            Some(Risk {
                family: group.name.clone(),
                likelihood,
                impact,
                detectability,
                score,
                priority: found.1.to_owned(),
                hours: found.2,
            })
        })
        .collect();
    risks.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.family.cmp(&b.family)));
    risks
}

/// 1 to 5 by how many of the bounds a share exceeds.
fn steps(share: f64, bounds: [f64; 4]) -> u32 {
    bounds
        .iter()
        .map(|&bound| u32::from(share > bound))
        .sum::<u32>()
        + 1
}

#[cfg(test)]
mod tests;
