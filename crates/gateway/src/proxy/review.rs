//! What waits for a person (OUT-22). Kept in memory only, bounded, gone with the process.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use tokio::sync::oneshot;

/// Requests and answers that wait for a person.
#[derive(Debug, Default)]
pub struct ReviewQueue {
    waiting: Mutex<BTreeMap<String, Waiting>>,
    capacity: usize,
}

struct Waiting {
    item: ReviewItem,
    answer: oneshot::Sender<(Ruling, String)>,
}

/// What a reviewer sees.
#[derive(Clone, Serialize)]
pub struct ReviewItem {
    /// The request that waits.
    pub request_id: String,
    /// Who asked.
    pub principal: String,
    /// `input` or `output`.
    pub direction: &'static str,
    /// Milliseconds since 1970-01-01 UTC.
    pub since_unix_ms: u64,
    /// The rules that asked.
    pub rules: Vec<String>,
    /// The text with everything taken out that a finding is about.
    pub safe_text: String,
}

/// What a reviewer decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Go on.
    Release,
    /// Refuse.
    Block,
}

/// No room for a further one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as many requests wait for review as may wait")]
pub struct QueueFull;

impl ReviewQueue {
    /// A queue in which at most `capacity` wait.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            capacity,
        }
    }

    /// Puts `item` in the queue; the ticket tells what was decided, and takes it out when dropped.
    ///
    /// # Errors
    /// When the queue is full.
    pub fn hold(self: &Arc<Self>, item: ReviewItem) -> Result<Ticket, QueueFull> {
        let mut waiting = self.lock();
        if waiting.len() >= self.capacity {
            return Err(QueueFull);
        }
        let (answer, ruling) = oneshot::channel();
        let id = item.request_id.clone();
        waiting.insert(id.clone(), Waiting { item, answer });
        Ok(Ticket {
            queue: Arc::clone(self),
            id,
            ruling,
        })
    }

    /// What waits, the oldest first.
    #[must_use]
    pub fn items(&self) -> Vec<ReviewItem> {
        let mut items: Vec<ReviewItem> = self.lock().values().map(|w| w.item.clone()).collect();
        items.sort_by_key(|item| item.since_unix_ms);
        items
    }

    /// Decides about a request; `None` if it does not wait, or if `by` asked it: nobody decides
    /// about their own.
    pub fn rule(&self, request_id: &str, by: &str, ruling: Ruling) -> Option<ReviewItem> {
        let mut waiting = self.lock();
        if waiting.get(request_id)?.item.principal == by {
            return None;
        }
        let Waiting { item, answer } = waiting.remove(request_id)?;
        answer.send((ruling, by.to_owned())).ok()?;
        Some(item)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue.
pub struct Ticket {
    queue: Arc<ReviewQueue>,
    id: String,
    ruling: oneshot::Receiver<(Ruling, String)>,
}

impl Ticket {
    /// What is decided within `wait`, and by whom; `None` for no decision, which is a refusal.
    pub async fn ruling(mut self, wait: std::time::Duration) -> Option<(Ruling, String)> {
        let ruling = tokio::time::timeout(wait, &mut self.ruling).await;
        ruling.ok()?.ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.queue.lock().remove(&self.id);
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.item.fmt(f)
    }
}

impl fmt::Debug for ReviewItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReviewItem")
            .field("request_id", &self.request_id)
            .field("direction", &self.direction)
            .field("bytes", &self.safe_text.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn item(id: &str) -> ReviewItem {
        ReviewItem {
            request_id: id.into(),
            principal: "alice".into(),
            direction: "output",
            since_unix_ms: 0,
            rules: Vec::new(),
            safe_text: String::new(),
        }
    }

    #[tokio::test]
    async fn out_22_a_person_releases_or_blocks() {
        let queue = Arc::new(ReviewQueue::new(2));
        for ruling in [Ruling::Release, Ruling::Block] {
            let ticket = queue.hold(item("r")).unwrap();
            assert_eq!(queue.items().len(), 1);
            assert!(
                queue.rule("r", "alice", ruling).is_none(),
                "her own request"
            );
            assert!(queue.rule("r", "bob", ruling).is_some());
            let ruled = ticket.ruling(Duration::from_secs(1)).await;
            assert_eq!(ruled, Some((ruling, "bob".to_owned())));
            assert!(queue.items().is_empty());
        }
    }

    #[tokio::test]
    async fn nobody_answers_a_full_queue_refuses_and_nothing_stays() {
        let queue = Arc::new(ReviewQueue::new(1));
        let ticket = queue.hold(item("a")).unwrap();
        assert_eq!(queue.hold(item("b")).err(), Some(QueueFull));
        assert_eq!(ticket.ruling(Duration::from_millis(1)).await, None);
        assert!(queue.items().is_empty());
        drop(queue.hold(item("c")).unwrap());
        assert!(queue.items().is_empty(), "a client that left");
    }
}
