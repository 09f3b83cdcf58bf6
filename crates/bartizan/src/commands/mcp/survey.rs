//! `bartizan mcp scan` and `bartizan mcp pin`: a server is asked for everything that it offers.

use std::{
    sync::mpsc::{RecvTimeoutError, channel},
    time::Duration,
};

use bartizan_core::Report;
use bartizan_formats::Format as FileFormat;
use bartizan_gateway::mcp::{Heard, Program, Remote};
use bartizan_mcp::{Outcome, Record, Survey, Surveyed, Trust, World as _};
use bartizan_supply::Scanned;

use super::place::{Here, Place, Way};
use crate::{
    cli::{McpPin, McpScan},
    commands::scan::{Look, show},
    exit::Exit,
    output,
    problem::{Problem, Problems},
    render::artifacts::Judged,
};

/// Prints what a server says of itself and what is to be thought of it. Keeps no pins.
pub(super) fn scan(arguments: &McpScan) -> Result<Exit, Problems> {
    // What is not pinned yet is looked at all the same.
    let place = Place::new(&arguments.server, |config, _| {
        config.trust = Trust::FirstUse
    })?;
    let surveyed = survey(&place, arguments.seconds)?;
    let is_complete = surveyed.is_complete;
    let all: Vec<Judged> = surveyed.records.into_iter().filter_map(judged).collect();
    let mut exit = all
        .iter()
        .map(Judged::exit)
        .fold(Exit::default(), Exit::join);
    if !is_complete {
        output::note("the server did not list everything, so that not everything was looked at");
        exit = exit.join(Exit::Incomplete);
    }
    let policy = place.engine.judge.policy();
    let look = Look {
        format: arguments.format,
        verbose: arguments.verbose,
        quiet: false,
    };
    show("mcp scan", &all, policy, look)?;
    Ok(exit)
}

/// Pins what is clean; what is not stays out.
pub(super) fn pin(arguments: &McpPin) -> Result<Exit, Problems> {
    let name = arguments.server.name.clone();
    let place = Place::new(&arguments.server, |config, pins| {
        config.trust = Trust::FirstUse;
        pins.forget(&name);
    })?;
    let surveyed = survey(&place, arguments.seconds)?;
    if !surveyed.is_complete {
        let problem = Problem::new("the server did not list everything; nothing was pinned");
        return Err(problem
            .help("look at its log, or give it more time with `--seconds`")
            .into());
    }
    place.keep_pins()?;
    let hidden: Vec<&Record> = surveyed
        .records
        .iter()
        .filter(|record| record.outcome == Outcome::Hidden)
        .collect();
    let count = place.gate.pins().count(&name);
    let file = place.pins_file().display();
    output::stdout(&format!(
        "pinned {count} definitions of `{name}` in `{file}`\n"
    ))?;
    for record in &hidden {
        let (what, rules) = (path(record), record.rules().join(", "));
        output::note(&format!("{what} is not pinned: {rules}"));
    }
    Ok(if hidden.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

fn survey(place: &Place, seconds: u64) -> Result<Surveyed, Problems> {
    match &place.way {
        Way::Program(command, variables) => program(place, command, variables.as_deref(), seconds),
        Way::Address(..) => address(place, seconds),
    }
}

fn program(
    place: &Place,
    command: &[String],
    variables: Option<&[(String, String)]>,
    seconds: u64,
) -> Result<Surveyed, Problems> {
    let max = place.gate.config().limits.max_message_bytes;
    let (sender, heard) = channel();
    let variables = variables.map(<[_]>::to_vec);
    let program = Program::start(command, variables, max, move |heard| {
        sender.send(heard).is_ok()
    });
    let program = program.map_err(|error| {
        let name = command.first().map_or("", String::as_str);
        Problem::new(format!("cannot start `{name}`: {error}"))
    })?;
    let mut world = Here::new();
    let gone = |error| Problem::new(format!("the server does not read: {error}"));
    let (mut survey, mut out) = Survey::begin(std::sync::Arc::clone(&place.gate), &mut world);
    loop {
        for message in out {
            program.send(message.bytes).map_err(gone)?;
        }
        if survey.is_done() {
            break;
        }
        let left = (seconds * 1_000).saturating_sub(world.now_ms());
        match heard.recv_timeout(Duration::from_millis(left)) {
            Ok(Heard::Line(line)) => out = survey.from_server(&line, &mut world),
            Ok(Heard::TooLong | Heard::Ended) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let message = format!("the server did not answer within {seconds} seconds");
                return Err(Problem::new(message).into());
            }
        }
    }
    Ok(survey.finish())
}

fn address(place: &Place, seconds: u64) -> Result<Surveyed, Problems> {
    let Way::Address(url, token) = &place.way else {
        return Err(Problem::new("the server has no address").into());
    };
    let failed = |error: std::io::Error| Problem::new(format!("cannot use the network: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let token = token
        .as_ref()
        .map(|token| bartizan_core::Secret::new(token.expose().clone()));
    let max = place.gate.config().limits.max_message_bytes;
    let remote = Remote::new(url, token, Duration::from_secs(seconds), max)
        .map_err(|mistake| Problem::new(mistake.message))?;
    let mut world = Here::new();
    let (mut survey, mut out) = Survey::begin(std::sync::Arc::clone(&place.gate), &mut world);
    runtime.block_on(async {
        while !out.is_empty() {
            let mut next = Vec::new();
            for message in out {
                let answers = remote.send(&message).await;
                let answers = answers.map_err(|error| Problem::new(error.to_string()))?;
                for answer in answers {
                    next.extend(survey.from_server(&answer, &mut world));
                }
            }
            out = next;
        }
        remote.end().await;
        Ok::<_, Problem>(())
    })?;
    Ok(survey.finish())
}

/// A definition as an artifact of the report.
fn judged(record: Record) -> Option<Judged> {
    let path = path(&record);
    let judgement = record.judgement?;
    let mut report = Report::default();
    for part in judgement.parts {
        report.findings.extend(part.inspection.report.findings);
        report.coverage.extend(part.inspection.report.coverage);
    }
    Some(Judged {
        scanned: Scanned {
            path,
            formats: vec![FileFormat::Json],
            bytes: 0,
            report,
        },
        decision: judgement.decision,
        positions: None,
    })
}

/// What a record is about, as a path: `tools/list/read_file`.
fn path(record: &Record) -> String {
    let list = record.method;
    let name = record.name.as_deref().unwrap_or_default();
    let joint = if name.is_empty() { "" } else { "/" };
    format!("{list}{joint}{}", name.escape_debug())
}
