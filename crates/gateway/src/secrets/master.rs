use std::{
    fs, io,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use bartizan_core::{Secret, hex};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroize as _;

use super::{Environment, SecretRef, Vault, VaultError, keyring::derive};
use crate::store::{Store, with_pool};

/// The key that seals all others: 32 random bytes, or what a passphrase was stretched to.
///
/// Where it lies by default, and why: `docs/adr/0010-master-key.md`.
#[derive(Debug)]
pub struct MasterKey(Secret<[u8; 32]>);

/// Where the master key comes from.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum MasterConfig {
    /// A file that only its owner can read. Made at the first start.
    #[serde(rename_all = "kebab-case")]
    File {
        /// Its path. By default `$CREDENTIALS_DIRECTORY/bartizan-master-key` where systemd gives
        /// one, else `$XDG_CONFIG_HOME/bartizan/master.key`, else `~/.config/bartizan/master.key`,
        /// else beside the data folder: `<data folder>.master.key`.
        #[serde(default)]
        path: Option<PathBuf>,
        /// Take a file that lies in the data folder: a copy of the folder is then a copy of
        /// everything in the clear.
        #[serde(default)]
        dangerously_allow_beside_data: bool,
    },
    /// A passphrase, stretched by Argon2id (RFC 9106).
    Passphrase {
        /// `env:NAME` or `file:/path`.
        passphrase: SecretRef,
    },
    /// An environment variable that holds 32 bytes in base64 or hexadecimal digits.
    Environment {
        /// Its name.
        name: String,
    },
    /// A field in HashiCorp Vault's KV v2 that holds 32 bytes in base64 or hexadecimal digits.
    VaultKv {
        /// `mount/path#field`.
        path: String,
    },
    /// A data key of HashiCorp Vault's transit engine: Vault keeps the key that opens it.
    VaultTransit {
        /// The engine's mount.
        #[serde(default = "transit")]
        mount: String,
        /// The key's name in it.
        key: String,
    },
}

impl Default for MasterConfig {
    fn default() -> Self {
        Self::File {
            path: None,
            dangerously_allow_beside_data: false,
        }
    }
}

fn transit() -> String {
    "transit".to_owned()
}

impl MasterConfig {
    /// The file that [`MasterKey::open`] would make, if it is a file and is not there.
    pub(crate) fn missing_file(
        &self,
        environment: &dyn Environment,
        data: &Path,
    ) -> Option<PathBuf> {
        let Self::File { path, .. } = self else {
            return None;
        };
        let path = path
            .clone()
            .unwrap_or_else(|| default_path(environment, data));
        (!path.exists()).then_some(path)
    }

    pub(super) fn check(&self, has_vault: bool, mistakes: &mut Vec<(String, String)>) {
        let mut say = |what: &str| mistakes.push(("master-key".to_owned(), what.to_owned()));
        match self {
            Self::VaultKv { .. } | Self::VaultTransit { .. } if !has_vault => {
                say("needs `secrets.vault`");
            }
            Self::Passphrase { passphrase } if !passphrase.is_local() => {
                say("takes the passphrase from `env:NAME` or `file:/path`");
            }
            Self::Environment { name } if name.is_empty() => say("names no variable"),
            _ => {}
        }
    }
}

/// What opening a master key needs.
pub struct Opener<'a> {
    /// The environment of the process.
    pub environment: &'a dyn Environment,
    /// The data folder, where the ciphertext lies.
    pub data: &'a Path,
    /// The database: holds the salt of a passphrase and the sealed data key of Vault.
    pub store: &'a Store,
    /// Vault, if there is one.
    pub vault: Option<&'a Vault>,
}

/// Where the master key came from, for a note to the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It was there.
    Found,
    /// It was made now, in this file. Without a copy of the file nothing sealed can be opened.
    Made(PathBuf),
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// The file cannot be read or made.
    #[error("the master key file `{}` cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others than the owner can read the file.
    #[error("the master key file `{}` has mode {mode:04o}; hint: `chmod 600` it, and change the key if others may have read it", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file lies where the ciphertext lies.
    #[error("the master key file `{}` lies in the data folder, beside what it seals; hint: keep it elsewhere, or set `dangerously-allow-beside-data`", path.display())]
    BesideData {
        /// The file.
        path: PathBuf,
    },
    /// What was found is no key.
    #[error("the master key is not 32 bytes in base64 or hexadecimal digits")]
    Malformed,
    /// A variable or file that is named is not there.
    #[error("the master key's variable or file is missing or empty")]
    Missing,
    /// The passphrase is too short to be stretched into anything.
    #[error("the passphrase has fewer than 12 characters")]
    WeakPassphrase,
    /// Vault did not give it.
    #[error("vault did not give the master key")]
    Vault(#[from] VaultError),
    /// The database did not give the salt.
    #[error("the database cannot be used")]
    Database(#[from] sqlx::Error),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
}

/// Argon2id as RFC 9106, section 4, recommends second: 64 MiB, three passes, four lanes.
const STRETCH: (u32, u32, u32) = (64 * 1024, 3, 4);
const FILE_HEAD: &str = "bartizan-master-key-v1:";

impl MasterKey {
    /// The key of these 32 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// A new random key.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn generate() -> Result<Self, MasterError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| MasterError::Random)?;
        Ok(Self::new(bytes))
    }

    /// The key that `config` names; a file is made if there is none.
    ///
    /// # Errors
    /// When it is not there, is not a key, or is not kept well.
    pub async fn open(
        config: &MasterConfig,
        from: &Opener<'_>,
    ) -> Result<(Self, Place), MasterError> {
        let key = match config {
            MasterConfig::File {
                path,
                dangerously_allow_beside_data,
            } => {
                let path = path
                    .clone()
                    .unwrap_or_else(|| default_path(from.environment, from.data));
                if !dangerously_allow_beside_data && lies_in(&path, from.data) {
                    return Err(MasterError::BesideData { path });
                }
                return Self::from_file(&path);
            }
            MasterConfig::Passphrase { passphrase } => {
                let passphrase = passphrase
                    .local(from.environment)
                    .map_err(|_| MasterError::Missing)?;
                let mut salt = [0; 16];
                getrandom::fill(&mut salt).map_err(|_| MasterError::Random)?;
                let salt = fact(from.store, "argon2id-salt", &STANDARD.encode(salt)).await?;
                let salt = STANDARD.decode(salt).map_err(|_| MasterError::Malformed)?;
                Self::stretched(passphrase.expose(), &salt, STRETCH)?
            }
            MasterConfig::Environment { name } => {
                let text = from.environment.get(name).ok_or(MasterError::Missing)?;
                Self::parse(&Secret::new(text))?
            }
            MasterConfig::VaultKv { path } => {
                let vault = from.vault.ok_or(MasterError::Missing)?;
                Self::parse(&vault.read(path).await?)?
            }
            MasterConfig::VaultTransit { mount, key } => {
                let vault = from.vault.ok_or(MasterError::Missing)?;
                let name = format!("transit/{mount}/{key}");
                let sealed = match known_fact(from.store, &name).await? {
                    Some(sealed) => sealed,
                    // Two that start at once agree on the one that was stored first.
                    None => {
                        let made = vault.new_data_key(mount, key).await?;
                        fact(from.store, &name, &made).await?
                    }
                };
                let plain = vault.decrypt(mount, key, &sealed).await?;
                let bytes = plain.expose().as_slice().try_into();
                Self::new(bytes.map_err(|_| MasterError::Malformed)?)
            }
        };
        Ok((key, Place::Found))
    }

    /// The key in the file at `path`, which only its owner may read; made if there is none.
    fn from_file(path: &Path) -> Result<(Self, Place), MasterError> {
        let failed = |source| MasterError::File {
            path: path.to_owned(),
            source,
        };
        match fs::File::open(path) {
            Ok(file) => {
                check_mode(path, &file.metadata().map_err(failed)?)?;
                let mut text = String::new();
                let read = file.take(1024).read_to_string(&mut text);
                let text = Secret::new(text);
                read.map_err(failed)?;
                Ok((Self::parse(&text)?, Place::Found))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                match key.save_new(path) {
                    Ok(()) => Ok((key, Place::Made(path.to_owned()))),
                    // Another process made it in between.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        Self::from_file(path)
                    }
                    Err(error) => Err(failed(error)),
                }
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes the key to a file of mode 0600 that must not be there yet. Readers see all of it or
    /// nothing.
    ///
    /// # Errors
    /// When the file is there or cannot be written.
    pub fn save_new(&self, path: &Path) -> io::Result<()> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        fs::create_dir_all(folder)?;
        let mut unique = [0; 8];
        getrandom::fill(&mut unique).map_err(|_| io::ErrorKind::Other)?;
        let draft = folder.join(format!(".master-{:016x}", u64::from_be_bytes(unique)));
        let text = Secret::new(format!("{FILE_HEAD}{}\n", STANDARD.encode(self.0.expose())));
        let written = write_private(&draft, text.expose().as_bytes())
            // A link, unlike a rename, does not replace what is there.
            .and_then(|()| fs::hard_link(&draft, path));
        fs::remove_file(&draft)?;
        written?;
        fs::File::open(folder)?.sync_all()
    }

    /// The key in `text`.
    pub(crate) fn parse(text: &Secret<String>) -> Result<Self, MasterError> {
        let text = text.expose().trim();
        let text = text.strip_prefix(FILE_HEAD).unwrap_or(text);
        let mut bytes = if text.len() == 64 {
            hex::decode(text)
        } else {
            STANDARD.decode(text).ok()
        }
        .ok_or(MasterError::Malformed)?;
        let key = bytes.as_slice().try_into();
        let key = key.map(Self::new).map_err(|_| MasterError::Malformed);
        bytes.zeroize();
        key
    }

    /// The key that a passphrase is stretched to with a salt of its own.
    pub(crate) fn of_passphrase(
        passphrase: &Secret<String>,
        salt: &[u8; 16],
    ) -> Result<Self, MasterError> {
        Self::stretched(passphrase.expose(), salt, STRETCH)
    }

    fn stretched(
        passphrase: &str,
        salt: &[u8],
        (memory_kib, passes, lanes): (u32, u32, u32),
    ) -> Result<Self, MasterError> {
        if passphrase.chars().count() < 12 {
            return Err(MasterError::WeakPassphrase);
        }
        let parameters = argon2::Params::new(memory_kib, passes, lanes, Some(32));
        let mut key = [0; 32];
        parameters
            .map(|parameters| {
                argon2::Argon2::new(
                    argon2::Algorithm::Argon2id,
                    argon2::Version::V0x13,
                    parameters,
                )
            })
            .and_then(|argon2| argon2.hash_password_into(passphrase.as_bytes(), salt, &mut key))
            .map_err(|_| MasterError::Malformed)?;
        Ok(Self::new(key))
    }

    /// The key under which the keys of files are sealed.
    pub(crate) fn for_files(&self) -> Secret<[u8; 32]> {
        derive(self.0.expose(), "files")
    }

    /// The key under which values are sealed.
    pub(super) fn sealing(&self) -> Secret<[u8; 32]> {
        derive(self.0.expose(), "seal")
    }

    /// A name for the key that says nothing about it: stored beside what it sealed.
    #[must_use]
    pub fn id(&self) -> String {
        let name = derive(self.0.expose(), "id");
        let digest = digest::digest(&digest::SHA256, name.expose());
        digest
            .as_ref()
            .iter()
            .take(8)
            .map(|b| format!("{b:02x}"))
            .collect()
    }
}

/// The file where the key lies if nothing else is configured.
fn default_path(environment: &dyn Environment, data: &Path) -> PathBuf {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    if let Some(folder) = set("CREDENTIALS_DIRECTORY") {
        let path = PathBuf::from(folder).join("bartizan-master-key");
        if path.exists() {
            return path;
        }
    }
    let config = set("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".config")));
    match config.filter(|folder| folder.is_absolute()) {
        Some(folder) => folder.join("bartizan").join("master.key"),
        None => {
            let mut name = data.file_name().unwrap_or_default().to_owned();
            name.push(".master.key");
            data.with_file_name(name)
        }
    }
}

/// Whether `path` lies in `folder`, also by way of links where they can be followed.
fn lies_in(path: &Path, folder: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let parent = path.parent().map(real);
    path.starts_with(folder)
        || real(path).starts_with(real(folder))
        || parent.is_some_and(|parent| parent.starts_with(real(folder)))
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), MasterError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(MasterError::TooOpen {
        path: path.to_owned(),
        mode,
    })
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &fs::Metadata) -> Result<(), MasterError> {
    Ok(())
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

async fn known_fact(store: &Store, name: &str) -> Result<Option<String>, sqlx::Error> {
    with_pool!(store, pool => sqlx::query_scalar("SELECT fact FROM master_key_facts WHERE name = $1")
        .bind(name)
        .fetch_optional(pool)
        .await)
}

/// The fact of that name; `fact` if there was none.
async fn fact(store: &Store, name: &str, fact: &str) -> Result<String, sqlx::Error> {
    with_pool!(store, pool => sqlx::query(
        "INSERT INTO master_key_facts (name, fact) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(fact)
        .execute(pool)
        .await
        .map(drop))?;
    Ok(known_fact(store, name).await?.unwrap_or_default())
}

#[cfg(all(test, unix))]
mod tests {
    use std::{collections::HashMap, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn ws_16_key_file_is_private_and_wider_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config/master.key");
        let (key, place) = MasterKey::from_file(&path).unwrap();
        assert_eq!(place, Place::Made(path.clone()));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (again, place) = MasterKey::from_file(&path).unwrap();
        assert_eq!(place, Place::Found);
        assert_eq!(key.id(), again.id());
        for wide in [0o644, 0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(wide)).unwrap();
            let error = MasterKey::from_file(&path).unwrap_err();
            assert!(matches!(error, MasterError::TooOpen { mode, .. } if mode == wide));
        }
        // Nothing but the key lies in its folder.
        assert_eq!(
            fs::read_dir(folder.path().join("config")).unwrap().count(),
            1
        );
        assert!(key.save_new(&path).is_err(), "a key is never overwritten");
    }

    #[tokio::test]
    async fn ws_16_key_file_beside_the_data_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&data, &link).unwrap();
        let store = Store::in_memory().await.unwrap();
        let environment: HashMap<String, String> = HashMap::new();
        for inside in [&data, &link] {
            let opener = Opener {
                environment: &environment,
                data: &data,
                store: &store,
                vault: None,
            };
            let config = |allow| MasterConfig::File {
                path: Some(inside.join("master.key")),
                dangerously_allow_beside_data: allow,
            };
            let error = MasterKey::open(&config(false), &opener).await.unwrap_err();
            assert!(matches!(error, MasterError::BesideData { .. }));
            MasterKey::open(&config(true), &opener).await.unwrap();
        }
        // The default lies outside.
        for environment in [
            HashMap::new(),
            HashMap::from([("HOME".to_owned(), "/home/a".to_owned())]),
            HashMap::from([("XDG_CONFIG_HOME".to_owned(), "/home/a/.c".to_owned())]),
        ] {
            assert!(!lies_in(&default_path(&environment, &data), &data));
        }
    }

    #[tokio::test]
    async fn comes_from_the_environment_or_a_passphrase() {
        let store = Store::in_memory().await.unwrap();
        let environment = HashMap::from([
            ("HEX".to_owned(), "07".repeat(32)),
            ("B64".to_owned(), STANDARD.encode([7; 32])),
            ("SHORT".to_owned(), "0707".to_owned()),
        ]);
        let opener = Opener {
            environment: &environment,
            data: Path::new("/nowhere"),
            store: &store,
            vault: None,
        };
        let open = async |name: &str| {
            let config = MasterConfig::Environment {
                name: name.to_owned(),
            };
            MasterKey::open(&config, &opener)
                .await
                .map(|(key, _)| key.id())
        };
        assert_eq!(open("HEX").await.unwrap(), MasterKey::new([7; 32]).id());
        assert_eq!(open("B64").await.unwrap(), MasterKey::new([7; 32]).id());
        assert!(matches!(open("SHORT").await, Err(MasterError::Malformed)));
        assert!(matches!(open("GONE").await, Err(MasterError::Missing)));

        let stretch = |passphrase, salt: &[u8]| {
            MasterKey::stretched(passphrase, salt, (32, 1, 1)).map(|key| key.id())
        };
        let one = stretch("correct horse battery", &[1; 16]).unwrap();
        assert_eq!(one, stretch("correct horse battery", &[1; 16]).unwrap());
        assert_ne!(one, stretch("correct horse battery", &[2; 16]).unwrap());
        assert_ne!(one, stretch("correct horse batterz", &[1; 16]).unwrap());
        assert!(matches!(
            stretch("short", &[1; 16]),
            Err(MasterError::WeakPassphrase)
        ));
        let salt = fact(&store, "argon2id-salt", "a").await.unwrap();
        assert_eq!(salt, fact(&store, "argon2id-salt", "b").await.unwrap());
    }

    #[test]
    fn prints_nothing() {
        assert_eq!(
            format!("{:?}", MasterKey::new([7; 32])),
            "MasterKey([redacted])"
        );
    }
}
