use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::{digest, hmac};
use bartizan_core::{Secret, hex};
use parking_lot::RwLock;
use subtle::ConstantTimeEq as _;

use super::{ApiKey, ConfiguredKey, Grants, Reason, config::is_name};
use crate::{
    clock::Clock,
    fault::{Fault, FaultKind},
    principal::{Principal, Proof, Scope},
    store::{Store, with_pool},
};

/// API keys: in the database as keyed hashes, mirrored in memory.
///
/// A key that is revoked here is refused here at once, and in every other replica after at most the
/// interval at which [`Self::refresh`] is called there and the time of one query. A replica that
/// cannot ask the database any more refuses its keys after `stale_after`.
pub struct ApiKeys {
    stored: Arc<Stored>,
    configured: HashMap<String, Entry>,
    stale_after: Duration,
}

/// Keys of the database, which outlive a change of the configuration.
struct Stored {
    store: Store,
    pepper: hmac::Key,
    clock: Arc<dyn Clock>,
    mirror: RwLock<Mirror>,
    /// Held by whoever changes or reloads, so that an older reading never replaces a newer one.
    writing: tokio::sync::Mutex<()>,
    read_at_nanos: AtomicU64,
}

#[derive(Default)]
struct Mirror {
    generation: i64,
    /// By prefix.
    entries: HashMap<String, Entry>,
}

#[derive(Clone)]
struct Entry {
    principal: Arc<Principal>,
    hash: [u8; 32],
    expires_ms: Option<u64>,
}

/// What a new key is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySpec {
    /// A name for people, at most 128 characters.
    pub name: String,
    /// What it gives.
    pub grants: Grants,
    /// When it ends, in milliseconds since 1970; never if not given.
    pub expires_ms: Option<u64>,
}

/// A key that was just made: the only time that it can be seen.
#[derive(Debug)]
pub struct NewKey {
    /// What is kept of it.
    pub info: KeyInfo,
    /// The key itself.
    pub key: ApiKey,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its id, the principal's name; stays the same when it is rotated.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it gives.
    pub grants: Grants,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it ends.
    pub expires_ms: Option<u64>,
    /// When it was revoked.
    pub revoked_ms: Option<u64>,
    /// Its secrets, newest first: two while it is rotated.
    pub secrets: Vec<SecretInfo>,
}

/// What is known of one secret of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretInfo {
    /// Its visible part.
    pub prefix: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it ends.
    pub expires_ms: Option<u64>,
}

/// A quarter, after which a key is due for rotation.
const DUE_AFTER_MS: u64 = 90 * 86_400_000;

impl KeyInfo {
    /// Whether it should be rotated: valid, and its newest secret is 90 days old.
    #[must_use]
    pub fn is_due(&self, now_ms: u64) -> bool {
        let ended = self.expires_ms.is_some_and(|end| end <= now_ms);
        let newest = self.secrets.iter().map(|secret| secret.created_ms).max();
        self.revoked_ms.is_none()
            && !ended
            && newest.is_some_and(|made| now_ms.saturating_sub(made) >= DUE_AFTER_MS)
    }
}

/// Why keys cannot be managed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The database failed.
    #[error("the database cannot be used")]
    Database(#[from] sqlx::Error),
    /// There is no such key, or it was revoked.
    #[error("there is no such key, or it was revoked")]
    NotFound,
    /// The specification is wrong.
    #[error("`{at}` {what}")]
    Spec {
        /// The field.
        at: String,
        /// What is wrong.
        what: String,
    },
    /// A row of the database is not what was written.
    #[error("a stored key cannot be read")]
    Malformed,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        let message = error.to_string();
        match error {
            KeyError::NotFound => Self::new(FaultKind::NotFound, "unknown_key", message),
            KeyError::Spec { at, .. } => {
                Self::new(FaultKind::BadRequest, "invalid_key_specification", message).about(at)
            }
            KeyError::Database(_) | KeyError::Malformed | KeyError::Random => {
                Self::new(FaultKind::Unavailable, "keys_unavailable", message)
            }
        }
    }
}

const BUMP: &str = "UPDATE api_key_generation SET generation = generation + 1 WHERE one = 1";
const INSERT_KEY: &str = "INSERT INTO api_keys (id, name, tenant, team, scopes, models, logprobs, \
    probabilities, created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const INSERT_SECRET: &str = "INSERT INTO api_key_secrets (prefix, key_id, hash, created_ms) \
    VALUES ($1, $2, $3, $4)";
const SELECT_KEYS: &str = "SELECT id, name, tenant, team, scopes, models, logprobs, probabilities, \
    created_ms, expires_ms, revoked_ms FROM api_keys ORDER BY created_ms, id";
const SELECT_SECRETS: &str = "SELECT prefix, key_id, hash, created_ms, expires_ms \
    FROM api_key_secrets ORDER BY created_ms DESC, prefix";

impl ApiKeys {
    /// The keys in `store` and in the configuration. `pepper` is the same in all replicas
    /// ([`crate::secrets::Purpose::ApiKeyPepper`]).
    ///
    /// # Errors
    /// When the database failed.
    pub async fn open(
        store: Store,
        pepper: &Secret<[u8; 32]>,
        configured: &[ConfiguredKey],
        stale_after: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeyError> {
        let stored = Stored {
            store,
            pepper: hmac::Key::new(hmac::HMAC_SHA256, pepper.expose()),
            mirror: RwLock::default(),
            writing: tokio::sync::Mutex::new(()),
            read_at_nanos: AtomicU64::new(clock.nanos()),
            clock,
        };
        let keys = Self {
            stored: Arc::new(stored),
            configured: entries(configured)?,
            stale_after,
        };
        keys.refresh().await?;
        Ok(keys)
    }

    /// The same keys of the database, beside other ones of the configuration.
    ///
    /// # Errors
    /// When the hash of a configured key is none.
    pub fn with(
        &self,
        configured: &[ConfiguredKey],
        stale_after: Duration,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            stored: Arc::clone(&self.stored),
            configured: entries(configured)?,
            stale_after,
        })
    }

    /// The principal of `key`.
    ///
    /// # Errors
    /// When it is unknown, ended, or cannot be trusted any more.
    pub fn verify(&self, key: &ApiKey) -> Result<Arc<Principal>, Reason> {
        let hash = key.hash(&self.stored.pepper);
        let (entry, stored) = match self.configured.get(key.prefix()) {
            Some(entry) => (Some(entry.clone()), false),
            None => (
                self.stored.mirror.read().entries.get(key.prefix()).cloned(),
                true,
            ),
        };
        let entry = entry.ok_or(Reason::UnknownKey)?;
        let given = if stored { hash } else { plain_hash(key) };
        if !bool::from(given.ct_eq(&entry.hash)) {
            return Err(Reason::UnknownKey);
        }
        let stale_after = u64::try_from(self.stale_after.as_nanos()).unwrap_or(u64::MAX);
        let read_at = self.stored.read_at_nanos.load(Ordering::Acquire);
        if stored && self.stored.clock.nanos().saturating_sub(read_at) > stale_after {
            return Err(Reason::StaleKeys);
        }
        if entry
            .expires_ms
            .is_some_and(|end| end <= self.stored.clock.unix_ms())
        {
            return Err(Reason::ExpiredKey);
        }
        Ok(entry.principal)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When `spec` is wrong or the database failed.
    pub async fn create(&self, spec: &KeySpec) -> Result<NewKey, KeyError> {
        check(spec)?;
        let key = ApiKey::generate().ok_or(KeyError::Random)?;
        let mut id = [0; 8];
        getrandom::fill(&mut id).map_err(|_| KeyError::Random)?;
        let id = format!("key-{:016x}", u64::from_be_bytes(id));
        let grants = &spec.grants;
        let models = serde_json::to_string(&grants.models).map_err(|_| KeyError::Malformed)?;
        let now = self.stored.clock.unix_ms();
        let _writing = self.stored.writing.lock().await;
        with_pool!(&self.stored.store, pool => {
            let mut transaction = pool.begin().await?;
            sqlx::query(INSERT_KEY)
                .bind(&id)
                .bind(&spec.name)
                .bind(&grants.tenant)
                .bind(&grants.team)
                .bind(grants.scopes.join(","))
                .bind(models)
                .bind(i64::from(grants.logprobs))
                .bind(i64::from(grants.probabilities))
                .bind(number(now))
                .bind(spec.expires_ms.map(number))
                .execute(&mut *transaction)
                .await?;
            sqlx::query(INSERT_SECRET)
                .bind(key.prefix())
                .bind(&id)
                .bind(hex::encode(&key.hash(&self.stored.pepper)))
                .bind(number(now))
                .execute(&mut *transaction)
                .await?;
            sqlx::query(BUMP).execute(&mut *transaction).await?;
            transaction.commit().await?;
        });
        self.reload().await?;
        let info = self.get(&id).await?.ok_or(KeyError::NotFound)?;
        Ok(NewKey { info, key })
    }

    /// Gives a key a new secret. Those that it had go on for `overlap` and end then.
    ///
    /// # Errors
    /// When there is no such key, or the database failed.
    pub async fn rotate(&self, id: &str, overlap: Duration) -> Result<NewKey, KeyError> {
        let key = ApiKey::generate().ok_or(KeyError::Random)?;
        let now = self.stored.clock.unix_ms();
        let overlap_ms = u64::try_from(overlap.as_millis()).unwrap_or(u64::MAX);
        let end = now.saturating_add(overlap_ms);
        let _writing = self.stored.writing.lock().await;
        with_pool!(&self.stored.store, pool => {
            let mut transaction = pool.begin().await?;
            // Also takes the lock under which two rotations come one after the other.
            let alive = sqlx::query(
                "UPDATE api_keys SET name = name WHERE id = $1 AND revoked_ms IS NULL")
                .bind(id)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if alive != 1 {
                return Err(KeyError::NotFound);
            }
            sqlx::query("DELETE FROM api_key_secrets WHERE key_id = $1 AND expires_ms <= $2")
                .bind(id)
                .bind(number(now))
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "UPDATE api_key_secrets SET expires_ms = $1 \
                 WHERE key_id = $2 AND (expires_ms IS NULL OR expires_ms > $1)")
                .bind(number(end))
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            sqlx::query(INSERT_SECRET)
                .bind(key.prefix())
                .bind(id)
                .bind(hex::encode(&key.hash(&self.stored.pepper)))
                .bind(number(now))
                .execute(&mut *transaction)
                .await?;
            sqlx::query(BUMP).execute(&mut *transaction).await?;
            transaction.commit().await?;
        });
        self.reload().await?;
        let info = self.get(id).await?.ok_or(KeyError::NotFound)?;
        Ok(NewKey { info, key })
    }

    /// Revokes a key; whether it was valid. Refused here from the moment that this returns.
    ///
    /// # Errors
    /// When the database failed; the key is then valid still.
    pub async fn revoke(&self, id: &str) -> Result<bool, KeyError> {
        let now = number(self.stored.clock.unix_ms());
        let _writing = self.stored.writing.lock().await;
        let revoked = with_pool!(&self.stored.store, pool => {
            let mut transaction = pool.begin().await?;
            let revoked = sqlx::query(
                "UPDATE api_keys SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL")
                .bind(now)
                .bind(id)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            sqlx::query(BUMP).execute(&mut *transaction).await?;
            transaction.commit().await?;
            revoked
        });
        self.stored
            .mirror
            .write()
            .entries
            .retain(|_, entry| *entry.principal.id != *id);
        Ok(revoked > 0)
    }

    /// The key of that id, revoked ones too.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn get(&self, id: &str) -> Result<Option<KeyInfo>, KeyError> {
        let keys = self.list().await?;
        Ok(keys.into_iter().find(|key| key.id == id))
    }

    /// Every key of the database, oldest first, revoked ones too.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn list(&self) -> Result<Vec<KeyInfo>, KeyError> {
        let (keys, _) = self.rows().await?;
        Ok(keys)
    }

    /// Looks whether keys changed elsewhere, and reads them if so. Called every
    /// [`poll_ms`](super::IdentityConfig::poll_ms).
    ///
    /// # Errors
    /// When the database failed.
    pub async fn refresh(&self) -> Result<(), KeyError> {
        let _writing = self.stored.writing.lock().await;
        let asked_at = self.stored.clock.nanos();
        let generation = self.generation().await?;
        if generation == self.stored.mirror.read().generation {
            self.stored.read_at_nanos.store(asked_at, Ordering::Release);
            return Ok(());
        }
        self.reload().await
    }

    /// Reads every key; the caller holds `writing`.
    async fn reload(&self) -> Result<(), KeyError> {
        let asked_at = self.stored.clock.nanos();
        // Before the rows: what is written in between is read again the next time.
        let generation = self.generation().await?;
        let (keys, hashes) = self.rows().await?;
        let mut entries = HashMap::new();
        for key in keys.iter().filter(|key| key.revoked_ms.is_none()) {
            let principal = Arc::new(principal(&key.id, &key.grants));
            for secret in &key.secrets {
                let hash = hashes.get(&secret.prefix).ok_or(KeyError::Malformed)?;
                let ends = [key.expires_ms, secret.expires_ms];
                let entry = Entry {
                    principal: Arc::clone(&principal),
                    hash: *hash,
                    expires_ms: ends.into_iter().flatten().min(),
                };
                entries.insert(secret.prefix.clone(), entry);
            }
        }
        *self.stored.mirror.write() = Mirror {
            generation,
            entries,
        };
        self.stored.read_at_nanos.store(asked_at, Ordering::Release);
        Ok(())
    }

    async fn generation(&self) -> Result<i64, KeyError> {
        Ok(with_pool!(&self.stored.store, pool => sqlx::query_scalar(
            "SELECT generation FROM api_key_generation WHERE one = 1")
            .fetch_one(pool)
            .await)?)
    }

    /// Every key, and the hash of every prefix.
    async fn rows(&self) -> Result<(Vec<KeyInfo>, HashMap<String, [u8; 32]>), KeyError> {
        let (keys, secrets): (Vec<KeyRow>, Vec<SecretRow>) = with_pool!(&self.stored.store, pool => (
            sqlx::query_as(SELECT_KEYS).fetch_all(pool).await?,
            sqlx::query_as(SELECT_SECRETS).fetch_all(pool).await?,
        ));
        let mut hashes = HashMap::new();
        let mut by_key: BTreeMap<String, Vec<SecretInfo>> = BTreeMap::new();
        for (prefix, key_id, hash, created, expires) in secrets {
            let hash = hex::decode(&hash).and_then(|hash| hash.try_into().ok());
            hashes.insert(prefix.clone(), hash.ok_or(KeyError::Malformed)?);
            by_key.entry(key_id).or_default().push(SecretInfo {
                prefix,
                created_ms: positive(created),
                expires_ms: expires.map(positive),
            });
        }
        let keys = keys.into_iter().map(|row| {
            let (id, name, tenant, team, scopes, models, logprobs, probabilities, ..) = &row;
            let models = serde_json::from_str(models).map_err(|_| KeyError::Malformed)?;
            let scopes = scopes.split(',').filter(|scope| !scope.is_empty());
            Ok(KeyInfo {
                secrets: by_key.remove(id).unwrap_or_default(),
                id: id.clone(),
                name: name.clone(),
                grants: Grants {
                    scopes: scopes.map(str::to_owned).collect(),
                    models,
                    team: team.clone(),
                    tenant: tenant.clone(),
                    logprobs: *logprobs != 0,
                    probabilities: *probabilities != 0,
                },
                created_ms: positive(row.8),
                expires_ms: row.9.map(positive),
                revoked_ms: row.10.map(positive),
            })
        });
        Ok((keys.collect::<Result<_, KeyError>>()?, hashes))
    }
}

type KeyRow = (
    String,
    String,
    String,
    String,
    String,
    String,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
);
type SecretRow = (String, String, String, i64, Option<i64>);

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ApiKeys({} secrets)",
            self.stored.mirror.read().entries.len()
        )
    }
}

/// Keys of the configuration, by prefix.
fn entries(configured: &[ConfiguredKey]) -> Result<HashMap<String, Entry>, KeyError> {
    let entry = |key: &ConfiguredKey| {
        let entry = Entry {
            principal: Arc::new(principal(&key.id, &key.grants)),
            hash: key.digest().ok_or(KeyError::Malformed)?,
            expires_ms: None,
        };
        Ok((key.prefix.clone(), entry))
    };
    configured.iter().map(entry).collect()
}

/// The principal of a key.
fn principal(id: &str, grants: &Grants) -> Principal {
    Principal {
        id: id.into(),
        proof: Proof::ApiKey,
        tenant: grants.tenant.as_str().into(),
        team: grants.team.as_str().into(),
        groups: Vec::new(),
        // A name that is none, from a newer version, gives nothing.
        scopes: grants
            .scopes
            .iter()
            .filter_map(|name| Scope::named(name))
            .collect(),
        models: grants
            .models
            .iter()
            .map(|model| model.as_str().into())
            .collect(),
        entitlements: grants.entitlements(),
    }
}

fn check(spec: &KeySpec) -> Result<(), KeyError> {
    let mut mistakes = Vec::new();
    spec.grants.check("grants", &mut mistakes);
    if !is_name(&spec.name.replace(' ', "-"), 0) {
        let what = "has at most 128 characters without control characters";
        mistakes.push(("name".to_owned(), what.to_owned()));
    }
    match mistakes.into_iter().next() {
        Some((at, what)) => Err(KeyError::Spec { at, what }),
        None => Ok(()),
    }
}

fn plain_hash(key: &ApiKey) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, key.expose().as_bytes());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

impl ApiKey {
    /// What [`ConfiguredKey::hash`] says of it.
    #[must_use]
    pub fn configured_hash(&self) -> String {
        format!("sha256:{}", hex::encode(&plain_hash(self)))
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn positive(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
