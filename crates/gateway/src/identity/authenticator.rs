use std::{net::IpAddr, sync::Arc, time::Duration};

use aws_lc_rs::digest;
use bartizan_guard::Generations;
use http::HeaderMap;
use jsonwebtoken::{Algorithm, DecodingKey};
use parking_lot::Mutex;
use rustls_pki_types::CertificateDer;

use super::{
    ApiKey, ApiKeys, Attempt, CertificateConfig, IdentityConfig, IssuerConfig, Jwks, JwtReason,
    KeyError, KeySource, ServiceIssuer, Throttle, TokenVerifier, certificate,
    config::is_name,
    credential::Credential,
    issue::IssueError,
    jwks::{KeySet, PinnedKey, Place},
    jwt::{Issuer, Verified},
};
use crate::{
    clock::Clock,
    fault::{Fault, FaultKind},
    principal::{Entitlements, Principal, Proof, Scope},
    secrets::{Fetch, Keyring, Purpose, Resolver, SecretError},
    store::Store,
};

/// Says who asks.
pub struct Authenticator {
    keys: Arc<ApiKeys>,
    tokens: TokenVerifier,
    /// Tokens that were verified, by SHA-256: a signature costs more than all else here.
    verified: Mutex<Generations<[u8; 32], Remembered>>,
    certificates: Vec<CertificateConfig>,
    throttle: Throttle,
    anonymous: Option<Arc<Principal>>,
    issuer: ServiceIssuer,
    poll: Duration,
    clock: Arc<dyn Clock>,
}

struct Remembered {
    principal: Arc<Principal>,
    ends_ms: u64,
    at_nanos: u64,
}

/// Verified tokens that are remembered, in each of two generations.
const REMEMBERED: usize = 4_096;
/// A key that was withdrawn from its set counts for no longer than this.
const REMEMBER_FOR_NANOS: u64 = 60_000_000_000;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Its address.
    pub address: IpAddr,
    /// The certificates that the TLS handshake verified, its own first; empty for none.
    pub chain: &'a [CertificateDer<'static>],
}

/// A refusal, for the client ([`Fault`], without the reason) and for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Why; never told to the client.
    pub reason: Reason,
    /// When to come again, where that helps.
    pub retry_after: Option<Duration>,
    /// Whether this is the one that makes it an event: a source that guesses.
    pub alarm: bool,
}

/// Why somebody is refused; for the record, never for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No credential.
    Missing,
    /// Several that differ, or no text, or none of our forms.
    Malformed,
    /// No such key.
    UnknownKey,
    /// The key has ended.
    ExpiredKey,
    /// The database could not be asked for too long whether keys were revoked.
    StaleKeys,
    /// A token that is not taken.
    Token(JwtReason),
    /// A certificate that is nobody's.
    UnknownCertificate,
    /// Too many bad credentials before.
    Throttled,
}

impl Reason {
    /// A stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown-key",
            Self::ExpiredKey => "expired-key",
            Self::StaleKeys => "stale-keys",
            Self::Token(reason) => reason.as_str(),
            Self::UnknownCertificate => "unknown-certificate",
            Self::Throttled => "throttled",
        }
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        let fault = match denied.reason {
            Reason::Throttled => Self::new(
                FaultKind::TooManyRequests,
                "too_many_attempts",
                "too many bad credentials from here; come again later",
            ),
            Reason::StaleKeys => Self::new(
                FaultKind::Unavailable,
                "identity_unavailable",
                "credentials cannot be checked now",
            ),
            _ => Self::new(
                FaultKind::Unauthenticated,
                "invalid_api_key",
                "a valid credential is needed",
            ),
        };
        match denied.retry_after {
            Some(after) => fault.retry_after(after),
            None => fault,
        }
    }
}

/// What an authenticator is made of.
pub struct Parts<'a> {
    /// The database.
    pub store: Store,
    /// The keys of the gateway's own.
    pub keyring: &'a Keyring,
    /// Gives shared secrets of issuers.
    pub resolver: &'a Resolver<'a>,
    /// Fetches key sets.
    pub fetch: Arc<dyn Fetch>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why there is no authenticator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The keys cannot be read.
    #[error("api keys cannot be read")]
    Keys(#[from] KeyError),
    /// The secret of an issuer cannot be had.
    #[error("the secret of the issuer `{issuer}` cannot be used")]
    Secret {
        /// The issuer's name in the configuration.
        issuer: String,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// The secret of an issuer can be guessed.
    #[error("the secret of the issuer `{0}` has fewer than 32 bytes")]
    WeakSecret(String),
    /// The issuer of service tokens cannot be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

impl Authenticator {
    /// An authenticator for `config`, whose [`mistakes`](IdentityConfig::mistakes) are none. A key
    /// set that cannot be fetched now is fetched later; its tokens are refused until then.
    ///
    /// # Errors
    /// When keys or secrets cannot be read.
    pub async fn open(config: &IdentityConfig, parts: Parts<'_>) -> Result<Self, IdentityError> {
        let clock = Arc::clone(&parts.clock);
        let keys = ApiKeys::open(
            parts.store.clone(),
            &parts.keyring.derive(Purpose::ApiKeyPepper),
            &config.keys,
            Duration::from_secs(config.stale_after_seconds),
            Arc::clone(&clock),
        )
        .await?;
        let throttle = Throttle::new(config.throttle.clone(), clock);
        Self::build(config, parts, keys, throttle, &TokenVerifier::default()).await
    }

    /// An authenticator for another configuration, whose mistakes are none. It goes on with what
    /// this one knows: keys of the database, key sets from the same place, and who guessed. Tokens
    /// are verified anew.
    ///
    /// # Errors
    /// When secrets cannot be read.
    pub async fn renewed(
        &self,
        config: &IdentityConfig,
        parts: Parts<'_>,
    ) -> Result<Self, IdentityError> {
        let stale_after = Duration::from_secs(config.stale_after_seconds);
        let keys = self.keys.with(&config.keys, stale_after)?;
        let throttle = self.throttle.with(config.throttle.clone());
        Self::build(config, parts, keys, throttle, &self.tokens).await
    }

    async fn build(
        config: &IdentityConfig,
        parts: Parts<'_>,
        keys: ApiKeys,
        throttle: Throttle,
        former: &TokenVerifier,
    ) -> Result<Self, IdentityError> {
        let clock = parts.clock;
        let issuer = ServiceIssuer::new(parts.keyring, Arc::clone(&clock))?;
        let mut issuers = vec![issuer.trusted()];
        for config in &config.issuers {
            let keys = match former.set_of(config) {
                Some(known) => known,
                None => Arc::new(key_set(config, parts.resolver, &parts.fetch, &clock).await?),
            };
            if let Err(error) = keys.refresh().await {
                tracing::warn!(issuer = %config.name, %error, "a key set cannot be read now");
            }
            issuers.push(Issuer {
                config: config.clone(),
                keys,
            });
        }
        let anonymous = || {
            Arc::new(Principal {
                id: "anonymous".into(),
                proof: Proof::Anonymous,
                tenant: "".into(),
                team: "".into(),
                groups: Vec::new(),
                scopes: [Scope::Infer, Scope::Guard].into(),
                models: Vec::new(),
                entitlements: Entitlements::default(),
            })
        };
        Ok(Self {
            keys: Arc::new(keys),
            tokens: TokenVerifier::new(issuers),
            verified: Mutex::new(Generations::new(2 * REMEMBERED)),
            certificates: config.certificates.clone(),
            throttle,
            anonymous: config.dangerously_allow_anonymous.then(anonymous),
            issuer,
            poll: Duration::from_millis(config.poll_ms.max(50)),
            clock,
        })
    }

    /// Who asks. A credential in the headers counts before a certificate.
    ///
    /// # Errors
    /// When nobody that is known does, or the source has to wait.
    pub fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: &Peer<'_>,
    ) -> Result<Arc<Principal>, Denied> {
        match Credential::read(headers) {
            Credential::Text(text) => self.by_text(text, peer.address),
            Credential::Unclear => {
                // Asked here too: what is refused unread must not push the global rate.
                self.may_try(peer.address, "")?;
                self.failed(Reason::Malformed, peer.address)
            }
            Credential::None if !peer.chain.is_empty() => self.by_certificate(peer),
            Credential::None => {
                let anonymous = self.anonymous.clone();
                anonymous.ok_or(denied(Reason::Missing))
            }
        }
    }

    /// The API keys, to manage them.
    #[must_use]
    pub const fn keys(&self) -> &Arc<ApiKeys> {
        &self.keys
    }

    /// Issues service tokens.
    #[must_use]
    pub const fn issuer(&self) -> &ServiceIssuer {
        &self.issuer
    }

    /// Keeps keys and key sets fresh, without end. Where it does not run, keys of the database are
    /// refused after `stale-after-seconds`.
    pub async fn run(&self) {
        let keys = async {
            let mut ticks = tokio::time::interval(self.poll);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Err(error) = self.keys.refresh().await {
                    tracing::warn!(%error, "keys cannot be refreshed; they are refused soon");
                }
            }
        };
        let sets = futures_util::future::join_all(self.tokens.sets().map(|set| set.run()));
        futures_util::future::join(keys, sets).await;
    }

    fn by_text(&self, text: &str, address: IpAddr) -> Result<Arc<Principal>, Denied> {
        let (is_key, is_token) = (ApiKey::looks_like(text), TokenVerifier::looks_like(text));
        if let (false, false, Some(anonymous)) = (is_key, is_token, &self.anonymous) {
            // Clients send some key even where none is needed.
            return Ok(Arc::clone(anonymous));
        }
        self.may_try(address, text)?;
        let found = if is_key {
            ApiKey::parse(text)
                .map_err(|_| Reason::Malformed)
                .and_then(|key| self.keys.verify(&key))
        } else if is_token {
            self.by_token(text).map_err(Reason::Token)
        } else {
            Err(Reason::Malformed)
        };
        match found {
            Ok(principal) => {
                self.throttle.succeeded(address, text);
                Ok(principal)
            }
            // A good key, and not the client's fault.
            Err(Reason::StaleKeys) => Err(Denied {
                retry_after: Some(Duration::from_secs(1)),
                ..denied(Reason::StaleKeys)
            }),
            Err(reason) => self.failed(reason, address),
        }
    }

    fn may_try(&self, address: IpAddr, credential: &str) -> Result<(), Denied> {
        match self.throttle.before(address, credential) {
            Attempt::Go => Ok(()),
            Attempt::Wait(wait) => Err(Denied {
                retry_after: Some(wait),
                ..denied(Reason::Throttled)
            }),
        }
    }

    fn by_token(&self, token: &str) -> Result<Arc<Principal>, JwtReason> {
        let hash = digest::digest(&digest::SHA256, token.as_bytes());
        let hash: [u8; 32] = hash.as_ref().first_chunk().copied().unwrap_or_default();
        let (now_ms, now) = (self.clock.unix_ms(), self.clock.nanos());
        if let Some(known) = self.verified.lock().get(&hash) {
            let fresh = now.saturating_sub(known.at_nanos) < REMEMBER_FOR_NANOS;
            if fresh && known.ends_ms > now_ms {
                return Ok(Arc::clone(&known.principal));
            }
        }
        let Verified { principal, ends_ms } = self.tokens.verify(token, now_ms)?;
        let remembered = Remembered {
            principal: Arc::clone(&principal),
            ends_ms,
            at_nanos: now,
        };
        self.verified.lock().put(hash, remembered);
        Ok(principal)
    }

    fn by_certificate(&self, peer: &Peer<'_>) -> Result<Arc<Principal>, Denied> {
        let names = peer
            .chain
            .first()
            .map(certificate::names)
            .unwrap_or_default();
        let found = self.certificates.iter().find_map(|config| {
            let name = names.iter().find(|name| config.means(name))?;
            is_name(name.as_str(), 1).then_some((config, name))
        });
        let Some((config, name)) = found else {
            return Err(denied(Reason::UnknownCertificate));
        };
        let grants = &config.grants;
        Ok(Arc::new(Principal {
            id: format!("certificate:{}", name.as_str()).into(),
            proof: Proof::Certificate,
            tenant: grants.tenant.as_str().into(),
            team: grants.team.as_str().into(),
            groups: Vec::new(),
            scopes: grants
                .scopes
                .iter()
                .filter_map(|scope| Scope::named(scope))
                .collect(),
            models: grants
                .models
                .iter()
                .map(|model| model.as_str().into())
                .collect(),
            entitlements: grants.entitlements(),
        }))
    }

    fn failed(&self, reason: Reason, address: IpAddr) -> Result<Arc<Principal>, Denied> {
        Err(Denied {
            alarm: self.throttle.failed(address),
            ..denied(reason)
        })
    }
}

const fn denied(reason: Reason) -> Denied {
    Denied {
        reason,
        retry_after: None,
        alarm: false,
    }
}

async fn key_set(
    config: &IssuerConfig,
    resolver: &Resolver<'_>,
    fetch: &Arc<dyn Fetch>,
    clock: &Arc<dyn Clock>,
) -> Result<Jwks, IdentityError> {
    let algorithms: Vec<Algorithm> = config
        .algorithms
        .iter()
        .filter_map(|name| super::jwt::algorithm(name))
        .collect();
    let place = match &config.keys {
        KeySource::JwksUrl(url) => Place::Url(url.clone(), Arc::clone(fetch)),
        KeySource::JwksFile(path) => Place::File(path.clone()),
        KeySource::Secret(reference) => {
            let secret = resolver.resolve(reference).await;
            let secret = secret.map_err(|source| IdentityError::Secret {
                issuer: config.name.clone(),
                source,
            })?;
            if secret.expose().len() < 32 {
                return Err(IdentityError::WeakSecret(config.name.clone()));
            }
            let key = PinnedKey {
                id: None,
                algorithms,
                key: DecodingKey::from_secret(secret.expose().as_bytes()),
            };
            return Ok(Jwks::fixed(KeySet { keys: vec![key] }, Arc::clone(clock)));
        }
    };
    Ok(Jwks::new(
        place,
        algorithms,
        Duration::from_secs(config.refresh_seconds),
        Duration::from_secs(config.stale_after_seconds),
        Arc::clone(clock),
    ))
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authenticator({:?}, {:?})", self.keys, self.throttle)
    }
}
