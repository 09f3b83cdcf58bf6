//! Folders of rule packs.

use std::path::{Path, PathBuf};

use bartizan_text::rules::{MANIFEST, PackError, PackFile, PublicKey, SIGNATURE, Trust};

use crate::{
    input::{escaped, read_text},
    problem::{Problem, Problems},
};

/// The files of packs, and where each of them is.
#[derive(Debug, Default)]
pub(crate) struct PackFiles {
    /// As the library takes them.
    pub(crate) files: Vec<PackFile>,
    paths: Vec<PathBuf>,
}

impl PackFiles {
    /// Reads every folder: a pack, or a folder of packs and loose files.
    pub(crate) fn read(folders: &[PathBuf]) -> Result<Self, Problems> {
        let mut all = Self::default();
        for folder in folders {
            let before = all.files.len();
            let entries = entries(folder)?;
            let is_pack = entries.iter().any(|entry| entry.ends_with("pack.yaml"));
            for entry in &entries {
                if entry.is_dir() && !is_pack {
                    for file in self::entries(entry)? {
                        all.add(Some(entry), &file)?;
                    }
                } else {
                    all.add(is_pack.then_some(folder), entry)?;
                }
            }
            if all.files.len() == before {
                let message = format!("no rule pack in `{}`", escaped(folder));
                let help = "a pack is a folder with `pack.yaml` and YAML files of rules";
                return Err(Problem::new(message).help(help).into());
            }
        }
        Ok(all)
    }

    fn add(&mut self, folder: Option<&PathBuf>, path: &Path) -> Result<(), Problems> {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Ok(());
        };
        let is_yaml = path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml");
        if !(is_yaml || [MANIFEST, SIGNATURE].contains(&name)) || path.is_dir() {
            return Ok(());
        }
        let name = match folder {
            Some(folder) => format!("{}/{name}", folder.display()),
            None => name.to_owned(),
        };
        self.files.push(PackFile {
            name,
            text: read_text(path)?,
        });
        self.paths.push(path.to_owned());
        Ok(())
    }

    /// The mistakes in packs at their places.
    pub(crate) fn problems(&self, errors: Vec<PackError>) -> Problems {
        errors
            .into_iter()
            .map(|error| self.problem(error))
            .collect()
    }

    fn problem(&self, error: PackError) -> Problem {
        let message = error.mistake.to_string();
        let file = self.files.iter().zip(&self.paths);
        let found = file.into_iter().find(|(file, _)| file.name == error.file);
        let problem = match found {
            Some((file, path)) => Problem::new(message).at(
                &path.display().to_string(),
                &file.text,
                error.place.line,
                error.place.column,
            ),
            None if error.file.is_empty() => Problem::new(message),
            None => Problem::new(format!("{}: {message}", error.file)),
        };
        match error.mistake {
            bartizan_text::rules::Mistake::Signature(_) => problem.help(
                "trust the key of its author with `--trusted-key`, or load packs that nobody signed with `--allow-unsigned`",
            ),
            _ => problem,
        }
    }
}

/// Whose packs are loaded: of the authors of `keys`, each a key or a file with one.
pub(crate) fn trust(keys: &[String], allow_unsigned: bool) -> Result<Trust, Problems> {
    if allow_unsigned {
        return Ok(Trust::AllowUnsigned);
    }
    keys.iter()
        .map(|given| public_key(given))
        .collect::<Result<Vec<_>, _>>()
        .map(Trust::SignedBy)
}

/// A public key, given as its line or as a file.
pub(crate) fn public_key(given: &str) -> Result<PublicKey, Problems> {
    let parsed = given.parse::<PublicKey>();
    let path = Path::new(given);
    match parsed {
        Ok(key) => Ok(key),
        Err(_) if path.is_file() => read_text(path)?
            .parse()
            .map_err(|error| Problem::new(format!("`{}`: {error}", escaped(path))).into()),
        Err(error) => Err(Problem::new(format!("`--trusted-key`: {error}"))
            .help("give the line of the key or the path of its file")
            .into()),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Problems> {
    let failed = |error: std::io::Error| {
        Problem::new(format!(
            "cannot read the folder `{}`: {error}",
            escaped(folder)
        ))
        .help("give the folder of a pack, or the folder that holds packs")
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}
