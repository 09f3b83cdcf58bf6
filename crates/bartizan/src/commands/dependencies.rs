//! `bartizan deps`: packages with known weaknesses.

use std::path::{Path, PathBuf};

use bartizan_core::{Direction, Origin, Severity};
use bartizan_guard::{Inspection, JudgedPart, Judgement, conversation::PartKind};
use bartizan_policy::{DecisionContext, Subject as Judged};
use bartizan_supply::{
    bom::Inventory,
    vuln::{Audit, AuditOptions, Audited, Database, Exceptions, Hygiene, audit, import},
};

use super::database;
use crate::{
    cli::{Dependencies, Format},
    clock::{self, Stopwatch},
    engine::{Engine, read_config},
    exit::Exit,
    findings::Keeper,
    input::{Subject, escaped, read_text},
    output,
    problem::{Problem, Problems},
    render::{Checked, human, json, listing::Listing, safe, sarif},
    signing::digest_problem,
};

/// Looks up every package in what was given.
pub(crate) fn run(arguments: &Dependencies) -> Result<Exit, Problems> {
    let watch = Stopwatch::start();
    let database = database(arguments)?;
    let exceptions = exceptions(arguments)?;
    let mut keeper = Keeper::new("deps", &arguments.keeping)?;
    let engine = Engine::deciding(&arguments.setup, read_config(&arguments.setup)?)?;
    let options = database.as_ref().map(|database| AuditOptions {
        database,
        exceptions: &exceptions,
        hygiene: Hygiene {
            pins: arguments.pins,
        },
        today: clock::today(),
        max_age_days: arguments.max_age,
    });
    let mut files = Vec::new();
    let (mut accepted, mut packages) = (0, 0);
    let mut take = |root: &Path, audit: Audit| {
        accepted += audit.accepted;
        packages += audit.packages;
        files.extend(
            audit
                .files
                .into_iter()
                .map(|file| (place(root, &file), file)),
        );
    };
    if let Some(options) = &options {
        for path in &arguments.path {
            let inventory = Inventory::packages(path).map_err(|error| digest_problem(&error))?;
            if inventory.locks.is_empty() && inventory.gaps.is_empty() {
                let message = format!("`{}` holds no file that names packages", escaped(path));
                return Err(Problem::new(message)
                    .help("give a folder with lock files or requirements, or an environment")
                    .into());
            }
            take(path, audit(&inventory, options));
        }
    }
    for path in &arguments.import {
        let text = read_text(path)?;
        let (_, found) =
            import(&text).map_err(|error| Problem::new(format!("`{}`: {error}", escaped(path))))?;
        let mut imported = Audit {
            files: Vec::new(),
            accepted: 0,
            packages: 0,
        };
        imported.add_imported("", &found, &exceptions, clock::today());
        take(path, imported);
    }
    let nanos = watch.nanos();
    let mut exit = Exit::Clean;
    let mut all = Vec::new();
    for (path, mut file) in files {
        keeper.take(&escaped(&path), &mut file.report);
        exit = exit.join(exit_of(&file, arguments.fail_on));
        // Files without anything to say are only counted.
        if arguments.reported.format != Format::Human
            || !file.report.findings.is_empty()
            || !file.report.is_complete()
        {
            all.push(checked(&engine, path, file, nanos));
        }
    }
    keeper.finish()?;
    output::data(report(arguments, &engine, &all)?.as_bytes())?;
    let about = database.as_ref().map(database::about);
    let about = about.map_or_else(String::new, |about| format!("; {about}"));
    output::stderr(&format!(
        "{packages} packages, {accepted} accepted{about}\n"
    ));
    Ok(exit)
}

/// The database, if there is anything to look up in it.
fn database(arguments: &Dependencies) -> Result<Option<Database>, Problem> {
    if arguments.path.is_empty() {
        return Ok(None);
    }
    let database = database::open(arguments.database.as_deref())?;
    if let Some(expected) = &arguments.database_digest
        && *expected != database.header().digest
    {
        let problem = Problem::new("the database is another one than `--database-digest` says");
        return Err(problem.help("`bartizan db show` says its digest"));
    }
    Ok(Some(database))
}

fn exceptions(arguments: &Dependencies) -> Result<Exceptions, Problems> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| {
        let message = safe::line(&error.to_string());
        Problem::new(format!("{}: {message}", escaped(path)))
    };
    let mut exceptions = match &arguments.exceptions {
        Some(path) => Exceptions::parse(&read_text(path)?).map_err(|error| wrong(path, &error))?,
        None => Exceptions::default(),
    };
    for path in &arguments.vex {
        let text = read_text(path)?;
        exceptions
            .add_open_vex(&text)
            .map_err(|error| wrong(path, &error))?;
    }
    Ok(exceptions)
}

/// The path of a file as the user can open it.
fn place(root: &Path, file: &Audited) -> PathBuf {
    if root.is_dir() {
        root.join(&file.path)
    } else {
        root.to_owned()
    }
}

fn exit_of(file: &Audited, fail_on: Severity) -> Exit {
    if file.worst().is_some_and(|worst| worst >= fail_on) {
        Exit::Findings
    } else if file.report.is_complete() {
        Exit::Clean
    } else {
        Exit::Incomplete
    }
}

fn checked(engine: &Engine, path: PathBuf, file: Audited, nanos: u64) -> Checked {
    let cx = DecisionContext::new(Direction::Input, Origin::Retrieved, clock::today());
    let judged = Judged {
        part: 0,
        origin: Origin::Retrieved,
        report: &file.report,
    };
    let decision = engine.judge.policy().decide_parts(&[judged], &cx);
    Checked {
        subject: Subject {
            name: escaped(&path),
            path: Some(path),
            bytes: file.text.into_bytes(),
            kind: PartKind::Document,
            conversation: None,
        },
        judgement: Judgement {
            parts: vec![JudgedPart {
                path: String::new(),
                origin: Origin::Retrieved,
                kind: PartKind::Document,
                inspection: Inspection {
                    report: file.report,
                    trace: Vec::new(),
                },
            }],
            decision,
        },
        nanos,
    }
}

fn report(arguments: &Dependencies, engine: &Engine, all: &[Checked]) -> Result<String, Problem> {
    match arguments.reported.format {
        Format::Json => {
            let safe_texts = all.iter().map(|_| None).collect();
            json::v1::report(engine, all, safe_texts, json::v1::Extras::default())
        }
        Format::Sarif => Ok(sarif::report(engine, all)),
        Format::Junit | Format::Html => {
            let version = engine.judge.policy().version();
            let listing = Listing::of_texts("deps", version, all, arguments.fail_on);
            Ok(listing.document(arguments.reported.format))
        }
        Format::Human => {
            let look = human::Look {
                columns: output::columns(),
                verbose: arguments.reported.verbose,
                timings: false,
            };
            let version = engine.rules.version();
            let reports: Vec<String> = all
                .iter()
                .map(|one| human::report(one, version, look))
                .collect();
            Ok(reports.join("\n"))
        }
    }
}
