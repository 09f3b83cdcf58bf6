//! How many requests run, how many wait, and what the others are told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fault::{Fault, FaultKind};

/// The door that every request goes through: so many run, so many wait in order, others are
/// refused at once.
#[derive(Debug)]
pub struct Gate {
    slots: Arc<Semaphore>,
    most: usize,
    waiting: AtomicUsize,
    queue: usize,
    wait: Duration,
}

/// The right to run; given back when it is dropped.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
}

/// How busy a server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Open connections.
    pub connections: usize,
    /// Requests that run, streams included.
    pub requests: usize,
    /// Requests that wait.
    pub queued: usize,
}

impl Gate {
    /// A gate for `most` requests at once and `queue` that wait for at most `wait`.
    #[must_use]
    pub fn new(most: usize, queue: usize, wait: Duration) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(most)),
            most,
            waiting: AtomicUsize::new(0),
            queue,
            wait,
        }
    }

    /// Waits for a slot.
    ///
    /// # Errors
    /// 503 when the queue is full, or the wait was too long.
    pub async fn enter(&self) -> Result<Slot, Fault> {
        if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(Slot { _permit: permit });
        }
        let place = Waiting::join(&self.waiting, self.queue).ok_or_else(overloaded)?;
        let acquired = tokio::time::timeout(self.wait, Arc::clone(&self.slots).acquire_owned());
        let permit = acquired
            .await
            .map_err(|_elapsed| overloaded())?
            .map_err(|_closed| overloaded())?;
        drop(place);
        Ok(Slot { _permit: permit })
    }

    /// Requests that run, and requests that wait.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        let running = self.most.saturating_sub(self.slots.available_permits());
        (running, self.waiting.load(Ordering::Relaxed))
    }
}

/// A place in the queue; left when it is dropped, also when the client goes away.
struct Waiting<'q>(&'q AtomicUsize);

impl<'q> Waiting<'q> {
    fn join(waiting: &'q AtomicUsize, most: usize) -> Option<Self> {
        waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
                (now < most).then_some(now + 1)
            })
            .ok()
            .map(|_| Self(waiting))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn overloaded() -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        "overloaded",
        "too many requests at once, come again",
    )
    .retry_after(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn runs_some_queues_some_and_refuses_the_rest() {
        let gate = Arc::new(Gate::new(1, 1, Duration::from_secs(60)));
        let first = gate.enter().await.unwrap();
        let second = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter().await.is_ok() }
        });
        while gate.load() != (1, 1) {
            tokio::task::yield_now().await;
        }
        let refused = gate.enter().await.unwrap_err();
        assert_eq!(refused.kind, FaultKind::Unavailable);
        assert!(refused.retry_after.is_some());
        drop(first);
        assert!(second.await.unwrap());
        assert_eq!(gate.load(), (0, 0));
    }

    #[tokio::test]
    async fn who_waits_too_long_or_goes_away_leaves_the_queue() {
        let gate = Gate::new(1, 1, Duration::from_millis(1));
        let _first = gate.enter().await.unwrap();
        assert!(gate.enter().await.is_err());
        assert_eq!(gate.load(), (1, 0));
        let gone = tokio::time::timeout(Duration::ZERO, gate.enter()).await;
        assert!(gone.is_err() || gone.unwrap().is_err());
        assert_eq!(gate.load(), (1, 0));
    }
}
