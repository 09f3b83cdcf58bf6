//! `bartizan db`: advisories on this machine.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use bartizan_supply::{
    digest::{Algorithm, Granularity, Selection, Tree, hash_tree},
    vuln::{Advisory, AdvisoryError, Database, SourceRecord},
};
use serde_json::json;

use crate::{
    cli::{DatabaseCommand, PlainFormat},
    clock, env,
    exit::Exit,
    files,
    input::{cannot_read, escaped, read_bytes},
    output,
    problem::{Problem, Problems},
    render::{human::plural, safe},
    signing::{digest_problem, threads},
};

/// Most bytes of a database.
const MAX_DATABASE_BYTES: u64 = 2 << 30;

/// Most bytes of one advisory.
const MAX_ADVISORY_BYTES: u64 = 8 << 20;

pub(crate) fn run(command: &DatabaseCommand) -> Result<Exit, Problems> {
    match command {
        DatabaseCommand::Import { path, output } => import(path, output.as_deref()),
        DatabaseCommand::Show { database, format } => show(database.as_deref(), *format),
    }
}

/// Reads a database; that there is none is an error, never "nothing found".
pub(crate) fn open(given: Option<&Path>) -> Result<Database, Problem> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => default_path()?,
    };
    if !path.exists() {
        let message = format!("there is no database of advisories at `{}`", escaped(&path));
        return Err(Problem::new(message).help(
            "`bartizan db import all.zip` makes one from what OSV offers for download, or give `--database`",
        ));
    }
    let bytes = read_bytes(&path, MAX_DATABASE_BYTES)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::new(format!("`{}` is no UTF-8", escaped(&path))))?;
    Database::parse(&text).map_err(|error| {
        Problem::new(format!("`{}`: {error}", escaped(&path)))
            .help("make it again with `bartizan db import`")
    })
}

/// A line about what was looked at.
pub(crate) fn about(database: &Database) -> String {
    let header = database.header();
    let age = database.age_days(clock::today());
    // A day that is none, or that is yet to come, says nothing about the age.
    let days = age.and_then(|age| usize::try_from(age).ok());
    let ago = days.map_or_else(String::new, |days| {
        format!(" ({days} {} ago)", plural(days, "day"))
    });
    format!(
        "{} advisories up to {}, imported {}{ago}",
        header.records,
        safe::line(&header.newest),
        safe::line(&header.imported),
    )
}

fn default_path() -> Result<PathBuf, Problem> {
    let data = env::get(env::XDG_DATA_HOME).map(PathBuf::from);
    let home = || env::get(env::HOME).map(|home| PathBuf::from(home).join(".local/share"));
    let folder = data.or_else(home);
    let folder = folder.ok_or_else(|| {
        Problem::new("there is no home folder for the database").help("give the file's path")
    })?;
    Ok(folder.join("bartizan/advisories.jsonl"))
}

fn import(paths: &[PathBuf], output: Option<&Path>) -> Result<Exit, Problems> {
    let output = match output {
        Some(path) => path.to_owned(),
        None => default_path()?,
    };
    let mut advisories = Vec::new();
    let mut sources = Vec::new();
    let mut refused = BTreeMap::new();
    for path in paths {
        let before = advisories.len();
        let tree = Tree::walk(
            path,
            &Selection {
                allow_symlinks: false,
                ignored: vec![".git".to_owned()],
            },
        )
        .map_err(|error| digest_problem(&error))?;
        for odd in &tree.odd {
            refused.insert(odd.name.clone(), odd.kind.to_string());
        }
        for file in &tree.files {
            if has_ending(&file.name, &["zip"]) {
                from_zip(&file.path, &mut advisories, &mut refused)?;
            } else if let Some(read) = reader(&file.name) {
                let text = read_bytes(&file.path, MAX_ADVISORY_BYTES)?;
                take(&file.name, read, &text, &mut advisories, &mut refused);
            }
        }
        let threads = threads(None);
        let manifest = hash_tree(&tree, Algorithm::Sha256, Granularity::Files, threads);
        let manifest = manifest.map_err(|error| digest_problem(&error))?;
        let digest = manifest.digest_of(&tree, Algorithm::Sha256);
        sources.push(SourceRecord {
            name: tree.name.clone(),
            digest: digest.to_string(),
            records: advisories.len() - before,
        });
    }
    let today = clock::today().to_string();
    let database = Database::new(advisories, sources, &today).map_err(|_| {
        Problem::new("there are no advisories in what was given")
            .help("give OSV records, or a checkout of PyPA's or RustSec's database")
    })?;
    if let Some(folder) = output.parent() {
        std::fs::create_dir_all(folder).map_err(|error| cannot_read(folder, &error))?;
    }
    files::write(&output, &database.to_text())?;
    output::stdout(&format!(
        "{} in `{}`\n{}\n",
        about(&database),
        escaped(&output),
        database.header().digest
    ))?;
    for (name, error) in &refused {
        output::stderr(&format!("incomplete: {}: {error}\n", safe::line(name)));
    }
    Ok(if refused.is_empty() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

type Reader = fn(&str) -> Result<Advisory, AdvisoryError>;

/// How a file is read, by its ending.
fn reader(name: &str) -> Option<Reader> {
    let readers: [(&[&str], Reader); 3] = [
        (&["json"], Advisory::from_json),
        (&["yaml", "yml"], Advisory::from_yaml),
        (&["md"], Advisory::from_rustsec),
    ];
    let own = name.rsplit('/').next().unwrap_or(name);
    // Texts beside advisories.
    if own.starts_with(['.', '_'])
        || [
            "README.md",
            "CONTRIBUTING.md",
            "CHANGELOG.md",
            "EXAMPLE_ADVISORY.md",
            "HOWTO_UNMAINTAINED.md",
            "REPORTING_VULNERABILITIES.md",
            "CODE_OF_CONDUCT.md",
        ]
        .contains(&own)
    {
        return None;
    }
    let found = readers
        .into_iter()
        .find(|(endings, _)| has_ending(name, endings));
    found.map(|(_, reader)| reader)
}

fn has_ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| {
        endings
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

fn take(
    name: &str,
    read: Reader,
    bytes: &[u8],
    advisories: &mut Vec<Advisory>,
    refused: &mut BTreeMap<String, String>,
) {
    let read = std::str::from_utf8(bytes)
        .map_err(|_| AdvisoryError::Malformed("UTF-8"))
        .and_then(read);
    match read {
        Ok(advisory) => advisories.push(advisory),
        Err(error) => {
            refused.insert(name.to_owned(), error.to_string());
        }
    }
}

fn from_zip(
    path: &Path,
    advisories: &mut Vec<Advisory>,
    refused: &mut BTreeMap<String, String>,
) -> Result<(), Problem> {
    let broken = |error: zip::result::ZipError| {
        Problem::new(format!("`{}` cannot be unpacked: {error}", escaped(path)))
    };
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    for number in 0..archive.len() {
        let member = archive.by_index(number).map_err(broken)?;
        let name = member.name().map_err(broken)?.into_owned();
        let Some(read) = reader(&name) else { continue };
        let mut bytes = Vec::new();
        member
            .take(MAX_ADVISORY_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|error| cannot_read(path, &error))?;
        take(&name, read, &bytes, advisories, refused);
    }
    Ok(())
}

fn show(database: Option<&Path>, format: PlainFormat) -> Result<Exit, Problems> {
    let database = open(database)?;
    let header = database.header();
    let text = match format {
        PlainFormat::Json => {
            json!({ "version": 1, "database": header, "age_days": database.age_days(clock::today()) }).to_string() + "\n"
        }
        PlainFormat::Human => {
            let mut text = format!("{}\n{}\n", about(&database), header.digest);
            for source in &header.sources {
                let name = safe::line(&source.name);
                text.push_str(&format!("  {name}: {} from {}\n", source.records, source.digest));
            }
            text
        }
    };
    output::stdout(&text)?;
    Ok(Exit::Clean)
}
