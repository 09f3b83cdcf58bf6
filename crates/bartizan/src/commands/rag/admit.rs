//! `bartizan rag check` and `sanitise`.

use std::path::Path;

use bartizan_core::{Direction, Origin};
use bartizan_guard::{Judgement, NO_CLOCK, conversation::Conversation};
use bartizan_policy::DecisionContext;
use bartizan_rag::{
    admission::{Admission, DocumentLook, READING, SourcePolicy},
    document::{self, Sanitised},
    embedding::{self, EmbeddingLimits},
};
use serde_json::json;

use super::{
    files::{chunks_of, holds_chunks, kind, places, read},
    show::{checked, show},
};
use crate::{
    cli::{PlainFormat, RagCheck, RagSanitise},
    clock::{self, Stopwatch},
    commands::walk::Found,
    config::Config,
    engine::{Engine, read_config},
    exit::Exit,
    input::{cannot_read, escaped},
    key::Key,
    output,
    problem::{Problem, Problems},
    render::Checked,
};

/// Checks documents and chunks; one that cannot be read does not keep the others from being checked.
pub(super) fn check(arguments: &RagCheck) -> Result<Exit, Problems> {
    let config = read_config(&arguments.setup)?;
    let limits = limits(&config);
    let sources = sources(&config)?;
    let engine = Engine::with_config(&arguments.setup, config)?;
    let admission = Admission::new(engine.judge.clone(), sources);
    let (styles, key) = (engine.styles(&[])?, Key::get()?);
    let mut exit = Exit::default();
    let mut all = Vec::new();
    let mut safe_texts = Vec::new();
    for place in places(&arguments.paths)? {
        let looked = match place.found {
            Found::File(path) if holds_chunks(&path) => {
                chunks(arguments, &admission, &path).map(|checked| (checked, None))
            }
            Found::File(path) => {
                document(arguments, &admission, &path, &limits).map(|(checked, document)| {
                    let mut redactor = engine.redactor(styles.clone(), &key, true);
                    let safe =
                        checked
                            .judgement
                            .safe_text(0, document.text.as_bytes(), &mut redactor);
                    let is_safe = checked.is_complete();
                    let text = is_safe.then(|| String::from_utf8_lossy(&safe).into_owned());
                    (checked, text)
                })
            }
            // It is looked at where it stands.
            Found::LinkInside => continue,
            Found::LinkOutside | Found::Other => {
                let why = match place.found {
                    Found::Other => "it is neither a file nor a folder",
                    _ => "a link that leads out of what is checked is not followed",
                };
                output::note(&format!("not looked at: `{}`: {why}", place.name));
                exit = exit.join(Exit::Incomplete);
                continue;
            }
            Found::Unreadable(path, error) => Err(cannot_read(&path, &error)),
            Found::Stdin => Err(Problem::new("standard input is no document or chunks")
                .help("name a file, whose ending says which of them it holds")),
        };
        match looked {
            Ok((checked, text)) => {
                all.push(checked);
                safe_texts.push(text);
            }
            Err(problem) => {
                output::show_problems(&[problem]);
                exit = exit.join(Exit::Error);
            }
        }
    }
    let shown = show(
        &engine,
        &all,
        safe_texts,
        arguments.reported.format,
        arguments.reported.verbose,
    )?;
    Ok(exit.join(shown))
}

/// Prints what a reader sees of a document.
pub(super) fn sanitise(arguments: &RagSanitise) -> Result<Exit, Problems> {
    let config = read_config(&arguments.setup)?;
    let limits = limits(&config);
    let engine = Engine::with_config(&arguments.setup, config)?;
    let bytes = read(&arguments.path)?;
    let kind = kind(arguments.reading.kind.as_deref(), &bytes, &arguments.path)?;
    let document = document::sanitise(&bytes, kind, &limits)
        .map_err(|error| unreadable(&arguments.path, &error))?;
    let admission = Admission::new(engine.judge.clone(), SourcePolicy::default());
    let look = admission.document(&document, None, None, NO_CLOCK, &context());
    let text = if arguments.keep_personal_data {
        Some(document.text.clone())
    } else if is_looked_through(&look.judgement) {
        let key = Key::get()?;
        let mut redactor = engine.redactor(engine.styles(&[])?, &key, false);
        let safe = look
            .judgement
            .safe_text(0, document.text.as_bytes(), &mut redactor);
        Some(String::from_utf8_lossy(&safe).into_owned())
    } else {
        None
    };
    match arguments.format {
        PlainFormat::Human => {
            output::data(text.as_deref().unwrap_or_default().as_bytes())?;
            note(&document);
        }
        PlainFormat::Json => {
            output::stdout(&format!("{:#}\n", answer(kind, &document, text.as_deref())))?
        }
    }
    if text.is_none() {
        output::note(
            "no text: a check did not finish, so that personal data may be left; `rag check` says \
             which, and `--keep-personal-data` prints the text as it is",
        );
    }
    Ok(if document.is_complete() && text.is_some() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

/// Whether the checks finished on what was read of a document, so that what they found is all that
/// is to be replaced.
fn is_looked_through(judgement: &Judgement) -> bool {
    let mut gaps = judgement.decision.gaps.iter();
    gaps.all(|gap| gap.check.as_deref() == Some(READING))
}

/// The answer as JSON: the text, `null` where it cannot be made safe, what is hidden without what it
/// says, and what was not read.
fn answer(kind: document::Kind, document: &Sanitised, text: Option<&str>) -> serde_json::Value {
    let part = |number: usize| document.parts.get(number).map_or("", String::as_str);
    let hidden: Vec<_> = document
        .hidden
        .iter()
        .map(|hidden| {
            json!({
                "hiding": hidden.hiding.as_str(),
                "rule": hidden.hiding.rule().id,
                "part": part(hidden.place.part),
                "span": hidden.place.span,
                "bytes": hidden.text.len(),
            })
        })
        .collect();
    let gaps: Vec<String> = document.gaps.iter().map(ToString::to_string).collect();
    json!({
        "version": 1,
        "kind": kind.as_str(),
        "text": text,
        "hidden": hidden,
        "complete": document.is_complete(),
        "gaps": gaps,
    })
}

fn note(document: &Sanitised) {
    for hiding in document::Hiding::ALL {
        let passages = document.hidden.iter().filter(|h| h.hiding == hiding);
        let (count, bytes) = passages.fold((0, 0), |(count, bytes), hidden| {
            (count + 1, bytes + hidden.text.len())
        });
        if count > 0 {
            let title = &hiding.rule().title;
            output::note(&format!("left out ({count}): {title}, {bytes} bytes"));
        }
    }
    for gap in &document.gaps {
        output::note(&format!("not read: {gap}"));
    }
}

fn document(
    arguments: &RagCheck,
    admission: &Admission,
    path: &Path,
    limits: &document::Limits,
) -> Result<(Checked, Sanitised), Problem> {
    let reading = &arguments.reading;
    let watch = Stopwatch::start();
    let bytes = read(path)?;
    let kind = kind(reading.kind.as_deref(), &bytes, path)?;
    let document =
        document::sanitise(&bytes, kind, limits).map_err(|error| unreadable(path, &error))?;
    let (source, date) = (reading.source.as_deref(), reading.date.as_deref());
    let look = admission.document(&document, source, date, NO_CLOCK, &context());
    let checked = looked_at(path, look, watch.nanos());
    Ok((checked, document))
}

fn chunks(arguments: &RagCheck, admission: &Admission, path: &Path) -> Result<Checked, Problem> {
    let watch = Stopwatch::start();
    let chunks = chunks_of(path)?;
    let cx = context();
    let mut look = admission.chunks(&chunks, arguments.tenant.as_deref(), NO_CLOCK, &cx);
    let judgement = &mut look.judgement;
    if embedding::report(&chunks, &mut judgement.parts, &EmbeddingLimits::default()) {
        look.judgement = admission.judge().decide(look.judgement.parts, &cx);
    }
    Ok(looked_at(path, look, watch.nanos()))
}

fn looked_at(path: &Path, look: DocumentLook, nanos: u64) -> Checked {
    let DocumentLook {
        conversation,
        judgement,
    } = look;
    let conversation: Conversation = conversation;
    checked(
        escaped(path),
        Some(path.to_owned()),
        conversation,
        judgement,
        nanos,
    )
}

pub(super) fn context() -> DecisionContext<'static> {
    DecisionContext::new(Direction::Input, Origin::Retrieved, clock::today())
}

fn limits(config: &Config) -> document::Limits {
    let rag = &config.file.rag;
    document::Limits {
        max_bytes: rag.max_document_bytes,
        max_expanded_bytes: rag.max_expanded_bytes,
        ..document::Limits::default()
    }
}

fn sources(config: &Config) -> Result<SourcePolicy, Problem> {
    SourcePolicy::new(&config.file.rag.sources)
        .map_err(|error| config.problem_with("sources", error.to_string()))
}

fn unreadable(path: &Path, error: &document::SanitiseError) -> Problem {
    Problem::new(format!("cannot read `{}`: {error}", escaped(path)))
        .help("`--kind` says what it is")
}
