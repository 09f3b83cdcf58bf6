//! Reads bodies of requests under limits, while they come.

use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    body::is_encoded,
    fault::{Fault, FaultKind},
};

/// Bounds of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// Most bytes.
    pub max_bytes: usize,
    /// Time for all of it.
    pub deadline: Duration,
    /// Time before `min_bytes_per_second` holds.
    pub grace: Duration,
    /// Least bytes per second on average after `grace`; 0 for none.
    pub min_bytes_per_second: u32,
}

impl BodyLimits {
    /// When `received` bytes are no longer enough, counted from the start.
    fn patience(&self, received: usize) -> Duration {
        let Some(rate) = (self.min_bytes_per_second != 0).then_some(self.min_bytes_per_second)
        else {
            return self.deadline;
        };
        let earned = Duration::from_secs_f64(received as f64 / f64::from(rate));
        self.deadline.min(self.grace.saturating_add(earned))
    }
}

/// Memory that a body gets before its bytes came, whatever its length is said to be.
const FIRST_BYTES: usize = 64 * 1_024;

/// Reads a whole body.
///
/// # Errors
/// 413 as soon as more than `max_bytes` are announced or came, 408 when it comes too slowly, 400
/// when it breaks off.
pub async fn read_body<B>(body: B, limits: &BodyLimits) -> Result<Bytes, Fault>
where
    B: Body<Data = Bytes>,
{
    let announced = body.size_hint();
    if announced.lower() > limits.max_bytes as u64 {
        return Err(too_large(limits.max_bytes));
    }
    let mut body = std::pin::pin!(body);
    let started = Instant::now();
    let mut timer: Option<Pin<Box<Sleep>>> = None;
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    loop {
        let received = first.len() + all.len();
        let frame = poll_fn(|cx| {
            if let Poll::Ready(frame) = body.as_mut().poll_frame(cx) {
                return Poll::Ready(Ok(frame));
            }
            // The timer is only made when the client makes us wait.
            let deadline = started + limits.patience(received);
            let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            timer.as_mut().poll(cx).map(|()| Err(too_slow()))
        });
        let Some(frame) = frame.await? else {
            break;
        };
        let Ok(data) = frame.map_err(|_broken| broken_off())?.into_data() else {
            continue;
        };
        if data.len() > limits.max_bytes.saturating_sub(received) {
            return Err(too_large(limits.max_bytes));
        }
        if received == 0 {
            // Most bodies come in one piece, which is not copied.
            first = data;
        } else {
            if all.is_empty() {
                let whole = announced.exact().unwrap_or(0);
                let whole = usize::try_from(whole).unwrap_or(usize::MAX);
                all.reserve(whole.min(FIRST_BYTES).max(received + data.len()));
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// Whether the body is JSON, as its type says. Nothing said counts as JSON, as SDKs of some
/// languages leave it out.
///
/// # Errors
/// 415 for another type, and for a compressed body.
pub fn expect_json(headers: &HeaderMap) -> Result<(), Fault> {
    if is_encoded(headers) {
        return Err(unsupported(
            "a compressed body is not taken, send it as it is",
        ));
    }
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let json = kind.eq_ignore_ascii_case("application/json")
        || kind.get(kind.len().saturating_sub(5)..).is_some_and(|end| {
            end.eq_ignore_ascii_case("+json") && kind.starts_with("application/")
        });
    if json {
        Ok(())
    } else {
        Err(unsupported("the body must be `application/json`"))
    }
}

fn unsupported(message: &'static str) -> Fault {
    Fault::new(
        FaultKind::UnsupportedMediaType,
        "unsupported_media_type",
        message,
    )
}

/// The refusal of a body of more than `max` bytes.
pub(crate) fn too_large(max: usize) -> Fault {
    Fault::new(
        FaultKind::TooLarge,
        "request_too_large",
        format!("the body is larger than {max} bytes"),
    )
}

fn too_slow() -> Fault {
    Fault::new(
        FaultKind::RequestTimeout,
        "request_timeout",
        "the body came too slowly",
    )
}

fn broken_off() -> Fault {
    Fault::new(
        FaultKind::BadRequest,
        "incomplete_body",
        "the body broke off or is malformed",
    )
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    const LIMITS: BodyLimits = BodyLimits {
        max_bytes: 10,
        deadline: Duration::from_secs(60),
        grace: Duration::from_millis(20),
        min_bytes_per_second: 100,
    };

    fn pieces(
        pieces: &[&'static str],
    ) -> impl Body<Data = Bytes, Error = Infallible> + use<> + Send {
        let frames: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))))
            .collect();
        StreamBody::new(stream::iter(frames))
    }

    #[tokio::test]
    async fn one_piece_is_not_copied_and_many_are_joined() {
        let whole = Bytes::from_static(b"0123456789");
        let read = read_body(Full::new(whole.clone()), &LIMITS).await.unwrap();
        assert_eq!(read.as_ptr(), whole.as_ptr());
        let read = read_body(pieces(&["01", "", "234", "56789"]), &LIMITS).await;
        assert_eq!(read.unwrap(), whole);
        assert!(read_body(pieces(&[]), &LIMITS).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn too_large_is_refused_early_and_while_reading() {
        let announced = Full::new(Bytes::from_static(b"0123456789a"));
        let fault = read_body(announced, &LIMITS).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::TooLarge);
        let endless = stream::repeat_with(|| Ok::<_, Infallible>(Frame::data(Bytes::from("abc"))));
        let fault = read_body(StreamBody::new(endless), &LIMITS)
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::TooLarge);
    }

    #[tokio::test]
    async fn a_stalled_body_ends_after_the_grace() {
        let stalled = stream::pending::<Result<Frame<Bytes>, Infallible>>();
        let fault = read_body(StreamBody::new(stalled), &LIMITS)
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::RequestTimeout);
    }

    #[test]
    fn patience_grows_with_what_came_up_to_the_deadline() {
        assert_eq!(LIMITS.patience(0), Duration::from_millis(20));
        assert_eq!(LIMITS.patience(100), Duration::from_millis(1_020));
        assert_eq!(LIMITS.patience(usize::MAX / 2), LIMITS.deadline);
        let unhurried = BodyLimits {
            min_bytes_per_second: 0,
            ..LIMITS
        };
        assert_eq!(unhurried.patience(0), unhurried.deadline);
    }

    #[tokio::test]
    async fn a_broken_body_is_the_clients_fault() {
        let broken = stream::iter([Ok(Frame::data(Bytes::from("a"))), Err("reset")]);
        let fault = read_body(StreamBody::new(broken), &LIMITS)
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::BadRequest);
        assert!(!fault.to_string().contains("reset"));
    }

    #[test]
    fn only_plain_json_is_taken() {
        let check = |name: header::HeaderName, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            expect_json(&headers).is_ok()
        };
        assert!(expect_json(&HeaderMap::new()).is_ok());
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/vnd.api+json",
        ] {
            assert!(check(header::CONTENT_TYPE, good), "{good}");
        }
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "",
            "text/a+json",
        ] {
            assert!(!check(header::CONTENT_TYPE, bad), "{bad}");
        }
        assert!(!check(header::CONTENT_ENCODING, "gzip"));
        assert!(check(header::CONTENT_ENCODING, "identity"));
    }
}
