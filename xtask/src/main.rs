//! Generates what is generated, and measures what is claimed: tables, schemas, reference pages,
//! trained weights, detection rates.
#![allow(clippy::print_stdout, reason = "a command line tool")]

mod docs;
mod eval_pii;
mod eval_rules;
mod eval_secrets;
mod fold_table;
mod generate;
mod links;
mod names;
mod packs;
mod schemas;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check that generated files, rule examples, and links of the documentation are in order
    Check(generate::Args),
    /// Precision and recall on the PII sets
    EvalPii(eval_pii::Args),
    /// Recall and false positives of the rule packs
    EvalRules(eval_rules::Args),
    /// Precision and recall on the secrets set
    EvalSecrets(eval_secrets::Args),
    /// Generate the folding table of bartizan-text
    FoldTable(fold_table::Args),
    /// Rebuild every generated file
    Generate(generate::Args),
    /// Train and measure the tagger of names and places
    Names(names::Args),
    /// Compile the built-in rule packs
    Packs(packs::Args),
}

fn main() -> miette::Result<()> {
    dispatch(Cli::parse().command)
}

fn dispatch(command: Command) -> miette::Result<()> {
    match command {
        Command::Check(args) => generate::check(&args),
        Command::EvalPii(args) => eval_pii::run(&args),
        Command::EvalRules(args) => eval_rules::run(&args),
        Command::EvalSecrets(args) => eval_secrets::run(&args),
        Command::FoldTable(args) => fold_table::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Names(args) => names::run(&args),
        Command::Packs(args) => packs::run(&args),
    }
}
