//! What is too old to be kept.

use std::collections::BTreeMap;

use crate::{
    config::{AGENT_LOG_DAYS, ClassConfig, HoldConfig, StoreEntry},
    store::{StoreFault, SubjectStore},
    subject::{SubjectHash, SubjectKey},
};

const DAY_MS: i64 = 86_400_000;

/// What must be kept because of the law.
#[derive(Debug)]
pub struct Holds {
    by_class: BTreeMap<String, String>,
    by_subject: BTreeMap<SubjectHash, String>,
    key: SubjectKey,
}

/// A hold, by the name of its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold(pub String);

impl Holds {
    /// The holds of a configuration; `key` tells whether a record is about somebody of them.
    #[must_use]
    pub fn new(config: &[HoldConfig], key: SubjectKey) -> Self {
        let classes = config.iter().filter_map(|hold| {
            let class = hold.class.clone()?;
            Some((class, hold.id.clone()))
        });
        let subjects = config.iter().filter_map(|hold| {
            let subject = hold.subject.clone()?;
            Some((subject, hold.id.clone()))
        });
        Self {
            by_class: classes.collect(),
            by_subject: subjects.collect(),
            key,
        }
    }

    /// The hold on a class.
    #[must_use]
    pub fn of_class(&self, class: &str) -> Option<Hold> {
        self.by_class.get(class).cloned().map(Hold)
    }

    /// The hold on a subject.
    #[must_use]
    pub fn of_subject(&self, subject: &SubjectHash) -> Option<Hold> {
        self.by_subject.get(subject).cloned().map(Hold)
    }

    /// The hold that keeps a subject from being erased: on the subject, or on the class of one of
    /// the stores.
    #[must_use]
    pub fn against_erasure(
        &self,
        subject: &SubjectHash,
        stores: &[Box<dyn SubjectStore>],
    ) -> Option<Hold> {
        let of_class = || stores.iter().find_map(|store| self.of_class(store.class()));
        self.of_subject(subject).or_else(of_class)
    }

    /// Whether somebody of that identifier is held; for stores that look at records.
    #[must_use]
    pub fn hold(&self, identifier: &str) -> bool {
        !self.by_subject.is_empty() && self.by_subject.contains_key(&self.key.hash(identifier))
    }

    /// Whether nobody is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }
}

/// What would be removed from a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The store.
    pub store: String,
    /// Its class.
    pub class: String,
    /// Days that it is kept.
    pub days: u32,
    /// What is older is too old, in milliseconds since 1970.
    pub before_ms: i64,
    /// Records that are too old.
    pub old: u64,
    /// Those of them that must be kept.
    pub held: u64,
    /// The hold on the whole class.
    pub hold: Option<Hold>,
}

/// What was removed from a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// What was planned.
    pub planned: Planned,
    /// Records that were removed.
    pub removed: u64,
    /// Records that are too old and not held, after all: 0 where everything went well.
    pub left: u64,
}

/// The moment before which data of a class is too old. Logs of agents are kept for 90 days whatever
/// the class says.
fn cutoff_ms(class: &ClassConfig, now_ms: i64) -> i64 {
    let days = if class.agent_log {
        class.days.max(AGENT_LOG_DAYS)
    } else {
        class.days
    };
    now_ms.saturating_sub(i64::from(days) * DAY_MS)
}

/// Says what [`sweep`] would remove from a store, and removes nothing. `None` for a store without
/// class.
///
/// # Errors
/// When the store cannot be looked at.
pub fn plan(
    store: &mut dyn SubjectStore,
    entry: &StoreEntry,
    classes: &BTreeMap<String, ClassConfig>,
    holds: &Holds,
    now_ms: i64,
) -> Result<Option<Planned>, StoreFault> {
    let Some(class) = classes.get(&entry.class) else {
        return Ok(None);
    };
    let before_ms = cutoff_ms(class, now_ms);
    let (old, held) = store.count_old(before_ms, holds)?;
    let hold = holds.of_class(&entry.class);
    Ok(Some(Planned {
        store: entry.name.clone(),
        class: entry.class.clone(),
        days: class.days,
        before_ms,
        old,
        held: if hold.is_some() { old } else { held },
        hold,
    }))
}

/// Removes from a store what is too old and not held, and looks again.
///
/// # Errors
/// When the store cannot be looked at or written.
pub fn sweep(
    store: &mut dyn SubjectStore,
    planned: Planned,
    holds: &Holds,
) -> Result<Swept, StoreFault> {
    if planned.hold.is_some() {
        return Ok(Swept {
            planned,
            removed: 0,
            left: 0,
        });
    }
    let removed = store.remove_old(planned.before_ms, holds)?;
    let (old, held) = store.count_old(planned.before_ms, holds)?;
    Ok(Swept {
        planned,
        removed,
        left: old.saturating_sub(held),
    })
}
