use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bartizan_siem::Notice;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Outlet, Places, SinkConfig, SinkError};
use crate::clock::Clock;

/// Every sink of the configuration, each with a task that tells it of events.
#[derive(Default)]
pub struct Sinks {
    states: Vec<Arc<SinkState>>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

/// How a sink stands; for metrics.
#[derive(Debug)]
pub struct SinkState {
    name: String,
    behind: AtomicU64,
    sent: AtomicU64,
    failures: AtomicU64,
    up: AtomicBool,
}

impl SinkState {
    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Events that it has not been told of, as far as this process knows.
    #[must_use]
    pub fn behind(&self) -> u64 {
        self.behind.load(Ordering::Relaxed)
    }

    /// Events that it has taken since the start.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Attempts that it did not take since the start.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Whether the last attempt was taken.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }
}

/// Events that are sent at once.
const BATCH: u32 = 256;

/// How long one attempt may take; far below [`HOLD`].
const ATTEMPT: Duration = Duration::from_secs(15);

/// How long a place is held without being claimed again, in milliseconds.
const HOLD_MS: u64 = 60_000;

/// How often the record is looked at for events of other processes.
const LOOK: Duration = Duration::from_secs(1);

/// First and longest pause after a failed attempt.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(60));

/// How long the end waits for sinks; what they have not taken by then they are told of at the next
/// start.
const FAREWELL: Duration = Duration::from_secs(5);

impl Sinks {
    /// Begins to tell these sinks, on the current runtime. `moved` wakes them when events come into
    /// the store; `version` is that of the program.
    pub(crate) fn start(
        sinks: Vec<(SinkConfig, Box<dyn Outlet>)>,
        places: &Places,
        clock: &Arc<dyn Clock>,
        moved: &watch::Receiver<u64>,
    ) -> Self {
        let mut all = Self::default();
        for (config, outlet) in sinks {
            let state = Arc::new(SinkState {
                name: config.name.clone(),
                behind: AtomicU64::new(0),
                sent: AtomicU64::new(0),
                failures: AtomicU64::new(0),
                up: AtomicBool::new(true),
            });
            all.states.push(Arc::clone(&state));
            let pump = Pump {
                config,
                outlet,
                state,
                places: places.clone(),
                clock: Arc::clone(clock),
                moved: moved.clone(),
                closing: all.closing.clone(),
                held: None,
                waiting: None,
            };
            all.tasks.spawn(pump.run());
        }
        all
    }

    /// How each stands.
    #[must_use]
    pub fn states(&self) -> &[Arc<SinkState>] {
        &self.states
    }

    /// Tells sinks that answer of what is left, and stops.
    pub async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        if timeout(FAREWELL, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                "some sinks did not take the last events, and are told at the next start"
            );
        }
    }
}

struct Pump {
    config: SinkConfig,
    outlet: Box<dyn Outlet>,
    state: Arc<SinkState>,
    places: Places,
    clock: Arc<dyn Clock>,
    moved: watch::Receiver<u64>,
    closing: CancellationToken,
    /// The place, and until when it is held.
    held: Option<(u64, u64)>,
    /// What was read and not taken: sent again as it was, so that a receiver knows it again.
    waiting: Option<Batch>,
}

/// Events of one attempt.
struct Batch {
    /// Where the sink stood when it was read.
    place: u64,
    wanted: Vec<Notice>,
    /// Where the sink stands when it has taken them.
    end: u64,
}

/// What came of a step.
enum Step {
    /// There may be more.
    More,
    /// Nothing is left, or another process tells this sink.
    Idle,
}

impl Pump {
    async fn run(mut self) {
        let mut pause = PAUSES.0;
        loop {
            let closing = self.closing.is_cancelled();
            let wait = match self.step().await {
                Ok(step) => {
                    self.works();
                    pause = PAUSES.0;
                    if matches!(step, Step::More) {
                        continue;
                    }
                    LOOK
                }
                Err(error) => {
                    self.failed(&error);
                    let wait = pause;
                    pause = (pause * 2).min(PAUSES.1);
                    wait
                }
            };
            if closing {
                break;
            }
            let is_up = self.state.is_up();
            tokio::select! {
                () = self.closing.cancelled() => {}
                Ok(()) = self.moved.changed(), if is_up => {}
                () = sleep(wait) => {}
            }
        }
        if self.held.is_some() && self.places.release(&self.config.name).await.is_err() {
            tracing::warn!(
                sink = self.config.name,
                "the place of a sink is held for a while"
            );
        }
    }

    async fn step(&mut self) -> Result<Step, SinkError> {
        let Some(place) = self.hold().await? else {
            self.waiting = None;
            return Ok(Step::Idle);
        };
        let head = self.places.head().await?;
        self.state
            .behind
            .store(head.saturating_sub(place), Ordering::Relaxed);
        let batch = match self.waiting.take() {
            // Another process may have told the sink of it in a long pause.
            Some(batch) if batch.place == place => batch,
            _ if head <= place => return Ok(Step::Idle),
            _ => self.read(place).await?,
        };
        let batch = self.waiting.insert(batch);
        if !batch.wanted.is_empty() {
            let sent = timeout(ATTEMPT, self.outlet.send(&batch.wanted)).await;
            sent.map_err(|_| SinkError::TimedOut)??;
            self.state
                .sent
                .fetch_add(batch.wanted.len() as u64, Ordering::Relaxed);
        }
        let end = self.waiting.take().map_or(place, |batch| batch.end);
        self.held = if self.places.move_on(&self.config.name, end).await? {
            self.held.map(|(_, until)| (end, until))
        } else {
            None
        };
        self.state
            .behind
            .store(head.saturating_sub(end), Ordering::Relaxed);
        Ok(Step::More)
    }

    /// The sink's place, if it is ours to tell it.
    async fn hold(&mut self) -> Result<Option<u64>, SinkError> {
        let now = self.clock.unix_ms();
        if let Some((place, until)) = self.held
            && now + HOLD_MS / 2 < until
        {
            return Ok(Some(place));
        }
        let (name, until) = (&self.config.name, now + HOLD_MS);
        let place = self
            .places
            .claim(name, self.config.history, now, until)
            .await?;
        self.held = place.map(|place| (place, until));
        Ok(place)
    }

    async fn read(&self, place: u64) -> Result<Batch, SinkError> {
        let mut wanted = self.places.read(place, BATCH).await?;
        let end = wanted.last().map_or(place, |last| last.number);
        wanted.retain(|notice| {
            let events = &self.config.events;
            notice.severity >= self.config.severity
                && (events.is_empty() || events.contains(&notice.kind))
        });
        Ok(Batch { place, wanted, end })
    }

    fn failed(&self, error: &SinkError) {
        self.state.failures.fetch_add(1, Ordering::Relaxed);
        if self.state.up.swap(false, Ordering::Relaxed) {
            tracing::warn!(sink = self.config.name, %error, "a sink does not take events");
        }
    }

    fn works(&self) {
        if !self.state.up.swap(true, Ordering::Relaxed) {
            tracing::info!(sink = self.config.name, "a sink takes events again");
        }
    }
}
