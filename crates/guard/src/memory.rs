use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::hmac;

use crate::{Generations, Inspection, Step, Subject};

/// Remembers what was seen in a text, so that a long history is not looked at again with every
/// turn.
///
/// Holds keyed hashes, findings, and coverage, never a text. Bounded: a text that was not asked
/// about for a while is forgotten. Belongs to one guard; another guard sees other things.
pub struct Memory {
    key: hmac::Key,
    known: Mutex<Generations<Digest, Arc<Inspection>>>,
}

/// Texts shorter than this are looked at again: that costs less than their hash.
const MIN_BYTES: usize = 64;

type Digest = [u8; 32];

impl Memory {
    /// A memory of at most `capacity` texts; `key` is random for each process.
    #[must_use]
    pub fn new(key: &[u8; 32], capacity: usize) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            known: Mutex::new(Generations::new(capacity)),
        }
    }

    /// What was seen in `subject`, at no cost, or what `look` sees in it now. Only what was looked at
    /// completely is remembered.
    pub(crate) fn recall(
        &self,
        subject: &Subject<'_>,
        look: impl FnOnce() -> Inspection,
    ) -> Inspection {
        if subject.text.len() < MIN_BYTES {
            return look();
        }
        let digest = self.digest(subject);
        let known = self.lock().touch(&digest).cloned();
        if let Some(known) = known {
            return Inspection::clone(&known);
        }
        let inspection = look();
        if inspection.report.is_complete() {
            let trace = inspection.trace.iter();
            let known = Inspection {
                report: inspection.report.clone(),
                trace: trace.map(|step| Step { nanos: 0, ..*step }).collect(),
            };
            self.lock().put(digest, Arc::new(known));
        }
        inspection
    }

    /// HMAC-SHA-256 (RFC 2104) of the text and of where it stands.
    fn digest(&self, subject: &Subject<'_>) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        let sink = subject.sink.map_or(u8::MAX, |sink| sink as u8);
        context.update(&[subject.origin as u8, subject.direction as u8, sink]);
        context.update(subject.text);
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        digest
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations<Digest, Arc<Inspection>>> {
        // INVARIANT: no code panics while it holds the lock, so the maps are whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("texts", &self.lock().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Layer, Origin};

    use super::*;

    fn looks(memory: &Memory, text: &str, origin: Origin) -> bool {
        let mut looked = false;
        let subject = Subject::input(text.as_bytes(), origin);
        let _ = memory.recall(&subject, || {
            looked = true;
            let mut inspection = Inspection::default();
            inspection.report.coverage.push(bartizan_core::Coverage {
                check: "test",
                layer: Layer::Rules,
                outcome: Ok(()),
            });
            inspection
        });
        looked
    }

    #[test]
    fn a_text_is_looked_at_once_in_its_place() {
        let memory = Memory::new(&[1; 32], 8);
        let text = "a".repeat(100);
        assert!(looks(&memory, &text, Origin::User));
        assert!(!looks(&memory, &text, Origin::User));
        assert!(looks(&memory, &text, Origin::Retrieved));
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_asked_for() {
        let memory = Memory::new(&[1; 32], 8);
        let often = "b".repeat(100);
        assert!(looks(&memory, &often, Origin::User));
        for number in 0..100 {
            looks(&memory, &format!("{number:0>100}"), Origin::User);
            assert!(!looks(&memory, &often, Origin::User));
        }
        assert!(memory.lock().len() <= 8);
    }

    #[test]
    fn what_was_not_looked_at_completely_is_not_remembered() {
        let memory = Memory::new(&[1; 32], 8);
        let text = "c".repeat(100);
        let subject = Subject::input(text.as_bytes(), Origin::User);
        for _ in 0..2 {
            let mut looked = false;
            let _ = memory.recall(&subject, || {
                looked = true;
                Inspection::default()
            });
            assert!(looked, "a report without coverage is not complete");
        }
    }
}
