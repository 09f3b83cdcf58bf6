use std::{collections::BTreeSet, io, sync::Arc};

use parking_lot::Mutex;

use crate::Storage;

/// The wait for the disk to have tiles, after which the files of their entries in `tail` are
/// removed. It may run on any thread while the ledger goes on.
#[must_use = "the tail grows until this has run"]
pub struct Settle {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) unsettled: Arc<Unsettled>,
}

/// What is waited for.
#[derive(Default)]
pub(crate) struct Unsettled {
    /// Held while it runs: a later file of the tail must not go before an earlier one.
    running: Mutex<()>,
    pub(crate) pending: Mutex<Pending>,
}

#[derive(Default)]
pub(crate) struct Pending {
    /// Tiles of which the disk may not have all.
    pub(crate) tiles: BTreeSet<String>,
    /// Files of the tail that are not needed once it has.
    pub(crate) segments: Vec<String>,
}

impl Settle {
    /// Waits.
    ///
    /// # Errors
    /// When the disk is broken; then the tail stays, and the next one tries again.
    pub fn run(self) -> io::Result<()> {
        let _running = self.unsettled.running.lock();
        let Pending { tiles, segments } = std::mem::take(&mut *self.unsettled.pending.lock());
        let tiles: Vec<String> = tiles.into_iter().collect();
        let mut gone = 0;
        let settled = self.storage.sync(&tiles).and_then(|()| {
            segments.iter().try_for_each(|segment| {
                self.storage.remove(segment)?;
                gone += 1;
                Ok(())
            })
        });
        if settled.is_err() {
            let mut pending = self.unsettled.pending.lock();
            pending.tiles.extend(tiles);
            pending
                .segments
                .splice(0..0, segments.into_iter().skip(gone));
        }
        settled
    }
}
