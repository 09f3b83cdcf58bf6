//! Tries every law on committed inputs, without a fuzzer.
//!
//! `replay` reads `corpus/` and `regressions/`; `replay TARGET FILE...` reads those files.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use bartizan_fuzz::TARGETS;

fn main() -> io::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        return all();
    };
    let Some((_, law)) = TARGETS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!(
            "unknown target `{name}`, expected one of {}",
            known.join(", ")
        );
        return Ok(ExitCode::from(2));
    };
    for file in arguments {
        law(&std::fs::read(&file)?);
        println!("{file}: holds");
    }
    Ok(ExitCode::SUCCESS)
}

fn all() -> io::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, law) in TARGETS {
        let files: Vec<PathBuf> = ["corpus", "regressions"]
            .iter()
            .flat_map(|kind| files(&root.join(kind).join(name)))
            .collect();
        for file in &files {
            // The name is on the screen if the law panics.
            eprint!("\r{name}: {}\x1b[K", file.display());
            law(&std::fs::read(file)?);
        }
        eprintln!("\r{name}: {} inputs hold\x1b[K", files.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}
