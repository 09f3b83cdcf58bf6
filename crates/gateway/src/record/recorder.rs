use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep},
};
use tokio_util::task::TaskTracker;

use super::{
    Abandoned, At, AuditStore, ContentHasher, Durability, Event, Gap, Interaction, Label, Query,
    RecordConfig, RequestId, SCHEMA_VERSION, Story, What, WhenFull, frame, journal::Journal,
    mover::Mover,
};
use crate::{
    clock::Clock,
    fault::{Fault, FaultKind},
    store::StoreError,
};

/// Records events: into a journal before the answer is given, then from there into the store.
///
/// Clones share everything.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

/// Is told of every event as it is recorded: metrics, alerts.
///
/// Runs on the thread of the request: nanoseconds, no waiting.
pub trait Observe: Send + Sync + 'static {
    /// An event that was recorded or, with `when-full: drop`, lost.
    fn event(&self, event: &Event);
}

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The journal's folder cannot be used.
    #[error("the journal in `{}` cannot be used ({})", folder.display(), .error.kind())]
    Journal {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger cannot be used.
    #[error("the ledger in `{}` cannot be used: {error}", folder.display())]
    Ledger {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: bartizan_ledger::LedgerError,
    },
}

pub(super) struct Shared {
    pub(super) config: RecordConfig,
    pub(super) folder: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Arc<dyn AuditStore>,
    pub(super) journal: Mutex<Journal>,
    hasher: ContentHasher,
    observers: Vec<Arc<dyn Observe>>,
    /// Bytes appended and bytes moved since the start, for the backlog.
    pub(super) written: AtomicU64,
    pub(super) moved: watch::Sender<u64>,
    /// Bytes of which the disk is known to have all.
    pub(super) synced: watch::Sender<u64>,
    /// Whether the last attempt to append failed.
    pub(super) failing: AtomicBool,
    /// Whether the last attempt to move failed.
    pub(super) store_lost: AtomicBool,
    pub(super) lost: Mutex<Gap>,
    /// Something was appended.
    pub(super) work: Notify,
    /// Somebody waits for the move, or for the disk.
    pub(super) hurry: Notify,
    pub(super) sync: Notify,
    pub(super) closing: AtomicBool,
    /// What moves and what syncs; each holds the journal and its lock until it has ended.
    tasks: TaskTracker,
    /// When the disk was last asked whether it takes bytes again.
    probed: Mutex<Instant>,
}

/// How often the disk is asked whether it takes bytes again.
pub(super) const PROBE: Duration = Duration::from_millis(250);

impl Shared {
    /// After a failed attempt to append: asks the disk whether it takes bytes again, if that was
    /// not done just now.
    pub(super) fn probe_if_due(&self) {
        if !self.failing.load(Ordering::Relaxed) {
            return;
        }
        let mut probed = self.probed.lock();
        if probed.elapsed() < PROBE {
            return;
        }
        *probed = Instant::now();
        let works = self.journal.lock().probe().is_ok();
        self.failing.store(!works, Ordering::Relaxed);
    }
}

impl Recorder {
    pub(super) const fn of(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Opens the journal in `folder`, begins to move what a former process left there, and records
    /// under `key`, 32 random bytes that hashes of content depend on. Runs on the current runtime
    /// until [`Recorder::close`].
    ///
    /// # Errors
    /// When the journal cannot be used, or the store cannot be read.
    pub async fn open(
        config: RecordConfig,
        folder: &Path,
        store: Arc<dyn AuditStore>,
        key: &[u8; 32],
        clock: Arc<dyn Clock>,
        observers: Vec<Arc<dyn Observe>>,
    ) -> Result<Self, RecordError> {
        let unusable = |error| RecordError::Journal {
            folder: folder.to_owned(),
            error,
        };
        let (journal, torn) = Journal::open(folder).map_err(unusable)?;
        let mover = Mover::new(&journal, folder, &*store)
            .await
            .map_err(|e| match e {
                MoverError::Journal(error) => unusable(error),
                MoverError::Store(error) => error.into(),
            })?;
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            store,
            hasher: ContentHasher::new(key),
            observers,
            written: AtomicU64::new(mover.backlog()),
            moved: watch::Sender::new(0),
            synced: watch::Sender::new(0),
            failing: AtomicBool::new(false),
            store_lost: AtomicBool::new(false),
            lost: Mutex::new(Gap::default()),
            work: Notify::new(),
            hurry: Notify::new(),
            sync: Notify::new(),
            closing: AtomicBool::new(false),
            tasks: TaskTracker::new(),
            probed: Mutex::new(Instant::now()),
            journal: Mutex::new(journal),
            config,
            clock,
        });
        let recorder = Self(shared);
        if torn > 0 {
            recorder.note(What::Gap(Gap {
                lost: 1,
                since: At(recorder.0.clock.unix_ms()),
                reason: "torn".into(),
            }));
        }
        let tasks = &recorder.0.tasks;
        tasks.spawn(mover.run(Arc::clone(&recorder.0)));
        tasks.spawn(super::mover::sync(Arc::clone(&recorder.0)));
        Ok(recorder)
    }

    /// Makes hashes of content under the record's key.
    #[must_use]
    pub fn hasher(&self) -> &ContentHasher {
        &self.0.hasher
    }

    /// How much of a client's address is kept.
    #[must_use]
    pub fn address(&self, address: std::net::IpAddr) -> Label {
        self.0.config.addresses.show(address)
    }

    /// Takes a place for a request before anything is done for it; waits for room as configured.
    /// A place that is dropped without [`Slot::finish`] leaves an [`Abandoned`] event, so every
    /// request that was admitted is accounted for.
    ///
    /// # Errors
    /// With status 503 when there is no room.
    pub async fn admit(
        &self,
        request_id: RequestId,
        user_id: Label,
        endpoint: &'static str,
    ) -> Result<Slot, Fault> {
        if !self.has_room() {
            self.wait_for_room().await?;
        }
        Ok(Slot {
            recorder: self.clone(),
            request_id,
            user_id,
            endpoint,
            open: true,
        })
    }

    /// Records what belongs to no request, e.g. a bad credential or a changed key; waits for room,
    /// and until the event is kept.
    ///
    /// # Errors
    /// With status 503 when there is no room.
    pub async fn emit(&self, what: What) -> Result<(), Fault> {
        if !self.has_room() {
            self.wait_for_room().await?;
        }
        self.write(&[self.event(None, what)]).await
    }

    /// The same for an event of that request, after the request itself, e.g. a feedback.
    ///
    /// # Errors
    /// With status 503 when there is no room.
    pub async fn emit_about(&self, request_id: RequestId, what: What) -> Result<(), Fault> {
        if !self.has_room() {
            self.wait_for_room().await?;
        }
        self.write(&[self.event(Some(request_id), what)]).await
    }

    /// Records without waiting, for callers that cannot: a breaker, a destructor. Without room the
    /// event is lost, and that is recorded as a [`Gap`].
    pub fn note(&self, what: What) {
        self.note_all(&[self.event(None, what)]);
    }

    /// The same for an event of that request.
    pub fn note_about(&self, request_id: RequestId, what: What) {
        self.note_all(&[self.event(Some(request_id), what)]);
    }

    /// Waits until everything recorded so far is in the store.
    ///
    /// # Errors
    /// With status 503 when the store does not take it in `wait-ms`.
    pub async fn flush(&self) -> Result<(), Fault> {
        let shared = &self.0;
        let target = shared.written.load(Ordering::Acquire);
        let mut moved = shared.moved.subscribe();
        let wait = Duration::from_millis(shared.config.wait_ms.into());
        let all_moved = async {
            while *moved.borrow_and_update() < target {
                shared.hurry.notify_one();
                if moved.changed().await.is_err() {
                    break;
                }
            }
        };
        tokio::time::timeout(wait, all_moved)
            .await
            .map_err(|_| full())
    }

    /// What is known of a request, for people and programs; `None` if nothing is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn story(&self, request_id: RequestId) -> Result<Option<Story>, StoreError> {
        // The story of a request that has just ended may still be on its way; a store that takes
        // nothing now can still be read.
        let _ = self.flush().await;
        let query = Query {
            request_id: Some(request_id),
            limit: 1_000,
            ..Query::default()
        };
        let events = self.0.store.query(&query).await?;
        Ok(Story::of(request_id, events))
    }

    /// The store, for queries.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn AuditStore> {
        &self.0.store
    }

    /// Is told whenever events have come into the store.
    pub(crate) fn moved(&self) -> watch::Receiver<u64> {
        self.0.moved.subscribe()
    }

    /// The journal's name, which no other process has at the same time.
    pub(crate) fn journal(&self) -> String {
        self.0.journal.lock().id().to_owned()
    }

    /// Bytes of events that are not in the store yet.
    #[must_use]
    pub fn backlog(&self) -> u64 {
        let written = self.0.written.load(Ordering::Acquire);
        written.saturating_sub(*self.0.moved.borrow())
    }

    /// Events that were lost and are not recorded as lost yet.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost.lock().lost
    }

    /// Whether events can be kept now; for readiness.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.probe_if_due();
        self.has_room()
    }

    /// Whether the store takes events now.
    #[must_use]
    pub fn store_answers(&self) -> bool {
        !self.0.store_lost.load(Ordering::Relaxed)
    }

    /// Moves what is left, as far as the store takes it, and stops. Events noted later stay in the
    /// journal for the next start.
    pub async fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
        self.0.hurry.notify_one();
        self.0.work.notify_one();
        self.0.sync.notify_one();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Lets the disk be full, or have room again.
    #[cfg(test)]
    pub(super) fn fill_disk(&self, full: bool) {
        self.0.journal.lock().fill_disk(full);
    }

    /// Bytes that the disk is known to have.
    #[cfg(test)]
    pub(super) fn synced(&self) -> u64 {
        *self.0.synced.borrow()
    }

    pub(super) fn event(&self, request_id: Option<RequestId>, what: What) -> Event {
        Event {
            v: SCHEMA_VERSION,
            timestamp: At(self.0.clock.unix_ms()),
            request_id,
            what,
        }
    }

    fn has_room(&self) -> bool {
        self.0.config.when_full == WhenFull::Drop
            || (!self.0.failing.load(Ordering::Relaxed) && self.backlog() < self.0.config.backlog())
    }

    async fn wait_for_room(&self) -> Result<(), Fault> {
        let deadline = self.deadline();
        while !self.has_room() {
            self.0.probe_if_due();
            if Instant::now() >= deadline {
                return Err(full());
            }
            self.0.hurry.notify_one();
            sleep(RETRY).await;
        }
        Ok(())
    }

    fn deadline(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.0.config.wait_ms.into())
    }

    async fn write(&self, events: &[Event]) -> Result<(), Fault> {
        let drops = self.0.config.when_full == WhenFull::Drop;
        if drops && self.backlog() >= self.0.config.backlog() {
            self.lose(events);
            return Ok(());
        }
        let mut end = self.try_write(events);
        if end.is_none() && drops {
            self.lose(events);
            return Ok(());
        }
        let deadline = self.deadline();
        while end.is_none() {
            if Instant::now() >= deadline {
                return Err(full());
            }
            sleep(RETRY).await;
            end = self.try_write(events);
        }
        self.observe(events);
        if self.0.config.durability == Durability::Disk {
            self.on_disk(end.unwrap_or_default(), deadline).await?;
        }
        Ok(())
    }

    async fn on_disk(&self, end: u64, deadline: Instant) -> Result<(), Fault> {
        let mut synced = self.0.synced.subscribe();
        self.0.sync.notify_one();
        let wait = tokio::time::timeout_at(deadline, synced.wait_for(|at| *at >= end));
        wait.await.map_err(|_| full())?.map_err(|_| full())?;
        Ok(())
    }

    pub(super) fn note_all(&self, events: &[Event]) {
        let full = self.backlog() >= self.0.config.backlog();
        if full || self.try_write(events).is_none() {
            self.lose(events);
        } else {
            self.observe(events);
        }
    }

    /// Appends the events; gives the bytes written so far, or `None` if nothing was written.
    fn try_write(&self, events: &[Event]) -> Option<u64> {
        let shared = &self.0;
        let mut frames = Vec::with_capacity(1024 * events.len());
        for event in events {
            frame::encode(event, &mut frames);
        }
        let mut journal = shared.journal.lock();
        let mut gap = shared.lost.lock();
        let lost = (gap.lost > 0).then(|| self.event(None, What::Gap(gap.clone())));
        if let Some(lost) = &lost {
            // What was lost comes first, as it happened first.
            let mut with_gap = Vec::new();
            frame::encode(lost, &mut with_gap);
            with_gap.append(&mut frames);
            frames = with_gap;
        }
        let appended = journal.append(&frames);
        shared.failing.store(appended.is_err(), Ordering::Relaxed);
        if appended.is_err() {
            shared.hurry.notify_one();
            return None;
        }
        *gap = Gap::default();
        let end = shared
            .written
            .fetch_add(frames.len() as u64, Ordering::AcqRel)
            + frames.len() as u64;
        drop((gap, journal));
        self.observe(lost.as_slice());
        shared.work.notify_one();
        Some(end)
    }

    fn lose(&self, events: &[Event]) {
        self.observe(events);
        let mut gap = self.0.lost.lock();
        if gap.lost == 0 {
            gap.since = At(self.0.clock.unix_ms());
            gap.reason = if self.0.failing.load(Ordering::Relaxed) {
                "write".into()
            } else {
                "full".into()
            };
        }
        gap.lost = gap.lost.saturating_add(events.len() as u64);
    }

    fn observe(&self, events: &[Event]) {
        for event in events {
            for observer in &self.0.observers {
                observer.event(event);
            }
        }
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder")
            .field("backlog", &self.backlog())
            .finish_non_exhaustive()
    }
}

/// Why the place in the journal is not known.
pub(super) enum MoverError {
    Journal(io::Error),
    Store(StoreError),
}

/// How long until the next attempt.
const RETRY: Duration = Duration::from_millis(20);

fn full() -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        "audit_unavailable",
        "the record of requests cannot be written now",
    )
    .retry_after(Duration::from_secs(1))
}

/// A request's place in the record.
#[derive(Debug)]
#[must_use = "a slot that is dropped records that the request was abandoned"]
pub struct Slot {
    recorder: Recorder,
    request_id: RequestId,
    user_id: Label,
    endpoint: &'static str,
    open: bool,
}

impl Slot {
    /// The request's id.
    #[must_use]
    pub const fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// Records an event of this request; returns when it is kept. For a stream: a
    /// [`StreamBegun`](super::StreamBegun) before its first byte leaves.
    ///
    /// # Errors
    /// With status 503 when it cannot be kept.
    pub async fn add(&self, what: What) -> Result<(), Fault> {
        let event = self.recorder.event(Some(self.request_id), what);
        self.recorder.write(&[event]).await
    }

    /// Records how the request ended, and a security event for each rule that found something;
    /// returns when all are kept. Comes before the answer.
    ///
    /// # Errors
    /// With status 503 when they cannot be kept; the answer must not be given then.
    pub async fn finish(mut self, interaction: Interaction) -> Result<(), Fault> {
        let events = self.events(interaction);
        let kept = self.recorder.write(&events).await;
        // Not before: a wait that is given up must leave a trace.
        self.open = false;
        if kept.is_err() {
            self.recorder.lose(&events);
        }
        kept
    }

    /// The same for a caller that cannot wait, e.g. at the end of a stream whose client went away.
    /// Without room the events are lost, and that is recorded as a [`Gap`].
    pub fn finish_now(mut self, interaction: Interaction) {
        let events = self.events(interaction);
        self.open = false;
        self.recorder.note_all(&events);
    }

    /// Ends a request that is no interaction with a model of language, e.g. a prediction.
    ///
    /// # Errors
    /// With status 503 when the event cannot be kept; the answer must not be given then.
    pub async fn finish_with(mut self, what: What) -> Result<(), Fault> {
        let event = self.recorder.event(Some(self.request_id), what);
        let kept = self.recorder.write(std::slice::from_ref(&event)).await;
        self.open = false;
        if kept.is_err() {
            self.recorder.lose(&[event]);
        }
        kept
    }

    fn events(&self, interaction: Interaction) -> Vec<Event> {
        let event = |what| self.recorder.event(Some(self.request_id), what);
        let security: Vec<Event> = interaction
            .security_events()
            .map(|found| event(What::SecurityEvent(found)))
            .collect();
        let mut events = vec![event(What::LlmInteraction(Box::new(interaction)))];
        events.extend(security);
        events
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.open {
            let abandoned = What::Abandoned(Abandoned {
                user_id: self.user_id.clone(),
                endpoint: self.endpoint.into(),
            });
            let event = self.recorder.event(Some(self.request_id), abandoned);
            self.recorder.note_all(&[event]);
        }
    }
}
