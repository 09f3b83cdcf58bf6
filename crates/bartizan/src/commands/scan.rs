//! `bartizan scan`: files and folders in, a report on everything that is in them out.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bartizan_core::{CheckError, Coverage, Direction, Layer, Origin, Report};
use bartizan_formats::{Bytes, Format as FileFormat, Source};
use bartizan_policy::{DecisionContext, Policy};
use bartizan_supply::{Artifact, ScanLimits, Scanned};

use super::walk::{self, Found, Place};
use crate::{
    cli::{Format, Scan, Setup},
    clock,
    engine::{self, read_config},
    exit::Exit,
    findings::Keeper,
    input::{cannot_read, read_bounded},
    output,
    problem::{Problem, Problems},
    render::{
        artifacts::{self, Judged},
        listing::Listing,
    },
    sealing::{self, Ring},
    signing::threads,
};

/// Scans every path; one that cannot be read does not keep the others from being scanned.
pub(crate) fn run(arguments: &Scan) -> Result<Exit, Problems> {
    let policy = policy(arguments)?;
    let limits = ScanLimits {
        max_unpacked_bytes: arguments.max_unpacked << 20,
        ..ScanLimits::default()
    };
    let mut keeper = Keeper::new("scan", &arguments.keeping)?;
    let places = walk::places(&arguments.paths);
    let ring = Ring::for_reading(&arguments.unseal, arguments.config.as_deref())?;
    let outcomes = look_at_all(
        &places,
        &limits,
        ring.as_ref(),
        threads(arguments.jobs).get(),
    );
    let mut exit = Exit::default();
    let mut failed = Vec::new();
    let mut all: Vec<Judged> = Vec::new();
    for (place, outcome) in places.iter().zip(outcomes) {
        let scanned = outcome.unwrap_or_else(|problem| {
            failed.push(problem);
            // Said in the report too: what was not read is not clean.
            let outcome = Err(CheckError::Unavailable("it cannot be read".into()));
            vec![unopened(&place.name, "file", outcome)]
        });
        for mut one in scanned {
            keeper.take(&one.path, &mut one.report);
            all.push(judge(one, &policy));
        }
    }
    if !failed.is_empty() {
        output::show_problems(&failed);
        exit = Exit::Error;
    }
    exit = all.iter().map(Judged::exit).fold(exit, Exit::join);
    keeper.finish()?;
    if arguments.quiet {
        return Ok(exit);
    }
    match arguments.format {
        Format::Human => {
            let look = artifacts::human::Look {
                columns: output::columns(),
                verbose: arguments.verbose,
            };
            output::stdout(&artifacts::human::report(&all, &policy, look))?;
        }
        Format::Json => {
            output::data(artifacts::json::report(&all, &policy)?.as_bytes())?;
        }
        Format::Sarif => {
            output::data(artifacts::sarif::report(&all, &policy).as_bytes())?;
        }
        Format::Junit | Format::Html => {
            let listing = Listing::of_files("scan", policy.version(), &all);
            output::data(listing.document(arguments.format).as_bytes())?;
        }
    }
    Ok(exit)
}

/// The policy alone: no rules, no models, nothing else that takes time to load.
fn policy(arguments: &Scan) -> Result<Policy, Problems> {
    let setup = Setup {
        config: arguments.config.clone(),
        policy: arguments.policy.clone(),
        ..Setup::default()
    };
    engine::policy(&setup, &read_config(&setup)?)
}

fn judge(scanned: Scanned, policy: &Policy) -> Judged {
    // A file that comes from elsewhere, on its way in.
    let mut cx = DecisionContext::new(Direction::Input, Origin::Retrieved, clock::today());
    // Rows and exceptions can be about some paths only.
    cx.route = &scanned.path;
    let decision = policy.decide(&scanned.report, &cx);
    Judged { scanned, decision }
}

type Outcome = Result<Vec<Scanned>, Problem>;

/// Looks at every place, `jobs` of them side by side; outcomes are in order of the places.
fn look_at_all(
    places: &[Place],
    limits: &ScanLimits,
    ring: Option<&Ring>,
    jobs: usize,
) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<(usize, Outcome)>> = Mutex::new(Vec::with_capacity(places.len()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = places.get(number) else {
                return;
            };
            let outcome = look_at(place, limits, ring);
            outcomes
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push((number, outcome));
        }
    };
    let jobs = jobs.min(places.len());
    if jobs < 2 {
        work();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(work);
            }
        });
    }
    let mut outcomes = outcomes
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn look_at(place: &Place, limits: &ScanLimits, ring: Option<&Ring>) -> Outcome {
    let name = &place.name;
    match &place.found {
        Found::Stdin => {
            let help = "write it to a file first";
            let bytes = read_bounded(io::stdin().lock(), name, help)?;
            Ok(scan(name, &Bytes(&bytes), limits))
        }
        Found::File(path) => {
            let source = sealing::open(path, ring)?;
            Ok(scan(name, &*source, limits))
        }
        Found::Unreadable(path, error) => Err(cannot_read(path, error)),
        Found::LinkInside => Ok(vec![unopened(name, "link", Ok(()))]),
        Found::LinkOutside => {
            let why = "a link that leads out of what is scanned is not followed";
            let outcome = Err(CheckError::Unavailable(why.into()));
            Ok(vec![unopened(name, "link", outcome)])
        }
        Found::Other => {
            let why = "neither a file nor a folder";
            let outcome = Err(CheckError::Unavailable(why.into()));
            Ok(vec![unopened(name, "file", outcome)])
        }
    }
}

/// Scans one file; a fault of an inspector is a gap of that file.
fn scan(name: &str, source: &dyn Source, limits: &ScanLimits) -> Vec<Scanned> {
    let artifact = Artifact { path: name, source };
    let scanned = catch_unwind(AssertUnwindSafe(|| {
        bartizan_supply::scan(&artifact, limits)
    }));
    scanned.unwrap_or_else(|_| {
        let why = "the scan of this file broke off";
        let outcome = Err(CheckError::Unavailable(why.into()));
        vec![unopened(name, "scan", outcome)]
    })
}

/// The report on something whose bytes were not looked at.
fn unopened(name: &str, check: &'static str, outcome: Result<(), CheckError>) -> Scanned {
    Scanned {
        path: name.to_owned(),
        formats: vec![FileFormat::Unknown],
        bytes: 0,
        report: Report {
            findings: Vec::new(),
            coverage: vec![Coverage {
                check,
                layer: Layer::Artifact,
                outcome,
            }],
        },
    }
}
