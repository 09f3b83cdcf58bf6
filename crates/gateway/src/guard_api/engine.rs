//! From a text or a conversation to a judgement.

use std::sync::Arc;

use bartizan_core::{Direction, Finding, Origin, Sink, Span, Verdict};
use bartizan_guard::{
    Judgement, Subject,
    conversation::{self, Conversation, ConversationError, ParseLimits, PartKind},
    redact::{Redactor, stretches},
};
use bartizan_policy::{Date, DecisionContext, Policy};

use super::{GuardApi, Judged, request::Incoming};
use crate::{
    clock::Clock,
    fault::{Fault, FaultKind},
    judge::{Asked, amend},
};

/// What is to be judged, and where it stands.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) content: Content,
    pub(super) origin: Origin,
    pub(super) direction: Direction,
    pub(super) sink: Option<Sink>,
}

/// A text or a conversation.
pub(super) enum Content {
    Text(String),
    Conversation {
        /// The JSON from which it was read.
        document: String,
        conversation: Conversation,
    },
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Conversation { conversation, .. } => conversation.fmt(f),
        }
    }
}

impl Input {
    /// A text of a user, a document, or a model.
    pub(super) const fn text(text: String, origin: Origin, direction: Direction) -> Self {
        Self {
            content: Content::Text(text),
            origin,
            direction,
            sink: None,
        }
    }

    /// A JSON document in any wire format.
    pub(super) fn conversation(document: String, direction: Direction) -> Result<Self, Fault> {
        let conversation = conversation::parse(document.as_bytes(), &ParseLimits::default())
            .map_err(|error| fault_of(&error))?;
        Ok(Self {
            content: Content::Conversation {
                document,
                conversation,
            },
            origin: match direction {
                Direction::Input => Origin::User,
                Direction::Output => Origin::Model,
            },
            direction,
            sink: None,
        })
    }

    /// The texts of its parts, in order.
    pub(super) fn texts(&self) -> Vec<&str> {
        match &self.content {
            Content::Text(text) => vec![text],
            Content::Conversation { conversation, .. } => {
                conversation.parts.iter().map(|part| &*part.text).collect()
            }
        }
    }

    /// `text`, or the wire format.
    pub(super) const fn format(&self) -> &'static str {
        match &self.content {
            Content::Text(_) => "text",
            Content::Conversation { conversation, .. } => conversation.format.as_str(),
        }
    }
}

/// The place and the kind of mistake are ours to tell, the text is not.
fn fault_of(error: &ConversationError) -> Fault {
    let kind = match error {
        ConversationError::TooLong { .. } => FaultKind::TooLarge,
        ConversationError::Json { .. } => FaultKind::BadRequest,
        _ => FaultKind::Unprocessable,
    };
    Fault::new(kind, error.code(), error.to_string())
}

/// An input and what was decided about it.
pub(super) struct Checked {
    pub(super) input: Arc<Input>,
    pub(super) judgement: Judgement,
    pub(super) policy: Arc<Policy>,
    /// What it cost, in nanoseconds.
    pub(super) nanos: u64,
}

impl GuardApi {
    /// Judges `input`, asks for a second opinion where one is configured, and tells the service.
    pub(super) async fn check(
        &self,
        route: &'static str,
        incoming: &Incoming,
        input: Input,
    ) -> Result<Checked, Fault> {
        let judge = self.service.judge();
        let policy = Arc::clone(judge.policy());
        let input = Arc::new(input);
        let context = Context {
            direction: input.direction,
            origin: input.origin,
            route,
            principal: Arc::clone(&incoming.principal),
            today: today(&*self.clock),
            factor: self.service.threshold_factor(&incoming.principal),
        };
        let is_slow = judge.guard().is_slow();
        let started = self.clock.nanos();
        let first = {
            let (input, context) = (Arc::clone(&input), context.clone());
            let clock = Arc::clone(&self.clock);
            move || look(&judge, &input, &context, &*clock)
        };
        // By the whole body: many short texts keep a thread as busy as a long one.
        let is_heavy = is_slow || incoming.body.len() > self.config.inline_bytes;
        let mut judgement = if !is_heavy {
            first()
        } else {
            tokio::task::spawn_blocking(first)
                .await
                .map_err(|_| Fault::new(FaultKind::Internal, "internal", "the guard broke down"))?
        };
        if let Some(layer) = self.service.second_opinion() {
            let texts = input.texts();
            let asked: Vec<Asked<'_>> = texts.iter().map(|text| Asked { text }).collect();
            let opinions = layer.review(&judgement, &asked, input.direction).await;
            judgement = context.with(|cx| amend(judgement, opinions, &policy, cx));
        }
        let nanos = self.clock.nanos().saturating_sub(started);
        self.service.judged(&Judged {
            route,
            principal: &incoming.principal,
            request_id: &incoming.request_id,
            direction: input.direction,
            judgement: &judgement,
            nanos,
        });
        Ok(Checked {
            input,
            judgement,
            policy,
            nanos,
        })
    }
}

/// What a decision depends on, owned.
#[derive(Clone)]
struct Context {
    direction: Direction,
    origin: Origin,
    route: &'static str,
    principal: Arc<crate::principal::Principal>,
    today: Date,
    factor: f32,
}

impl Context {
    fn with<T>(&self, decide: impl FnOnce(&DecisionContext<'_>) -> T) -> T {
        let mut cx = DecisionContext::new(self.direction, self.origin, self.today);
        cx.route = self.route;
        cx.tenant = &self.principal.tenant;
        cx.threshold_factor = self.factor;
        decide(&cx)
    }
}

fn look(
    judge: &bartizan_guard::Judge,
    input: &Input,
    context: &Context,
    clock: &dyn Clock,
) -> Judgement {
    let nanos = || clock.nanos();
    context.with(|cx| match &input.content {
        Content::Text(text) => {
            let subject = Subject {
                text: text.as_bytes(),
                origin: input.origin,
                direction: input.direction,
                sink: input.sink.filter(|_| input.direction == Direction::Output),
            };
            judge.text(&subject, PartKind::Text, &nanos, cx)
        }
        Content::Conversation { conversation, .. } => {
            judge.conversation(conversation, input.sink, &nanos, cx)
        }
    })
}

/// Today in UTC.
pub(super) fn today(clock: &dyn Clock) -> Date {
    i64::try_from(clock.unix_ms())
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or(Date::MIN, |now| {
            now.to_zoned(jiff::tz::TimeZone::UTC).date()
        })
}

impl Checked {
    /// What is to be done.
    pub(super) const fn verdict(&self) -> Verdict {
        self.judgement.decision.enforced()
    }

    /// What a client is told when it is refused; names no rule.
    pub(super) fn refusal(&self) -> Option<(&'static str, &str)> {
        let key = self.judgement.decision.refusal?;
        Some((key.as_str(), self.policy.refusal(key, "en")))
    }

    /// The text of a part with what is to be removed replaced; `None` where something was not
    /// looked at, since nobody knows what it holds.
    pub(super) fn safe_part(&self, part: usize, redactor: &mut Redactor) -> Option<String> {
        if !self.judgement.is_complete() {
            return None;
        }
        let texts = self.input.texts();
        let text = texts.get(part)?;
        let safe = self.judgement.safe_text(part, text.as_bytes(), redactor);
        Some(String::from_utf8_lossy(&safe).into_owned())
    }

    /// The whole with what is to be removed replaced: a text, or the JSON document.
    pub(super) fn safe(&self, redactor: &mut Redactor) -> Option<String> {
        let Content::Conversation {
            document,
            conversation,
        } = &self.input.content
        else {
            return self.safe_part(0, redactor);
        };
        if !self.judgement.is_complete() {
            return None;
        }
        let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
        for (number, part) in conversation.parts.iter().enumerate() {
            for stretch in stretches(self.judgement.removals(number)) {
                let text = part.text.as_bytes();
                let value = text.get(stretch.range.clone()).unwrap_or_default();
                let found: Vec<&Finding> = stretch.findings.to_vec();
                let safe = redactor.rewrite(value, stretch.range.start, found);
                // A decoded file does not stand in the document, so it cannot be edited there.
                let span = part.document_span(Span::from_range(stretch.range))?;
                edits.push((span.as_range(), quoted(&String::from_utf8_lossy(&safe))));
            }
        }
        Some(edited(document, edits))
    }
}

/// A text as it stands between the quotes of a JSON string.
fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::String(text.to_owned()).to_string();
    let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// `document` with every edit in place; of edits that overlap, the first replaces them all.
fn edited(document: &str, mut edits: Vec<(std::ops::Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut out = String::with_capacity(document.len());
    let mut from = 0;
    for (range, text) in edits {
        if range.start < from {
            from = from.max(range.end);
            continue;
        }
        out.push_str(document.get(from..range.start).unwrap_or_default());
        out.push_str(&text);
        from = range.end;
    }
    out.push_str(document.get(from..).unwrap_or_default());
    out
}
