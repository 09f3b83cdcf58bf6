//! Contents of requests and answers, where the configuration says that they are kept: sealed, with a
//! key of each subject's own, so that forgetting the key forgets the contents.

mod sealed;
#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bartizan_govern::SubjectHash;
use bytes::Bytes;
use tokio::{runtime::Handle, sync::Semaphore};
use tokio_util::task::TaskTracker;

use crate::{record::RequestId, store::Step};

pub use sealed::{ContentError, SealedContent, forget};

/// Tables of this module, in the order in which they came; never edited, only added to.
pub(crate) const MIGRATIONS: &[Step] = &[sealed::TABLES];

/// Keeps contents behind requests that do not wait for it.
pub(crate) struct Keeper {
    sealed: SealedContent,
    tasks: TaskTracker,
    room: Arc<Semaphore>,
    dropped: Arc<AtomicU64>,
}

/// What a request and its answer said.
#[derive(Debug)]
pub(crate) struct Content {
    /// Whom it is about.
    pub(crate) subject: SubjectHash,
    pub(crate) request_id: RequestId,
    /// Milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// The body as the client sent it, and the answer as the client got it.
    pub(crate) input: Bytes,
    pub(crate) output: Bytes,
}

/// Most bytes of one content; longer ones are not kept.
pub(crate) const MAX_CONTENT: usize = 4 << 20;

/// Contents on their way into the database; those above are dropped and counted.
const ON_THE_WAY: usize = 64;

impl Keeper {
    pub(crate) fn new(sealed: SealedContent) -> Self {
        Self {
            sealed,
            tasks: TaskTracker::new(),
            room: Arc::new(Semaphore::new(ON_THE_WAY)),
            dropped: Arc::default(),
        }
    }

    /// Keeps a content, some time soon.
    pub(crate) fn keep(&self, content: Content) {
        let is_long = content.input.len().max(content.output.len()) > MAX_CONTENT;
        let place = Arc::clone(&self.room).try_acquire_owned();
        let (false, Ok(place)) = (is_long, place) else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        };
        // A stream may be dropped while the runtime ends.
        let Ok(runtime) = Handle::try_current() else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let (sealed, dropped) = (self.sealed.clone(), Arc::clone(&self.dropped));
        let keep = async move {
            let _place = place;
            if let Err(error) = sealed.keep(&content).await {
                dropped.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, "a content was not kept");
            }
        };
        self.tasks.spawn_on(keep, &runtime);
    }

    /// Contents that were to be kept and were not.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits for what is on its way.
    pub(crate) async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
