//! Keys of sealed files, from where secrets lie.

use std::{
    collections::HashMap,
    fs::File,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bartizan_core::Secret;
use bartizan_formats::{FileSource, Source};
use bartizan_gateway::{
    clock::{Clock, SystemClock},
    secrets::{ProcessEnvironment, SecretRef, SecretsConfig},
    start::{FileKeyError, FileKeys},
};
use bartizan_supply::sealed::{Fresh, Lock, Opened, Sealed, SealedError, Unlock};

use crate::{
    cli::{SealingKey, Setup, UnsealKey},
    engine::read_config,
    env,
    input::{cannot_read, escaped},
    output,
    problem::{Problem, Problems},
    render::safe,
};

/// What a file is sealed with.
pub(crate) enum LockKind {
    /// A key, or a passphrase if one was given.
    Given,
    /// A mount and a key of Vault's transit engine.
    Transit(String, String),
}

type SharedKey = Arc<Secret<[u8; 32]>>;

/// The keys that the arguments name.
pub(crate) struct Ring {
    runtime: tokio::runtime::Runtime,
    secrets: SecretsConfig,
    key: Option<SecretRef>,
    passphrase: Option<SecretRef>,
    /// Stretching is slow on purpose; the files of one folder share a salt.
    stretched: Mutex<HashMap<[u8; 16], SharedKey>>,
    /// The salt of files that this run seals.
    salt: [u8; 16],
}

impl Ring {
    /// The keys of `bartizan seal` and `unseal`.
    pub(crate) fn new(place: &SealingKey) -> Result<Self, Problems> {
        Self::of(
            place.key.clone(),
            place.passphrase.clone(),
            place.config.as_deref(),
        )
    }

    /// The keys of a command that reads sealed files, if any is named.
    pub(crate) fn for_reading(
        place: &UnsealKey,
        config: Option<&Path>,
    ) -> Result<Option<Self>, Problems> {
        let (key, passphrase) = (place.unseal_key.clone(), place.unseal_passphrase.clone());
        if key.is_none() && passphrase.is_none() && !place.unseal_transit {
            return Ok(None);
        }
        Self::of(key, passphrase, config).map(Some)
    }

    fn of(
        key: Option<String>,
        passphrase: Option<String>,
        config: Option<&Path>,
    ) -> Result<Self, Problems> {
        // Before any secret is read: a core file would hold them.
        if let Err(error) = bartizan_gateway::serve::forbid_core_dumps() {
            output::note(&format!("core dumps cannot be forbidden: {error}"));
        }
        let setup = Setup {
            config: config.map(Path::to_owned),
            ..Setup::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Problem::new(format!("cannot start: {error}")))?;
        Ok(Self {
            runtime,
            secrets: read_config(&setup)?.file.secrets,
            key: key.map(SecretRef::parse),
            passphrase: passphrase.map(SecretRef::parse),
            stretched: Mutex::default(),
            salt: random()?,
        })
    }

    /// What one file is sealed with: its lock, the key that wraps, and what is drawn for it.
    pub(crate) fn lock(&self, kind: &LockKind) -> Result<(Lock, Option<FileKey>, Fresh), Problem> {
        let nonce = random()?;
        if let LockKind::Transit(mount, key) = kind {
            let (token, data_key) = self.ask(async |keys| keys.new_data_key(mount, key).await)?;
            let lock = Lock::Transit {
                mount: mount.clone(),
                key: key.clone(),
                token,
            };
            return Ok((lock, None, Fresh { data_key, nonce }));
        }
        let fresh = Fresh {
            data_key: Secret::new(random()?),
            nonce,
        };
        let lock = match &self.passphrase {
            Some(_) => Lock::Passphrase { salt: self.salt },
            None => Lock::Key,
        };
        let key = self.key_of(&lock)?;
        Ok((lock, Some(key), fresh))
    }

    /// A sealed file as the plain one.
    pub(crate) fn open<S: Source>(&self, path: &Path, source: S) -> Result<Opened<S>, Problem> {
        let head = Sealed::read(&source).map_err(|error| problem(path, &error))?;
        let key = self.key_of(head.lock())?;
        Opened::new(source, &key.unlock()).map_err(|error| problem(path, &error))
    }

    fn key_of(&self, lock: &Lock) -> Result<FileKey, Problem> {
        match lock {
            Lock::Key => {
                let default = || SecretRef::Environment(env::KEY.to_owned());
                let place = self.key.clone().unwrap_or_else(default);
                let key = self.ask(async |keys| keys.key(&place).await)?;
                Ok(FileKey::Wrapping(Arc::new(key)))
            }
            Lock::Passphrase { salt } => {
                let place = self.passphrase.as_ref().ok_or_else(|| {
                    Problem::new("it is sealed under a passphrase")
                        .help("say where the passphrase lies")
                })?;
                let mut known = self
                    .stretched
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                if let Some(key) = known.get(salt) {
                    return Ok(FileKey::Wrapping(Arc::clone(key)));
                }
                let key = self.ask(async |keys| keys.passphrase(place, salt).await)?;
                let key = Arc::new(key);
                known.insert(*salt, Arc::clone(&key));
                Ok(FileKey::Wrapping(key))
            }
            Lock::Transit { mount, key, token } => {
                let key = self.ask(async |keys| keys.data_key(mount, key, token).await)?;
                Ok(FileKey::Own(key))
            }
        }
    }

    fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&FileKeys<'_>) -> Result<T, FileKeyError>,
    ) -> Result<T, Problem> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let keys = FileKeys::new(&self.secrets, &ProcessEnvironment, &clock);
        let asked = keys.and_then(|keys| self.runtime.block_on(question(&keys)));
        asked.map_err(|error| {
            Problem::new(format!("no key: {}", safe::line(&error.to_string()))).help(
                "`openssl rand -hex 32` makes a key; name its place as `env:NAME` or `file:/path`",
            )
        })
    }
}

/// A key that opens a file.
pub(crate) enum FileKey {
    /// It wraps the keys of files.
    Wrapping(SharedKey),
    /// It is the file's own.
    Own(Secret<[u8; 32]>),
}

impl FileKey {
    /// The key as what opens a file.
    pub(crate) fn unlock(&self) -> Unlock<'_> {
        match self {
            Self::Wrapping(key) => Unlock::Key(key),
            Self::Own(key) => Unlock::DataKey(key),
        }
    }

    /// The key that wraps.
    pub(crate) fn wrapping(&self) -> Option<&Secret<[u8; 32]>> {
        match self {
            Self::Wrapping(key) => Some(key),
            Self::Own(_) => None,
        }
    }
}

/// A file, or the plain one if it is sealed and there are keys.
pub(crate) fn open(path: &Path, ring: Option<&Ring>) -> Result<Box<dyn Source>, Problem> {
    let source = File::open(path)
        .and_then(FileSource::new)
        .map_err(|error| cannot_read(path, &error))?;
    match ring {
        Some(ring) if Sealed::is(&source) => Ok(Box::new(ring.open(path, source)?)),
        _ => Ok(Box::new(source)),
    }
}

/// Something that could not be sealed or opened.
pub(crate) fn problem(path: &Path, error: &SealedError) -> Problem {
    let problem = Problem::new(format!("`{}`: {error}", escaped(path)));
    match error {
        SealedError::WrongKey | SealedError::Kind => {
            problem.help("name the place of the key that it was sealed with")
        }
        SealedError::AlteredHead
        | SealedError::AlteredChunk(_)
        | SealedError::Truncated
        | SealedError::Trailing => {
            problem.help("take another copy; nothing of this one was given out")
        }
        _ => problem,
    }
}

fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| Problem::new("the system gives no random bytes for a key"))?;
    Ok(bytes)
}
