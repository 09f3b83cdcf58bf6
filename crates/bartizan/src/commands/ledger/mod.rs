//! `bartizan ledger`: the tamper-evident record, from the command line.

mod export;
mod prove;
mod timeline;
mod verify;

use std::path::{Path, PathBuf};

use bartizan_gateway::record::{LEDGER, VERIFIER_KEY_FILE};
use bartizan_ledger::{Folder, Reader, SignedCheckpoint, Storage as _, Trust, VerifierKey};
use serde_json::json;

use super::serve::data_folder;
use crate::{
    cli::{Anchor, KeyPlace, LedgerCommand, PlainFormat},
    engine::config_at,
    exit::Exit,
    files,
    input::cannot_read,
    output,
    problem::{Problem, Problems},
};

/// Does what the arguments say.
pub(crate) fn run(command: LedgerCommand) -> Result<Exit, Problems> {
    match command {
        LedgerCommand::Verify(arguments) => verify::run(&arguments),
        LedgerCommand::Prove(arguments) => prove::run(&arguments),
        LedgerCommand::Export(arguments) => export::run(&arguments),
        LedgerCommand::Checkpoint(arguments) => checkpoint(&arguments),
        LedgerCommand::Timeline(arguments) => timeline::run(&arguments),
    }
}

/// Prints the newest checkpoint and keeps it in a file, if what was kept there before fits it.
fn checkpoint(arguments: &Anchor) -> Result<Exit, Problems> {
    let dir = gateways(arguments.dir.as_deref(), &arguments.place)?;
    let (folder, trust) = (Folder::shared(&dir), trust_of(&dir)?);
    let (_, signed) = Reader::newest(&folder, &trust).map_err(problem)?;
    let note = signed.note.to_string();
    if let Some(file) = &arguments.output {
        if let Some(old) = kept(file, &trust)? {
            let size = old.checkpoint.size;
            let same = size <= signed.checkpoint.size
                && Reader::new(&folder, size).root().map_err(problem)? == old.checkpoint.root;
            if !same {
                output::note(&format!(
                    "the checkpoint in {} is of another past: `bartizan ledger verify --against` says more",
                    file.display()
                ));
                return Ok(Exit::Findings);
            }
        }
        write(file, note.as_bytes())?;
    }
    output::stdout(&match arguments.place.format {
        PlainFormat::Human => format!("{note}key: {}\n", trust.ledger),
        PlainFormat::Json => {
            let checkpoint = &signed.checkpoint;
            let report = json!({
                "version": 1,
                "origin": checkpoint.origin,
                "size": checkpoint.size,
                "root": checkpoint.root.to_string(),
                "checkpoint": note,
                "key": trust.ledger.to_string(),
            });
            format!("{report}\n")
        }
    })?;
    Ok(Exit::Clean)
}

/// The checkpoint in a file; `None` if there is no file.
fn kept(file: &Path, trust: &Trust) -> Result<Option<SignedCheckpoint>, Problem> {
    match std::fs::read(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot_read(file, &error)),
        Ok(bytes) => SignedCheckpoint::open(&bytes, trust)
            .map(Some)
            .map_err(|error| Problem::new(format!("{}: {error}", file.display()))),
    }
}

/// The folder that is named, or that of the gateway's ledger.
fn gateways(named: Option<&Path>, place: &KeyPlace) -> Result<PathBuf, Problems> {
    if let Some(dir) = named {
        return Ok(dir.to_owned());
    }
    let config = config_at(place.config.as_deref())?;
    Ok(data_folder(place.data.as_deref(), &config.file)?.join(LEDGER))
}

/// Whom the file beside a ledger names.
pub(crate) fn trust_of(dir: &Path) -> Result<Trust, Problem> {
    let text = Folder::shared(dir).read(VERIFIER_KEY_FILE, 4096);
    let text = text
        .ok()
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(text) = text else {
        return Err(Problem::new(format!(
            "there is no ledger with a key in {}",
            dir.display()
        ))
        .help("name the folder of a ledger or, with `--data`, the gateway's data folder"));
    };
    Ok(Trust {
        ledger: key(&text)?,
        witnesses: Vec::new(),
    })
}

/// A key, or the file that holds it.
fn key(text: &str) -> Result<VerifierKey, Problem> {
    let file = Path::new(text);
    let read = if file.is_file() {
        std::fs::read_to_string(file).map_err(|error| cannot_read(file, &error))?
    } else {
        text.to_owned()
    };
    VerifierKey::parse(&read).map_err(problem)
}

fn problem(error: impl std::error::Error) -> Problem {
    Problem::new(error.to_string())
}

/// Writes a file whole or not at all; entries name users, so that nobody else reads it.
fn write(file: &Path, bytes: &[u8]) -> Result<(), Problem> {
    files::replace_private(file, bytes)
        .map_err(|error| Problem::new(format!("cannot write {}: {error}", file.display())))
}
