//! Bodies in, bodies out.

mod answers;
mod edits;
mod refusals;
mod requests;

use std::sync::{Arc, LazyLock};

use bartizan_core::{Direction, Origin};
use bartizan_guard::{
    Guard, Judge, Judgement, NO_CLOCK, Settings,
    conversation::{Conversation, ParseLimits},
    redact::{Keys, Redactor, Styles},
    shape::{Shape, ShapeLimits},
};
use bartizan_policy::{DecisionContext, Policy};
use bartizan_text::rules::RuleSet;
use bytes::Bytes;

use super::*;
use crate::{endpoint::Endpoint, fault::Fault};

static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    let guard = Guard::standard(&Settings::default(), RuleSet::builtin()).unwrap();
    let shape = Shape::new(ShapeLimits::default());
    Judge::new(Arc::new(guard), Arc::new(Policy::default()), Some(shape))
});

/// What the standard guard and the default policy say about a conversation.
pub(super) fn judged(conversation: &Conversation, direction: Direction) -> Judgement {
    let origin = match direction {
        Direction::Input => Origin::User,
        Direction::Output => Origin::Model,
    };
    let cx = DecisionContext::new(direction, origin, "2026-11-21".parse().unwrap());
    JUDGE.conversation(conversation, None, NO_CLOCK, &cx)
}

fn redactor() -> Redactor {
    Redactor::new(Styles::default(), Keys::new([7; 32]), "test")
}

fn read(endpoint: Endpoint, body: &str) -> Result<Request, Fault> {
    Request::read(
        endpoint,
        Bytes::copy_from_slice(body.as_bytes()),
        &ParseLimits::default(),
    )
}

fn chat(body: &str) -> Request {
    read(Endpoint::ChatCompletions, body).unwrap()
}

fn answer(endpoint: Endpoint, body: &str, logprobs: Logprobs) -> Result<Answer, Fault> {
    Answer::read(
        endpoint,
        Bytes::copy_from_slice(body.as_bytes()),
        &ParseLimits::default(),
        logprobs,
    )
}

/// An answer with what the default policy takes out taken out.
fn redacted(answer: &Answer) -> Result<String, EditError> {
    let judgement = judged(answer.conversation(), Direction::Output);
    let mut edits = answer.edit()?;
    edits.redact(&judgement, &mut redactor())?;
    Ok(text(&edits.apply()?))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
