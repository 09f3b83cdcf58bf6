use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::{Ledger, LedgerError, Settle};

/// A ledger that many threads append to: one of them writes for all that wait, so that one wait for
/// the disk keeps many entries.
///
/// For programs that write from many threads of their own; the gateway has one writer, which gathers
/// before. There is no thread of its own. Whoever finds nobody writing takes what has gathered, its own
/// entries among it, and writes; the others wait for it.
pub struct GroupCommit {
    gathering: Mutex<Gathering>,
    room: Condvar,
    max_bytes: usize,
}

struct Gathering {
    /// With whoever writes, while somebody does.
    ledger: Option<Ledger>,
    group: Arc<Group>,
    entries: Vec<Vec<u8>>,
    bytes: usize,
}

/// Entries that are written together.
#[derive(Default)]
struct Group {
    /// The number of the first of them, or why they could not be kept.
    done: Mutex<Option<Result<u64, Arc<LedgerError>>>>,
    /// Those that wait for it; one of them is woken to write it, all when it is written.
    waiting: Condvar,
}

/// Bytes that are published at once at least, unless nobody waits.
const PUBLISH: usize = 1 << 20;

impl GroupCommit {
    /// Lets threads append to `ledger`, of whose entries `max_bytes` may wait, at most 8 MiB; further
    /// ones wait outside.
    #[must_use]
    pub fn new(ledger: Ledger, max_bytes: usize) -> Self {
        Self {
            gathering: Mutex::new(Gathering {
                ledger: Some(ledger),
                group: Arc::default(),
                entries: Vec::new(),
                bytes: 0,
            }),
            room: Condvar::new(),
            max_bytes: max_bytes.min(8 << 20),
        }
    }

    /// Appends entries that belong together and returns the number of the first when the disk has
    /// all of them.
    ///
    /// # Errors
    /// When an entry is too long, or they cannot be kept; then none is.
    pub fn append(&self, entries: Vec<Vec<u8>>) -> Result<u64, Arc<LedgerError>> {
        let long = entries.iter().find(|entry| entry.len() > crate::MAX_ENTRY);
        if let Some(entry) = long {
            // Not to the harm of others that are written with it.
            return Err(Arc::new(LedgerError::TooLong { bytes: entry.len() }));
        }
        let bytes: usize = entries.iter().map(|entry| entry.len() + 2).sum();
        if bytes > crate::segment::MAX_COMMIT / 2 {
            return Err(Arc::new(LedgerError::TooMuch));
        }
        let mut gathering = self.gathering.lock();
        while gathering.bytes > 0 && gathering.bytes + bytes > self.max_bytes {
            gathering = match gathering.ledger.take() {
                Some(ledger) => self.write(gathering, ledger),
                None => {
                    self.room.wait(&mut gathering);
                    gathering
                }
            };
        }
        let place = gathering.entries.len() as u64;
        gathering.entries.extend(entries);
        gathering.bytes += bytes;
        let group = Arc::clone(&gathering.group);
        loop {
            if let Some(done) = &*group.done.lock() {
                return done.clone().map(|first| first + place);
            }
            gathering = match gathering.ledger.take() {
                Some(ledger) => self.write(gathering, ledger),
                None => {
                    group.waiting.wait(&mut gathering);
                    gathering
                }
            };
        }
    }

    /// The ledger, when everything that was appended is written.
    #[must_use]
    pub fn close(self) -> Option<Ledger> {
        self.gathering.into_inner().ledger
    }

    /// Writes what has gathered, and lets one of those that gathered meanwhile go on.
    fn write<'a>(
        &'a self,
        mut gathering: MutexGuard<'a, Gathering>,
        mut ledger: Ledger,
    ) -> MutexGuard<'a, Gathering> {
        let group = std::mem::take(&mut gathering.group);
        let entries = std::mem::take(&mut gathering.entries);
        gathering.bytes = 0;
        drop(gathering);
        let appended = ledger.append(&entries, None);
        let mut gathering = self.gathering.lock();
        *group.done.lock() = Some(appended.map(|range| range.start).map_err(Arc::new));
        // They need not wait for what follows.
        group.waiting.notify_all();
        let settle = MutexGuard::unlocked(&mut gathering, || publish(&mut ledger));
        gathering.ledger = Some(ledger);
        gathering.group.waiting.notify_one();
        self.room.notify_all();
        if let Some(settle) = settle {
            // Its wait for the disk is this thread's alone.
            MutexGuard::unlocked(&mut gathering, || drop(settle.run()));
        }
        gathering
    }
}

/// Shows entries to readers, now and then. They are kept in the tail whatever becomes of this; the
/// next one tries again.
fn publish(ledger: &mut Ledger) -> Option<Settle> {
    if ledger.unpublished_bytes() < PUBLISH {
        return None;
    }
    ledger.publish().ok()?;
    ledger.rotate().ok()?
}

impl std::fmt::Debug for GroupCommit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupCommit").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Folder, Reader, Signer};

    #[test]
    fn every_thread_gets_its_own_number() {
        let place = tempfile::tempdir().unwrap();
        let folder = Arc::new(Folder::exclusive(place.path()).unwrap());
        let signer = Signer::new("example.com/log", &[1; 32]).unwrap();
        let (ledger, _) = Ledger::open(folder.clone(), signer).unwrap();
        let group = GroupCommit::new(ledger, 1 << 10);
        let numbers = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..16_u8 {
                let (group, numbers) = (&group, &numbers);
                scope.spawn(move || {
                    for n in 0..50_u8 {
                        let pair = vec![vec![thread, n, 0], vec![thread, n, 1]];
                        let first = group.append(pair).unwrap();
                        numbers.lock().push((first, thread, n));
                    }
                });
            }
        });
        assert!(group.append(vec![vec![0; 70_000]]).is_err());
        let mut ledger = group.close().unwrap();
        assert_eq!(ledger.size(), 1600);
        ledger.publish().unwrap();
        let reader = Reader::new(&*folder, ledger.size());
        for (first, thread, n) in numbers.into_inner() {
            for half in 0..2 {
                let entry = reader.entry(first + u64::from(half)).unwrap();
                assert_eq!(entry, [thread, n, half]);
            }
        }
    }
}
