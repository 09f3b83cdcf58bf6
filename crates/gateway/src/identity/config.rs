use std::{collections::BTreeMap, path::PathBuf};

use bartizan_core::hex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    principal::{Entitlements, Scope},
    secrets::SecretRef,
};

/// Who may ask: the `identity` block of `bartizan.yaml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct IdentityConfig {
    /// Answer whoever asks, as one principal named `anonymous`, with the scopes `infer` and
    /// `guard`.
    pub dangerously_allow_anonymous: bool,
    /// Keys that stand in the configuration, as hashes.
    pub keys: Vec<ConfiguredKey>,
    /// Who signs tokens.
    pub issuers: Vec<IssuerConfig>,
    /// Client certificates that are principals.
    pub certificates: Vec<CertificateConfig>,
    /// What slows down who guesses.
    pub throttle: ThrottleConfig,
    /// Milliseconds between looks for keys that a command or another replica made or revoked; such a
    /// key is refused everywhere after at most this and the time of one query. In the replica that
    /// revoked it, it is refused at once.
    pub poll_ms: u64,
    /// Seconds for which keys of the database are taken while it cannot be asked; after that they
    /// are refused, since they may have been revoked.
    pub stale_after_seconds: u64,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            dangerously_allow_anonymous: false,
            keys: Vec::new(),
            issuers: Vec::new(),
            certificates: Vec::new(),
            throttle: ThrottleConfig::default(),
            poll_ms: 500,
            stale_after_seconds: 30,
        }
    }
}

/// What a credential gives.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Grants {
    /// What it may do: `infer`, `guard`, `audit`, `metrics`, `review`, `admin`.
    pub scopes: Vec<String>,
    /// Models that it may use; a name may end with `*`; all if empty.
    pub models: Vec<String>,
    /// The team whose budget it spends.
    pub team: String,
    /// The tenant.
    pub tenant: String,
    /// Show probabilities of tokens.
    pub logprobs: bool,
    /// Show all classes of predictions with unrounded probabilities.
    pub probabilities: bool,
}

impl Grants {
    pub(super) fn check(&self, at: &str, mistakes: &mut Vec<(String, String)>) {
        for (index, scope) in self.scopes.iter().enumerate() {
            if Scope::named(scope).is_none() {
                let known = Scope::ALL.map(Scope::as_str).join("`, `");
                // Told to administrators over HTTP, too: what they may say, not what they said.
                let what = format!("is none of `{known}`");
                mistakes.push((format!("{at}.scopes[{index}]"), what));
            }
        }
        for (field, text) in [("team", &self.team), ("tenant", &self.tenant)] {
            if !is_name(text, 0) {
                let what = "has at most 128 characters without spaces or control characters";
                mistakes.push((format!("{at}.{field}"), what.to_owned()));
            }
        }
    }

    pub(super) fn entitlements(&self) -> Entitlements {
        Entitlements {
            logprobs: self.logprobs,
            probabilities: self.probabilities,
        }
    }
}

/// Whether `text` may be the name of a principal, team, or tenant.
pub(crate) fn is_name(text: &str, at_least: usize) -> bool {
    (at_least..=128).contains(&text.len())
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A key that stands in the configuration as its hash.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ConfiguredKey {
    /// The principal's name.
    pub id: String,
    /// The visible part: `bz_` and 12 characters.
    pub prefix: String,
    /// `sha256:` and 64 hexadecimal digits: SHA-256 of the whole key. A key has 256 random bits, so
    /// that its hash needs no pepper.
    pub hash: String,
    /// What it gives.
    pub grants: Grants,
}

impl ConfiguredKey {
    /// The hash; nothing if it is malformed.
    pub(super) fn digest(&self) -> Option<[u8; 32]> {
        hex::decode(self.hash.strip_prefix("sha256:")?)?
            .try_into()
            .ok()
    }
}

/// Who signs tokens (JWT, RFC 7519), and what is made of their claims.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IssuerConfig {
    /// A short name of our own: principals are `<name>:<sub>`.
    pub name: String,
    /// The `iss` claim that its tokens must have; any or none if not given.
    #[serde(default)]
    pub issuer: Option<String>,
    /// An `aud` claim that its tokens must have one of; if empty, tokens are taken whatever their
    /// audience.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// The keys.
    pub keys: KeySource,
    /// Algorithms that are taken, out of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`,
    /// `ES256`, `ES384`, `EdDSA`, and for a shared secret `HS256`, `HS384`, `HS512`.
    pub algorithms: Vec<String>,
    /// Seconds by which clocks may differ.
    #[serde(default = "clock_skew")]
    pub clock_skew_seconds: u64,
    /// Seconds that a token may still live at most: one that says it lives longer is refused.
    #[serde(default = "max_lifetime")]
    pub max_lifetime_seconds: u64,
    /// The claim with scopes: a text with spaces between them, or a list.
    #[serde(default = "scope_claim")]
    pub scope_claim: String,
    /// Their names for our scopes, e.g. `llm.use: infer`. Our own names need not stand here.
    #[serde(default)]
    pub scopes: BTreeMap<String, String>,
    /// The claim with the tenant.
    #[serde(default)]
    pub tenant_claim: Option<String>,
    /// The claim with the team.
    #[serde(default)]
    pub team_claim: Option<String>,
    /// The claim with groups, for grants under `access`: a list, or one text. Groups are named
    /// `<name>:<group>` there.
    #[serde(default)]
    pub group_claim: Option<String>,
    /// Models that its principals may use; all if empty.
    #[serde(default)]
    pub models: Vec<String>,
    /// Seconds between looks for new keys; an unknown key is looked for at once, at most every ten
    /// seconds.
    #[serde(default = "refresh")]
    pub refresh_seconds: u64,
    /// Seconds for which the last key set is used while no new one can be had.
    #[serde(default = "stale_after")]
    pub stale_after_seconds: u64,
}

fn refresh() -> u64 {
    300
}

fn stale_after() -> u64 {
    6 * 3_600
}

fn clock_skew() -> u64 {
    30
}

fn max_lifetime() -> u64 {
    86_400
}

fn scope_claim() -> String {
    "scope".to_owned()
}

/// Where an issuer's keys are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeySource {
    /// A JSON Web Key Set (RFC 7517) at an `https://` address.
    JwksUrl(String),
    /// A JSON Web Key Set in a file.
    JwksFile(PathBuf),
    /// A shared secret of at least 32 bytes, for HS256, HS384, and HS512 only.
    Secret(SecretRef),
}

/// A client certificate that is a principal. The certificate was verified against the configured
/// authorities in the TLS handshake; here it only gets a name.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CertificateConfig {
    /// Its URI (subject alternative name), e.g. `spiffe://example.org/backend`; may end with `*`.
    pub uri: Option<String>,
    /// Its DNS name (subject alternative name); may end with `*`.
    pub dns: Option<String>,
    /// Its common name, for authorities that write no subject alternative names; exact.
    pub common_name: Option<String>,
    /// What it gives.
    pub grants: Grants,
}

/// What slows down who guesses credentials.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ThrottleConfig {
    /// Bad credentials that a source (an IPv4 address, a /64 of IPv6) may bring before it has to
    /// wait; one is forgiven every ten seconds.
    pub free_attempts: u32,
    /// Seconds that a source has to wait at most. It doubles from a quarter of a second on.
    pub max_delay_seconds: u64,
    /// Bad credentials per second, of all sources, from which on those that were not good before
    /// have to wait a second.
    pub global_per_second: u32,
    /// Sources that are remembered.
    pub max_sources: usize,
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        Self {
            free_attempts: 5,
            max_delay_seconds: 30,
            global_per_second: 100,
            max_sources: 65_536,
        }
    }
}

impl IdentityConfig {
    /// Every mistake, as the place in `identity` and what is wrong.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut mistakes = Vec::new();
        for (index, key) in self.keys.iter().enumerate() {
            let at = format!("keys[{index}]");
            let mut say = |field: &str, what: &str| {
                mistakes.push((format!("{at}.{field}"), what.to_owned()));
            };
            if !is_name(&key.id, 1) {
                say(
                    "id",
                    "has 1 to 128 characters without spaces or control characters",
                );
            }
            if key.prefix.len() != 15 || !key.prefix.starts_with("bz_") {
                say("prefix", "is `bz_` and 12 characters");
            }
            if key.digest().is_none() {
                say("hash", "is `sha256:` and 64 hexadecimal digits");
            }
            key.grants.check(&format!("{at}.grants"), &mut mistakes);
        }
        let mut names = std::collections::BTreeSet::from([super::issue::ISSUER]);
        for (index, issuer) in self.issuers.iter().enumerate() {
            let at = format!("issuers[{index}]");
            if !is_name(&issuer.name, 1) || issuer.name.contains(':') {
                let what = "has 1 to 128 characters without spaces or `:`".to_owned();
                mistakes.push((format!("{at}.name"), what));
            } else if !names.insert(&issuer.name) {
                mistakes.push((
                    format!("{at}.name"),
                    "stands twice, or is `bartizan`".into(),
                ));
            }
            issuer.check(&at, &mut mistakes);
        }
        for (index, certificate) in self.certificates.iter().enumerate() {
            let at = format!("certificates[{index}]");
            let named = [&certificate.uri, &certificate.dns, &certificate.common_name];
            if named.iter().filter(|name| name.is_some()).count() != 1 {
                let what = "needs one of `uri`, `dns`, and `common-name`".to_owned();
                mistakes.push((at.clone(), what));
            }
            if named
                .iter()
                .any(|name| name.as_deref().is_some_and(|n| n.is_empty() || n == "*"))
            {
                mistakes.push((at.clone(), "would take every certificate".to_owned()));
            }
            certificate
                .grants
                .check(&format!("{at}.grants"), &mut mistakes);
        }
        if !(50..=60_000).contains(&self.poll_ms) {
            mistakes.push(("poll-ms".into(), "must be 50 to 60000".into()));
        }
        if self.throttle.max_sources < 1_024 {
            mistakes.push((
                "throttle.max-sources".into(),
                "must be at least 1024".into(),
            ));
        }
        if self.throttle.max_delay_seconds > 300 {
            let what = "must be at most 300: others may share the address";
            mistakes.push(("throttle.max-delay-seconds".into(), what.into()));
        }
        mistakes
    }
}

impl IssuerConfig {
    /// Whether its key set is that of `other`. A shared secret is asked for again.
    pub(super) fn has_keys_of(&self, other: &Self) -> bool {
        let is_same_place = match (&self.keys, &other.keys) {
            (KeySource::JwksUrl(one), KeySource::JwksUrl(two)) => one == two,
            (KeySource::JwksFile(one), KeySource::JwksFile(two)) => one == two,
            _ => false,
        };
        is_same_place
            && self.algorithms == other.algorithms
            && self.refresh_seconds == other.refresh_seconds
            && self.stale_after_seconds == other.stale_after_seconds
    }

    fn check(&self, at: &str, mistakes: &mut Vec<(String, String)>) {
        let mut say = |field: &str, what: String| mistakes.push((format!("{at}.{field}"), what));
        if self.algorithms.is_empty() {
            say("algorithms", "names no algorithm".to_owned());
        }
        let shared = matches!(self.keys, KeySource::Secret(_));
        for (index, name) in self.algorithms.iter().enumerate() {
            let field = format!("algorithms[{index}]");
            match super::jwt::algorithm(name) {
                None => say(&field, format!("`{name}` is no algorithm that is taken")),
                Some(_) if name.starts_with("HS") != shared => say(
                    &field,
                    format!(
                        "`{name}` does not go with these keys: `HS` needs `secret`, others a key set"
                    ),
                ),
                Some(_) => {}
            }
        }
        if let KeySource::JwksUrl(url) = &self.keys
            && !url.starts_with("https://")
        {
            say("keys.jwks-url", "must be `https://`".to_owned());
        }
        if self.clock_skew_seconds > 300 {
            say("clock-skew-seconds", "must be at most 300".to_owned());
        }
        if !(10..=86_400).contains(&self.refresh_seconds) {
            say("refresh-seconds", "must be 10 to 86400".to_owned());
        }
        for (theirs, ours) in &self.scopes {
            if Scope::named(ours).is_none() {
                say(
                    "scopes",
                    format!("`{theirs}` is mapped to `{ours}`, which is no scope"),
                );
            }
        }
    }
}
