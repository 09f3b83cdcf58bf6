//! `bartizan subject`: everything about somebody, shown or removed.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use bartizan_govern::{EraseError, Journal, Subject, erase};
use serde_json::{Map, Value, json};

use crate::{
    cli::{KeyPlace, PlainFormat, SubjectCommand},
    exit::Exit,
    files,
    input::read_text,
    output,
    personal::{Desk, Proof, failed, lasting_key, moment, now_ms, subject, verify},
    problem::{Problem, Problems},
    render::safe,
};

/// Does what the arguments say.
pub(crate) fn run(command: &SubjectCommand) -> Result<Exit, Problems> {
    match command {
        SubjectCommand::Hash { whom } => {
            let key = bartizan_govern::SubjectKey::derive(&lasting_key()?.bytes);
            output::stdout(&format!("{}\n", subject(whom, &key)?.hash()))?;
            Ok(Exit::Clean)
        }
        SubjectCommand::Export { whom, place } => {
            let desk = Desk::open(place)?;
            export(&desk, &subject(whom, &desk.subject_key())?)
        }
        SubjectCommand::Erase {
            whom,
            dry_run,
            certificate,
            place,
        } => {
            let desk = Desk::open(place)?;
            let subject = subject(whom, &desk.subject_key())?;
            if *dry_run {
                count(&desk, &subject, place)
            } else {
                remove(&desk, &subject, certificate.as_deref(), place)
            }
        }
        SubjectCommand::Verify { file, public_key } => check(file, public_key.as_deref()),
    }
}

/// All records, under the names of their stores: what the subject has a right to, so that it holds
/// what no report holds.
fn export(desk: &Desk, subject: &Subject) -> Result<Exit, Problems> {
    let mut stores = desk.stores()?;
    let mut all = Map::new();
    for store in &mut stores.open {
        let records = store.export(subject);
        let records = records.map_err(|fault| failed(store.name(), &fault))?;
        all.insert(store.name().to_owned(), records.into());
    }
    let text = serde_json::to_string_pretty(&json!({
        "version": 1,
        "subject": subject.hash(),
        "exported": moment(now_ms()),
        "stores": all,
    }));
    let text = text.map_err(|_| Problem::new("the records cannot be written"))?;
    output::data(format!("{text}\n").as_bytes())?;
    Ok(Exit::Clean)
}

fn count(desk: &Desk, subject: &Subject, place: &KeyPlace) -> Result<Exit, Problems> {
    let mut stores = desk.stores()?;
    let hold = desk.holds().against_erasure(subject.hash(), &stores.open);
    let mut rows = Vec::new();
    for store in &mut stores.open {
        let found = store.count(subject);
        let found = found.map_err(|fault| failed(store.name(), &fault))?;
        rows.push((store.name().to_owned(), found));
    }
    output::stdout(&match place.format {
        PlainFormat::Json => {
            let stores: Vec<Value> = rows
                .iter()
                .map(|(name, found)| json!({ "name": name, "found": found }))
                .collect();
            json!({
                "version": 1,
                "subject": subject.hash(),
                "hold": hold.map(|hold| hold.0),
                "stores": stores,
            })
            .to_string()
                + "\n"
        }
        PlainFormat::Human => {
            let rows = rows.iter();
            let rows = rows.map(|(name, found)| format!("{}  {found}\n", safe::line(name)));
            let held = hold.map_or_else(String::new, |hold| {
                format!(
                    "held by `{}`: nothing would be removed\n",
                    safe::line(&hold.0)
                )
            });
            rows.collect::<String>() + &held
        }
    })?;
    Ok(Exit::Clean)
}

fn remove(
    desk: &Desk,
    subject: &Subject,
    certificate: Option<&Path>,
    place: &KeyPlace,
) -> Result<Exit, Problems> {
    let proof = Proof::new(&desk.key)?;
    let path = desk
        .folder()?
        .join(format!("erasure-{}.json", subject.hash()));
    let mut journal = match fs::read(&path) {
        Ok(bytes) => taken_up(&bytes, &path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Journal::new(subject, now_ms()),
        Err(error) => return Err(unusable(&path, &error).into()),
    };
    if journal.ended_ms.is_some() {
        // Somebody wrote again: another erasure, with a certificate of its own.
        journal = Journal::new(subject, now_ms());
    }
    let mut stores = desk.stores()?;
    let kept = |journal: &Journal| keep(&path, journal);
    erase(
        subject,
        &mut stores.open,
        &desk.holds(),
        &mut journal,
        now_ms,
        kept,
    )
    .map_err(|error| {
        let problem = Problem::new(error.to_string());
        match error {
            EraseError::Held(_) => problem.help("remove the hold under `govern.holds` first"),
            _ => problem.help("run it again: it goes on where it stopped"),
        }
    })?;
    let text = proof.sign(account(&journal))?;
    match certificate {
        Some(path) => {
            write(path, &text)?;
            let found: u64 = journal.stores.iter().filter_map(|step| step.found).sum();
            let (stores, key) = (journal.stores.len(), proof.public_key());
            output::stdout(&match place.format {
                PlainFormat::Json => {
                    json!({ "version": 1, "subject": subject.hash(), "removed": found, "stores": stores, "public_key": key })
                        .to_string() + "\n"
                }
                PlainFormat::Human => format!(
                    "removed {found} records from {stores} stores; the certificate is signed with {key}\n"
                ),
            })?;
        }
        None => output::stdout(&text)?,
    }
    Ok(Exit::Clean)
}

/// What a certificate says.
fn account(journal: &Journal) -> Map<String, Value> {
    let stores: Vec<Value> = journal
        .stores
        .iter()
        .map(|step| {
            json!({
                "name": step.name,
                "kind": step.kind,
                "removed": step.found,
                "left": step.left,
            })
        })
        .collect();
    Map::from_iter([
        ("version".to_owned(), 1.into()),
        ("kind".to_owned(), "erasure".into()),
        ("subject".to_owned(), journal.subject.as_str().into()),
        ("began".to_owned(), moment(journal.began_ms).into()),
        ("ended".to_owned(), journal.ended_ms.map(moment).into()),
        ("stores".to_owned(), stores.into()),
    ])
}

fn check(file: &Path, public_key: Option<&str>) -> Result<Exit, Problems> {
    let text = read_text(file)?;
    let account: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|_| Problem::new(format!("`{}` is no account", file.display())))?;
    let key = match public_key {
        Some(key) => key.to_owned(),
        None => Proof::new(&lasting_key()?)?.public_key(),
    };
    let is_good = verify(&account, &key)?;
    output::stdout(if is_good {
        "the signature is good\n"
    } else {
        "the signature is not of that key, or the account was changed\n"
    })?;
    Ok(if is_good { Exit::Clean } else { Exit::Findings })
}

fn taken_up(bytes: &[u8], path: &Path) -> Result<Journal, Problem> {
    let journal: Option<Journal> = serde_json::from_slice(bytes).ok();
    let journal = journal.filter(|journal| journal.version == Journal::VERSION);
    journal.ok_or_else(|| {
        Problem::new(format!("`{}` is no journal of an erasure", path.display()))
            .help("move it away; counts of what was removed before are in it")
    })
}

fn keep(path: &Path, journal: &Journal) -> io::Result<()> {
    let text = serde_json::to_string_pretty(journal).map_err(io::Error::other)?;
    files::replace_private(path, text.as_bytes())
}

/// Writes an account for its owner only.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let written = files::create_private(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!(
        "`{}` cannot be used ({})",
        path.display(),
        error.kind()
    ))
}
