//! A copy of the data folder that is of one moment, as far as that matters.

use std::{fs, io, path::Path};

use bartizan_gateway::{
    record::{LEDGER, LEDGER_OF_COMMANDS},
    store::Store,
};
use bartizan_ledger::{CHECKPOINT, Folder, verify};

use crate::{commands::ledger::trust_of, problem::Problem};

/// The database in a copy.
pub(crate) const DATABASE: &str = "bartizan.db";

/// The folder of events on their way into the database.
pub(crate) const JOURNAL: &str = "journal";

/// What is copied beside the database, in this order: the ledger may know more than the database,
/// and the journal must have what the database does not have yet.
pub(crate) const FOLDERS: [&str; 5] = [
    "personal",
    LEDGER,
    LEDGER_OF_COMMANDS,
    JOURNAL,
    "journal-commands",
];

/// What whoever writes a folder holds.
const LOCK: &str = "lock";

/// How often a copy is taken anew because files changed in the middle.
const ATTEMPTS: u32 = 5;

/// Copies the database of `store` and the folders of `data` into `to`, an empty folder.
pub(crate) async fn stage(store: &Store, data: &Path, to: &Path) -> Result<(), Problem> {
    for _ in 0..ATTEMPTS {
        clear(to).map_err(|error| unusable(to, &error))?;
        let segments = names(&data.join(JOURNAL)).map_err(|error| unusable(data, &error))?;
        let database = to.join(DATABASE);
        let taken = store.snapshot(&database).await;
        taken.map_err(|error| Problem::new(format!("the database: {error}")))?;
        for folder in FOLDERS {
            let from = data.join(folder);
            copy(&from, &to.join(folder)).map_err(|error| unusable(&from, &error))?;
        }
        // A file of the journal that went away may hold what the database did not have yet.
        let is_copied = |name: &String| name == LOCK || to.join(JOURNAL).join(name).exists();
        let has_all = segments.iter().all(is_copied);
        if has_all && broken_ledger(to)?.is_none() {
            return Ok(());
        }
    }
    Err(Problem::new("the ledger could not be copied whole")
        .help("`bartizan ledger verify` says whether it is damaged; else try again"))
}

/// The first ledger of a copy that is not what was written.
pub(crate) fn broken_ledger(copy: &Path) -> Result<Option<&'static str>, Problem> {
    for ledger in [LEDGER, LEDGER_OF_COMMANDS] {
        let dir = copy.join(ledger);
        if !dir.is_dir() {
            continue;
        }
        let (folder, trust) = (Folder::shared(&dir), trust_of(&dir)?);
        let outcome = verify(&folder, &trust, &[], false)
            .map_err(|error| Problem::new(format!("`{ledger}`: {error}")))?;
        if outcome.damage.is_some() {
            return Ok(Some(ledger));
        }
    }
    Ok(None)
}

/// Copies a folder, if there is one. The checkpoint comes first: what it signs is there before it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    let mut found = names(from)?;
    found.sort_by_key(|name| name != CHECKPOINT);
    for name in found {
        let (from, to) = (from.join(&name), to.join(&name));
        // Who runs holds it; it says nothing.
        if name == LOCK {
            continue;
        }
        match fs::symlink_metadata(&from) {
            Ok(of) if of.is_dir() => copy(&from, &to)?,
            Ok(of) if of.is_file() => match fs::copy(&from, &to) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                copied => drop(copied?),
            },
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The names in a folder that are texts; none if there is no such folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
    names.filter_map(io::Result::transpose).collect()
}

fn clear(folder: &Path) -> io::Result<()> {
    for name in names(folder)? {
        let path = folder.join(name);
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn unusable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!(
        "`{}` cannot be used ({})",
        path.display(),
        error.kind()
    ))
}
