use std::{
    fmt::Write as _,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use bartizan_gateway::record::{LEDGER, LEDGER_OF_COMMANDS};
use bartizan_ledger::{
    Damage, Folder, Outcome, ReadError, SignedCheckpoint, TlogProof, TlogProofError, Trust, verify,
    verify_export,
};
use serde_json::{Value, json};

use super::{kept, key, problem, trust_of};
use crate::{
    cli::{PlainFormat, VerifyLedger},
    commands::serve::data_folder,
    engine::config_at,
    exit::Exit,
    input::{cannot_read, read_bytes},
    output,
    problem::{Problem, Problems},
    render::safe,
};

/// Says whether a ledger, an export, or a proof is what was written.
pub(super) fn run(arguments: &VerifyLedger) -> Result<Exit, Problems> {
    let (text, report, exit) = match (&arguments.export, &arguments.proof, &arguments.entry) {
        (Some(file), ..) => export(file, arguments)?,
        (_, Some(file), Some(entry)) => proof(file, entry, arguments)?,
        _ => ledgers(arguments)?,
    };
    output::stdout(&match arguments.place.format {
        PlainFormat::Human => text,
        PlainFormat::Json => format!("{report}\n"),
    })?;
    Ok(exit)
}

type Said = (String, Value, Exit);

fn ledgers(arguments: &VerifyLedger) -> Result<Said, Problems> {
    let (mut text, mut reports, mut exit) = (String::new(), Vec::new(), Exit::Clean);
    for dir in folders(arguments)? {
        let trust = trust(arguments, || trust_of(&dir))?;
        let (line, report, one) = ledger(&dir, arguments, &trust)?;
        text.push_str(&line);
        reports.push(report);
        exit = exit.join(one);
    }
    if arguments.key.is_none() {
        output::note(
            "the key is the one beside the ledger; name yours with `--key` to exclude that both were replaced",
        );
    }
    Ok((text, json!({ "version": 1, "ledgers": reports }), exit))
}

fn folders(arguments: &VerifyLedger) -> Result<Vec<PathBuf>, Problems> {
    if let Some(dir) = &arguments.dir {
        return Ok(vec![dir.clone()]);
    }
    let place = &arguments.place;
    let config = config_at(place.config.as_deref())?;
    let data = data_folder(place.data.as_deref(), &config.file)?;
    let commands = Some(data.join(LEDGER_OF_COMMANDS)).filter(|folder| folder.is_dir());
    let is_of_one = arguments.key.is_some() || !arguments.against.is_empty();
    if let Some(commands) = commands.as_ref().filter(|_| is_of_one) {
        output::note(&format!(
            "a key or a checkpoint is of one ledger: {} is not looked at",
            commands.display()
        ));
    }
    let commands = commands.filter(|_| !is_of_one);
    Ok([data.join(LEDGER)].into_iter().chain(commands).collect())
}

fn trust(
    arguments: &VerifyLedger,
    otherwise: impl FnOnce() -> Result<Trust, Problem>,
) -> Result<Trust, Problem> {
    let mut trust = match &arguments.key {
        Some(text) => Trust {
            ledger: key(text)?,
            witnesses: Vec::new(),
        },
        None => otherwise()?,
    };
    for witness in &arguments.witness {
        trust.witnesses.push(key(witness)?);
    }
    Ok(trust)
}

fn ledger(dir: &Path, arguments: &VerifyLedger, trust: &Trust) -> Result<Said, Problems> {
    let mut against = Vec::new();
    for file in &arguments.against {
        let old = kept(file, trust)?;
        let missing = || Problem::new(format!("there is no checkpoint at {}", file.display()));
        against.push(old.ok_or_else(missing)?);
    }
    let folder = Folder::shared(dir);
    let is_written = folder.is_written();
    let outcome = verify(&folder, trust, &against, is_written).map_err(|error| match error {
        ReadError::NoLedger => Problem::new(format!("there is no ledger in {}", dir.display()))
            .help("name its folder or, with `--data`, the gateway's data folder"),
        error => problem(error),
    })?;
    let exit = match &outcome {
        outcome if outcome.damage.is_some() => Exit::Findings,
        outcome if outcome.torn_bytes > 0 => Exit::Incomplete,
        _ => Exit::Clean,
    };
    let report = json!({
        "folder": dir.display().to_string(),
        "entries": outcome.entries,
        "unpublished": outcome.unpublished,
        "torn_bytes": outcome.torn_bytes,
        "is_written": is_written,
        "against": against.len(),
        "checkpoint": outcome.checkpoint.as_ref().map(checkpoint),
        "damage": outcome.damage.as_ref().map(damage),
    });
    Ok((say(dir, &outcome, is_written, against.len()), report, exit))
}

fn say(dir: &Path, outcome: &Outcome, is_written: bool, against: usize) -> String {
    let mut text = format!("{}\n", dir.display());
    if let Some(signed) = &outcome.checkpoint {
        let origin = safe::line(&signed.checkpoint.origin);
        let _ = writeln!(text, "  {origin}, signed by its key");
        let _ = writeln!(
            text,
            "  {} entries, root {}",
            signed.checkpoint.size, signed.checkpoint.root
        );
        for cosigned in &signed.cosigned {
            let witness = safe::line(&cosigned.witness);
            let _ = writeln!(text, "  cosigned by {witness} at {}", time(cosigned.time));
        }
    }
    match &outcome.damage {
        Some(damage) => {
            let _ = writeln!(
                text,
                "  {damage}\n  {} entries before it are what was written",
                outcome.entries
            );
        }
        None => {
            let _ = writeln!(text, "  {} entries are what was written", outcome.entries);
            if against > 0 {
                let _ = writeln!(
                    text,
                    "  it goes on from the checkpoints that were kept: {against}"
                );
            }
        }
    }
    if outcome.unpublished > 0 {
        let _ = writeln!(text, "  {} more are kept in its tail", outcome.unpublished);
    }
    if outcome.torn_bytes > 0 {
        let bytes = outcome.torn_bytes;
        let _ = writeln!(
            text,
            "  {bytes} bytes at the end of its tail are half an entry: a crash left them, or somebody cut it"
        );
    }
    if is_written {
        text.push_str("  it is being written; its tail was passed over\n");
    }
    text
}

fn time(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok();
    let at = at.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    at.map_or_else(|| "an unknown time".to_owned(), |at| at.to_string())
}

fn checkpoint(signed: &SignedCheckpoint) -> Value {
    let witnesses: Vec<Value> = signed
        .cosigned
        .iter()
        .map(|cosigned| json!({ "name": cosigned.witness, "time": cosigned.time }))
        .collect();
    json!({
        "origin": signed.checkpoint.origin,
        "size": signed.checkpoint.size,
        "root": signed.checkpoint.root.to_string(),
        "witnesses": witnesses,
    })
}

fn damage(damage: &Damage) -> Value {
    json!({
        "kind": damage.kind.as_str(),
        "entry": damage.entry,
        "exact": damage.exact,
        "file": damage.file,
    })
}

fn no_key() -> Problem {
    Problem::new("the key of the ledger is not known")
        .help("name it with `--key`; `bartizan ledger checkpoint` shows it where the ledger is")
}

fn export(file: &Path, arguments: &VerifyLedger) -> Result<Said, Problems> {
    let trust = trust(arguments, || Err(no_key()))?;
    let input = File::open(file).map_err(|error| cannot_read(file, &error))?;
    let exported = verify_export(&mut BufReader::new(input), &trust);
    let exported =
        exported.map_err(|error| Problem::new(format!("{}: {error}", file.display())))?;
    let entries = &exported.entries;
    let signed = &exported.checkpoint.checkpoint;
    let mut text = format!(
        "{}\n  entries {} to {} of {} in {}\n",
        file.display(),
        entries.start,
        entries.end,
        signed.size,
        safe::line(&signed.origin),
    );
    text.push_str(if exported.is_signed {
        "  the whole file is signed by the key of the ledger\n"
    } else {
        "  the file itself is not signed, its entries lead to a signed checkpoint\n"
    });
    match &exported.damage {
        Some(damage) => {
            let _ = writeln!(text, "  {damage}");
        }
        None => text.push_str("  its entries are what was written\n"),
    }
    let report = json!({
        "version": 1,
        "file": file.display().to_string(),
        "first": entries.start,
        "end": entries.end,
        "is_signed": exported.is_signed,
        "checkpoint": checkpoint(&exported.checkpoint),
        "damage": exported.damage.as_ref().map(damage),
    });
    let exit = match exported.damage {
        Some(_) => Exit::Findings,
        None => Exit::Clean,
    };
    Ok((text, report, exit))
}

/// Bytes of a proof, and of an entry, at most: longer ones are none.
const MAX_PROOF: u64 = 128 << 10;

fn proof(file: &Path, entry: &Path, arguments: &VerifyLedger) -> Result<Said, Problems> {
    let trust = trust(arguments, || Err(no_key()))?;
    let entry = read_bytes(entry, MAX_PROOF)?;
    let proof = TlogProof::parse(&read_bytes(file, MAX_PROOF)?).map_err(problem)?;
    let index = proof.inclusion.index;
    let (line, report, exit) = match proof.verify(&entry, &trust) {
        Ok(signed) => (
            format!(
                "entry {index} is in {}",
                safe::line(&signed.checkpoint.origin)
            ),
            json!({ "version": 1, "index": index, "holds": true, "checkpoint": checkpoint(&signed) }),
            Exit::Clean,
        ),
        Err(TlogProofError::Malformed) => return Err(problem(TlogProofError::Malformed).into()),
        Err(error) => (
            format!("the proof does not hold: {error}"),
            json!({ "version": 1, "index": index, "holds": false, "reason": error.to_string() }),
            Exit::Findings,
        ),
    };
    Ok((format!("{line}\n"), report, exit))
}
