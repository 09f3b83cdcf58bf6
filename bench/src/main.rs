//! End-to-end measurements, beside peers on the same work in the same run.
//!
//! Prints Markdown tables. Times are processor times of the measuring thread, so that other work
//! on the machine changes them little; every figure stands beside a peer, a limit, or a base that
//! was measured in the same run.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

mod adversarial;
mod classify;
mod clock;
mod corpus;
mod digest;
mod engines;
mod forty;
mod hostile;
mod latency;
mod memory;
mod patterns;
mod ratio;
mod stages;
mod startup;
mod table;
mod throughput;
mod transformer;
mod work;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures Bartizan beside its peers and its own limits
#[derive(Parser)]
struct Args {
    /// What to measure
    what: What,
    /// Megabytes of text for throughput
    #[arg(long, default_value_t = 100)]
    mb: usize,
    /// Megabytes of text for memory
    #[arg(long, default_value_t = 1000)]
    stream_mb: usize,
    /// Different prompts for latency
    #[arg(long, default_value_t = 20_000)]
    prompts: usize,
    /// Repetitions, of which the median counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Bytes of a piece for stages and hostile texts
    #[arg(long, default_value_t = 64 << 10)]
    piece: usize,
    /// Bytes of text for stages
    #[arg(long, default_value_t = 4_000_000)]
    bytes: usize,
    /// The texts whose names hold this, for stages and hostile texts
    #[arg(long, default_value = "")]
    text: String,
    /// The release binary, for startup and memory
    #[arg(long)]
    binary: Option<PathBuf>,
    /// The result of `bench/presidio.py`
    #[arg(long)]
    presidio: Option<PathBuf>,
    /// Where to write a sample of the mixed text
    #[arg(long, default_value = "sample.txt")]
    out: PathBuf,
    /// One line for each piece, for digest
    #[arg(long)]
    each: bool,
    /// The engine, for work
    #[arg(long, value_enum, default_value = "full")]
    engine: work::Engine,
    /// Texts to read line by line and in pieces, for digest; folders, for transformer
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Megabytes a second, beside forty patterns in one expression and beside Presidio
    Throughput,
    /// Time of one prompt
    Latency,
    /// Other scripts over plain ASCII
    Ratio,
    /// Text made to be slow
    Adversarial,
    /// Time until the first answer
    Startup,
    /// Peak memory of a long stream
    Memory,
    /// The classifier alone, and what it adds to the guard
    Classify,
    /// Classifiers of one's own in the folders `FILES`, beside the embedded one
    Transformer,
    /// Where the time goes
    Stages,
    /// Which patterns cost most
    Patterns,
    /// Everything but stages
    All,
    /// Fingerprints of everything that is found in the corpus and in `FILES`, to compare two builds
    Digest,
    /// One engine over one text, `--runs` times: for a profiler
    Work,
    /// Write 1 MB of the mixed text, for other tools to be measured on
    Sample,
    /// Stream standard input: the process whose memory is measured
    #[value(hide = true)]
    Stream,
}

fn main() -> Result<(), miette::Report> {
    let args = Args::parse();
    let (runs, binary) = (args.runs, args.binary.as_deref());
    let wanted = |what| args.what == what || args.what == What::All;
    // First, while nothing is warm.
    if wanted(What::Startup) {
        startup::run(binary)?;
    }
    if wanted(What::Throughput) {
        throughput::run(args.mb, runs, args.presidio.as_deref())?;
    }
    if wanted(What::Latency) {
        latency::run(args.prompts, runs)?;
    }
    if wanted(What::Ratio) {
        ratio::run(runs)?;
    }
    if wanted(What::Adversarial) {
        adversarial::run(runs, &args.text)?;
    }
    if wanted(What::Classify) {
        classify::run(args.prompts)?;
    }
    if wanted(What::Memory) {
        memory::run(args.stream_mb, binary)?;
    }
    match args.what {
        What::Transformer => transformer::run(&args.files, runs),
        What::Stages => stages::run(runs, args.bytes, args.piece, &args.text),
        What::Patterns => patterns::run(&args.text),
        What::Digest => digest::run(&args.files, args.each),
        What::Work => work::run(args.engine, runs, args.bytes, args.piece, &args.text),
        What::Stream => memory::stream(),
        What::Sample => std::fs::write(&args.out, corpus::mixed(1_000_000))
            .map_err(|error| miette::miette!("cannot write `{}`: {error}", args.out.display())),
        _ => Ok(()),
    }
}
