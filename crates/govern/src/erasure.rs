//! Somebody is removed from everywhere.

use serde::{Deserialize, Serialize};

use crate::{
    retention::{Hold, Holds},
    store::{StoreFault, SubjectStore},
    subject::{Subject, SubjectHash},
};

/// How far an erasure is. Kept after each step, so that the next run goes on where this one ended;
/// at its end it is what the certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// The version of this form, 1.
    pub version: u32,
    /// Who, as a keyed hash.
    pub subject: SubjectHash,
    /// When it began, in milliseconds since 1970, UTC.
    pub began_ms: i64,
    /// When it ended; `None` while it has not.
    pub ended_ms: Option<i64>,
    /// One for each store, in the order of the configuration.
    pub stores: Vec<Step>,
}

/// How far an erasure is in one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The store.
    pub name: String,
    /// What kind of place it is.
    pub kind: String,
    /// Records that were there before anything was removed; `None` until they are counted.
    pub found: Option<u64>,
    /// Records that are there now; `None` until they were looked for again. 0 is done.
    pub left: Option<u64>,
}

/// Why an erasure did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError<E: std::error::Error + 'static> {
    /// The law wants it kept.
    #[error("the subject, or a class of data, is held by `{}`; nothing was removed", .0.0)]
    Held(Hold),
    /// The journal is of another subject.
    #[error("the journal is of another subject")]
    OtherSubject,
    /// A store could not do it; what was done before is done.
    #[error("store `{store}`: {source}")]
    Store {
        /// The store.
        store: String,
        /// Why.
        source: StoreFault,
    },
    /// Records came back, or stayed.
    #[error(
        "store `{store}` still holds {left} records; hint: stop what writes them, then run it again"
    )]
    Left {
        /// The store.
        store: String,
        /// How many.
        left: u64,
    },
    /// The journal could not be kept; nothing more was removed.
    #[error("the journal cannot be kept")]
    Journal(#[source] E),
}

impl Journal {
    /// The version of its form.
    pub const VERSION: u32 = 1;

    /// One that begins.
    #[must_use]
    pub fn new(subject: &Subject, now_ms: i64) -> Self {
        Self {
            version: Self::VERSION,
            subject: subject.hash().clone(),
            began_ms: now_ms,
            ended_ms: None,
            stores: Vec::new(),
        }
    }

    /// The step of a store; made if the store was not there when it began.
    fn step(&mut self, store: &dyn SubjectStore) -> &mut Step {
        let place = self
            .stores
            .iter()
            .position(|step| step.name == store.name());
        let place = place.unwrap_or(self.stores.len());
        if place == self.stores.len() {
            self.stores.push(Step {
                name: store.name().to_owned(),
                kind: store.kind().to_owned(),
                found: None,
                left: None,
            });
        }
        // INVARIANT: `place` is that of a step, which was added if there was none.
        let last = self.stores.len() - 1;
        let place = place.min(last);
        #[expect(clippy::indexing_slicing, reason = "at most the last one's place")]
        &mut self.stores[place]
    }
}

/// Removes `subject` from every store. `keep` keeps the journal, durably, before and after each
/// removal: a run that was interrupted at any point is taken up with the journal that it left.
/// Stores that were finished are looked at again, since somebody may have written since.
///
/// # Errors
/// When the subject or the class of a store is held, a store fails, or the journal cannot be kept.
pub fn erase<E: std::error::Error + 'static>(
    subject: &Subject,
    stores: &mut [Box<dyn SubjectStore>],
    holds: &Holds,
    journal: &mut Journal,
    now_ms: impl Fn() -> i64,
    mut keep: impl FnMut(&Journal) -> Result<(), E>,
) -> Result<(), EraseError<E>> {
    if let Some(hold) = holds.against_erasure(subject.hash(), stores) {
        return Err(EraseError::Held(hold));
    }
    if journal.subject != *subject.hash() {
        return Err(EraseError::OtherSubject);
    }
    for store in stores.iter_mut() {
        let failed = |store: &dyn SubjectStore, source| EraseError::Store {
            store: store.name().to_owned(),
            source,
        };
        let there = store.count(subject).map_err(|why| failed(&**store, why))?;
        let step = journal.step(&**store);
        // What an interrupted run removed was counted before it was removed.
        step.found = Some(step.found.unwrap_or(0).max(there));
        keep(journal).map_err(EraseError::Journal)?;
        if there > 0 {
            store.erase(subject).map_err(|why| failed(&**store, why))?;
        }
        let left = store.count(subject).map_err(|why| failed(&**store, why))?;
        journal.step(&**store).left = Some(left);
        keep(journal).map_err(EraseError::Journal)?;
        if left > 0 {
            return Err(EraseError::Left {
                store: store.name().to_owned(),
                left,
            });
        }
    }
    journal.ended_ms = Some(now_ms());
    keep(journal).map_err(EraseError::Journal)
}
