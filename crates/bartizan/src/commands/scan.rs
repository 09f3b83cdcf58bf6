//! `bartizan scan`: files and folders in, a report on everything that is in them out.

use std::{
    io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bartizan_core::{CheckError, Coverage, Direction, Layer, Origin, Report};
use bartizan_formats::{Bytes, Format as FileFormat, Source};
use bartizan_guard::position::Positions;
use bartizan_policy::{DecisionContext, Policy};
use bartizan_posture::{
    config::ConfigFiles,
    secrets::{Ignored, Known, SecretFiles, SecretScanner},
};
use bartizan_supply::{Artifact, INSPECTORS, Inspector, ScanLimits, Scanned};

use super::walk::{self, Found, Place};
use crate::{
    cli::{Format, Scan, Setup},
    clock,
    engine::{self, read_config},
    exit::Exit,
    findings::Keeper,
    input::{cannot_read, read_bounded},
    key::Key,
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
    let policy = policy(arguments.config.clone(), arguments.policy.clone())?;
    let limits = ScanLimits {
        max_unpacked_bytes: arguments.max_unpacked << 20,
        ..ScanLimits::default()
    };
    let secrets = SecretFiles::in_texts(
        secret_scanner()?,
        Known::new(&Key::get()?.bytes, None, Ignored::default(), ""),
    );
    let mut inspectors = INSPECTORS.to_vec();
    inspectors.extend([&ConfigFiles as &dyn Inspector, &secrets]);
    let ring = Ring::for_reading(&arguments.unseal, arguments.config.as_deref())?;
    let scanner = Scanner {
        limits,
        inspectors: &inspectors,
        ring: ring.as_ref(),
    };
    let mut keeper = Keeper::new("scan", &arguments.keeping)?;
    let places = walk::places(&arguments.paths, &|_| true);
    let (all, exit) = look_at_all(&places, &scanner, arguments.jobs, &policy, &mut |one| {
        keeper.take(&one.path, &mut one.report);
    });
    keeper.finish()?;
    let look = Look {
        format: arguments.format,
        verbose: arguments.verbose,
        quiet: arguments.quiet,
    };
    show("scan", &all, &policy, look)?;
    Ok(exit)
}

/// The guard's own formats of secrets.
pub(super) fn secret_scanner() -> Result<SecretScanner, Problem> {
    let scanner = SecretScanner::standard();
    scanner.map_err(|error| Problem::new(format!("a format of secrets: {error}")))
}

/// How a report is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) format: Format,
    pub(super) verbose: bool,
    pub(super) quiet: bool,
}

/// What looks at files, and how far.
pub(super) struct Scanner<'a> {
    pub(super) limits: ScanLimits,
    pub(super) inspectors: &'a [&'a dyn Inspector],
    /// Opens what is sealed.
    pub(super) ring: Option<&'a Ring>,
}

/// Looks at every place, and says how the command ends; problems are shown on the way. What was seen
/// goes through `keep` before it is decided about.
pub(super) fn look_at_all(
    places: &[Place],
    scanner: &Scanner<'_>,
    jobs: Option<NonZeroUsize>,
    policy: &Policy,
    keep: &mut dyn FnMut(&mut Scanned),
) -> (Vec<Judged>, Exit) {
    let outcomes = side_by_side(places, jobs, |place| look_at(place, scanner));
    let mut exit = Exit::default();
    let mut failed = Vec::new();
    let mut all: Vec<Judged> = Vec::new();
    for (place, outcome) in places.iter().zip(outcomes) {
        let seen = outcome.unwrap_or_else(|problem| {
            failed.push(problem);
            // Said in the report too: what was not read is not clean.
            let outcome = Err(CheckError::Unavailable("it cannot be read".into()));
            Seen::unplaced(vec![unopened(&place.name, "file", outcome)])
        });
        let mut positions = seen.positions;
        for mut one in seen.scanned {
            keep(&mut one);
            // The file itself comes first, and its members have places of their own.
            all.push(judge(one, positions.take(), policy));
        }
    }
    if !failed.is_empty() {
        output::show_problems(&failed);
        exit = Exit::Error;
    }
    exit = all.iter().map(Judged::exit).fold(exit, Exit::join);
    (all, exit)
}

/// Writes the report of a command.
pub(super) fn show(
    command: &'static str,
    all: &[Judged],
    policy: &Policy,
    look: Look,
) -> Result<(), Problem> {
    if look.quiet {
        return Ok(());
    }
    match look.format {
        Format::Human => {
            let columns = output::columns();
            let verbose = look.verbose;
            let look = artifacts::human::Look { columns, verbose };
            output::stdout(&artifacts::human::report(all, policy, look))
        }
        Format::Json => output::data(artifacts::json::report(all, policy)?.as_bytes()).map(drop),
        Format::Sarif => output::data(artifacts::sarif::report(all, policy).as_bytes()).map(drop),
        Format::Junit | Format::Html => {
            let listing = Listing::of_files(command, policy.version(), all);
            output::data(listing.document(look.format).as_bytes()).map(drop)
        }
    }
}

/// The policy alone: no rules, no models, nothing else that takes time to load.
pub(super) fn policy(config: Option<PathBuf>, policy: Option<PathBuf>) -> Result<Policy, Problems> {
    let setup = Setup {
        config,
        policy,
        ..Setup::default()
    };
    engine::policy(&setup, &read_config(&setup)?)
}

pub(super) fn judge(scanned: Scanned, positions: Option<Positions>, policy: &Policy) -> Judged {
    // A file that comes from elsewhere, on its way in.
    let mut cx = DecisionContext::new(Direction::Input, Origin::Retrieved, clock::today());
    // Rows and exceptions can be about some paths only.
    cx.route = &scanned.path;
    let decision = policy.decide(&scanned.report, &cx);
    Judged {
        scanned,
        decision,
        positions,
    }
}

/// What was seen in a file and its members.
struct Seen {
    scanned: Vec<Scanned>,
    /// Places in the file itself.
    positions: Option<Positions>,
}

impl Seen {
    const fn unplaced(scanned: Vec<Scanned>) -> Self {
        Self {
            scanned,
            positions: None,
        }
    }
}

type Outcome = Result<Seen, Problem>;

/// Does `work` for every item, several side by side; outcomes are in order of the items.
pub(super) fn side_by_side<T: Sync, O: Send>(
    items: &[T],
    jobs: Option<NonZeroUsize>,
    work: impl Fn(&T) -> O + Sync,
) -> Vec<O> {
    let jobs = threads(jobs).get().min(items.len());
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<(usize, O)>> = Mutex::new(Vec::with_capacity(items.len()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else {
                return;
            };
            let outcome = work(item);
            outcomes
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push((number, outcome));
        }
    };
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

fn look_at(place: &Place, scanner: &Scanner<'_>) -> Outcome {
    let name = &place.name;
    match &place.found {
        Found::Stdin => {
            let help = "write it to a file first";
            let bytes = read_bounded(io::stdin().lock(), name, help)?;
            Ok(scan(name, &Bytes(&bytes), scanner))
        }
        Found::File(path) => {
            let source = sealing::open(path, scanner.ring)?;
            Ok(scan(name, &*source, scanner))
        }
        Found::Unreadable(path, error) => Err(cannot_read(path, error)),
        Found::LinkInside => Ok(Seen::unplaced(vec![unopened(name, "link", Ok(()))])),
        Found::LinkOutside => {
            let why = "a link that leads out of what is scanned is not followed";
            let outcome = Err(CheckError::Unavailable(why.into()));
            Ok(Seen::unplaced(vec![unopened(name, "link", outcome)]))
        }
        Found::Other => {
            let why = "neither a file nor a folder";
            let outcome = Err(CheckError::Unavailable(why.into()));
            Ok(Seen::unplaced(vec![unopened(name, "file", outcome)]))
        }
    }
}

/// Scans one file; a fault of an inspector is a gap of that file.
fn scan(name: &str, source: &dyn Source, scanner: &Scanner<'_>) -> Seen {
    let artifact = Artifact { path: name, source };
    let scanned = catch_unwind(AssertUnwindSafe(|| {
        bartizan_supply::scan_with(&artifact, &scanner.limits, scanner.inspectors)
    }));
    let Ok(scanned) = scanned else {
        let why = "the scan of this file broke off";
        let outcome = Err(CheckError::Unavailable(why.into()));
        return Seen::unplaced(vec![unopened(name, "scan", outcome)]);
    };
    let positions = scanned.first().and_then(|one| positions(one, source));
    Seen { scanned, positions }
}

/// The longest text in which lines are counted, in bytes.
const MAX_COUNTED: u64 = 64 << 20;

/// Lines and columns of the findings in a text.
fn positions(scanned: &Scanned, source: &dyn Source) -> Option<Positions> {
    let is_text = |format: &FileFormat| {
        matches!(
            format,
            FileFormat::Text | FileFormat::Json | FileFormat::Xml
        )
    };
    let spans = scanned
        .report
        .findings
        .iter()
        .filter_map(|finding| finding.span);
    let ends: Vec<usize> = spans
        .flat_map(|span| [span.as_range().start, span.as_range().end])
        .collect();
    let is_meant = !ends.is_empty() && scanned.formats.iter().any(is_text);
    if !is_meant || source.len() > MAX_COUNTED {
        return None;
    }
    let text = source.read(0, MAX_COUNTED).ok()?;
    Some(Positions::of(&text, ends))
}

/// The report on something whose bytes were not looked at.
pub(super) fn unopened(
    name: &str,
    check: &'static str,
    outcome: Result<(), CheckError>,
) -> Scanned {
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
