use std::fmt::Write as _;

use bartizan_gateway::record::{Event, RequestId, Story, What, first_since};
use bartizan_ledger::{Entries, Folder, Reader, TILE_WIDTH, verify};
use serde_json::json;

use super::{gateways, problem, trust_of};
use crate::{
    cli::{PlainFormat, Timeline},
    exit::Exit,
    output,
    problem::{Problem, Problems},
    render::safe,
};

/// Says what happened, in order, from entries that are what was written.
pub(super) fn run(arguments: &Timeline) -> Result<Exit, Problems> {
    if let Some(event) = arguments
        .event
        .iter()
        .find(|event| !What::KINDS.contains(&event.as_str()))
    {
        let problem = Problem::new(format!("there is no event `{}`", safe::line(event)));
        return Err(problem
            .help(format!("events are {}", What::KINDS.join(", ")))
            .into());
    }
    let dir = gateways(arguments.dir.as_deref(), &arguments.place)?;
    let (folder, trust) = (Folder::shared(&dir), trust_of(&dir)?);
    let outcome = verify(&folder, &trust, &[], folder.is_written()).map_err(problem)?;
    // What stands behind the first damage proves nothing.
    let reader = Reader::new(&folder, outcome.entries);
    let found = entries(arguments, &reader)?;
    output::stdout(&match arguments.place.format {
        PlainFormat::Human => human(arguments.request, &found),
        PlainFormat::Json => {
            let entries: Vec<_> = found
                .iter()
                .map(|(index, event)| json!({ "entry": index, "event": event }))
                .collect();
            let report = json!({
                "version": 1,
                "verified": outcome.entries,
                "damage": outcome.damage.as_ref().map(ToString::to_string),
                "entries": entries,
            });
            format!("{report}\n")
        }
    })?;
    match outcome.damage {
        None => Ok(Exit::Clean),
        Some(damage) => {
            output::note(&format!("{damage}; what stands behind it is not shown"));
            Ok(Exit::Findings)
        }
    }
}

/// The events that are asked for, with their numbers in the ledger.
fn entries(arguments: &Timeline, reader: &Reader<'_>) -> Result<Vec<(u64, Event)>, Problem> {
    let ms = |at: Option<jiff::Timestamp>, other: u64| {
        at.map_or(other, |at| u64::try_from(at.as_millisecond()).unwrap_or(0))
    };
    let (since, until) = (ms(arguments.since, 0), ms(arguments.until, u64::MAX));
    let is_asked = |event: &Event| {
        let user = arguments.user.as_deref();
        (since..until).contains(&event.timestamp.0)
            && arguments
                .request
                .is_none_or(|request| event.request_id == Some(request))
            && user.is_none_or(|user| event.what.user_id().as_str() == user)
            && (arguments.event.is_empty()
                || arguments.event.iter().any(|kind| kind == event.what.kind()))
    };
    let mut found = Vec::new();
    let first = first_since(reader, since).map_err(problem)? / TILE_WIDTH;
    for number in first..reader.bundles() {
        let (bundle, _) = reader.bundle(number).map_err(problem)?;
        for (index, entry) in (number * TILE_WIDTH..reader.size()).zip(Entries::of(&bundle)) {
            // An event that was too long for an entry stands there as a stub, without its facts.
            let event = serde_json::from_slice(entry.map_err(problem)?);
            if let Some(event) = event.ok().filter(is_asked) {
                found.push((index, event));
            }
        }
    }
    Ok(found)
}

fn human(request: Option<RequestId>, found: &[(u64, Event)]) -> String {
    if let Some(request_id) = request {
        let events: Vec<Event> = found.iter().map(|(_, event)| event.clone()).collect();
        return format!("{}\n", Story { request_id, events });
    }
    let mut text = String::new();
    for (index, event) in found {
        let what = &event.what;
        let request = event
            .request_id
            .map_or_else(|| "-".to_owned(), |id| id.to_string());
        let user = Some(what.user_id().as_str()).filter(|user| !user.is_empty());
        let _ = writeln!(
            text,
            "{}  {index}  {} {}  {}  {request}",
            event.timestamp,
            what.severity(),
            what.kind(),
            safe::line(user.unwrap_or("-")),
        );
    }
    text
}
