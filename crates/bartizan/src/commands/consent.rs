//! `bartizan consent`: what people agreed to.

use std::{
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use bartizan_govern::{ConsentEvent, ConsentState, Consents, Deed, PurposeConfig};
use serde_json::json;

use crate::{
    cli::{ConsentCommand, KeyPlace, PlainFormat, Whom},
    exit::Exit,
    output,
    personal::{Desk, moment, now_ms, subject},
    problem::{Problem, Problems},
    render::safe,
};

/// Bytes of a record of consent at most.
const MAX_BYTES: u64 = 1 << 30;

/// Does what the arguments say.
pub(crate) fn run(command: &ConsentCommand) -> Result<Exit, Problems> {
    match command {
        ConsentCommand::Record {
            whom,
            purpose,
            version,
            until,
            place,
        } => {
            let desk = Desk::open(place)?;
            let rules = rules(&desk, purpose)?;
            let deed = Deed::Granted {
                version: version.clone().unwrap_or(rules.version),
                ends_ms: until.map(jiff::Timestamp::as_millisecond),
            };
            add(&desk, whom, purpose, deed, place)
        }
        ConsentCommand::Withdraw {
            whom,
            purpose,
            place,
        } => {
            let desk = Desk::open(place)?;
            rules(&desk, purpose)?;
            add(&desk, whom, purpose, Deed::Withdrawn, place)
        }
        ConsentCommand::Check {
            whom,
            purpose,
            at,
            place,
        } => {
            let desk = Desk::open(place)?;
            let rules = rules(&desk, purpose)?;
            let subject = subject(whom, &desk.subject_key())?;
            let at_ms = at.map_or_else(now_ms, jiff::Timestamp::as_millisecond);
            let (_, consents) = read(&desk)?;
            let state = consents.check(subject.hash(), purpose, &rules, at_ms);
            output::stdout(&match place.format {
                PlainFormat::Json => {
                    json!({
                        "version": 1,
                        "subject": subject.hash(),
                        "purpose": purpose,
                        "at": moment(at_ms),
                        "consent": state.is_given(),
                        "state": state.as_str(),
                    })
                    .to_string()
                        + "\n"
                }
                PlainFormat::Human => format!("{}\n", said(&state)),
            })?;
            Ok(if state.is_given() {
                Exit::Clean
            } else {
                Exit::Findings
            })
        }
        ConsentCommand::List { subject, place } => list(subject.as_deref(), place),
    }
}

fn list(whom: Option<&str>, place: &KeyPlace) -> Result<Exit, Problems> {
    let desk = Desk::open(place)?;
    let whom = whom.map(|text| Whom {
        subject: text.to_owned(),
    });
    let of = whom
        .map(|whom| subject(&whom, &desk.subject_key()))
        .transpose()?;
    let (_, consents) = read(&desk)?;
    let events = consents.events(of.as_ref().map(|subject| subject.hash()));
    output::stdout(&match place.format {
        PlainFormat::Json => json!({ "version": 1, "events": events }).to_string() + "\n",
        PlainFormat::Human => {
            let mut text = String::new();
            for event in events {
                let deed = match &event.deed {
                    Deed::Withdrawn => "withdrawn".to_owned(),
                    Deed::Granted { version, .. } => {
                        format!("granted, version `{}`", safe::line(version))
                    }
                };
                let (at, purpose) = (moment(event.at_ms), safe::line(&event.purpose));
                let _ = writeln!(text, "{at}  {}  {purpose}: {deed}", event.subject);
            }
            text
        }
    })?;
    Ok(Exit::Clean)
}

/// Writes an event down, and waits until it is on the disk.
fn add(
    desk: &Desk,
    whom: &Whom,
    purpose: &str,
    deed: Deed,
    place: &KeyPlace,
) -> Result<Exit, Problems> {
    let subject = subject(whom, &desk.subject_key())?;
    // Read first, under the lock: what cannot be read must not be added to.
    let (mut file, _) = read(desk)?;
    let event = ConsentEvent {
        v: ConsentEvent::VERSION,
        at_ms: now_ms(),
        subject: subject.hash().clone(),
        purpose: purpose.to_owned(),
        deed,
    };
    let kept = file
        .write_all(event.line().as_bytes())
        .and_then(|()| file.sync_all());
    kept.map_err(|error| Problem::new(format!("the consent cannot be kept ({})", error.kind())))?;
    output::stdout(&match place.format {
        PlainFormat::Json => json!({ "version": 1, "event": event }).to_string() + "\n",
        PlainFormat::Human => format!(
            "{} for {} at {}, as {}\n",
            match event.deed {
                Deed::Withdrawn => "withdrawn",
                Deed::Granted { .. } => "recorded",
            },
            safe::line(purpose),
            moment(event.at_ms),
            event.subject
        ),
    })?;
    Ok(Exit::Clean)
}

/// The record of consent, locked for us, and what it says.
fn read(desk: &Desk) -> Result<(File, Consents), Problems> {
    let path: PathBuf = desk.folder()?.join("consent.jsonl");
    let failed = |error: std::io::Error| {
        Problem::new(format!(
            "`{}` cannot be used ({})",
            path.display(),
            error.kind()
        ))
    };
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    file.lock().map_err(failed)?;
    let mut text = String::new();
    let read = (&file).take(MAX_BYTES + 1).read_to_string(&mut text);
    if read.map_err(failed)? as u64 > MAX_BYTES {
        return Err(Problem::new(format!("`{}` has more than 1 GiB", path.display())).into());
    }
    // An event that was cut off was never confirmed to anybody.
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        text.truncate(whole);
    }
    let consents = Consents::read(&text)
        .map_err(|error| Problem::new(format!("`{}`: {error}", path.display())))?;
    Ok((file, consents))
}

/// The rules of a purpose, which must be one of the configuration.
fn rules(desk: &Desk, purpose: &str) -> Result<PurposeConfig, Problem> {
    let purposes = &desk.config.file.govern.purposes;
    purposes.get(purpose).cloned().ok_or_else(|| {
        let known: Vec<&str> = purposes.keys().map(String::as_str).collect();
        let problem = format!("there is no purpose `{}`", safe::line(purpose));
        Problem::new(problem).help(if known.is_empty() {
            "name purposes under `govern.purposes`, e.g. `training: {version: '1'}`".to_owned()
        } else {
            format!("purposes are {}", known.join(", "))
        })
    })
}

fn said(state: &ConsentState) -> String {
    match state {
        ConsentState::Given {
            since_ms,
            version,
            ends_ms,
        } => {
            let until = ends_ms.map_or_else(String::new, |end| format!(", until {}", moment(end)));
            let version = safe::line(version);
            format!(
                "given since {}, version `{version}`{until}",
                moment(*since_ms)
            )
        }
        ConsentState::Never => "not given: nothing is recorded".to_owned(),
        ConsentState::Withdrawn(at) => format!("not given: withdrawn at {}", moment(*at)),
        ConsentState::Ended(at) => format!("not given: ended at {}", moment(*at)),
        ConsentState::OtherVersion(version) => {
            format!("not given: it was for version `{}`", safe::line(version))
        }
    }
}
