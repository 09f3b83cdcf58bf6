//! `bartizan consent`: what people agreed to.

use std::fmt::Write as _;

use bartizan_gateway::{
    consent::ConsentTable,
    store::{Store, StoreError},
};
use bartizan_govern::{ConsentEvent, ConsentState, Deed, PurposeConfig, Subject};
use serde_json::json;

use crate::{
    cli::{ConsentCommand, KeyPlace, PlainFormat, Whom},
    exit::Exit,
    output,
    personal::{Desk, moment, now_ms, subject},
    problem::{Problem, Problems},
    render::safe,
};

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
            let consents = with_table(&desk, async |table| table.of(subject.hash()).await)?;
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
    let of = of.as_ref().map(Subject::hash);
    let consents = with_table(&desk, async |table| match of {
        Some(subject) => table.of(subject).await,
        None => table.all().await,
    })?;
    let events = consents.events(of);
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
    let event = ConsentEvent {
        v: ConsentEvent::VERSION,
        at_ms: now_ms(),
        subject: subject.hash().clone(),
        purpose: purpose.to_owned(),
        deed,
    };
    with_table(desk, async |table| table.add(&event).await)?;
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

/// Does something with the record of consent, which lies in the gateway's database.
fn with_table<T>(
    desk: &Desk,
    work: impl AsyncFnOnce(&ConsentTable) -> Result<T, StoreError>,
) -> Result<T, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new(format!("cannot start: {error}")))?;
    let done = runtime.block_on(async {
        let store = Store::open_with(&desk.database()).await?;
        let done = work(&ConsentTable::new(store.clone())).await;
        store.close().await;
        done
    });
    done.map_err(|error| Problem::new(format!("the record of consent: {error}")))
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
