//! Precision and recall on the secrets set.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use bartizan_core::{Check, Cx, Finding, Layer, Limits, Origin};
use bartizan_measure::wilson;
use bartizan_text::{PatternsBuilder, Scanner, secrets::Secrets, views::ViewLimits};
use miette::{Context, IntoDiagnostic};
use serde::Deserialize;

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The part of the set to measure
    #[arg(long, default_value = "eval")]
    split: String,
    /// Folder of the data sets
    #[arg(long, env = "BARTIZAN_DATA", default_value = "../shared/data")]
    data: PathBuf,
    /// List the ids of missed secrets and of findings that are none, by kind
    #[arg(long)]
    errors: bool,
}

#[derive(Debug, Deserialize)]
struct Row {
    id: String,
    text: String,
    label: String,
    #[serde(default)]
    spans: Vec<Labelled>,
}

/// Offsets in code points.
#[derive(Debug, Deserialize)]
struct Labelled {
    start: usize,
    end: usize,
    #[serde(rename = "type")]
    kind: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> miette::Result<()> {
    let path = args.data.join(format!("secrets/{}.jsonl", args.split));
    let rows = read(&path)?;
    let mut builder = PatternsBuilder::default();
    let secrets = Secrets::new(&mut builder).into_diagnostic()?;
    let patterns = builder.build();
    let scanner = Scanner::new(patterns.into(), ViewLimits::default());

    let mut tally = Tally::default();
    for row in &rows {
        let text = scanner.read(Origin::User, row.text.as_bytes());
        let mut findings: Vec<Finding> = Vec::new();
        let mut cx = Cx::new(Layer::Sensitive, Limits::default(), &mut findings);
        secrets.check(&text, &mut cx).into_diagnostic()?;
        tally.add(row, &findings);
    }
    tally.print(args.errors);
    Ok(())
}

fn read(path: &Path) -> miette::Result<Vec<Row>> {
    let text = std::fs::read_to_string(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read `{}`", path.display()))?;
    text.lines()
        .enumerate()
        .map(|(number, line)| {
            serde_json::from_str(line)
                .into_diagnostic()
                .wrap_err_with(|| format!("line {} of `{}`", number + 1, path.display()))
        })
        .collect()
}

/// Successes among trials.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    hits: u32,
    of: u32,
}

impl Rate {
    fn count(&mut self, hit: bool) {
        self.of += 1;
        self.hits += u32::from(hit);
    }

    fn interval(self) -> (f64, f64) {
        let interval = wilson(self.hits.into(), self.of.into());
        interval.map_or((0.0, 1.0), |interval| (interval.low, interval.high))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.interval();
        let share = if self.of == 0 {
            0.0
        } else {
            f64::from(self.hits) / f64::from(self.of)
        };
        write!(
            f,
            "{:>5}/{:<5} {:>6.2} % [{:.2}, {:.2}]",
            self.hits,
            self.of,
            100.0 * share,
            100.0 * low,
            100.0 * high
        )
    }
}

#[derive(Debug, Default)]
struct Tally {
    /// Secrets that a finding touches: labels include names and quotes around some secrets,
    /// findings never do.
    recall: BTreeMap<String, Rate>,
    /// Findings that touch a labelled secret, by rule.
    precision: BTreeMap<String, Rate>,
    benign: Rate,
    missed: Vec<(String, String)>,
    spurious: Vec<(String, String)>,
}

impl Tally {
    fn add(&mut self, row: &Row, findings: &[Finding]) {
        let found: Vec<_> = findings
            .iter()
            .filter_map(|finding| Some((finding, finding.span?.as_range())))
            .collect();
        let labels: Vec<_> = row
            .spans
            .iter()
            .map(|label| (label, bytes(&row.text, label)))
            .collect();
        for (label, range) in &labels {
            let hit = found.iter().any(|(_, span)| touches(span, range));
            self.recall
                .entry(label.kind.clone())
                .or_default()
                .count(hit);
            if !hit {
                self.missed.push((label.kind.clone(), row.id.clone()));
            }
        }
        for (finding, span) in &found {
            let hit = labels.iter().any(|(_, range)| touches(span, range));
            let rule = finding.rule.id.to_string();
            self.precision.entry(rule.clone()).or_default().count(hit);
            if !hit {
                self.spurious.push((rule, row.id.clone()));
            }
        }
        if row.label == "benign" {
            self.benign.count(!found.is_empty());
        }
    }

    fn print(&self, errors: bool) {
        println!("recall by kind");
        for (kind, rate) in &self.recall {
            println!("  {kind:<28} {rate}");
        }
        println!("precision by rule");
        for (rule, rate) in &self.precision {
            println!("  {rule:<40} {rate}");
        }
        println!("recall               {}", total(&self.recall));
        println!("precision            {}", total(&self.precision));
        println!("benign rows flagged  {}", self.benign);
        if errors {
            for (what, list) in [("missed", &self.missed), ("spurious", &self.spurious)] {
                for (kind, id) in list {
                    println!("{what} {kind} {id}");
                }
            }
        }
    }
}

fn total(rates: &BTreeMap<String, Rate>) -> Rate {
    rates.values().fold(Rate::default(), |sum, rate| Rate {
        hits: sum.hits + rate.hits,
        of: sum.of + rate.of,
    })
}

fn touches(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The bytes of `text` that a label in code points means.
fn bytes(text: &str, label: &Labelled) -> Range<usize> {
    let at = |point: usize| {
        text.char_indices()
            .nth(point)
            .map_or(text.len(), |(byte, _)| byte)
    };
    at(label.start)..at(label.end)
}
