use std::sync::Arc;

use bartizan_core::Secret;

use super::{FernetError, FernetKey, Keyring, MasterKey, seal};
use crate::{
    clock::Clock,
    store::{Store, with_pool},
};

/// Secrets in the database, each sealed with AES-256-GCM under the master key and bound to its name.
///
/// Without the master key the database gives nothing away but names and times.
pub struct KeyStore {
    store: Store,
    master: MasterKey,
    clock: Arc<dyn Clock>,
}

/// A secret as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSecret {
    /// Its name.
    pub name: String,
    /// When it was first stored, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was last changed, in milliseconds since 1970; keys are due every 90 days.
    pub updated_ms: i64,
}

/// Why a secret cannot be stored or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyStoreError {
    /// A name is 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `-`, and `_`.
    #[error("the name of a secret has 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `-`, and `_`")]
    Name,
    /// Sealed under another master key, or changed.
    #[error("a stored secret cannot be opened with this master key")]
    Sealed,
    /// Another process changed what was being changed.
    #[error("the key store was changed by another process; hint: try again")]
    Raced,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
    /// A token that was to be imported does not open.
    #[error(transparent)]
    Fernet(#[from] FernetError),
    /// The database failed.
    #[error("the database cannot be used")]
    Database(#[from] sqlx::Error),
}

/// The root of the [`Keyring`]; no user's name can be this one.
const ROOT: &str = ".root";

const INSERT: &str = "INSERT INTO sealed_secrets (name, sealed, sealed_by, created_ms, updated_ms) \
    VALUES ($1, $2, $3, $4, $4) ON CONFLICT (name) DO NOTHING";
const UPSERT: &str = "INSERT INTO sealed_secrets (name, sealed, sealed_by, created_ms, updated_ms) \
    VALUES ($1, $2, $3, $4, $4) ON CONFLICT (name) DO UPDATE \
    SET sealed = excluded.sealed, sealed_by = excluded.sealed_by, updated_ms = excluded.updated_ms";

impl KeyStore {
    /// The key store in `store` under `master`.
    ///
    /// # Errors
    /// When what lies there was sealed under another master key.
    pub async fn open(
        store: Store,
        master: MasterKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeyStoreError> {
        let keys = Self {
            store,
            master,
            clock,
        };
        // Opened now rather than at the first use: a wrong key must be heard of at the start.
        keys.keyring().await?;
        Ok(keys)
    }

    /// The keyring; its root is made at the first call and is the same for all that share the
    /// database and the master key.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn keyring(&self) -> Result<Keyring, KeyStoreError> {
        if self.read(ROOT).await?.is_none() {
            let mut root = [0; 32];
            getrandom::fill(&mut root).map_err(|_| KeyStoreError::Random)?;
            let root = Secret::new(root);
            self.write(INSERT, ROOT, root.expose()).await?;
        }
        let root = self.read(ROOT).await?.ok_or(KeyStoreError::Sealed)?;
        let root = root.expose().as_slice().try_into();
        root.map(Keyring::new).map_err(|_| KeyStoreError::Sealed)
    }

    /// Stores `value` under `name`, in place of what was there.
    ///
    /// # Errors
    /// When `name` is none, or the database failed.
    pub async fn put(&self, name: &str, value: &Secret<String>) -> Result<(), KeyStoreError> {
        check_name(name)?;
        self.write(UPSERT, name, value.expose().as_bytes()).await
    }

    /// Stores what a Fernet token holds under `name`: the way out of a store that was kept with
    /// Fernet.
    ///
    /// # Errors
    /// When the token does not open to text, `name` is none, or the database failed.
    pub async fn import_fernet(
        &self,
        name: &str,
        key: &FernetKey,
        token: &str,
    ) -> Result<(), KeyStoreError> {
        let plain = key.open(token)?;
        let text = String::from_utf8(plain.expose().clone()).map_err(|_| FernetError::Token)?;
        self.put(name, &Secret::new(text)).await
    }

    /// The secret of that name.
    ///
    /// # Errors
    /// When it cannot be opened, or the database failed.
    pub async fn get(&self, name: &str) -> Result<Option<Secret<String>>, KeyStoreError> {
        check_name(name)?;
        let Some(plain) = self.read(name).await? else {
            return Ok(None);
        };
        let text = String::from_utf8(plain.expose().clone());
        Ok(Some(Secret::new(text.map_err(|_| KeyStoreError::Sealed)?)))
    }

    /// Forgets the secret of that name; whether there was one.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn remove(&self, name: &str) -> Result<bool, KeyStoreError> {
        check_name(name)?;
        let gone = with_pool!(&self.store, pool => sqlx::query(
            "DELETE FROM sealed_secrets WHERE name = $1")
            .bind(name)
            .execute(pool)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(gone > 0)
    }

    /// Every secret, by name.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn list(&self) -> Result<Vec<StoredSecret>, KeyStoreError> {
        let rows: Vec<(String, i64, i64)> = with_pool!(&self.store, pool => sqlx::query_as(
            "SELECT name, created_ms, updated_ms FROM sealed_secrets ORDER BY name")
            .fetch_all(pool)
            .await)?;
        Ok(rows
            .into_iter()
            .filter(|(name, ..)| name != ROOT)
            .map(|(name, created_ms, updated_ms)| StoredSecret {
                name,
                created_ms,
                updated_ms,
            })
            .collect())
    }

    /// Seals everything anew under `master`, all or nothing. Derived keys do not change.
    ///
    /// # Errors
    /// When something cannot be opened, the database failed, or another process wrote meanwhile;
    /// then nothing has changed.
    pub async fn change_master(&mut self, master: MasterKey) -> Result<(), KeyStoreError> {
        with_pool!(&self.store, pool => {
            let mut transaction = pool.begin().await?;
            // A write first: it takes the lock that a reader could not turn into one later.
            sqlx::query("UPDATE sealed_secrets SET sealed_by = sealed_by")
                .execute(&mut *transaction)
                .await?;
            let rows: Vec<(String, String)> =
                sqlx::query_as("SELECT name, sealed FROM sealed_secrets ORDER BY name")
                    .fetch_all(&mut *transaction)
                    .await?;
            for (name, sealed) in rows {
                let plain = self.unseal(&name, &sealed)?;
                let anew = seal::seal(master.sealing().expose(), &name, plain.expose())
                    .map_err(|_| KeyStoreError::Sealed)?;
                let changed = sqlx::query(
                    "UPDATE sealed_secrets SET sealed = $1, sealed_by = $2 \
                     WHERE name = $3 AND sealed = $4")
                    .bind(anew)
                    .bind(master.id())
                    .bind(&name)
                    .bind(&sealed)
                    .execute(&mut *transaction)
                    .await?
                    .rows_affected();
                if changed != 1 {
                    return Err(KeyStoreError::Raced);
                }
            }
            transaction.commit().await?;
        });
        self.master = master;
        Ok(())
    }

    async fn write(
        &self,
        sql: &'static str,
        name: &str,
        plain: &[u8],
    ) -> Result<(), KeyStoreError> {
        let sealed = seal::seal(self.master.sealing().expose(), name, plain)
            .map_err(|_| KeyStoreError::Random)?;
        let now = i64::try_from(self.clock.unix_ms()).unwrap_or(i64::MAX);
        with_pool!(&self.store, pool => sqlx::query(sql)
            .bind(name)
            .bind(sealed)
            .bind(self.master.id())
            .bind(now)
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    async fn read(&self, name: &str) -> Result<Option<Secret<Vec<u8>>>, KeyStoreError> {
        let sealed: Option<String> = with_pool!(&self.store, pool => sqlx::query_scalar(
            "SELECT sealed FROM sealed_secrets WHERE name = $1")
            .bind(name)
            .fetch_optional(pool)
            .await)?;
        sealed.map(|sealed| self.unseal(name, &sealed)).transpose()
    }

    fn unseal(&self, name: &str, sealed: &str) -> Result<Secret<Vec<u8>>, KeyStoreError> {
        seal::open(self.master.sealing().expose(), name, sealed).map_err(|_| KeyStoreError::Sealed)
    }
}

fn check_name(name: &str) -> Result<(), KeyStoreError> {
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits {
        Ok(())
    } else {
        Err(KeyStoreError::Name)
    }
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::ManualClock, secrets::Purpose};

    async fn keys(store: &Store, master: [u8; 32]) -> Result<KeyStore, KeyStoreError> {
        let clock = Arc::new(ManualClock::at(1_000));
        KeyStore::open(store.clone(), MasterKey::new(master), clock).await
    }

    #[tokio::test]
    async fn database_is_useless_without_the_master_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = Store::open(path.to_str().unwrap()).await.unwrap();
        let mine = keys(&store, [1; 32]).await.unwrap();
        let value = Secret::new("sk-planted-marker".to_owned());
        mine.put("openai", &value).await.unwrap();
        assert_eq!(
            mine.get("openai").await.unwrap().unwrap().expose(),
            value.expose()
        );
        assert!(matches!(
            keys(&store, [2; 32]).await,
            Err(KeyStoreError::Sealed)
        ));
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(memchr::memmem::find(&bytes, b"planted").is_none());
        }
        assert!(!format!("{mine:?}").contains("planted"));
    }

    #[tokio::test]
    async fn new_master_key_keeps_secrets_and_derived_keys() {
        let store = Store::in_memory().await.unwrap();
        let mut mine = keys(&store, [1; 32]).await.unwrap();
        let pepper = mine.keyring().await.unwrap().derive(Purpose::ApiKeyPepper);
        mine.put("a", &Secret::new("b".to_owned())).await.unwrap();
        mine.change_master(MasterKey::new([2; 32])).await.unwrap();
        for keys in [mine, keys(&store, [2; 32]).await.unwrap()] {
            assert_eq!(keys.get("a").await.unwrap().unwrap().expose(), "b");
            let again = keys.keyring().await.unwrap().derive(Purpose::ApiKeyPepper);
            assert_eq!(again.expose(), pepper.expose());
        }
        assert!(keys(&store, [1; 32]).await.is_err());
    }

    #[tokio::test]
    async fn fernet_tokens_are_imported() {
        let store = Store::in_memory().await.unwrap();
        let mine = keys(&store, [1; 32]).await.unwrap();
        // `verify.json` of the specification.
        let key = FernetKey::parse("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").unwrap();
        let token = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
        mine.import_fernet("old", &key, token).await.unwrap();
        assert_eq!(mine.get("old").await.unwrap().unwrap().expose(), "hello");
        let error = mine.import_fernet("bad", &key, "gAAA").await.unwrap_err();
        assert!(matches!(error, KeyStoreError::Fernet(FernetError::Token)));
    }

    #[tokio::test]
    async fn a_value_cannot_be_moved_to_another_name() {
        let store = Store::in_memory().await.unwrap();
        let mine = keys(&store, [1; 32]).await.unwrap();
        mine.put("cheap", &Secret::new("a".to_owned()))
            .await
            .unwrap();
        mine.put("dear", &Secret::new("b".to_owned()))
            .await
            .unwrap();
        with_pool!(&store, pool => sqlx::query("UPDATE sealed_secrets SET sealed = \
            (SELECT sealed FROM sealed_secrets WHERE name = 'dear') WHERE name = 'cheap'")
            .execute(pool).await.map(drop))
        .unwrap();
        assert!(matches!(
            mine.get("cheap").await,
            Err(KeyStoreError::Sealed)
        ));
        for name in ["", ".root", "a/b", "a b", &"a".repeat(65)] {
            assert!(matches!(mine.get(name).await, Err(KeyStoreError::Name)));
        }
        let names: Vec<String> = mine
            .list()
            .await
            .unwrap()
            .into_iter()
            .map(|s| s.name)
            .collect();
        assert_eq!(names, ["cheap", "dear"]);
        assert!(mine.remove("dear").await.unwrap());
        assert!(mine.get("dear").await.unwrap().is_none());
    }
}
