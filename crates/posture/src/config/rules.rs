//! Rules about configurations, as data.
//!
//! A rule looks at trees (`at`) or at settings and commands (`line`). Its examples are its tests:
//! [`test()`] says which of them do not hold.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use bartizan_core::{Category, Rule, RuleRef, Severity};
use serde::Deserialize;

use super::{
    Document, Kind,
    tree::{Node, Path, Selected},
};
use crate::secrets::gitleaks::re2::Expression;

/// The files of rules that come with the program.
const BUILTIN: &[(&str, &str)] = &[
    ("image.yaml", include_str!("../../rules/image.yaml")),
    ("compose.yaml", include_str!("../../rules/compose.yaml")),
    (
        "kubernetes.yaml",
        include_str!("../../rules/kubernetes.yaml"),
    ),
    ("terraform.yaml", include_str!("../../rules/terraform.yaml")),
    ("pipeline.yaml", include_str!("../../rules/pipeline.yaml")),
    ("runtime.yaml", include_str!("../../rules/runtime.yaml")),
];

/// Most places that one rule reports in one file.
const MAX_PLACES: usize = 16;

/// A rule about configurations.
#[derive(Debug)]
pub struct ConfigRule {
    /// What is reported.
    pub rule: Rule,
    /// The kinds of files that it looks at.
    pub kinds: Vec<Kind>,
    /// Texts that it must hit.
    pub bad: Vec<String>,
    /// Texts that it must not hit.
    pub good: Vec<String>,
    /// Conditions on the file: a line that must be there, or must not.
    beside: Option<Expression>,
    unless_beside: Option<Expression>,
    /// Conditions on the tree.
    document: Vec<Condition>,
    looks: Looks,
}

#[derive(Debug)]
enum Looks {
    /// At values of a tree.
    At {
        path: Path,
        value: Option<Expression>,
        unless: Option<Expression>,
        with: Vec<Condition>,
        without: Vec<Condition>,
        without_above: Vec<Condition>,
    },
    /// At settings and commands.
    Line {
        line: Expression,
        unless: Option<Expression>,
    },
}

/// A value that must be there: a path below, and what its text matches.
#[derive(Debug)]
struct Condition {
    path: Path,
    value: Expression,
}

impl Condition {
    fn holds(&self, node: &Node) -> bool {
        let found = self.path.select(node);
        found.iter().any(|one| match one.node.text() {
            Some(text) => self.value.is_match(text.as_bytes()),
            // Whatever has parts is there.
            None => self.value.is_match(b""),
        })
    }
}

impl ConfigRule {
    /// The places in `document` that the rule is about, in order, at most 16.
    #[must_use]
    pub fn find(&self, document: &Document) -> Vec<Range<usize>> {
        if !self.kinds.contains(&document.kind) {
            return Vec::new();
        }
        let is_there = |wanted: &Expression| {
            let mut lines = document.lines.iter();
            lines.any(|line| wanted.is_match(line.text.as_bytes()))
        };
        if self.beside.as_ref().is_some_and(|wanted| !is_there(wanted))
            || self.unless_beside.as_ref().is_some_and(is_there)
        {
            return Vec::new();
        }
        let mut places = match &self.looks {
            Looks::Line { line, unless } => {
                let hits = document.lines.iter().filter(|one| {
                    let text = one.text.as_bytes();
                    line.is_match(text)
                        && !unless.as_ref().is_some_and(|unless| unless.is_match(text))
                });
                hits.map(|one| one.span.clone()).collect()
            }
            Looks::At { .. } => {
                let roots = document.roots.iter();
                let meant = roots.filter(|root| self.document.iter().all(|one| one.holds(root)));
                meant
                    .flat_map(|root| self.places_in(root))
                    .collect::<Vec<_>>()
            }
        };
        places.sort_by_key(|place| (place.start, place.end));
        places.dedup();
        places.truncate(MAX_PLACES);
        places
    }

    fn places_in(&self, root: &Node) -> Vec<Range<usize>> {
        let Looks::At {
            path,
            value,
            unless,
            with,
            without,
            without_above,
        } = &self.looks
        else {
            return Vec::new();
        };
        let is_meant = |one: &Selected<'_>| {
            let matches = |expression: &Expression| {
                let text = one.node.text();
                text.is_some_and(|text| expression.is_match(text.as_bytes()))
            };
            value.as_ref().is_none_or(matches)
                && !unless.as_ref().is_some_and(matches)
                && with.iter().all(|condition| condition.holds(one.node))
                && !without.iter().any(|condition| condition.holds(one.node))
                && !one
                    .above
                    .iter()
                    .any(|above| without_above.iter().any(|condition| condition.holds(above)))
        };
        let found = path.select(root).into_iter();
        found.filter(is_meant).map(|one| one.place).collect()
    }
}

/// Every rule that comes with the program, in order of the files.
#[must_use]
pub fn builtin() -> &'static [ConfigRule] {
    #[expect(clippy::expect_used, reason = "a test reads the same bytes")]
    static RULES: LazyLock<Vec<ConfigRule>> = LazyLock::new(|| {
        let files = BUILTIN.iter();
        files
            .flat_map(|(_, text)| parse(text).expect("a test reads the same bytes"))
            .collect()
    });
    &RULES
}

/// The page of every rule that comes with the program.
pub fn pages() -> impl Iterator<Item = RuleRef> {
    builtin().iter().map(|rule| RuleRef::Static(&rule.rule))
}

/// Why a file of rules cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// It is not the YAML that it should be.
    #[error("{0}")]
    Yaml(#[from] serde_saphyr::Error),
    /// A rule looks nowhere, or in two ways.
    #[error("rule `{0}`: expected either `at` or `line`")]
    Looks(String),
    /// An expression cannot be used.
    #[error("rule `{rule}`: {error}")]
    Expression {
        /// The rule.
        rule: String,
        /// What is wrong.
        error: crate::secrets::gitleaks::re2::ExpressionError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    rules: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    title: String,
    severity: Severity,
    why: String,
    fix: String,
    refs: Vec<String>,
    #[serde(rename = "in")]
    kinds: Vec<Kind>,
    at: Option<String>,
    value: Option<String>,
    unless: Option<String>,
    #[serde(default)]
    with: Vec<RawCondition>,
    #[serde(default)]
    without: Vec<RawCondition>,
    #[serde(default, rename = "without-above")]
    without_above: Vec<RawCondition>,
    #[serde(default)]
    document: Vec<RawCondition>,
    line: Option<String>,
    beside: Option<String>,
    #[serde(rename = "unless-beside")]
    unless_beside: Option<String>,
    bad: Vec<String>,
    good: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCondition {
    path: String,
    #[serde(default)]
    value: String,
}

/// Reads a file of rules.
///
/// # Errors
/// When it is not the YAML that it should be, or a rule cannot be used.
pub fn parse(text: &str) -> Result<Vec<ConfigRule>, RulesError> {
    let file: RawFile = serde_saphyr::from_str(text)?;
    file.rules.into_iter().map(RawRule::check).collect()
}

impl RawRule {
    fn check(self) -> Result<ConfigRule, RulesError> {
        let id = self.id;
        let expression = |text: &str| {
            Expression::new(text).map_err(|error| RulesError::Expression {
                rule: id.clone(),
                error,
            })
        };
        let optional = |text: Option<String>| text.map(|text| expression(&text)).transpose();
        let conditions = |raw: Vec<RawCondition>| -> Result<Vec<Condition>, RulesError> {
            let all = raw.into_iter().map(|one| {
                Ok(Condition {
                    path: Path::new(&one.path),
                    value: expression(&one.value)?,
                })
            });
            all.collect()
        };
        let looks = match (self.at, self.line) {
            (Some(at), None) => Looks::At {
                path: Path::new(&at),
                value: optional(self.value)?,
                unless: optional(self.unless)?,
                with: conditions(self.with)?,
                without: conditions(self.without)?,
                without_above: conditions(self.without_above)?,
            },
            (None, Some(line)) => Looks::Line {
                line: expression(&line)?,
                unless: optional(self.unless)?,
            },
            _ => return Err(RulesError::Looks(id)),
        };
        let refs = self.refs.into_iter().map(Cow::Owned).collect::<Vec<_>>();
        Ok(ConfigRule {
            beside: optional(self.beside)?,
            unless_beside: optional(self.unless_beside)?,
            document: conditions(self.document)?,
            rule: Rule {
                id: Cow::Owned(id.clone()),
                title: Cow::Owned(self.title),
                severity: self.severity,
                category: Category::Misconfiguration,
                refs: Cow::Owned(refs),
                why: Cow::Owned(self.why),
                fix: Cow::Owned(self.fix),
                entity: None,
            },
            kinds: self.kinds,
            bad: self.bad,
            good: self.good,
            looks,
        })
    }
}

/// What the examples of `rules` show: a sentence for each that does not hold.
///
/// Every bad example must be hit, and every good one must not, in a file of each kind of which it
/// is one; an example that is of none of the rule's kinds is a mistake.
#[must_use]
pub fn test(rules: &[ConfigRule]) -> Vec<String> {
    let mut failures = Vec::new();
    for rule in rules {
        let id = &rule.rule.id;
        if rule.bad.is_empty() || rule.good.is_empty() {
            failures.push(format!("`{id}` has no examples of both sorts"));
        }
        let bad = rule.bad.iter().map(|text| (text, true));
        let examples = bad.chain(rule.good.iter().map(|text| (text, false)));
        for (number, (text, is_bad)) in (1..).zip(examples) {
            let read = rule.kinds.iter().filter_map(|kind| {
                let document = Document::read(kind.example_path(), text).ok().flatten()?;
                (document.kind == *kind).then(|| rule.find(&document))
            });
            let hits: Vec<bool> = read.map(|found| !found.is_empty()).collect();
            let fails = if is_bad {
                !hits.contains(&true)
            } else {
                hits.is_empty() || hits.contains(&true)
            };
            if fails {
                let word = if is_bad { "missed" } else { "hit, or not read" };
                failures.push(format!("`{id}`: example {number} is {word}"));
            }
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scn_07_every_example_holds() {
        for (name, text) in BUILTIN {
            if let Err(error) = parse(text) {
                panic!("{name}: {error}");
            }
        }
        let failures = test(builtin());
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        assert!(builtin().len() >= 60, "{}", builtin().len());
    }

    #[test]
    fn ids_are_unique_and_pages_are_whole() {
        let mut ids: Vec<&str> = builtin().iter().map(|rule| &*rule.rule.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for rule in builtin() {
            let rule = &rule.rule;
            assert!(
                !rule.title.ends_with('.') && rule.why.ends_with('.') && rule.fix.ends_with('.'),
                "{}",
                rule.id
            );
            assert!(!rule.refs.is_empty(), "{}", rule.id);
        }
    }

    #[test]
    fn rules_look_in_one_way() {
        let rule = |looks: &str| {
            format!(
                "rules:\n  - {{id: x.y, title: t, severity: low, why: W., fix: F., refs: [CWE-1], in: [env], {looks} bad: [a], good: [b]}}\n"
            )
        };
        assert!(parse(&rule("line: a,")).is_ok());
        for wrong in ["", "line: a, at: b,", "line: '(',", "lines: a,"] {
            assert!(parse(&rule(wrong)).is_err(), "{wrong}");
        }
    }
}
