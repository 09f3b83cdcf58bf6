use std::{io, path::Path, sync::Arc};

use aws_lc_rs::digest;
use bartizan_core::Secret;
use bartizan_ledger::{Folder, Ledger, LedgerError, MAX_ENTRY, Settle, Signer, Storage as _};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{AuditStore, Batch, Day, Entry, Position, Query, RecordError, RequestId, Stored};
use crate::store::StoreError;

/// The folder of the gateway's ledger in the data folder.
pub const LEDGER: &str = "ledger";

/// The folder of the ledger of commands, which may run beside the gateway.
pub const LEDGER_OF_COMMANDS: &str = "ledger-commands";

/// The file in a ledger's folder that holds its name.
const NAME_FILE: &str = "name";

/// The file in a ledger's folder that holds the key that verifies it, for convenience: who may
/// write the folder may write this too.
pub const VERIFIER_KEY_FILE: &str = "verifier-key";

/// The ledger that makes the record tamper-evident.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LedgerConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// Its name in checkpoints and proofs, best a name that is yours, e.g. `example.com/bartizan`.
    /// Taken when the ledger begins, and kept from then on; a random one if none is given.
    pub name: Option<String>,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            name: None,
        }
    }
}

impl LedgerConfig {
    /// Every mistake as the field that it stands in and what is wrong there.
    pub(super) fn check(&self) -> Vec<(String, String)> {
        let good = |name: &str| name.len() <= 200 && Signer::new(name, &[0; 32]).is_some();
        if self.name.as_deref().is_none_or(good) {
            return Vec::new();
        }
        let message = "must have 1 to 200 bytes, without white space and `+`";
        vec![("ledger.name".to_owned(), message.to_owned())]
    }
}

/// A store with a ledger beside it: every event is an entry there as well, with its JSON as it is in
/// the store.
///
/// Ledger and store each remember how far they have taken in the journal, in the same step as the
/// events, and are given only what they do not have: whenever the process ends, no event is lost
/// and none is in either of them twice.
pub struct Ledgered {
    inner: Arc<dyn AuditStore>,
    ledger: Arc<Mutex<Ledger>>,
    /// How far each has taken in the journal.
    taken: Arc<Mutex<Taken>>,
}

#[derive(Clone, Copy, Default)]
struct Taken {
    store: Position,
    ledger: Position,
}

impl Ledgered {
    /// Opens the ledger in `folder`, or begins one there, whose key is made from `seed`.
    ///
    /// # Errors
    /// When another process writes it, it was altered, or it cannot be written.
    pub async fn open(
        inner: Arc<dyn AuditStore>,
        config: &LedgerConfig,
        folder: &Path,
        seed: &Secret<[u8; 32]>,
    ) -> Result<Self, RecordError> {
        let unusable = |error| RecordError::Ledger {
            folder: folder.to_owned(),
            error,
        };
        let (place, name) = (folder.to_owned(), config.name.clone());
        let seed = Secret::new(*seed.expose());
        let opened = tokio::task::spawn_blocking(move || open(&place, name, seed.expose())).await;
        let ledger = match opened {
            Ok(opened) => opened.map_err(unusable)?,
            Err(_) => return Err(unusable(io::Error::other("stopped").into())),
        };
        Ok(Self {
            inner,
            ledger: Arc::new(Mutex::new(ledger)),
            taken: Arc::default(),
        })
    }
}

fn open(place: &Path, name: Option<String>, seed: &[u8; 32]) -> Result<Ledger, LedgerError> {
    let folder = Folder::exclusive(place)?;
    let known = folder.read(NAME_FILE, 1024)?;
    let name = match known.map(String::from_utf8) {
        Some(Ok(known)) => known,
        Some(Err(_)) => return Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        None => name.map_or_else(random_name, Ok)?,
    };
    let signer = Signer::new(&name, seed).ok_or(io::ErrorKind::InvalidData);
    let signer = signer.map_err(io::Error::from)?;
    let key = format!("{}\n", signer.verifier());
    for (file, text) in [(NAME_FILE, &name), (VERIFIER_KEY_FILE, &key)] {
        if folder.read(file, 1024)?.as_deref() != Some(text.as_bytes()) {
            folder.write(file, text.as_bytes())?;
            folder.sync(&[file.to_owned()])?;
        }
    }
    let (ledger, opened) = Ledger::open(Arc::new(folder), signer)?;
    if opened.torn_bytes > 0 {
        tracing::info!(
            bytes = opened.torn_bytes,
            "a half-written end of the ledger was cut off"
        );
    }
    Ok(ledger)
}

fn random_name() -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let id = u64::from_be_bytes(random);
    Ok(format!("bartizan.local/ledger-{id:016x}"))
}

/// The entry of an event: its JSON or, if that is longer than an entry may be, its length and
/// SHA-256.
fn entry(event: &Entry) -> Vec<u8> {
    if event.body.len() <= MAX_ENTRY {
        return event.body.clone().into_bytes();
    }
    let sum = digest::digest(&digest::SHA256, event.body.as_bytes());
    let sum: String = sum
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let stub = json!({
        "v": super::SCHEMA_VERSION,
        "timestamp": super::At(event.at_ms),
        "request_id": event.request_id.map(RequestId::from_bytes),
        "event": event.kind,
        "body_bytes": event.body.len(),
        "body_sha256": sum,
    });
    stub.to_string().into_bytes()
}

/// What the ledger remembers with its entries.
fn mark(journal: &str, at: Position) -> Vec<u8> {
    format!("{journal} {} {}", at.segment, at.offset).into_bytes()
}

/// The place in the journal of that name; its beginning if another was read before.
fn marked(mark: &[u8], journal: &str) -> Position {
    let read = || {
        let mut words = std::str::from_utf8(mark).ok()?.split(' ');
        let (name, segment, offset) = (words.next()?, words.next()?, words.next()?);
        (name == journal).then_some(Position {
            segment: segment.parse().ok()?,
            offset: offset.parse().ok()?,
        })
    };
    read().unwrap_or_default()
}

/// What of a batch the ledger does not have yet.
struct News {
    entries: Vec<Vec<u8>>,
    mark: Vec<u8>,
    end: Position,
}

impl News {
    /// `None` where it has all of `batch`.
    fn of(batch: &Batch, taken: Position) -> Option<Self> {
        (batch.end > taken).then(|| Self {
            entries: behind(batch, taken).map(entry).collect(),
            mark: mark(&batch.journal, batch.end),
            end: batch.end,
        })
    }
}

/// Appends the entries that the ledger does not have yet, and shows them to readers. What was
/// appended counts as taken even if it cannot be shown: then that is tried again, and nothing else.
fn append(
    ledger: &mut Ledger,
    news: Option<News>,
    taken: &Mutex<Taken>,
) -> Result<(), LedgerError> {
    // A call that nobody waited for may have appended the same meanwhile.
    if let Some(news) = news.filter(|news| news.end > taken.lock().ledger) {
        ledger.append(&news.entries, Some(&news.mark))?;
        taken.lock().ledger = news.end;
    }
    ledger.publish()?;
    // A failure is tried again with the next one.
    if ledger
        .rotate()?
        .map(Settle::run)
        .is_some_and(|settled| settled.is_err())
    {
        tracing::warn!("the disk does not take tiles of the ledger");
    }
    Ok(())
}

/// The events of `batch` that stand behind that place.
fn behind(batch: &Batch, from: Position) -> impl Iterator<Item = &Entry> {
    let events = batch.entries.iter().zip(&batch.places);
    events
        .filter(move |&(_, place)| *place > from)
        .map(|(event, _)| event)
}

impl AuditStore for Ledgered {
    fn append<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let (ledger, taken) = (Arc::clone(&self.ledger), Arc::clone(&self.taken));
            let Taken { store, ledger: at } = *taken.lock();
            let news = News::of(batch, at);
            let appended =
                tokio::task::spawn_blocking(move || append(&mut ledger.lock(), news, &taken));
            let stopped = |_| Err(io::Error::other("stopped").into());
            appended.await.unwrap_or_else(stopped)?;
            if batch.end > store {
                if batch.places.first().is_none_or(|first| *first > store) {
                    self.inner.append(batch).await?;
                } else {
                    let rest = Batch {
                        journal: batch.journal.clone(),
                        end: batch.end,
                        places: Vec::new(),
                        entries: behind(batch, store).cloned().collect(),
                    };
                    self.inner.append(&rest).await?;
                }
                self.taken.lock().store = batch.end;
            }
            Ok(())
        })
    }

    fn position<'a>(
        &'a self,
        journal: &'a str,
    ) -> BoxFuture<'a, Result<Option<Position>, StoreError>> {
        Box::pin(async move {
            let store = self.inner.position(journal).await?.unwrap_or_default();
            let ledger = marked(self.ledger.lock().mark(), journal);
            *self.taken.lock() = Taken { store, ledger };
            Ok(Some(store.min(ledger)))
        })
    }

    fn resume(&self, journal: &str, end: Position) {
        let mut taken = self.taken.lock();
        taken.store = taken.store.min(end);
        taken.ledger = taken.ledger.min(end);
        self.inner.resume(journal, end);
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        // The ledger waited for the disk with each batch.
        self.inner.settle()
    }

    fn query<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Stored>, StoreError>> {
        self.inner.query(query)
    }

    fn count<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.inner.count(query)
    }

    fn days(&self, from_ms: u64, until_ms: u64) -> BoxFuture<'_, Result<Vec<Day>, StoreError>> {
        self.inner.days(from_ms, until_ms)
    }
}

impl std::fmt::Debug for Ledgered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledgered").finish_non_exhaustive()
    }
}
