//! `bartizan rag answer`.

use bartizan_core::{Direction, Layer, Origin};
use bartizan_guard::{
    Judgement, NO_CLOCK,
    conversation::{Conversation, Format, Part, PartKind},
    redact::Redactor,
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
    input::{MAX_SETTINGS_BYTES, escaped, read_stdin},
    key::Key,
    output,
    problem::{Problem, Problems},
};

/// Holds an answer against its evidence, and says what would be shown.
pub(super) fn run(arguments: &RagAnswer) -> Result<Exit, Problems> {
    let is_stdin = arguments.answer.as_os_str() == "-";
    let text = if is_stdin {
        read_stdin(MAX_SETTINGS_BYTES)?
    } else {
        String::from_utf8(read(&arguments.answer)?)
            .map_err(|_| Problem::new("the answer is no UTF-8").help("write it as UTF-8"))?
    };
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
    let shown = if !is_grounded {
        Some(settings.fallback)
    } else if judgement.is_complete() {
        let styles = engine.styles(&[])?;
        let mut redactor = engine.redactor(styles, &Key::get()?, true);
        Some(safe(&judgement, &text, &mut redactor))
    } else {
        // Nobody knows what there is to be replaced.
        None
    };
    let (name, path) = if is_stdin {
        ("stdin".to_owned(), None)
    } else {
        let path = arguments.answer.clone();
        (escaped(&path), Some(path))
    };
    let all = [checked(name, path, conversation, judgement, watch.nanos())];
    let exit = show(&engine, &all, vec![shown], arguments.format, true)?;
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

/// A grounded answer with everything replaced that is to be removed. That a claim does not hold is
/// no reason to cut it out: enough of the others do.
fn safe(judgement: &Judgement, text: &str, redactor: &mut Redactor) -> String {
    let removals = judgement.removals(0).into_iter();
    let removals = removals.filter(|finding| finding.layer != Layer::Grounding);
    let safe = redactor.rewrite(text.as_bytes(), 0, removals);
    String::from_utf8_lossy(&safe).into_owned()
}
