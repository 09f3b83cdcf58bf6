//! Runs the examples of rules.

use std::{collections::BTreeMap, sync::Arc};

use bartizan_core::{Check, Cx, Finding, Limits, Origin};

use super::{MUTATIONS, Mistake, Mutation, PackError, RuleSet, Rules, format::At, set::Compiled};
use crate::{PatternsBuilder, Scanner, scan::PatternError, views::ViewLimits};

/// What the examples of a set showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestReport {
    /// Rules tested.
    pub rules: usize,
    /// Examples and negative examples read.
    pub examples: usize,
    /// Examples that were missed, negative ones that were hit.
    pub failures: Vec<PackError>,
    /// Negative examples that other rules hit: not wrong, but worth a look.
    pub cross_hits: Vec<CrossHit>,
}

/// A negative example of one rule that others hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossHit {
    /// Whose negative example.
    pub rule: String,
    /// Which one, counted from 1.
    pub number: usize,
    /// The rules that hit it with a confidence of at least 0.5.
    pub hit_by: Vec<String>,
}

/// How many disguised examples of a rule are still seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survival {
    /// The rule.
    pub rule: String,
    /// Its label for reports.
    pub family: Option<String>,
    /// By mutation: disguised examples that this rule hits, that any rule hits, and all of them.
    pub by_mutation: BTreeMap<&'static str, (usize, usize, usize)>,
}

impl Survival {
    /// Over all mutations: hit by this rule, hit by any rule, all.
    #[must_use]
    pub fn total(&self) -> (usize, usize, usize) {
        self.by_mutation.values().fold((0, 0, 0), |sum, counts| {
            (sum.0 + counts.0, sum.1 + counts.1, sum.2 + counts.2)
        })
    }
}

/// Reads every example of every rule with all rules.
///
/// # Errors
/// When a pattern is not usable.
pub fn test_rules(set: &Arc<RuleSet>) -> Result<TestReport, PatternError> {
    let bench = Bench::new(set)?;
    let mut report = TestReport::default();
    for rule in set.rules() {
        report.rules += 1;
        report.examples += rule.source.examples.len() + rule.source.negative_examples.len();
        let id = &rule.rule.id;
        for (index, example) in rule.source.examples.iter().enumerate() {
            let findings = bench.read(rule, &example.value);
            if !findings.iter().any(|finding| finding.rule.id == *id) {
                let (rule_id, number) = (id.to_string(), index + 1);
                let rule_missed = Mistake::ExampleMissed {
                    rule: rule_id,
                    number,
                };
                report.failures.push(failure(rule, example, rule_missed));
            }
        }
        for (index, example) in rule.source.negative_examples.iter().enumerate() {
            let findings = bench.read(rule, &example.value);
            let (rule_id, number) = (id.to_string(), index + 1);
            if findings.iter().any(|finding| finding.rule.id == *id) {
                let rule_hit = Mistake::NegativeHit {
                    rule: rule_id.clone(),
                    number,
                };
                report.failures.push(failure(rule, example, rule_hit));
            }
            let hit_by: Vec<String> = findings
                .iter()
                .filter(|finding| finding.rule.id != *id && finding.confidence.get() >= 0.5)
                .map(|finding| finding.rule.id.to_string())
                .collect();
            if !hit_by.is_empty() {
                report.cross_hits.push(CrossHit {
                    rule: rule_id,
                    number,
                    hit_by,
                });
            }
        }
    }
    Ok(report)
}

/// Disguises every example of every rule in every way and counts what is still seen.
///
/// # Errors
/// When a pattern is not usable.
pub fn test_survival(set: &Arc<RuleSet>) -> Result<Vec<Survival>, PatternError> {
    let bench = Bench::new(set)?;
    Ok(set
        .rules()
        .map(|rule| {
            let by_mutation = MUTATIONS
                .iter()
                .map(|mutation| (mutation.name, bench.survivors(rule, mutation)))
                .collect();
            Survival {
                rule: rule.rule.id.to_string(),
                family: rule.family.clone(),
                by_mutation,
            }
        })
        .collect())
}

fn failure(rule: &Compiled, example: &At<String>, mistake: Mistake) -> PackError {
    PackError {
        file: rule.source.file.clone(),
        place: example.place,
        mistake,
    }
}

/// A set that is ready to read texts.
struct Bench {
    rules: Rules,
    scanner: Scanner,
}

impl Bench {
    fn new(set: &Arc<RuleSet>) -> Result<Self, PatternError> {
        let mut builder = PatternsBuilder::default();
        let rules = Rules::register(Arc::clone(set), &mut builder)?;
        let scanner = Scanner::new(Arc::new(builder.build()?), ViewLimits::default());
        Ok(Self { rules, scanner })
    }

    /// The findings in `text` as an author that `rule` reads would have sent it.
    fn read(&self, rule: &Compiled, text: &str) -> Vec<Finding> {
        let author = [Origin::User, Origin::Retrieved, Origin::Tool, Origin::Model]
            .into_iter()
            .find(|origin| rule.reads(*origin))
            .unwrap_or(Origin::System);
        let text = self.scanner.read(author, text.as_bytes());
        let mut findings = Vec::new();
        let mut cx = Cx::new(self.rules.layer(), Limits::default(), &mut findings);
        // Default limits are far beyond any example; what was found until then counts.
        let _ = self.rules.check(&text, &mut cx);
        findings
    }

    fn survivors(&self, rule: &Compiled, mutation: &Mutation) -> (usize, usize, usize) {
        let mut counts = (0, 0, 0);
        for example in &rule.source.examples {
            let findings = self.read(rule, &(mutation.apply)(&example.value));
            let this = findings
                .iter()
                .any(|finding| finding.rule.id == rule.rule.id);
            counts.0 += usize::from(this);
            counts.1 += usize::from(!findings.is_empty());
            counts.2 += 1;
        }
        counts
    }
}
