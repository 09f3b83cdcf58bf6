//! `bartizan rag answer`.

use std::io::{self, Read as _};

use bartizan_core::{Direction, Origin};
use bartizan_guard::{
    NO_CLOCK,
    conversation::{Conversation, Format, Part, PartKind},
};
use bartizan_policy::DecisionContext;
use bartizan_rag::grounding::{Evidence, Grounding};

use super::{
    files::{chunks, read},
    show::{checked, show},
};
use crate::{
    cli::{Format as Shape, RagAnswer},
    clock::{self, Stopwatch},
    engine::{Engine, read_config},
    exit::Exit,
    input::{MAX_SETTINGS_BYTES, escaped},
    output,
    problem::{Problem, Problems},
};

/// Holds an answer against its evidence, and says what would be shown.
pub(super) fn run(arguments: &RagAnswer) -> Result<Exit, Problems> {
    let is_stdin = arguments.answer.as_os_str() == "-";
    let bytes = if is_stdin {
        let mut bytes = Vec::new();
        let most = MAX_SETTINGS_BYTES;
        io::stdin()
            .lock()
            .take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Problem::new(format!("cannot read `stdin`: {error}")))?;
        if bytes.len() as u64 > most {
            return Err(Problem::new(format!("the answer has more than {most} bytes")).into());
        }
        bytes
    } else {
        read(&arguments.answer)?
    };
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::new("the answer is no UTF-8").help("write it as UTF-8"))?;
    let watch = Stopwatch::start();
    let evidence = chunks(&arguments.evidence)?;
    let config = read_config(&arguments.setup)?;
    let settings = config.file.rag.grounding.clone();
    let engine = Engine::with_config(&arguments.setup, config)?;
    let pieces: Vec<Evidence<'_>> = evidence
        .iter()
        .map(|chunk| Evidence {
            id: &chunk.id,
            text: &chunk.text,
        })
        .collect();
    let grounding = Grounding::of(&text, &pieces, &settings);
    let conversation = Conversation {
        format: Format::Answer,
        parts: vec![Part::new("", Origin::Model, PartKind::Text, text.clone())],
    };
    let cx = DecisionContext::new(Direction::Output, Origin::Model, clock::today());
    let mut parts = engine.judge.look(&conversation, None, NO_CLOCK, &cx);
    if let Some(part) = parts.first_mut() {
        grounding.report(&mut part.inspection.report);
    }
    let judgement = engine.judge.decide(parts, &cx);
    let is_grounded = grounding.is_grounded(&settings);
    let shown = if is_grounded {
        grounding.stripped(&text)
    } else {
        settings.fallback
    };
    let (name, path) = if is_stdin {
        ("stdin".to_owned(), None)
    } else {
        let path = arguments.answer.clone();
        (escaped(&path), Some(path))
    };
    let all = [checked(name, path, conversation, judgement, watch.nanos())];
    let exit = show(&engine, &all, vec![Some(shown)], arguments.format, true)?;
    if arguments.format == Shape::Human {
        let held = grounding
            .claims
            .iter()
            .filter(|claim| claim.is_supported())
            .count();
        let word = if is_grounded {
            "grounded"
        } else {
            "not grounded"
        };
        let all = grounding.claims.len();
        output::note(&format!("{word}: {held} of {all} claims hold"));
    }
    Ok(exit)
}
