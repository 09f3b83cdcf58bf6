use std::{num::NonZeroUsize, path::PathBuf};

use bartizan_core::{Category, Origin, Sink, Verdict};
use clap::{Args, ValueEnum};

use super::Setup;

#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// Labelled texts in JSON Lines, CSV, TSV, or Parquet; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// What the files are; told from their content otherwise
    #[arg(long, value_name = "FORMAT", help_heading = "Data")]
    pub(crate) input_format: Option<InputFormat>,
    /// Column of the texts; `a.b` for a field in a field
    #[arg(long, value_name = "NAME", help_heading = "Data")]
    pub(crate) text_column: Option<String>,
    /// Column of the labels
    #[arg(long, value_name = "NAME", help_heading = "Data")]
    pub(crate) label_column: Option<String>,
    /// Column that `--errors` names rows by, beside file and line
    #[arg(long, value_name = "NAME", help_heading = "Data")]
    pub(crate) id_column: Option<String>,
    /// Labels of what should be caught, e.g. injection,jailbreak
    #[arg(
        long,
        value_name = "LABELS",
        value_delimiter = ',',
        help_heading = "Data"
    )]
    pub(crate) positive: Vec<String>,
    /// Labels of what should pass; every other label with `--positive` alone
    #[arg(
        long,
        value_name = "LABELS",
        value_delimiter = ',',
        help_heading = "Data"
    )]
    pub(crate) negative: Vec<String>,
    /// Column to break the numbers down by, `file` for the files; may be given several times;
    /// source and language if there are such columns
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        help_heading = "Data"
    )]
    pub(crate) by: Vec<String>,
    /// Evaluate only so many rows, drawn at random
    #[arg(long, value_name = "N", help_heading = "Data")]
    pub(crate) sample: Option<NonZeroUsize>,
    /// Fixes what is drawn at random: the sample and the intervals
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Data")]
    pub(crate) seed: u64,

    /// Who wrote the texts: system, user, retrieved, tool, model
    #[arg(long, help_heading = "Where they stand")]
    pub(crate) origin: Option<Origin>,
    /// They come from the model
    #[arg(long, help_heading = "Where they stand")]
    pub(crate) output: bool,
    /// Where the output goes: html, markdown, sql, shell, template, url, csv; implies `--output`
    #[arg(long, help_heading = "Where they stand")]
    pub(crate) sink: Option<Sink>,
    /// The route, for policy rows and exceptions
    #[arg(long, default_value = "", help_heading = "Where they stand")]
    pub(crate) route: String,

    /// What is compared with the labels as a score
    #[arg(
        long,
        value_name = "SCORE",
        default_value = "risk",
        help_heading = "What counts"
    )]
    pub(crate) score: ScoreKind,
    /// Mildest verdict that counts as caught
    #[arg(
        long,
        value_name = "VERDICT",
        default_value = "ask",
        help_heading = "What counts"
    )]
    pub(crate) caught: CaughtFrom,
    /// Only findings of these categories, e.g. injection,jailbreak
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        value_parser = category,
        help_heading = "What counts"
    )]
    pub(crate) category: Vec<Category>,
    /// Configuration or policy file to compare with
    #[arg(long, value_name = "FILE", help_heading = "What counts")]
    pub(crate) against: Option<PathBuf>,
    /// Samples behind the intervals that have no formula; 0 for none
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(..=100_000),
        help_heading = "What counts"
    )]
    pub(crate) bootstrap: u32,

    #[command(flatten)]
    pub(crate) setup: Setup,

    /// How the report is written
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        help_heading = "Output"
    )]
    pub(crate) format: EvalFormat,
    /// Also write a page with plots
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) html: Option<PathBuf>,
    /// Also write the score of each row, as JSON Lines without texts
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) scores: Option<PathBuf>,
    /// List so many wrongly caught and so many missed rows, by line and rule
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        value_parser = clap::value_parser!(u16),
        help_heading = "Output"
    )]
    pub(crate) errors: u16,
    /// Show the texts of listed rows; they may hold personal data
    #[arg(long, help_heading = "Output", requires = "errors")]
    pub(crate) show_text: bool,
    /// Threads; as many as there are processors otherwise
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub(crate) jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) gates: Gates,
}

/// What must hold; each is a share from 0 to 1.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Gates (exit code 1 if one fails)")]
pub(crate) struct Gates {
    /// Least recall of what the policy decides, 0 to 1
    #[arg(long, value_name = "P", value_parser = share)]
    pub(crate) min_recall: Option<f64>,
    /// Highest false-positive rate of what the policy decides, 0 to 1
    #[arg(long, value_name = "P", value_parser = share)]
    pub(crate) max_fpr: Option<f64>,
    /// Least precision of what the policy decides, 0 to 1
    #[arg(long, value_name = "P", value_parser = share)]
    pub(crate) min_precision: Option<f64>,
    /// Least area under the ROC curve, 0 to 1
    #[arg(long, value_name = "P", value_parser = share)]
    pub(crate) min_auc: Option<f64>,
    /// Least average precision, 0 to 1
    #[arg(long, value_name = "P", value_parser = share)]
    pub(crate) min_average_precision: Option<f64>,
    /// Highest expected calibration error, 0 to 1
    #[arg(long, value_name = "P", value_parser = share)]
    pub(crate) max_ece: Option<f64>,
    /// Least recall at a false-positive rate, e.g. 0.01=0.9; may be given several times
    #[arg(long, value_name = "FPR=P", value_parser = recall_at)]
    pub(crate) min_recall_at: Vec<(f64, f64)>,
}

/// A file format of labelled texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// JSON Lines: an object a line
    Jsonl,
    /// Comma-separated values, names of columns in the first line
    Csv,
    /// The same, separated by tabs
    Tsv,
    /// Apache Parquet
    Parquet,
}

impl InputFormat {
    /// The name used in arguments and output.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Parquet => "parquet",
        }
    }
}

/// What is compared with the labels as a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScoreKind {
    /// 1 minus the policy's safety score
    Risk,
    /// Confidence of the surest finding, whatever the policy makes of it
    Confidence,
}

impl ScoreKind {
    /// The name used in arguments and output.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Confidence => "confidence",
        }
    }
}

/// The mildest verdict that counts as caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CaughtFrom {
    /// Edited, asked about, or refused
    Redact,
    /// Asked about or refused
    Ask,
    /// Refused
    Block,
}

impl From<CaughtFrom> for Verdict {
    fn from(from: CaughtFrom) -> Self {
        match from {
            CaughtFrom::Redact => Self::Redact,
            CaughtFrom::Ask => Self::Ask,
            CaughtFrom::Block => Self::Block,
        }
    }
}

/// How an evaluation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvalFormat {
    /// For people
    Human,
    /// For programs; `bartizan schema eval` describes it
    Json,
}

fn category(name: &str) -> Result<Category, String> {
    Category::ALL
        .into_iter()
        .find(|category| category.as_str() == name)
        .ok_or_else(|| {
            let known = Category::ALL.map(Category::as_str).join(", ");
            format!("expected one of {known}")
        })
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "no number".to_owned())?;
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else if (1.0..=100.0).contains(&value) {
        Err(format!("is above 1; write {} for {value} %", value / 100.0))
    } else {
        Err("expected a number from 0 to 1".to_owned())
    }
}

fn recall_at(text: &str) -> Result<(f64, f64), String> {
    let (rate, recall) = text
        .split_once('=')
        .ok_or("expected a rate and a recall, e.g. `0.01=0.9`")?;
    Ok((share(rate)?, share(recall)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_from_0_to_1() {
        assert_eq!(share("0.5"), Ok(0.5));
        assert_eq!(
            share("95"),
            Err("is above 1; write 0.95 for 95 %".to_owned())
        );
        assert!(share("NaN").is_err() && share("-1").is_err() && share("x").is_err());
        assert_eq!(recall_at("0.01=0.9"), Ok((0.01, 0.9)));
        assert!(recall_at("0.01").is_err());
    }

    #[test]
    fn categories_have_their_names() {
        assert_eq!(category("jailbreak"), Ok(Category::Jailbreak));
        assert!(category("jail").is_err());
    }
}
