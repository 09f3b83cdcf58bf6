//! A socket that does not wait for ever: for a request to begin, for its headers to end, for an
//! answer to be taken.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// How long a connection waits for its client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) header: Duration,
    pub(super) idle: Duration,
    pub(super) grace: Duration,
    /// 0 for no bound.
    pub(super) min_bytes_per_second: u32,
}

impl Patience {
    /// How long a client that took `bytes` may have made us wait in all.
    fn for_taken(&self, bytes: u64) -> Option<Duration> {
        let rate = (self.min_bytes_per_second != 0).then_some(self.min_bytes_per_second)?;
        let earned = Duration::from_secs_f64(bytes as f64 / f64::from(rate));
        Some(self.grace.saturating_add(earned))
    }
}

const NEVER: u64 = u64::MAX;

/// What a connection is doing; shared by its socket and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    patience: Patience,
    started: Instant,
    /// Requests that are not yet fully answered.
    open: AtomicUsize,
    /// Microseconds after `started` at which a head began to come, or [`NEVER`].
    head_since: AtomicU64,
    /// Microseconds after `started` at which the last request ended.
    idle_since: AtomicU64,
    /// Answers of an HTTP/2 connection, whose flow control the socket does not see.
    answers: Mutex<Vec<Weak<Taking>>>,
}

impl Activity {
    pub(super) fn new(patience: Patience) -> Self {
        Self {
            patience,
            started: Instant::now(),
            open: AtomicUsize::new(0),
            head_since: AtomicU64::new(0),
            idle_since: AtomicU64::new(0),
            answers: Mutex::new(Vec::new()),
        }
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    /// The handshake is over: the first head is awaited from now on.
    pub(super) fn handshake_done(&self) {
        self.head_since.store(self.now(), Relaxed);
    }

    /// A head is complete; its request is open until the guard is dropped.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Relaxed);
        self.head_since.store(NEVER, Relaxed);
        Open(Arc::clone(self))
    }

    /// Watches how an answer is taken on an HTTP/2 connection.
    pub(super) fn watch(self: &Arc<Self>) -> Arc<Taking> {
        let taking = Arc::new(Taking {
            activity: Arc::clone(self),
            handed: AtomicU64::new(NEVER),
            waited: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        });
        let mut answers = self.answers.lock();
        answers.retain(|answer| answer.strong_count() > 0);
        answers.push(Arc::downgrade(&taking));
        taking
    }

    fn after_start(&self, micros: u64, time: Duration) -> Instant {
        self.started + Duration::from_micros(micros).saturating_add(time)
    }

    /// When the client must have sent something, at the latest; `None` while it waits for us.
    fn read_deadline(&self) -> Option<Instant> {
        if self.open.load(Relaxed) > 0 {
            return None;
        }
        Some(match self.head_since.load(Relaxed) {
            NEVER => self.after_start(self.idle_since.load(Relaxed), self.patience.idle),
            since => self.after_start(since, self.patience.header),
        })
    }

    /// Whether an answer is taken too slowly.
    fn is_starved(&self) -> bool {
        let answers = self.answers.lock();
        answers
            .iter()
            .filter_map(Weak::upgrade)
            .any(|answer| answer.is_too_slow())
    }
}

/// An open request.
#[derive(Debug)]
pub(super) struct Open(Arc<Activity>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.now(), Relaxed);
        self.0.open.fetch_sub(1, Relaxed);
    }
}

/// How fast an answer is taken: the time between handing out a piece and being asked for the next
/// is the client's. Counted since it last asked promptly.
#[derive(Debug)]
pub(super) struct Taking {
    activity: Arc<Activity>,
    handed: AtomicU64,
    waited: AtomicU64,
    bytes: AtomicU64,
}

/// Who asks for the next piece within this time did not make us wait.
const PROMPT_MICROS: u64 = 100_000;

impl Taking {
    pub(super) fn asked(&self) {
        let handed = self.handed.swap(NEVER, Relaxed);
        if handed == NEVER {
            return;
        }
        let waited = self.activity.now().saturating_sub(handed);
        if waited < PROMPT_MICROS {
            // What a client took quickly earns it no patience for later.
            self.waited.store(0, Relaxed);
            self.bytes.store(0, Relaxed);
        } else {
            self.waited.fetch_add(waited, Relaxed);
        }
    }

    pub(super) fn handed(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
        self.handed.store(self.activity.now(), Relaxed);
    }

    fn is_too_slow(&self) -> bool {
        let patience = self.activity.patience.for_taken(self.bytes.load(Relaxed));
        let handed = self.handed.load(Relaxed);
        let open = match handed {
            NEVER => 0,
            handed => self.activity.now().saturating_sub(handed),
        };
        let waited = Duration::from_micros(self.waited.load(Relaxed).saturating_add(open));
        patience.is_some_and(|patience| waited > patience)
    }
}

/// The socket, watched. Stands below TLS, so that bytes are those of the wire.
pub(super) struct Watched<T> {
    inner: T,
    activity: Arc<Activity>,
    /// Whether heads are seen as bytes between requests; not so in HTTP/2 with its pings.
    heads: bool,
    read_timer: Option<Pin<Box<Sleep>>>,
    write_timer: Option<Pin<Box<Sleep>>>,
    /// Since when the client makes us wait, and what it took since.
    blocked: Option<(Instant, u64)>,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, activity: Arc<Activity>) -> Self {
        Self {
            inner,
            activity,
            heads: true,
            read_timer: None,
            write_timer: None,
            blocked: None,
        }
    }

    /// From now on it speaks HTTP/2.
    pub(super) fn http2(&mut self) {
        self.heads = false;
    }

    /// Whether we waited too long for something to read. One timer per connection, which is only
    /// moved when it must ring earlier, or has rung.
    fn poll_read_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let deadline = self.activity.read_deadline();
            let rings = match (&mut self.read_timer, deadline) {
                (Some(timer), Some(deadline)) if timer.deadline() > deadline => {
                    timer.as_mut().reset(deadline);
                    timer
                }
                (Some(timer), _) => timer,
                (timer @ None, deadline) => {
                    let at = deadline.unwrap_or_else(|| self.activity.next_look());
                    timer.insert(Box::pin(sleep_until(at)))
                }
            };
            ready!(rings.as_mut().poll(cx));
            let now = Instant::now();
            if self.activity.is_starved() {
                return Poll::Ready(too_slow());
            }
            match self.activity.read_deadline() {
                Some(deadline) if deadline <= now => return Poll::Ready(too_slow()),
                Some(deadline) => rings.as_mut().reset(deadline),
                None => rings.as_mut().reset(self.activity.next_look()),
            }
        }
    }

    fn poll_write_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let (since, taken) = *self.blocked.get_or_insert_with(|| (Instant::now(), 0));
        let Some(patience) = self.activity.patience.for_taken(taken) else {
            return Poll::Pending;
        };
        let deadline = since + patience;
        let timer = self
            .write_timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx).map(|()| too_slow())
    }

    fn written(&mut self, result: &io::Result<usize>) {
        if let (Ok(bytes), Some((_, taken))) = (result, &mut self.blocked) {
            *taken = taken.saturating_add(*bytes as u64);
        }
    }
}

impl Activity {
    /// When to look again at answers that are being taken.
    fn next_look(&self) -> Instant {
        Instant::now() + self.patience.grace.min(self.patience.idle)
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client is too slow")
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut this.inner).poll_read(cx, buffer) {
            let activity = &this.activity;
            if this.heads
                && buffer.filled().len() > before
                && activity.open.load(Relaxed) == 0
                && activity.head_since.load(Relaxed) == NEVER
            {
                activity.head_since.store(activity.now(), Relaxed);
            }
            return Poll::Ready(result);
        }
        this.poll_read_patience(cx).map(Err)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Poll::Ready(result) = Pin::new(&mut this.inner).poll_write(cx, bytes) {
            this.written(&result);
            return Poll::Ready(result);
        }
        this.poll_write_patience(cx).map(Err)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Poll::Ready(result) = Pin::new(&mut this.inner).poll_write_vectored(cx, pieces) {
            this.written(&result);
            return Poll::Ready(result);
        }
        this.poll_write_patience(cx).map(Err)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Whoever flushes has nothing left that the client did not take.
        this.blocked = None;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
