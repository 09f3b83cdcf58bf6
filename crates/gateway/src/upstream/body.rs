//! Bodies of answers, under limits.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{error::UpstreamError, upstreams::Upstream};

/// The body of an answer as it comes. Ends in an error when it is too large or too slow; after an
/// error there is nothing more. When it is dropped, the upstream's connection is closed.
pub struct UpstreamBody {
    inner: Inner,
    limits: AnswerLimits,
    received: usize,
    /// When the next piece must be there; moved on with each piece.
    idle_at: Instant,
    /// Rings at `idle_at` or earlier; then it is set anew.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whom to blame for what goes wrong.
    upstream: Option<Arc<Upstream>>,
}

/// Bounds of an answer's body.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerLimits {
    pub(super) max_bytes: usize,
    pub(super) idle: Duration,
    pub(super) total_at: Instant,
}

enum Inner {
    Incoming(Incoming),
    Pieces(VecDeque<Bytes>),
    Over,
}

impl UpstreamBody {
    pub(super) fn new(incoming: Incoming, limits: AnswerLimits, upstream: Arc<Upstream>) -> Self {
        Self {
            inner: Inner::Incoming(incoming),
            limits,
            received: 0,
            idle_at: (Instant::now() + limits.idle).min(limits.total_at),
            timer: None,
            upstream: Some(upstream),
        }
    }

    /// A body that is all there, in pieces.
    #[must_use]
    pub fn from_pieces(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let now = Instant::now();
        Self {
            inner: Inner::Pieces(pieces.into_iter().collect()),
            limits: AnswerLimits {
                max_bytes: usize::MAX,
                idle: Duration::MAX,
                total_at: now,
            },
            received: 0,
            idle_at: now,
            timer: None,
            upstream: None,
        }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When it is too large or too slow, or broke off.
    pub async fn next(&mut self) -> Option<Result<Bytes, UpstreamError>> {
        poll_fn(|cx| self.poll_piece(cx)).await
    }

    /// All of it.
    ///
    /// # Errors
    /// When it is too large or too slow, or broke off.
    pub async fn collect(mut self) -> Result<Bytes, UpstreamError> {
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            if first.is_empty() && all.is_empty() {
                // Most answers come in one piece, which is not copied.
                first = piece;
                continue;
            }
            if all.is_empty() {
                let more = self.size_hint().lower().min(FIRST_BYTES) as usize;
                all.reserve(first.len() + piece.len() + more);
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&piece);
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }

    /// The next piece, as a poll.
    pub fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        loop {
            let frame = match &mut self.inner {
                Inner::Over => return Poll::Ready(None),
                Inner::Pieces(pieces) => return Poll::Ready(pieces.pop_front().map(Ok)),
                Inner::Incoming(incoming) => Pin::new(incoming).poll_frame(cx),
            };
            return match frame {
                Poll::Pending => self.poll_patience(cx).map(|error| Some(Err(error))),
                Poll::Ready(None) => {
                    self.inner = Inner::Over;
                    Poll::Ready(None)
                }
                Poll::Ready(Some(Err(_broken))) => {
                    Poll::Ready(Some(Err(self.fail(UpstreamError::Broken))))
                }
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers are not passed on.
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    self.received = self.received.saturating_add(data.len());
                    if self.received > self.limits.max_bytes {
                        return Poll::Ready(Some(Err(self.fail(UpstreamError::TooLarge))));
                    }
                    self.idle_at = Instant::now() + self.limits.idle;
                    Poll::Ready(Some(Ok(data)))
                }
            };
        }
    }

    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<UpstreamError> {
        let at = self.idle_at.min(self.limits.total_at);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= at {
                let error = if at == self.limits.total_at {
                    UpstreamError::Total
                } else {
                    UpstreamError::Idle
                };
                return Poll::Ready(self.fail(error));
            }
            timer.as_mut().reset(at);
        }
        Poll::Pending
    }

    fn fail(&mut self, error: UpstreamError) -> UpstreamError {
        self.inner = Inner::Over;
        if let Some(upstream) = self.upstream.take()
            && error.is_failure()
        {
            upstream.failed_later();
        }
        error
    }
}

/// Memory that an answer gets before its bytes came, whatever its length is said to be.
const FIRST_BYTES: u64 = 64 * 1_024;

impl http_body::Body for UpstreamBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        self.get_mut()
            .poll_piece(cx)
            .map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Over => true,
            Inner::Pieces(pieces) => pieces.is_empty(),
            Inner::Incoming(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Over => SizeHint::with_exact(0),
            Inner::Pieces(pieces) => {
                SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum())
            }
            Inner::Incoming(incoming) => incoming.size_hint(),
        }
    }
}

impl std::fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamBody")
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
