//! What was seen, by the renderers that every command uses.

use std::path::PathBuf;

use bartizan_core::Severity;
use bartizan_guard::{
    Judgement,
    conversation::{Conversation, PartKind},
};

use crate::{
    cli::Format,
    engine::Engine,
    exit::Exit,
    input::Subject,
    output,
    problem::Problem,
    render::{Checked, human, json, listing::Listing, sarif},
};

/// A subject of parts that were looked at.
pub(super) fn checked(
    name: String,
    path: Option<PathBuf>,
    conversation: Conversation,
    judgement: Judgement,
    nanos: u64,
) -> Checked {
    Checked {
        subject: Subject {
            name,
            path,
            bytes: Vec::new(),
            kind: PartKind::Document,
            conversation: Some(conversation),
        },
        judgement,
        nanos,
    }
}

/// Writes the reports on all subjects, with their safe texts where there are some.
pub(super) fn show(
    engine: &Engine,
    all: &[Checked],
    safe_texts: Vec<Option<String>>,
    format: Format,
    verbose: bool,
) -> Result<Exit, Problem> {
    let report = match format {
        Format::Human => {
            let look = human::Look {
                columns: output::columns(),
                verbose,
                timings: false,
            };
            let reports = all
                .iter()
                .map(|checked| human::report(checked, engine.rules.version(), look));
            output::stdout(&reports.collect::<String>())?;
            String::new()
        }
        Format::Json => json::v1::report(engine, all, safe_texts, json::v1::Extras::default())?,
        Format::Sarif => sarif::report(engine, all),
        Format::Junit | Format::Html => {
            let version = engine.judge.policy().version();
            Listing::of_texts("rag", version, all, Severity::Info).document(format)
        }
    };
    output::data(report.as_bytes())?;
    let exits = all.iter().map(Checked::exit);
    Ok(exits.fold(Exit::Clean, Exit::join))
}
