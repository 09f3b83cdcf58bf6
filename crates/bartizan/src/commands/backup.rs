//! `bartizan backup` and `restore`: a copy of what the gateway keeps, and the way back.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use bartizan_gateway::{
    content::forget,
    start::placed,
    store::{Store, StoreConfig},
};
use bartizan_govern::{Journal, SubjectHash};
use serde_json::json;
use tokio::runtime::Runtime;

use super::serve::data_folder;
use crate::{
    backup::{DATABASE, FOLDERS, JOURNAL, broken_ledger, pack, stage, unpack},
    cli::{Backup, KeyPlace, PlainFormat, Restore, Setup},
    engine::read_config,
    exit::Exit,
    key::Key,
    output,
    personal::{Proof, moment, now_ms},
    problem::{Problem, Problems},
};

/// Takes a copy.
pub(crate) fn backup(arguments: &Backup) -> Result<Exit, Problems> {
    let (database, data) = place(&arguments.place)?;
    let source = Path::new(database.place.expose());
    if !source.exists() {
        let problem = format!("there is no database at `{}`", source.display());
        let help = "name the gateway's data folder with `--data`";
        return Err(Problem::new(problem).help(help).into());
    }
    let file = &arguments.file;
    let out = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    let out = out.map_err(|error| unusable(file, &error))?;
    let mut staged = tempfile::Builder::new();
    let written = staged_in(staged.prefix(".bartizan-backup-"), file).and_then(|staged| {
        runtime()?.block_on(async {
            let store = Store::open_with(&database).await;
            let store = store.map_err(|error| Problem::new(error.to_string()))?;
            stage(&store, &data, staged.path()).await?;
            store.close().await;
            Ok::<_, Problem>(())
        })?;
        let key = Key::get()?;
        let proof = key.is_lasting.then(|| Proof::new(&key)).transpose()?;
        pack(staged.path(), out, moment(now_ms()), proof.as_ref())
    });
    let manifest = written.inspect_err(|_| drop(fs::remove_file(file)))?;
    let bytes = fs::metadata(file).map_or(0, |of| of.len());
    output::stdout(&match arguments.place.format {
        PlainFormat::Json => {
            let files = manifest.files.len();
            json!({ "version": 1, "file": file.display().to_string(), "files": files, "bytes": bytes })
                .to_string()
                + "\n"
        }
        PlainFormat::Human => format!(
            "{}: {} files, {bytes} bytes\n  keep the master key elsewhere: without it this opens for nobody\n",
            file.display(),
            manifest.files.len(),
        ),
    })?;
    Ok(Exit::Clean)
}

/// Puts a copy back.
pub(crate) fn restore(arguments: &Restore) -> Result<Exit, Problems> {
    let (database, data) = place(&arguments.place)?;
    let target = PathBuf::from(database.place.expose());
    let is_there = target.exists() || FOLDERS.iter().any(|name| data.join(name).exists());
    if is_there && !arguments.force {
        let problem = format!("`{}` holds the data of a gateway", data.display());
        let help = "restore into another folder, or replace it with `--force`";
        return Err(Problem::new(problem).help(help).into());
    }
    let mut builder = fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(&data);
    made.map_err(|error| unusable(&data, &error))?;
    let _lock = alone(&data)?;
    let key = Key::get()?;
    let public = key.is_lasting.then(|| Proof::new(&key)).transpose()?;
    let public = public.map(|proof| proof.public_key());
    let mut staged = tempfile::Builder::new();
    let staged = staged_in(staged.prefix(".bartizan-restore-"), &data.join(DATABASE))?;
    let file = File::open(&arguments.file).map_err(|error| unusable(&arguments.file, &error))?;
    let (manifest, is_signed) = unpack(file, staged.path(), public.as_deref())?;
    if let Some(ledger) = broken_ledger(staged.path())? {
        let problem = format!("the folder `{ledger}` of the backup is not what was written");
        return Err(Problem::new(problem).help("nothing was restored").into());
    }
    // Before anything is replaced: what was erased since must not come back for a moment.
    let mut erased = Vec::new();
    let own = [data.join("personal"), staged.path().join("personal")];
    for folder in own.iter().chain(&arguments.erasures) {
        erased.extend(erasures(folder)?);
    }
    erased.sort();
    erased.dedup();
    let again = runtime()?.block_on(erase(&staged.path().join(DATABASE), &erased))?;
    put_in_place(staged.path(), &data, &target).map_err(|error| unusable(&data, &error))?;
    if !is_signed || public.is_none() {
        output::note(
            "the backup's signature was not checked: it has none, or `BARTIZAN_KEY` is not set",
        );
    }
    output::stdout(&match arguments.place.format {
        PlainFormat::Json => {
            json!({
                "version": 1,
                "created": manifest.created,
                "files": manifest.files.len(),
                "erased_again": again,
            })
            .to_string()
                + "\n"
        }
        PlainFormat::Human => format!(
            "restored {} files of {}; {again} erased subjects stay erased\n",
            manifest.files.len(),
            manifest.created,
        ),
    })?;
    Ok(Exit::Clean)
}

/// Where the database and the data folder are.
fn place(place: &KeyPlace) -> Result<(StoreConfig, PathBuf), Problems> {
    let config = read_config(&Setup {
        config: place.config.clone(),
        ..Setup::default()
    })?;
    let data = data_folder(place.data.as_deref(), &config.file)?;
    let database = placed(&config.file, &data);
    if database.place.is_postgres() {
        let problem = Problem::new("the database is PostgreSQL, which has tools of its own");
        return Err(problem
            .help("use `pg_dump` and `pg_restore`, and copy the data folder")
            .into());
    }
    Ok((database, data))
}

/// Holds the lock of the gateway's journal, so that none runs.
fn alone(data: &Path) -> Result<Option<File>, Problem> {
    let path = data.join(JOURNAL).join("lock");
    let lock = match File::options().append(true).open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(&path, &error)),
    };
    lock.try_lock().map_err(|_| {
        Problem::new("a gateway runs on this data folder").help("stop it, then restore")
    })?;
    Ok(Some(lock))
}

/// Who was erased, by the accounts that `bartizan subject erase` left in a folder. One that did not
/// come to its end counts, too: it was wanted.
fn erasures(folder: &Path) -> Result<Vec<SubjectHash>, Problem> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(unusable(folder, &error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| unusable(folder, &error))?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !name.starts_with("erasure-") || !name.ends_with(".json") {
            continue;
        }
        let text = fs::read(&path).map_err(|error| unusable(&path, &error))?;
        let journal: Journal = serde_json::from_slice(&text).map_err(|_| {
            Problem::new(format!("`{}` is no journal of an erasure", path.display()))
                .help("without it somebody who was erased would come back")
        })?;
        found.push(journal.subject);
    }
    Ok(found)
}

/// Erases these from a copy of the database; says how many there were.
async fn erase(database: &Path, subjects: &[SubjectHash]) -> Result<usize, Problem> {
    let failed = |error: &dyn std::error::Error| Problem::new(format!("the database: {error}"));
    let store = Store::open(&database.display().to_string()).await;
    let store = store.map_err(|error| failed(&error))?;
    for subject in subjects {
        forget(&store, subject)
            .await
            .map_err(|error| failed(&error))?;
    }
    store.close().await;
    Ok(subjects.len())
}

/// Moves a copy to where the gateway looks for it. What was there goes at the very end; accounts of
/// erasures stay.
fn put_in_place(copy: &Path, data: &Path, target: &Path) -> io::Result<()> {
    let old = copy.join("replaced");
    fs::create_dir(&old)?;
    for name in FOLDERS {
        let (new, place) = (copy.join(name), data.join(name));
        if name == "personal" {
            merge(&new, &place)?;
            continue;
        }
        if place.exists() {
            fs::rename(&place, old.join(name))?;
        }
        if new.exists() {
            fs::rename(&new, &place)?;
        }
    }
    for end in ["", "-wal", "-shm"] {
        let mut place = target.as_os_str().to_owned();
        place.push(end);
        if Path::new(&place).exists() {
            fs::remove_file(&place)?;
        }
    }
    let database = copy.join(DATABASE);
    // The configuration may have put it on another disk.
    match fs::rename(&database, target) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(&database, target)?;
            File::open(target)?.sync_all()?;
        }
        moved => moved?,
    }
    File::open(data)?.sync_all()
}

/// Moves the files of `from` into `to`, but for those that `to` has.
fn merge(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if !place.exists() {
            fs::rename(entry.path(), place)?;
        }
    }
    Ok(())
}

/// A folder beside `file`, so that moving there is renaming.
fn staged_in(
    builder: &tempfile::Builder<'_, '_>,
    file: &Path,
) -> Result<tempfile::TempDir, Problem> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    builder
        .tempdir_in(folder)
        .map_err(|error| unusable(folder, &error))
}

fn runtime() -> Result<Runtime, Problem> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    built.map_err(|error| Problem::new(format!("cannot start: {error}")))
}

fn unusable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!(
        "`{}` cannot be used ({})",
        path.display(),
        error.kind()
    ))
}
