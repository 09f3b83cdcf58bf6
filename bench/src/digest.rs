//! What the engines find, as fingerprints: two builds that find the same print the same.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use bartizan_core::Origin;
use bartizan_guard::{Guard, NO_CLOCK, Subject};

use crate::{
    corpus,
    engines::{self, Sensitive},
    hostile,
};

/// Bytes of a piece that a file is read in where it is not read line by line.
const PIECE: usize = 64 << 10;

/// Prints one line for each text of the corpus and for each of `files`: findings, and what they
/// are; with `each`, one line for each piece.
pub(crate) fn run(files: &[PathBuf], each: bool) -> Result<(), miette::Report> {
    let guard = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let sensitive = Sensitive::new().map_err(|error| miette::miette!("{error}"))?;
    let digest = |name: &str, pieces: &mut dyn Iterator<Item = &str>| {
        let (mut findings, mut sum) = (0, 0u64);
        for (number, piece) in pieces.enumerate() {
            let (of_piece, count) = fingerprint(&guard, &sensitive, piece);
            findings += count;
            sum = sum
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .wrapping_add(of_piece);
            if each {
                say(&format!("{name}:{number} {count} {of_piece:016x}"));
            }
        }
        say(&format!("{name} {findings} {sum:016x}"));
    };
    let mut texts = vec![
        ("mixed", corpus::mixed(2_000_000)),
        ("personal", corpus::personal(1_000_000)),
        ("code", corpus::only_code(400_000)),
        ("log", corpus::only_log(400_000)),
        (
            "Cyrillic letters",
            corpus::every_eighth_word_cyrillic(400_000),
        ),
    ];
    for number in [0, 5, 6, 8] {
        texts.push(("language", corpus::language(number, 400_000)));
    }
    texts.extend(hostile::texts(PIECE));
    for (name, text) in &texts {
        digest(name, &mut engines::pieces(text, PIECE));
        digest(name, &mut engines::pieces(text, 1000));
    }
    for path in files {
        let text = read(path)?;
        let name = path.display().to_string();
        digest(&name, &mut text.lines());
        digest(&name, &mut engines::pieces(&text, PIECE));
    }
    Ok(())
}

fn fingerprint(guard: &Guard, sensitive: &Sensitive, text: &str) -> (u64, usize) {
    let mut hasher = DefaultHasher::new();
    let subject = Subject::input(text.as_bytes(), Origin::User);
    let report = guard.inspect(&subject, NO_CLOCK).report;
    format!("{report:?}").hash(&mut hasher);
    let alone = sensitive.found(text);
    format!("{alone:?}").hash(&mut hasher);
    (hasher.finish(), report.findings.len() + alone.len())
}

fn read(path: &Path) -> Result<String, miette::Report> {
    std::fs::read_to_string(path)
        .map_err(|error| miette::miette!("cannot read `{}`: {error}", path.display()))
}

fn say(line: &str) {
    use std::io::Write as _;
    // Nobody reads what a closed pipe does not take.
    let _ = writeln!(std::io::stdout(), "{line}");
}
