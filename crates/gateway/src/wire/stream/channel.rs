use std::sync::Arc;

use bartizan_core::Verdict;
use bartizan_guard::{
    Stream,
    redact::{Restorer, Vault},
    window::{Flow, WindowConfig},
};

use super::core::{Core, Stop};

/// One text of an answer: pushed in pieces, looked at in its window, released in other pieces.
pub(super) struct Channel {
    /// Its place, for the record.
    name: String,
    stream: Stream,
    restorer: Option<Restorer<Arc<Vault>>>,
    /// Released bytes that are not yet a whole character.
    bytes: Vec<u8>,
    /// Released and not yet sent.
    ready: String,
    /// Everything that was sent; `None` where no copy of it will come.
    sent: Option<String>,
    /// Whether the upstream signed the text, so that it may only pass as it is.
    is_signed: bool,
    /// Whether nothing of it is looked at before it is complete.
    is_whole: bool,
    gaps: usize,
    is_ended: bool,
}

impl Channel {
    pub(super) fn new(name: String, core: &Core) -> Self {
        let setup = &core.setup;
        let config = &setup.config;
        let window = if config.hold_whole {
            WindowConfig {
                step: config.max_text_bytes,
                max_held: config.max_text_bytes.saturating_mul(2),
            }
        } else {
            WindowConfig {
                step: config.batch_bytes,
                // A batch may wait on top, of half of this.
                max_held: config.max_hold_back_bytes / 3 * 2,
            }
        };
        let redactor = (setup.redactor)().without_tokens();
        Self {
            name,
            stream: Stream::new(
                Arc::clone(setup.judge.guard()),
                Arc::clone(setup.judge.policy()),
                redactor,
                core.subject(),
                window,
            ),
            restorer: setup.restore.clone().map(Restorer::new),
            bytes: Vec::new(),
            ready: String::new(),
            sent: None,
            is_signed: false,
            is_whole: config.hold_whole,
            gaps: 0,
            is_ended: false,
        }
    }

    /// The same, for a text of which copies will come.
    pub(super) fn keeping(mut self) -> Self {
        self.sent = Some(String::new());
        self
    }

    /// The same, for a text that is signed.
    pub(super) fn signed(mut self) -> Self {
        self.is_signed = true;
        self.restorer = None;
        self
    }

    /// Takes a piece of text in; text after the end is dropped.
    pub(super) fn push(&mut self, core: &mut Core, text: &str) -> Result<(), Stop> {
        if self.is_ended || text.is_empty() {
            return Ok(());
        }
        core.count_text(text.len())?;
        self.stream.push(text.as_bytes(), &mut self.bytes);
        self.released(core)
    }

    /// Looks at what waits.
    pub(super) fn flush(&mut self, core: &mut Core) -> Result<(), Stop> {
        if self.is_ended || self.is_whole {
            return Ok(());
        }
        self.stream.flush(&mut self.bytes);
        self.released(core)
    }

    /// Says that the text is complete.
    pub(super) fn finish(&mut self, core: &mut Core) -> Result<(), Stop> {
        if self.is_ended {
            return Ok(());
        }
        self.is_ended = true;
        self.stream.finish(&mut self.bytes);
        self.released(core)?;
        if let Some(restorer) = &mut self.restorer {
            self.ready.push_str(&restorer.finish());
        }
        Ok(())
    }

    /// Takes over what the window gave out, and stops where it stopped.
    fn released(&mut self, core: &mut Core) -> Result<(), Stop> {
        let findings = self.stream.take_findings();
        if !findings.is_empty() {
            core.note(&self.name, findings);
        }
        let new_gaps = self.stream.gaps().get(self.gaps..).unwrap_or_default();
        self.gaps += new_gaps.len();
        let gaps = if new_gaps.is_empty() {
            Ok(())
        } else {
            core.note_gaps(new_gaps)
        };
        core.outcome.most_held = core.outcome.most_held.max(self.stream.held());
        // A mark would pass for signed text; what is held whole is shown whole or not at all.
        let is_withheld = self.is_signed && self.stream.verdict() >= Verdict::Redact
            || self.is_whole && self.stream.verdict() >= Verdict::Ask;
        if gaps.is_err() || is_withheld {
            // Nothing of this step.
            self.bytes.clear();
            core.outcome.verdict = core.outcome.verdict.join(Verdict::Block);
            return Err(Stop::Blocked);
        }
        self.take_whole_characters();
        match self.stream.flow() {
            Flow::Open => Ok(()),
            Flow::Stopped => Err(Stop::Blocked),
            Flow::Full => Err(Stop::Limit("max-hold-back-bytes")),
        }
    }

    fn take_whole_characters(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = self.bytes.get(..error.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        };
        match &mut self.restorer {
            Some(restorer) => self.ready.push_str(&restorer.push(whole)),
            None => self.ready.push_str(whole),
        }
        let taken = whole.len();
        self.bytes.drain(..taken);
    }

    /// Whether there is something to send.
    pub(super) const fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether text waits to be looked at.
    pub(super) const fn is_waiting(&self) -> bool {
        !self.is_ended && !self.is_whole && self.stream.waiting() > 0
    }

    /// Gives what is to be sent to `send`, once.
    pub(super) fn send<T>(
        &mut self,
        core: &mut Core,
        send: impl FnOnce(&mut Core, &str) -> T,
    ) -> T {
        core.outcome.released_bytes += self.ready.len() as u64;
        let sent = send(core, &self.ready);
        if let Some(all) = &mut self.sent {
            all.push_str(&self.ready);
        }
        self.ready.clear();
        sent
    }

    /// Everything that was sent of a text that keeps it.
    pub(super) fn sent(&self) -> &str {
        self.sent.as_deref().unwrap_or_default()
    }
}
