use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::hmac;
use bartizan_core::{Layer, Report};

use crate::{Inspection, Step, Subject};

/// Remembers what was seen in a text, so that a long history is not looked at again with every
/// turn.
///
/// Holds keyed hashes, findings, and coverage, never a text. Bounded: a text that was not asked
/// about for a while is forgotten. Belongs to one guard; another guard sees other things.
pub struct Memory {
    key: hmac::Key,
    generations: Mutex<Generations>,
    capacity: usize,
}

/// Texts shorter than this are looked at again: that costs less than their hash.
const MIN_BYTES: usize = 64;

type Digest = [u8; 32];

#[derive(Default)]
struct Generations {
    young: HashMap<Digest, Arc<Report>>,
    old: HashMap<Digest, Arc<Report>>,
}

impl Memory {
    /// A memory of at most `capacity` texts; `key` is random for each process.
    #[must_use]
    pub fn new(key: &[u8; 32], capacity: usize) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            generations: Mutex::default(),
            capacity: capacity.max(2),
        }
    }

    /// What was seen in `subject`, or what `look` sees in it now. Only what was looked at
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
        if let Some(report) = self.find(&digest) {
            let step = Step {
                check: "memory",
                layer: Layer::Shape,
                findings: report.findings.len(),
                nanos: 0,
            };
            return Inspection {
                report: (*report).clone(),
                trace: vec![step],
            };
        }
        let inspection = look();
        if inspection.report.is_complete() {
            self.keep(digest, Arc::new(inspection.report.clone()));
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

    fn find(&self, digest: &Digest) -> Option<Arc<Report>> {
        let mut generations = self.lock();
        if let Some(report) = generations.young.get(digest) {
            return Some(Arc::clone(report));
        }
        let report = generations.old.remove(digest)?;
        generations.keep(*digest, Arc::clone(&report), self.capacity);
        Some(report)
    }

    fn keep(&self, digest: Digest, report: Arc<Report>) {
        self.lock().keep(digest, report, self.capacity);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        // INVARIANT: no code panics while it holds the lock, so the maps are whole.
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn keep(&mut self, digest: Digest, report: Arc<Report>, capacity: usize) {
        if self.young.len() >= capacity / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, report);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::Origin;

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
        let generations = memory.lock();
        assert!(generations.young.len() + generations.old.len() <= 8);
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
