use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use bartizan_core::Secret;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Value, json};

use super::{
    IssuerConfig, Jwks, KeySource,
    config::is_name,
    jwks::{KeySet, PinnedKey},
    jwt::Issuer,
};
use crate::{
    clock::Clock,
    principal::Scope,
    secrets::{Keyring, Purpose},
};

/// Signs short-lived tokens for services, which the gateway itself takes and others can verify with
/// [`Self::jwks`]. All replicas with the same keyring sign with the same key.
pub struct ServiceIssuer {
    pair: Ed25519KeyPair,
    key_id: String,
    clock: Arc<dyn Clock>,
}

/// Whom a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFor {
    /// The service; the principal is `bartizan:<subject>`.
    pub subject: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The team whose budget it spends, empty for none.
    pub team: String,
    /// The tenant, empty for none.
    pub tenant: String,
    /// How long it lives: [`ServiceIssuer::DEFAULT_LIFETIME`] unless there is a reason, at most
    /// [`ServiceIssuer::MAX_LIFETIME`].
    pub lifetime: Duration,
}

/// A token that was issued.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: Secret<String>,
    /// When it ends, in milliseconds since 1970.
    pub expires_ms: u64,
}

/// Why no token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The key cannot be made.
    #[error("the signing key cannot be made")]
    Key,
    /// A subject, team, or tenant is no name.
    #[error("a name has at most 128 characters without spaces or control characters")]
    Name,
    /// Longer than a short-lived token may live, or no time at all.
    #[error("a service token lives 1 second to 1 hour")]
    Lifetime,
}

/// The `iss` and `aud` claims of our own tokens, and the name of their issuer.
pub(super) const ISSUER: &str = "bartizan";

impl ServiceIssuer {
    /// Ten minutes.
    pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);
    /// One hour.
    pub const MAX_LIFETIME: Duration = Duration::from_secs(3_600);

    /// An issuer with the keyring's key.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new(keyring: &Keyring, clock: Arc<dyn Clock>) -> Result<Self, IssueError> {
        let seed = keyring.derive(Purpose::ServiceToken);
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| IssueError::Key)?;
        let public =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, pair.public_key().as_ref());
        let short = public.as_ref().get(..12).unwrap_or_default();
        Ok(Self {
            key_id: URL_SAFE_NO_PAD.encode(short),
            pair,
            clock,
        })
    }

    /// A signed token (EdDSA, RFC 8037).
    ///
    /// # Errors
    /// When a name or the lifetime is wrong.
    pub fn issue(&self, wanted: &TokenFor) -> Result<Issued, IssueError> {
        let TokenFor {
            subject,
            team,
            tenant,
            ..
        } = wanted;
        if !is_name(subject, 1) || !is_name(team, 0) || !is_name(tenant, 0) {
            return Err(IssueError::Name);
        }
        let seconds = wanted.lifetime.as_secs();
        if !(1..=Self::MAX_LIFETIME.as_secs()).contains(&seconds) {
            return Err(IssueError::Lifetime);
        }
        let now = self.clock.unix_ms() / 1_000;
        let scopes: Vec<&str> = wanted.scopes.iter().map(|scope| scope.as_str()).collect();
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.key_id });
        let claims = json!({
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": subject,
            "iat": now,
            "exp": now + seconds,
            "scope": scopes.join(" "),
            "team": team,
            "tenant": tenant,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.pair.sign(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
        Ok(Issued {
            token: Secret::new(format!("{signed}.{signature}")),
            expires_ms: (now + seconds) * 1_000,
        })
    }

    /// The public key as a JSON Web Key Set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.key_id,
            "x": URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref()),
        }] })
    }

    /// The issuer as those see it who verify.
    pub(super) fn trusted(&self) -> Issuer {
        let key = PinnedKey {
            id: Some(self.key_id.clone()),
            algorithms: vec![Algorithm::EdDSA],
            key: DecodingKey::from_ed_der(self.pair.public_key().as_ref()),
        };
        let keys = KeySet { keys: vec![key] };
        Issuer {
            config: IssuerConfig {
                name: ISSUER.to_owned(),
                issuer: Some(ISSUER.to_owned()),
                audiences: vec![ISSUER.to_owned()],
                keys: KeySource::JwksUrl(String::new()),
                algorithms: vec!["EdDSA".to_owned()],
                clock_skew_seconds: 30,
                max_lifetime_seconds: Self::MAX_LIFETIME.as_secs(),
                scope_claim: "scope".to_owned(),
                scopes: std::collections::BTreeMap::new(),
                tenant_claim: Some("tenant".to_owned()),
                team_claim: Some("team".to_owned()),
                group_claim: None,
                models: Vec::new(),
                refresh_seconds: 300,
                stale_after_seconds: 300,
            },
            keys: Arc::new(Jwks::fixed(keys, Arc::clone(&self.clock))),
        }
    }
}

impl fmt::Debug for ServiceIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceIssuer({})", self.key_id)
    }
}
