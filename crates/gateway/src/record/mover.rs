use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::{
    AuditStore, Batch, Durability, Gap, Position, What,
    journal::{self, Journal, Piece},
    recorder::{MoverError, PROBE, Recorder, Shared},
};

/// Moves events from the journal into the store, many at a time.
pub(super) struct Mover {
    journal: String,
    at: Position,
    backlog: u64,
}

/// Bytes that are moved in one transaction.
const PIECE: usize = 512 << 10;

/// Longest pause after the store refused a batch.
const MAX_PAUSE: Duration = Duration::from_secs(5);

impl Mover {
    /// A mover that goes on where the store says that the last one stopped.
    pub(super) async fn new(
        journal: &Journal,
        folder: &Path,
        store: &dyn AuditStore,
    ) -> Result<Self, MoverError> {
        let stored = store
            .position(journal.id())
            .await
            .map_err(MoverError::Store)?;
        store.resume(journal.id(), journal.end());
        let first = journal::first(folder).map_err(MoverError::Journal)?;
        // Files before the stored place were removed; a store that was set back knows of none.
        let at = stored.unwrap_or_default().max(first).min(journal.end());
        Ok(Self {
            journal: journal.id().to_owned(),
            at,
            backlog: journal::distance(folder, at, journal.end()),
        })
    }

    /// Bytes that a former process left.
    pub(super) const fn backlog(&self) -> u64 {
        self.backlog
    }

    /// Runs until the recorder is closed.
    pub(super) async fn run(mut self, shared: Arc<Shared>) {
        let between = Duration::from_millis(shared.config.move_interval_ms.into());
        loop {
            let closing = shared.closing.load(Ordering::Acquire);
            shared.probe_if_due();
            let all = self.move_all(&shared).await;
            if closing && (all || shared.store_lost.load(Ordering::Relaxed)) {
                return;
            }
            if shared.failing.load(Ordering::Relaxed) {
                let _ = timeout(PROBE, shared.hurry.notified()).await;
                continue;
            }
            tokio::select! {
                () = shared.hurry.notified() => {}
                () = async {
                    shared.work.notified().await;
                    sleep(between).await;
                } => {}
            }
        }
    }

    /// Moves what there is; whether that is all.
    async fn move_all(&mut self, shared: &Arc<Shared>) -> bool {
        let mut pause = Duration::from_millis(50);
        loop {
            let until = shared.journal.lock().end();
            if self.at >= until {
                return true;
            }
            let folder = shared.folder.clone();
            let from = self.at;
            let read =
                tokio::task::spawn_blocking(move || journal::read(&folder, from, until, PIECE))
                    .await;
            let Ok(Ok(piece)) = read else {
                tracing::error!("the journal of the record cannot be read");
                sleep(MAX_PAUSE).await;
                continue;
            };
            let batch = Batch {
                journal: self.journal.clone(),
                end: piece.end,
                places: piece.places,
                entries: piece.entries,
            };
            while let Err(error) = shared.store.append(&batch).await {
                if !shared.store_lost.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "events cannot be moved into the store");
                }
                if shared.closing.load(Ordering::Acquire) {
                    return false;
                }
                sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
            if shared.store_lost.swap(false, Ordering::Relaxed) {
                tracing::info!("events are moved into the store again");
            }
            pause = Duration::from_millis(50);
            let piece = Piece {
                entries: batch.entries,
                places: batch.places,
                ..piece
            };
            self.moved(shared, &piece).await;
        }
    }

    async fn moved(&mut self, shared: &Arc<Shared>, piece: &Piece) {
        let bytes = journal::distance(&shared.folder, self.at, piece.end);
        shared.moved.send_modify(|moved| *moved += bytes);
        if piece.rotten > 0 {
            let recorder = Recorder::of(Arc::clone(shared));
            recorder.note(What::Gap(Gap {
                lost: 0,
                since: super::At(shared.clock.unix_ms()),
                reason: "rotten".into(),
            }));
        }
        let next_file = piece.end.segment > self.at.segment;
        self.at = piece.end;
        if next_file && shared.store.settle().await.is_ok() {
            let removed = journal::remove_before(&shared.folder, self.at.segment);
            if removed.is_err() {
                tracing::warn!("a file of the journal cannot be removed");
            }
        }
    }
}

/// Waits for the disk: at intervals, or as soon as somebody asks.
pub(super) async fn sync(shared: Arc<Shared>) {
    let between = Duration::from_millis(shared.config.sync_interval_ms.into());
    let on_demand = shared.config.durability == Durability::Disk;
    loop {
        let closing = shared.closing.load(Ordering::Acquire);
        if on_demand && !closing {
            shared.sync.notified().await;
        } else if !closing {
            let _ = timeout(between, shared.sync.notified()).await;
        }
        let (target, files) = {
            let mut journal = shared.journal.lock();
            let target = shared.written.load(Ordering::Acquire);
            (target, journal.unsynced())
        };
        if *shared.synced.borrow() < target {
            let done = tokio::task::spawn_blocking(move || files?.wait()).await;
            match done {
                Ok(Ok(())) => {
                    shared.synced.send_replace(target);
                }
                _ => tracing::error!("the disk does not keep the journal of the record"),
            }
        }
        if closing {
            return;
        }
    }
}
