//! Guarded streams of every protocol: bytes of the upstream in, bytes for the client out.
//!
//! A plain struct without IO. Every text of an answer (a choice's content, its reasoning, a
//! refusal, a content block) is a *channel* with a window of its own, see
//! [`bartizan_guard::Stream`]: what the client gets of it is what filtering the whole text would
//! give, however the upstream cut it. Calls of tools are held until they are complete and judged as
//! parsed wholes. Copies of text that was streamed already are rewritten from what was released.
//! Whatever no table knows is judged before it passes. A finding that blocks ends the stream the way
//! the format's clients know.

mod call;
mod channel;
mod chat;
mod config;
mod core;
mod json;
mod leaves;
mod messages;
mod outcome;
mod responses;

use std::{ops::ControlFlow, sync::Arc};

use bartizan_core::{Finding, Sink};
use bartizan_guard::{
    Judge,
    redact::{Redactor, Vault},
};
use bartizan_policy::Date;

use self::core::{Core, Format, Next, Stop};
use super::sse::{self, Events, Item, SseFault};
use crate::endpoint::Endpoint;
pub use config::StreamConfig;
pub use outcome::{Ending, FoundIn, MAX_FINDINGS, Outcome, Usage};

/// Guards one streamed answer.
pub struct GuardedStream {
    events: Events,
    format: Box<dyn Format>,
    core: Core,
}

/// Makes the redactor of one text. It gets no vault tokens: nobody could turn them back.
pub type MakeRedactor = Arc<dyn Fn() -> Redactor + Send + Sync>;

/// What a stream is guarded with.
#[derive(Clone)]
pub struct StreamSetup {
    /// Looks and decides.
    pub judge: Judge,
    /// Replaces what is to be redacted.
    pub redactor: MakeRedactor,
    /// Turns the placeholders of the request's redaction back into values; `None` leaves them.
    pub restore: Option<Arc<Vault>>,
    /// Where the answer will be shown or run, if that is known.
    pub sink: Option<Sink>,
    /// The route, empty for none.
    pub route: String,
    /// The tenant, empty for none.
    pub tenant: String,
    /// Today, for exceptions that expire.
    pub today: Date,
    /// Whether the client may see probabilities of tokens.
    pub logprobs: bool,
    /// What the client reads where an answer is ended; `None` for nothing.
    pub refusal: Option<String>,
    /// Bounds.
    pub config: StreamConfig,
    /// Says what stands against a call, by its tool and its arguments; `None` for nothing.
    pub calls: Option<ExamineCall>,
}

/// Says what stands against a call of a tool, by its name and its arguments as text.
pub type ExamineCall = Arc<dyn Fn(&str, &str) -> Vec<Finding> + Send + Sync>;

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More may come.
    Open,
    /// Everything the client will get is out; the upstream may be dropped.
    Ended,
}

/// The endpoint has no streamed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this route has no streamed answers")]
pub struct NotStreamed;

impl GuardedStream {
    /// A stream of `endpoint`'s format.
    ///
    /// # Errors
    /// When the endpoint has no streamed answers.
    pub fn new(endpoint: Endpoint, setup: StreamSetup) -> Result<Self, NotStreamed> {
        let format: Box<dyn Format> = match endpoint {
            Endpoint::ChatCompletions => Box::new(chat::Chat::new(chat::Kind::Chat)),
            Endpoint::Completions => Box::new(chat::Chat::new(chat::Kind::Text)),
            Endpoint::Responses => Box::new(responses::Responses::default()),
            Endpoint::Messages => Box::new(messages::Messages::default()),
            Endpoint::Embeddings
            | Endpoint::Moderations
            | Endpoint::Models
            | Endpoint::Model
            | Endpoint::CountTokens => return Err(NotStreamed),
        };
        Ok(Self {
            events: Events::new(setup.config.max_event_bytes),
            format,
            core: Core::new(setup),
        })
    }

    /// Takes bytes of the upstream in and appends what the client gets to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Flow {
        let Self {
            events,
            format,
            core,
        } = self;
        if core.is_ended() {
            core.outcome.trailing_bytes += bytes.len() as u64;
            return Flow::Ended;
        }
        let mut stop = None;
        let mut was_kept_alive = false;
        let before = out.len();
        let read = events.push(bytes, |item| {
            let Item::Event { name, data } = item else {
                was_kept_alive = true;
                return ControlFlow::Continue(());
            };
            core.outcome.events += 1;
            match format.event(core, name, data, out) {
                Ok(Next::More) => ControlFlow::Continue(()),
                Ok(Next::End) => {
                    core.outcome.ending = Ending::Complete;
                    ControlFlow::Break(())
                }
                Err(stopped) => {
                    stop = Some(stopped);
                    ControlFlow::Break(())
                }
            }
        });
        let stop = stop.or(match read {
            Ok(()) => None,
            Err(SseFault::TooLong) => Some(Stop::Limit("max-event-bytes")),
            Err(SseFault::InvalidUtf8) => Some(Stop::Malformed("no UTF-8")),
        });
        match stop {
            Some(stop) => self.close(stop, out),
            None if was_kept_alive && out.len() == before => sse::write_keep_alive(out),
            None => {}
        }
        self.flow()
    }

    /// Looks at text that waits for its batch to fill, and appends what may be shown to `out`; to be
    /// called when the upstream was quiet for [`StreamConfig::batch_ms`] and
    /// [`Self::is_waiting`].
    pub fn flush(&mut self, out: &mut Vec<u8>) -> Flow {
        if !self.core.is_ended()
            && let Err(stop) = self.format.flush(&mut self.core, out)
        {
            self.close(stop, out);
        }
        self.flow()
    }

    /// Whether text came that was not yet looked at.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.core.is_ended() && self.format.is_waiting()
    }

    /// Says that the upstream ended, in order or not; appends the rest to `out`.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.core.is_ended() {
            return;
        }
        match self.format.finish(&mut self.core, out) {
            Ok(()) => self.core.outcome.ending = Ending::Complete,
            Err(stop) => self.close(stop, out),
        }
    }

    /// Whether more may come.
    #[must_use]
    pub const fn flow(&self) -> Flow {
        if self.core.is_ended() {
            Flow::Ended
        } else {
            Flow::Open
        }
    }

    /// What the stream came to so far.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.core.outcome
    }

    /// What the stream came to, for the record.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.core.outcome
    }

    fn close(&mut self, stop: Stop, out: &mut Vec<u8>) {
        // What is held back stays back: half a value looks like none.
        self.format.close(&mut self.core, stop, out);
        self.core.outcome.ending = stop.ending();
    }
}

impl std::fmt::Debug for GuardedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardedStream")
            .field("ending", &self.core.outcome.ending)
            .field("verdict", &self.core.outcome.verdict)
            .field("events", &self.core.outcome.events)
            .finish_non_exhaustive()
    }
}
