//! Recall and false positives of the rule packs.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan_core::{Category, Check, Cx, Finding, Layer, Limits, Origin};
use bartizan_measure::wilson;
use bartizan_text::{
    PatternsBuilder, Scanner, Text,
    rules::{Rules, template_tokens::TemplateTokens},
    views::ViewLimits,
};
use miette::{IntoDiagnostic, WrapErr, miette};
use serde::Deserialize;

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rows to read
    #[arg(long, value_enum, default_value = "dev")]
    split: Split,
    /// Folder of data sets
    #[arg(long, env = "BARTIZAN_DATA", default_value = "../shared/data")]
    data: PathBuf,
    /// Folder of packs
    #[arg(long, default_value = "packs")]
    packs: PathBuf,
    /// Also by family of the rules
    #[arg(long)]
    family: bool,
    /// Also by rule: attacks and benign rows that each flags, and flags alone
    #[arg(long)]
    rules: bool,
    /// Show rows that were wrongly flagged or missed
    #[arg(long, value_enum)]
    show: Option<Show>,
    /// How many of them
    #[arg(long, default_value_t = 20)]
    count: usize,
    /// Only rows of this source
    #[arg(long)]
    source: Option<String>,
    /// Only rows of this language
    #[arg(long)]
    lang: Option<String>,
    /// Confidence from which a finding flags its row
    #[arg(long, default_value_t = 0.5)]
    threshold: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Split {
    Train,
    Dev,
    Eval,
}

impl Split {
    const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Train => &["train-00.jsonl", "train-01.jsonl"],
            Self::Dev => &["dev.jsonl"],
            Self::Eval => &["eval_public.jsonl"],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Show {
    Fp,
    Fn,
}

#[derive(Debug, Deserialize)]
struct Row {
    text: String,
    label: String,
    #[serde(default, alias = "set")]
    source: String,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    variant: Option<String>,
}

impl Row {
    fn is_attack(&self) -> bool {
        matches!(self.label.as_str(), "injection" | "jailbreak")
    }
}

/// Kinds of harm that make a row an attack.
const ATTACKS: [Category; 6] = [
    Category::Injection,
    Category::Jailbreak,
    Category::PromptExtraction,
    Category::ToolHijack,
    Category::Exfiltration,
    Category::Amplification,
];

/// Characters of a shown row.
const SHOWN: usize = 400;

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    flagged: u32,
    all: u32,
}

impl Count {
    fn add(&mut self, flagged: bool) {
        self.flagged += u32::from(flagged);
        self.all += 1;
    }

    fn show(self, name: &str) {
        let interval = wilson(self.flagged.into(), self.all.into());
        let (low, high) = interval.map_or((0.0, 1.0), |interval| (interval.low, interval.high));
        let (low, high) = (100.0 * low, 100.0 * high);
        let share = 100.0 * f64::from(self.flagged) / f64::from(self.all.max(1));
        println!(
            "  {name:<34} {share:6.2} %  [{low:6.2}, {high:6.2}]  {} of {}",
            self.flagged, self.all
        );
    }
}

#[derive(Debug, Default)]
struct PerRule {
    attacks: u32,
    benign: u32,
    alone_attacks: u32,
    alone_benign: u32,
}

type Table = BTreeMap<String, Count>;

/// Runs the command.
pub(crate) fn run(args: &Args) -> miette::Result<()> {
    let set = crate::packs::load(&args.packs)?;
    let families: BTreeMap<String, String> = set
        .packs()
        .flat_map(bartizan_text::rules::Pack::rules)
        .map(|info| {
            let family = info.family.unwrap_or("none").to_owned();
            (info.rule.id.to_string(), family)
        })
        .collect();
    println!("{} rules, version {}", set.len(), set.version());
    let mut builder = PatternsBuilder::default();
    let checks: Vec<Box<dyn for<'a> Check<Text<'a>>>> = vec![
        Box::new(Rules::register(Arc::clone(&set), &mut builder).into_diagnostic()?),
        Box::new(TemplateTokens::register(&mut builder).into_diagnostic()?),
    ];
    let scanner = Scanner::new(Arc::new(builder.build()), ViewLimits::default());

    let mut tables: [(&str, Table); 5] = [
        ("by label", Table::new()),
        ("attacks by source", Table::new()),
        ("benign by source (flagged only)", Table::new()),
        ("attacks by language", Table::new()),
        ("attacks by variant", Table::new()),
    ];
    let mut by_rule: BTreeMap<String, PerRule> = BTreeMap::new();
    let mut by_family: BTreeMap<String, PerRule> = BTreeMap::new();
    let mut left_to_show = args.count;
    for file in args.split.files() {
        let path = args.data.join("injection").join(file);
        for row in rows(&path)? {
            let row = row?;
            let of_source = args
                .source
                .as_ref()
                .is_none_or(|source| *source == row.source);
            if !of_source || args.lang.as_ref().is_some_and(|lang| *lang != row.lang) {
                continue;
            }
            let mut hits: Vec<String> = findings(&checks, &scanner, &row.text)
                .into_iter()
                .filter(|finding| {
                    finding.confidence.get() >= args.threshold
                        && ATTACKS.contains(&finding.rule.category)
                })
                .map(|finding| finding.rule.id.to_string())
                .collect();
            hits.sort();
            hits.dedup();
            let (flagged, attack) = (!hits.is_empty(), row.is_attack());
            tally(&mut tables, &row, flagged);
            count_rules(&mut by_rule, &hits, attack);
            let mut kinds: Vec<String> = hits
                .iter()
                .filter_map(|id| families.get(id).cloned())
                .collect();
            kinds.sort();
            kinds.dedup();
            count_rules(&mut by_family, &kinds, attack);
            let wrong = match args.show {
                Some(Show::Fp) => flagged && !attack,
                Some(Show::Fn) => !flagged && attack,
                None => false,
            };
            if wrong && left_to_show > 0 {
                left_to_show -= 1;
                let said: String = row.text.chars().take(SHOWN).collect();
                let rules = hits.join(" ");
                println!(
                    "- {} {} {} {rules}\n    {said:?}",
                    row.label, row.source, row.lang
                );
            }
        }
    }
    for (name, table) in &tables {
        println!("{name}");
        for (key, count) in table {
            if count.flagged > 0 || !name.starts_with("benign") {
                count.show(key);
            }
        }
    }
    if args.family {
        show_rules("by family", &by_family);
    }
    if args.rules {
        show_rules("by rule", &by_rule);
    }
    Ok(())
}

fn rows(path: &Path) -> miette::Result<impl Iterator<Item = miette::Result<Row>>> {
    let text = fs::read_to_string(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read `{}`; give `--data`", path.display()))?;
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let name = path.display().to_string();
    Ok(lines.into_iter().enumerate().map(move |(index, line)| {
        serde_json::from_str(&line).map_err(|error| miette!("{name}:{}: {error}", index + 1))
    }))
}

fn findings(
    checks: &[Box<dyn for<'a> Check<Text<'a>>>],
    scanner: &Scanner,
    text: &str,
) -> Vec<Finding> {
    let text = scanner.read(Origin::User, text.as_bytes());
    let mut findings = Vec::new();
    for check in checks {
        let mut cx = Cx::new(Layer::Rules, Limits::default(), &mut findings);
        // Rows are far smaller than the default limits.
        let _ = check.check(&text, &mut cx);
    }
    findings
}

fn tally(tables: &mut [(&str, Table); 5], row: &Row, flagged: bool) {
    let [by_label, by_source, benign, by_language, by_variant] = tables;
    let add = |table: &mut (&str, Table), key: &str| {
        table.1.entry(key.to_owned()).or_default().add(flagged);
    };
    add(by_label, &row.label);
    if row.is_attack() {
        add(by_label, "attacks");
        add(by_source, &row.source);
        add(by_language, &row.lang);
        add(by_variant, row.variant.as_deref().unwrap_or("plain"));
    } else {
        add(by_label, "not attacks");
        add(benign, &row.source);
    }
}

fn count_rules(table: &mut BTreeMap<String, PerRule>, hits: &[String], attack: bool) {
    for id in hits {
        let counts = table.entry(id.clone()).or_default();
        let alone = u32::from(hits.len() == 1);
        if attack {
            counts.attacks += 1;
            counts.alone_attacks += alone;
        } else {
            counts.benign += 1;
            counts.alone_benign += alone;
        }
    }
}

fn show_rules(title: &str, table: &BTreeMap<String, PerRule>) {
    println!("{title}: attacks (alone), benign (alone)");
    let mut rows: Vec<_> = table.iter().collect();
    rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.benign));
    for (id, counts) in rows {
        println!(
            "  {id:<44} {:6} ({:5})  {:5} ({:4})",
            counts.attacks, counts.alone_attacks, counts.benign, counts.alone_benign
        );
    }
}
