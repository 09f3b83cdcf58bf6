//! `bartizan check`: texts, files, and conversations in, a report and a verdict out.

use std::{
    ffi::OsStr,
    io::{self, IsTerminal},
};

use bartizan_core::{Category, Direction, Finding, Origin, Severity};
use bartizan_guard::{NO_CLOCK, redact::Keys};
use bartizan_policy::DecisionContext;

use super::stream;
use crate::{
    cli::{Check, Format},
    clock::{self, Stopwatch},
    engine::Engine,
    exit::Exit,
    input::{NoSource, Source, Subject},
    key::Key,
    output,
    problem::{Problem, Problems},
    render::{Checked, human, is_sensitive, json, listing::Listing, safe, sarif},
};

/// Checks every input; an input that cannot be read does not keep the others from being checked.
pub(crate) fn run(arguments: &Check) -> Result<Exit, Problems> {
    let engine = Engine::new(&arguments.setup)?;
    let styles = engine.styles(&arguments.style)?;
    let key = Key::get()?;
    let mut redactor = arguments
        .redact
        .then(|| engine.redactor(styles, &key, arguments.quiet));
    let sources = sources(arguments, &engine);
    if arguments.stream {
        return stream::run(arguments, &engine, sources, redactor);
    }
    let mut exit = Exit::default();
    let mut all: Vec<Checked> = Vec::new();
    let mut safe_texts: Vec<Option<String>> = Vec::new();
    for source in sources {
        let checked = source
            .and_then(|source| source.read(arguments.kind))
            .map(|subject| check(arguments, &engine, &key, subject));
        let checked = match checked {
            Ok(checked) => checked,
            Err(problem) => {
                output::show_problems(&[problem]);
                exit = exit.join(Exit::Error);
                continue;
            }
        };
        exit = exit.join(checked.exit());
        let mut safe_text = None;
        if let Some(redactor) = &mut redactor {
            match checked.safe_version(redactor) {
                Ok(text) if arguments.format == Format::Human => {
                    output::data(&text)?;
                }
                Ok(text) => safe_text = Some(String::from_utf8_lossy(&text).into_owned()),
                Err(problem) => output::show_problems(&[problem]),
            }
        }
        if arguments.format == Format::Human {
            show(arguments, &engine, &checked)?;
        } else {
            safe_texts.push(safe_text);
            all.push(checked);
        }
    }
    let report = match arguments.format {
        Format::Human => return Ok(exit),
        Format::Json => {
            let extras = json::v1::Extras {
                decision: arguments.decision,
                timings: arguments.timings,
            };
            json::v1::report(&engine, &all, safe_texts, extras)?
        }
        Format::Sarif => sarif::report(&engine, &all),
        Format::Junit | Format::Html => {
            let version = engine.judge.policy().version();
            Listing::of_texts("check", version, &all, Severity::Info).document(arguments.format)
        }
    };
    if !arguments.quiet {
        output::data(report.as_bytes())?;
    }
    Ok(exit)
}

fn show(arguments: &Check, engine: &Engine, checked: &Checked) -> Result<(), Problem> {
    if arguments.quiet {
        return Ok(());
    }
    let look = human::Look {
        columns: output::columns(),
        verbose: arguments.verbose,
        timings: arguments.timings,
    };
    let report = human::report(checked, engine.rules.version(), look);
    if arguments.redact {
        output::stderr(&report);
        return Ok(());
    }
    output::stdout(&report)
}

/// Looks at one subject and decides about it.
fn check(arguments: &Check, engine: &Engine, key: &Key, subject: Subject) -> Checked {
    let is_output = is_output(arguments) || subject.is_answer();
    let direction = if is_output {
        Direction::Output
    } else {
        Direction::Input
    };
    let origin = origin(arguments, is_output);
    let watch = Stopwatch::start();
    let clock = || watch.nanos();
    let clock: bartizan_guard::Clock<'_> = if arguments.timings { &clock } else { NO_CLOCK };
    let judgement = {
        let texts = subject.texts();
        let keys = Keys::new(key.bytes);
        let hash = |part: u32, finding: &Finding| {
            let text = texts.get(part as usize)?;
            Some(keys.text_hash(text.get(finding.span?.as_range())?))
        };
        let mut cx = DecisionContext::new(direction, origin, clock::today());
        cx.route = &arguments.route;
        // A hash under a key that is gone tomorrow fits no allow-list.
        cx.text_hash = if key.is_lasting { Some(&hash) } else { None };
        match &subject.conversation {
            Some(conversation) => {
                let judge = &engine.judge;
                judge.conversation(conversation, arguments.sink, clock, &cx)
            }
            None => {
                let text = bartizan_guard::Subject {
                    text: &subject.bytes,
                    origin,
                    direction,
                    sink: arguments.sink.filter(|_| is_output),
                };
                engine.judge.text(&text, subject.kind.clone(), clock, &cx)
            }
        }
    };
    let nanos = watch.nanos();
    Checked {
        subject,
        judgement,
        nanos,
    }
}

/// Whether the arguments say that it comes from the model.
pub(super) fn is_output(arguments: &Check) -> bool {
    arguments.output || arguments.sink.is_some()
}

/// Who wrote it.
pub(super) fn origin(arguments: &Check, is_output: bool) -> Origin {
    let by_default = if is_output {
        Origin::Model
    } else {
        Origin::User
    };
    arguments.origin.unwrap_or(by_default)
}

/// What the arguments name; standard input if they name nothing and it is no terminal.
fn sources(arguments: &Check, engine: &Engine) -> Vec<Result<Source, Problem>> {
    let texts = arguments.text.iter().cloned().map(Source::Text).map(Ok);
    let inputs = arguments
        .input
        .iter()
        .map(|input| Source::of(input).map_err(|why| no_source(engine, input, why)));
    let mut sources: Vec<_> = texts.chain(inputs).collect();
    if sources.is_empty() {
        sources.push(if io::stdin().is_terminal() {
            Err(Problem::new("nothing to check")
                .help("give a file, `-` for standard input, or a text in quotes"))
        } else {
            Ok(Source::Stdin)
        });
    }
    sources
}

fn no_source(engine: &Engine, input: &OsStr, why: NoSource) -> Problem {
    let name = presentable(engine, input);
    match why {
        NoSource::Missing => Problem::new(format!("there is no file {name}"))
            .help("check the path, or check a text that looks like a path with `--text`"),
        NoSource::Folder => Problem::new(format!("{name} is a folder"))
            .help("name the files in it, e.g. with `*` of your shell"),
        NoSource::NoText => Problem::new(format!("{name} is neither a file nor UTF-8"))
            .help("give such a text on standard input"),
    }
}

/// The argument in quotes, unless it holds what must not be shown.
fn presentable(engine: &Engine, input: &OsStr) -> String {
    let text = input.to_string_lossy();
    let subject = bartizan_guard::Subject::input(text.as_bytes(), Origin::User);
    let seen = engine.judge.guard().inspect(&subject, NO_CLOCK);
    let hides = |finding: &Finding| {
        is_sensitive(finding.rule.category) || finding.rule.category == Category::Custom
    };
    if seen.report.findings.iter().any(hides) {
        "of the given name, which holds a secret or personal data".to_owned()
    } else {
        format!("`{}`", safe::line(&text))
    }
}
