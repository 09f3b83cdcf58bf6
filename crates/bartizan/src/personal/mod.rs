//! Personal data where it lies: files and tables, the key of hashes, and signed accounts.

mod files;
mod proof;
mod stores;

use std::path::PathBuf;

use bartizan_gateway::{
    clock::{Clock as _, SystemClock},
    start::placed,
    store::StoreConfig,
};
use bartizan_govern::{Holds, StoreFault, Subject, SubjectKey};
pub(crate) use proof::{Proof, verify};
pub(crate) use stores::Stores;

use crate::{
    cli::{KeyPlace, Whom},
    commands::serve::data_folder,
    config::Config,
    engine::config_at,
    env,
    input::read_stdin,
    key::Key,
    problem::{Problem, Problems},
};

/// What commands about personal data work with.
pub(crate) struct Desk {
    pub(crate) config: Config,
    pub(crate) key: Key,
    data: PathBuf,
}

impl Desk {
    pub(crate) fn open(place: &KeyPlace) -> Result<Self, Problems> {
        let config = config_at(place.config.as_deref())?;
        let mistakes = config.file.govern.check();
        if !mistakes.is_empty() {
            let problems = mistakes.into_iter().map(|(at, message)| {
                let at = format!("govern.{at}");
                let mistake = bartizan_gateway::config::Mistake::new(at, message);
                crate::commands::serve::problem(&config, &mistake)
            });
            return Err(problems.collect());
        }
        let data = data_folder(place.data.as_deref(), &config.file)?;
        Ok(Self {
            key: lasting_key()?,
            config,
            data,
        })
    }

    /// A folder for what these commands keep, made for its owner only.
    pub(crate) fn folder(&self) -> Result<PathBuf, Problem> {
        use std::os::unix::fs::DirBuilderExt as _;
        let folder = self.data.join("personal");
        let mut builder = std::fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| {
            let kind = error.kind();
            Problem::new(format!(
                "the folder `{}` cannot be used ({kind})",
                folder.display()
            ))
        })?;
        Ok(folder)
    }

    /// Where the gateway's database is.
    pub(crate) fn database(&self) -> StoreConfig {
        placed(&self.config.file, &self.data)
    }

    /// What the law wants kept.
    pub(crate) fn holds(&self) -> Holds {
        Holds::new(&self.config.file.govern.holds, self.subject_key())
    }

    pub(crate) fn subject_key(&self) -> SubjectKey {
        SubjectKey::derive(&self.key.bytes)
    }

    /// The stores of the configuration.
    pub(crate) fn stores(&self) -> Result<Stores, Problems> {
        Stores::open(&self.config, &self.data)
    }
}

/// Whom a command is about.
pub(crate) fn subject(whom: &Whom, key: &SubjectKey) -> Result<Subject, Problem> {
    let text = if whom.subject == "-" {
        // Room for a line end, and more.
        read_stdin(2 * *Subject::BYTES.end() as u64)?
    } else {
        whom.subject.clone()
    };
    Subject::new(&text, key).ok_or_else(|| {
        Problem::new("a subject has 3 to 1024 bytes and no control characters")
            .help("name one person as their records do, e.g. by an address of mail")
    })
}

/// The key that makes the same hashes the next time.
pub(crate) fn lasting_key() -> Result<Key, Problem> {
    let key = Key::get()?;
    if key.is_lasting {
        return Ok(key);
    }
    let problem = format!(
        "`{}` is not set, and hashes of one run are good for nothing",
        env::KEY
    );
    Err(Problem::new(problem).help("make one with `openssl rand -hex 32` and keep it secret"))
}

/// What a store could not do.
pub(crate) fn failed(store: &str, fault: &StoreFault) -> Problem {
    Problem::new(format!("store `{store}`: {fault}"))
}

/// Now, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemClock.unix_ms()).unwrap_or(i64::MAX)
}

/// A time as people and programs read it.
pub(crate) fn moment(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms)
        .map_or_else(|_| "beyond all dates".to_owned(), |at| at.to_string())
}
