use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{IssuerConfig, Jwks, config::is_name, jwks::PinnedKey};
use crate::principal::{Entitlements, Principal, Proof, Scope};

/// Verifies signed tokens (JWT, RFC 7519) as RFC 8725 recommends.
///
/// Each key verifies only the algorithms that it is pinned to. Of the header only `alg`, `kid`, and
/// `crit` count: keys that a token brings or points to (`jwk`, `jku`, `x5u`, `x5c`) are never looked
/// at. `exp` and `sub` must be there.
#[derive(Debug, Default)]
pub struct TokenVerifier {
    issuers: Vec<Issuer>,
}

#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) config: IssuerConfig,
    pub(super) keys: Arc<Jwks>,
}

/// Why a token is not taken; for the record, never for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwtReason {
    /// Not three parts of base64url, too long, or not JSON with the right types.
    Malformed,
    /// `none`, unknown, or not configured.
    Algorithm,
    /// The header demands an extension.
    Critical,
    /// No issuer that is configured.
    Issuer,
    /// No key for it.
    UnknownKey,
    /// Made with another key, or changed.
    Signature,
    /// `exp` is missing.
    NoExpiry,
    /// `exp` has passed.
    Expired,
    /// `exp` is further away than allowed.
    TooLong,
    /// `nbf` or `iat` lies ahead.
    NotYet,
    /// `sub` is missing or no name.
    Subject,
    /// Not meant for us.
    Audience,
}

impl JwtReason {
    /// A stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "token-malformed",
            Self::Algorithm => "token-algorithm",
            Self::Critical => "token-critical",
            Self::Issuer => "token-issuer",
            Self::UnknownKey => "token-unknown-key",
            Self::Signature => "token-signature",
            Self::NoExpiry => "token-no-expiry",
            Self::Expired => "token-expired",
            Self::TooLong => "token-too-long",
            Self::NotYet => "token-not-yet",
            Self::Subject => "token-subject",
            Self::Audience => "token-audience",
        }
    }
}

const MAX_TOKEN_BYTES: usize = 8 * 1024;
const MAX_HEADER_BYTES: usize = 4 * 1024;
/// Keys that are tried for a token that names none.
const MAX_TRIES: usize = 8;
/// Groups in the claims of a token.
const MAX_GROUPS: usize = 256;

/// The algorithm of that name; `none` is none.
pub(super) fn algorithm(name: &str) -> Option<Algorithm> {
    use Algorithm::{
        ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512,
    };
    Some(match name {
        "RS256" => RS256,
        "RS384" => RS384,
        "RS512" => RS512,
        "PS256" => PS256,
        "PS384" => PS384,
        "PS512" => PS512,
        "ES256" => ES256,
        "ES384" => ES384,
        "EdDSA" => EdDSA,
        "HS256" => HS256,
        "HS384" => HS384,
        "HS512" => HS512,
        _ => return None,
    })
}

/// What counts of a header.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
    #[serde(default)]
    b64: Option<bool>,
}

/// What a verified token says.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) principal: Arc<Principal>,
    /// When it ends, clock skew included, in milliseconds since 1970.
    pub(super) ends_ms: u64,
}

impl TokenVerifier {
    pub(super) const fn new(issuers: Vec<Issuer>) -> Self {
        Self { issuers }
    }

    /// Whether `text` has the form of a token.
    #[must_use]
    pub fn looks_like(text: &str) -> bool {
        text.starts_with("ey") && text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    pub(super) fn sets(&self) -> impl Iterator<Item = &Arc<Jwks>> {
        self.issuers.iter().map(|issuer| &issuer.keys)
    }

    /// The key set of an issuer whose keys come from the same place in the same way.
    pub(super) fn set_of(&self, config: &IssuerConfig) -> Option<Arc<Jwks>> {
        let is_same = |issuer: &&Issuer| issuer.config.has_keys_of(config);
        let issuer = self.issuers.iter().find(is_same)?;
        Some(Arc::clone(&issuer.keys))
    }

    /// The principal of `token` at `now_ms`, milliseconds since 1970.
    pub(super) fn verify(&self, token: &str, now_ms: u64) -> Result<Verified, JwtReason> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JwtReason::Malformed);
        }
        let mut parts = token.split('.');
        let all = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(head), Some(payload), Some(signature), None) = all else {
            return Err(JwtReason::Malformed);
        };
        if head.len() > MAX_HEADER_BYTES {
            return Err(JwtReason::Malformed);
        }
        let header: Header = decode(head)?;
        if header.crit.is_some() || header.b64.is_some() {
            return Err(JwtReason::Critical);
        }
        let algorithm = algorithm(&header.alg).ok_or(JwtReason::Algorithm)?;
        let claims: Map<String, Value> = decode(payload)?;
        // Not verified yet: only chooses by whose keys it is verified.
        let says = claims.get("iss").and_then(Value::as_str);
        let mut reason = JwtReason::Issuer;
        let signed = token.get(..head.len() + 1 + payload.len());
        let signed = signed.ok_or(JwtReason::Malformed)?;
        for issuer in &self.issuers {
            let wanted = issuer.config.issuer.as_deref();
            if wanted.is_some_and(|wanted| says != Some(wanted)) {
                continue;
            }
            match issuer.verify_signature(algorithm, header.kid.as_deref(), signed, signature) {
                Ok(()) => return issuer.accept(&claims, now_ms),
                Err(because) => reason = because,
            }
        }
        Err(reason)
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, JwtReason> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| JwtReason::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwtReason::Malformed)
}

impl Issuer {
    fn verify_signature(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        signed: &str,
        signature: &str,
    ) -> Result<(), JwtReason> {
        let allowed = &self.config.algorithms;
        if !allowed
            .iter()
            .any(|name| self::algorithm(name) == Some(algorithm))
        {
            return Err(JwtReason::Algorithm);
        }
        let set = self.keys.keys();
        // A key id is compared, nothing else: it is no path and no query.
        let named = |key: &&PinnedKey| match (kid, &key.id) {
            (Some(kid), Some(id)) => kid == id,
            _ => true,
        };
        let fits = |key: &&PinnedKey| key.algorithms.contains(&algorithm);
        let mut keys = set
            .keys
            .iter()
            .filter(named)
            .filter(fits)
            .take(MAX_TRIES)
            .peekable();
        if keys.peek().is_none() {
            self.keys.want();
            return Err(JwtReason::UnknownKey);
        }
        let verified = keys.any(|key| {
            let result =
                jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key.key, algorithm);
            result.unwrap_or(false)
        });
        if verified {
            Ok(())
        } else {
            Err(JwtReason::Signature)
        }
    }

    /// What the claims of a token with a good signature say.
    fn accept(&self, claims: &Map<String, Value>, now_ms: u64) -> Result<Verified, JwtReason> {
        let config = &self.config;
        let skew = config.clock_skew_seconds.saturating_mul(1_000);
        let ends_ms = date(claims, "exp")?.ok_or(JwtReason::NoExpiry)?;
        let ends_ms = ends_ms.saturating_add(skew);
        if ends_ms <= now_ms {
            return Err(JwtReason::Expired);
        }
        let longest = config.max_lifetime_seconds.saturating_mul(1_000);
        let latest = now_ms
            .saturating_add(longest)
            .saturating_add(skew.saturating_mul(2));
        if ends_ms > latest {
            return Err(JwtReason::TooLong);
        }
        for claim in ["nbf", "iat"] {
            let from = date(claims, claim)?.unwrap_or(0);
            if from > now_ms.saturating_add(skew) {
                return Err(JwtReason::NotYet);
            }
        }
        let audiences = texts(claims.get("aud"), false).ok_or(JwtReason::Audience)?;
        let wanted = &config.audiences;
        if !wanted.is_empty()
            && !audiences
                .iter()
                .any(|one| wanted.iter().any(|want| want == one))
        {
            return Err(JwtReason::Audience);
        }
        let subject = claims.get("sub").and_then(Value::as_str);
        let subject = subject
            .filter(|subject| is_name(subject, 1))
            .ok_or(JwtReason::Subject)?;
        let name = |claim: &Option<String>| match claim.as_ref().and_then(|name| claims.get(name)) {
            None => Ok(""),
            Some(Value::String(text)) if is_name(text, 0) => Ok(text.as_str()),
            Some(_) => Err(JwtReason::Malformed),
        };
        let scopes = texts(claims.get(&config.scope_claim), true).ok_or(JwtReason::Malformed)?;
        let groups = match &config.group_claim {
            None => Vec::new(),
            Some(claim) => texts(claims.get(claim), false).ok_or(JwtReason::Malformed)?,
        };
        if groups.len() > MAX_GROUPS {
            return Err(JwtReason::Malformed);
        }
        let group = |group: &&str| format!("{}:{group}", config.name).into();
        let principal = Principal {
            id: format!("{}:{subject}", config.name).into(),
            proof: Proof::Jwt,
            tenant: name(&config.tenant_claim)?.into(),
            team: name(&config.team_claim)?.into(),
            groups: groups.iter().map(group).collect(),
            scopes: scopes
                .iter()
                .filter_map(|name| scope(&config.scopes, name))
                .collect(),
            models: config
                .models
                .iter()
                .map(|model| model.as_str().into())
                .collect(),
            entitlements: Entitlements::default(),
        };
        Ok(Verified {
            principal: Arc::new(principal),
            ends_ms,
        })
    }
}

/// The scope that an issuer calls `name`; a name that it does not map is one of ours or none.
fn scope(map: &BTreeMap<String, String>, name: &str) -> Option<Scope> {
    Scope::named(map.get(name).map_or(name, String::as_str))
}

/// A numeric date (RFC 7519, section 2) in milliseconds since 1970.
fn date(claims: &Map<String, Value>, claim: &str) -> Result<Option<u64>, JwtReason> {
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    if let Some(seconds) = value.as_u64() {
        return Ok(Some(seconds.saturating_mul(1_000)));
    }
    match value.as_f64() {
        // Up to the year 5138.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "in range"
        )]
        Some(seconds) if (0.0..1e11).contains(&seconds) => Ok(Some((seconds * 1_000.0) as u64)),
        _ => Err(JwtReason::Malformed),
    }
}

/// A list of texts, or one, which `spaced` divides at its spaces.
fn texts(value: Option<&Value>, spaced: bool) -> Option<Vec<&str>> {
    match value {
        None => Some(Vec::new()),
        Some(Value::String(text)) if spaced => Some(text.split_whitespace().collect()),
        Some(Value::String(text)) => Some(vec![text]),
        Some(Value::Array(values)) => values.iter().map(Value::as_str).collect(),
        Some(_) => None,
    }
}
