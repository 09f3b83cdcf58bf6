use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse},
};
use parking_lot::RwLock;
use tokio::sync::Notify;

use crate::{
    clock::Clock,
    secrets::{Fetch, FetchBounds, FetchError},
};

/// A JSON Web Key Set (RFC 7517) that is fetched again and again.
pub struct Jwks {
    place: Place,
    allowed: Vec<Algorithm>,
    refresh: Duration,
    stale_after_nanos: u64,
    keys: RwLock<Arc<KeySet>>,
    read_at_nanos: AtomicU64,
    wanted: Notify,
    clock: Arc<dyn Clock>,
}

/// Where the set is.
pub(super) enum Place {
    Url(String, Arc<dyn Fetch>),
    File(PathBuf),
    /// Keys that never change.
    Fixed,
}

/// Why there is no key set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// No answer.
    #[error("the key set cannot be fetched")]
    Fetch(#[from] FetchError),
    /// The server has none.
    #[error("the server of the key set answered with status {0}")]
    Status(u16),
    /// The file cannot be read.
    #[error("the key set file cannot be read")]
    File(#[from] std::io::Error),
    /// Not JSON, too large, or without a key that can be used.
    #[error("the key set holds no key that can be used with the configured algorithms")]
    NoKeys,
    /// The address is none.
    #[error("the address of the key set is malformed")]
    Address,
}

/// Keys, each pinned to the algorithms that it may be used with.
#[derive(Default)]
pub(super) struct KeySet {
    pub(super) keys: Vec<PinnedKey>,
}

/// A key and what it may be used with: an RSA key never verifies an HMAC.
pub(super) struct PinnedKey {
    pub(super) id: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) key: DecodingKey,
}

const MAX_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 64;
/// An unknown key id makes the set be fetched, but not more often than this.
const AT_MOST_EVERY: Duration = Duration::from_secs(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

impl Jwks {
    pub(super) fn new(
        place: Place,
        allowed: Vec<Algorithm>,
        refresh: Duration,
        stale_after: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            place,
            allowed,
            refresh,
            stale_after_nanos: u64::try_from(stale_after.as_nanos()).unwrap_or(u64::MAX),
            keys: RwLock::default(),
            read_at_nanos: AtomicU64::new(0),
            wanted: Notify::new(),
            clock,
        }
    }

    /// A set that never changes.
    pub(super) fn fixed(keys: KeySet, clock: Arc<dyn Clock>) -> Self {
        let never = Duration::MAX;
        let set = Self::new(Place::Fixed, Vec::new(), never, never, clock);
        *set.keys.write() = Arc::new(keys);
        set
    }

    /// The keys; none if they are too old to be trusted.
    pub(super) fn keys(&self) -> Arc<KeySet> {
        let age = self
            .clock
            .nanos()
            .saturating_sub(self.read_at_nanos.load(Ordering::Acquire));
        if age > self.stale_after_nanos {
            return Arc::default();
        }
        Arc::clone(&self.keys.read())
    }

    /// Asks for a look at the source soon: a token names a key that is not known.
    pub(super) fn want(&self) {
        self.wanted.notify_one();
    }

    /// Fetches the set now. If that fails, the old one stands until it is too old.
    ///
    /// # Errors
    /// When there is no set, or none with a key that can be used.
    pub async fn refresh(&self) -> Result<(), JwksError> {
        let asked_at = self.clock.nanos();
        let bytes = match &self.place {
            Place::Fixed => return Ok(()),
            Place::Url(url, fetch) => {
                let request = Request::get(url)
                    .header(header::ACCEPT, "application/jwk-set+json, application/json")
                    .body(Bytes::new())
                    .map_err(|_| JwksError::Address)?;
                let bounds = FetchBounds {
                    max_bytes: MAX_BYTES,
                    ..FetchBounds::default()
                };
                let answer = fetch.fetch(request, bounds).await?;
                if answer.status() != StatusCode::OK {
                    return Err(JwksError::Status(answer.status().as_u16()));
                }
                answer.into_body()
            }
            Place::File(path) => tokio::fs::read(path).await?.into(),
        };
        let keys = KeySet::parse(&bytes, &self.allowed)?;
        *self.keys.write() = Arc::new(keys);
        self.read_at_nanos.store(asked_at, Ordering::Release);
        Ok(())
    }

    /// Keeps the set fresh, without end: again after its interval, after a failure with growing
    /// pauses, and when a token names an unknown key.
    pub async fn run(&self) {
        if matches!(self.place, Place::Fixed) {
            return std::future::pending().await;
        }
        let mut pause = self.refresh;
        let mut back_off = Duration::from_secs(1);
        loop {
            let early = async {
                tokio::time::sleep(AT_MOST_EVERY.min(pause)).await;
                self.wanted.notified().await;
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = early => {}
            }
            match self.refresh().await {
                Ok(()) => {
                    pause = self.refresh;
                    back_off = Duration::from_secs(1);
                }
                Err(error) => {
                    tracing::warn!(%error, "a key set cannot be refreshed; the last one is used until it is too old");
                    pause = back_off;
                    back_off = back_off.saturating_mul(2).min(LONGEST_BACK_OFF);
                }
            }
        }
    }
}

impl std::fmt::Debug for Jwks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jwks({} keys)", self.keys.read().keys.len())
    }
}

impl KeySet {
    /// The keys in `json` that can be used with `allowed`. Others, shared secrets among them, are
    /// passed over.
    pub(super) fn parse(json: &[u8], allowed: &[Algorithm]) -> Result<Self, JwksError> {
        #[derive(serde::Deserialize)]
        struct Raw {
            keys: Vec<serde_json::Value>,
        }
        if json.len() > MAX_BYTES {
            return Err(JwksError::NoKeys);
        }
        let raw: Raw = serde_json::from_slice(json).map_err(|_| JwksError::NoKeys)?;
        let keys: Vec<PinnedKey> = raw
            .keys
            .into_iter()
            .take(MAX_KEYS)
            .filter_map(|key| PinnedKey::new(&serde_json::from_value(key).ok()?, allowed))
            .collect();
        if keys.is_empty() {
            return Err(JwksError::NoKeys);
        }
        Ok(Self { keys })
    }
}

impl PinnedKey {
    fn new(jwk: &Jwk, allowed: &[Algorithm]) -> Option<Self> {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        let signs = matches!(
            jwk.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        );
        let kind: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) => {
                let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
                let bits = modulus.iter().skip_while(|byte| **byte == 0).count() * 8;
                if !(2_048..=8_192).contains(&bits) {
                    return None;
                }
                &[RS256, RS384, RS512, PS256, PS384, PS512]
            }
            AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
                EllipticCurve::P256 => &[ES256],
                EllipticCurve::P384 => &[ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(pair) => match pair.curve {
                EllipticCurve::Ed25519 => &[EdDSA],
                _ => return None,
            },
            _ => return None,
        };
        // Where the key says its algorithm, it is that one alone.
        let own = match jwk.common.key_algorithm {
            Some(algorithm) => Some(super::jwt::algorithm(&algorithm.to_string())?),
            None => None,
        };
        let algorithms: Vec<Algorithm> = kind
            .iter()
            .copied()
            .filter(|algorithm| allowed.contains(algorithm))
            .filter(|algorithm| own.is_none_or(|own| own == *algorithm))
            .collect();
        if algorithms.is_empty() || !signs {
            return None;
        }
        Some(Self {
            id: jwk.common.key_id.clone(),
            algorithms,
            key: DecodingKey::from_jwk(jwk).ok()?,
        })
    }
}
