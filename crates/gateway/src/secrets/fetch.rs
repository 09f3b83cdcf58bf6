use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

/// An HTTP client for small documents: key sets, Vault.
///
/// Who implements it follows no redirect, asks no proxy, and verifies certificates.
pub trait Fetch: Send + Sync + 'static {
    /// Sends `request`, whose URI is absolute, and reads the whole answer within `bounds`. Any
    /// status is an answer, not an error.
    fn fetch(
        &self,
        request: http::Request<Bytes>,
        bounds: FetchBounds,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, FetchError>>;
}

/// How much and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchBounds {
    /// Bytes of the answer's body at most.
    pub max_bytes: usize,
    /// Time for all of it.
    pub timeout: Duration,
}

impl Default for FetchBounds {
    fn default() -> Self {
        Self {
            max_bytes: 1 << 20,
            timeout: Duration::from_secs(5),
        }
    }
}

/// Why there is no answer. Says nothing of what the other side wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("the server cannot be reached")]
    Unreachable,
    /// Too slow.
    #[error("the server was too slow")]
    TimedOut,
    /// More bytes than allowed.
    #[error("the answer is too large")]
    TooLarge,
    /// The address is not one that may be asked.
    #[error("the address may not be asked")]
    Refused,
}
