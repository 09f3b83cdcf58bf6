//! Trains and measures the tagger of names and places.

mod data;
mod evaluate;
mod field;
mod filter;
mod train;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train the weights; the same inputs give the same bytes
    Train(TrainArgs),
    /// Measure weights
    Eval(EvalArgs),
}

/// What to train on.
#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    /// Directory with `pii/`, `injection/` and `rag/`
    #[arg(long)]
    data: PathBuf,
    /// Directories that `scripts/generate_names.py` wrote
    #[arg(long, required = true)]
    synthetic: Vec<PathBuf>,
    /// Leave one in four of the dev templates out, to measure on them
    #[arg(long)]
    hold_out: bool,
    /// Passes over the data
    #[arg(long, default_value_t = 5)]
    epochs: usize,
    /// Where the weights go
    #[arg(long, default_value = "crates/text/src/names/names.weights")]
    out: PathBuf,
}

/// What to measure on.
#[derive(Debug, clap::Args)]
pub(crate) struct EvalArgs {
    /// Directory with `pii/`, `injection/` and `rag/`
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Part of the labelled set
    #[arg(long, value_enum, default_value_t = Split::Dev)]
    split: Split,
    /// Only the dev templates that `train --hold-out` left out
    #[arg(long)]
    held_out: bool,
    /// Weights to measure
    #[arg(long, default_value = "crates/text/src/names/names.weights")]
    weights: PathBuf,
    /// Least confidence of what counts
    #[arg(long, default_value_t = bartizan_text::names::NamesConfig::MIN_CONFIDENCE)]
    min_confidence: f32,
    /// Print up to this many mistakes and false alarms, for a person to read
    #[arg(long, default_value_t = 0)]
    show: usize,
}

/// Part of the labelled set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Split {
    /// For development
    Dev,
    /// For the final report only
    Eval,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> miette::Result<()> {
    match &args.command {
        Command::Train(args) => train::run(args),
        Command::Eval(args) => evaluate::run(args),
    }
}
