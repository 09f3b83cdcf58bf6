//! Trains the weights of the embedded classifier, reproducibly:
//! `cargo run --release -p bartizan-training -- --data DATA --encoder MODEL`.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a tool for developers: a bug should stop it, and its report goes to the terminal"
)]

mod augment;
mod calibrate;
mod card;
mod data;
mod encoder;
mod evaluate;
mod export;
mod folds;
mod harm;
mod net;
mod shape;
mod train;

use std::{fs, path::PathBuf};

use bartizan_classify::{Model, words::Word};
use clap::Parser;
use miette::{IntoDiagnostic, Result};

use crate::{
    data::{Data, Example, Eyes},
    encoder::Encoder,
    train::{Plan, Vocabulary},
};

/// Trains the classifier and measures it.
#[derive(Parser)]
struct Arguments {
    /// Folder with `injection`, `rag`, and `harm`.
    #[arg(long)]
    data: PathBuf,
    /// Folder with `model.safetensors` and `vocab.txt` of all-MiniLM-L6-v2.
    #[arg(long)]
    encoder: PathBuf,
    /// Where vectors of words are kept between runs.
    #[arg(long, default_value = "target/classifier-vectors.bin")]
    cache: PathBuf,
    /// Where the weights go.
    #[arg(long, default_value = "models/classifier.weights")]
    weights: PathBuf,
    /// Where the model card goes.
    #[arg(long, default_value = "docs/src/reference/model-card.md")]
    card: PathBuf,
    /// Examples drawn for the weights.
    #[arg(long, default_value_t = 560_000)]
    draws: usize,
    /// Examples drawn for each fold.
    #[arg(long, default_value_t = 128_000)]
    fold_draws: usize,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after the folds; nothing is written.
    #[arg(long)]
    folds_only: bool,
    /// Measure the public evaluation sets, too.
    #[arg(long)]
    public: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let data = Data::read(&arguments.data)?;
    println!("seed {}", arguments.seed);
    for (name, digest) in &data.digests {
        println!("{digest}  {name}");
    }
    println!(
        "{} examples to learn from; {} left out since the evaluation sets hold the same words; overlap now {}",
        data.train.len(),
        data.left_out,
        data.overlap()
    );
    let encoder = Encoder::read(&arguments.encoder)?;
    println!("{}  teacher", encoder.digest());
    let words: Vec<String> = encoder.whole_words().map(str::to_owned).collect();
    let vectors = encoder::cached(&encoder, &words, &arguments.cache)?;
    let teacher = train::Teacher {
        vectors: encoder::principal(&vectors, shape::WIDTH),
        words: words
            .iter()
            .map(|word| {
                Word {
                    bytes: word.as_bytes(),
                    is_lettered: true,
                }
                .hash()
            })
            .collect(),
    };
    let mut all = data.train.clone();
    all.extend(augment::contrast(&data.train, arguments.seed + 2));
    let plan = |draws| Plan {
        draws,
        seed: arguments.seed,
    };
    let unseen = folds::cross(&all, &teacher, plan(arguments.fold_draws));
    let measured = folds::measure(&unseen);
    println!("{}", card::unseen(&unseen, &measured));
    if arguments.folds_only {
        return Ok(());
    }
    let examples: Vec<&Example> = all.iter().collect();
    let vocabulary = Vocabulary::new(&examples, &teacher);
    let net = train::train(&examples, &vocabulary, plan(arguments.draws));
    let bytes = export::encode(&net, &vocabulary, &measured)?;
    let model = Model::load(bytes).into_diagnostic()?;
    let eyes = Eyes::default();
    let score = |examples| evaluate::all(&model, &eyes, examples);
    let (dev, rag_dev, harm) = (
        score(&data.dev),
        score(&data.rag_dev),
        score(&data.harm_test),
    );
    let measured = measured.with_harms(&harm, &dev);
    let bytes = export::encode(&net, &vocabulary, &measured)?;
    fs::write(&arguments.weights, &bytes).into_diagnostic()?;
    let model = Model::load(bytes).into_diagnostic()?;
    println!("version {}", model.version());
    let share_alike = score(&data.share_alike);
    let mut sets = vec![
        ("dev", dev),
        ("rag/dev", rag_dev),
        ("share-alike", share_alike),
    ];
    if arguments.public {
        sets.push(("eval_public", score(&data.eval_public)));
        sets.push(("rag/eval", score(&data.rag_eval)));
    }
    let card = card::card(&card::Facts {
        data: &data,
        seed: arguments.seed,
        teacher: encoder.digest(),
        model: &model,
        measured: &measured,
        unseen: &unseen,
        sets: &sets,
        harm: &harm,
    });
    println!("{card}");
    fs::write(&arguments.card, card).into_diagnostic()
}
