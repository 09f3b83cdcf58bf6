use std::{
    collections::{BTreeMap, HashSet},
    io::Read as _,
    num::NonZeroUsize,
    path::Path,
};

use super::{Ecosystem, LockError, LockKind, Model, Package, model};
use crate::{
    digest::{Algorithm, DigestError, Piece, Selection, Tree, TreeFile, hash_pieces, open_regular},
    image,
};

/// Most bytes of a file that names packages, or of a model's description.
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// Everything in a folder that a bill of materials names.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The folder's name.
    pub name: String,
    /// Every file that names packages.
    pub locks: Vec<LockFile>,
    /// Models and adapters, one for each folder with weights.
    pub models: Vec<Model>,
    /// Files of data sets.
    pub data: Vec<Asset>,
    /// Files with prompts.
    pub prompts: Vec<Asset>,
    /// What could not be looked at; with any, the inventory is not complete.
    pub gaps: Vec<Gap>,
}

/// A file that names packages.
#[derive(Clone, Debug)]
pub struct LockFile {
    /// Where it stands below the folder.
    pub path: String,
    /// What it is.
    pub kind: &'static LockKind,
    /// Its text, for places in reports.
    pub text: String,
    /// What it names.
    pub packages: Vec<Package>,
}

/// A file of a data set, or with prompts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Where it stands below the folder.
    pub path: String,
    /// Its bytes.
    pub length: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where it stands below the folder.
    pub path: String,
    /// Why not.
    pub why: String,
}

impl Inventory {
    /// Takes stock of a folder, or of one file that names packages.
    ///
    /// # Errors
    /// When the folder cannot be walked, or a file of a model cannot be digested. What is malformed
    /// is a gap.
    pub fn take(root: &Path, threads: NonZeroUsize) -> Result<Self, DigestError> {
        if image::is_image(root) {
            return Ok(Self::of_image(root));
        }
        let tree = walk(root)?;
        let mut inventory = Self::of_tree(&tree);
        inventory.models = model::find(&tree);
        let claimed: HashSet<&str> = inventory
            .models
            .iter()
            .flat_map(|model| &model.files)
            .map(|file| file.path.as_str())
            .collect();
        let assets: Vec<&TreeFile> = tree
            .files
            .iter()
            .filter(|file| !claimed.contains(file.name.as_str()))
            .collect();
        let of = |is: fn(&str) -> bool| -> Vec<Asset> {
            let files = assets.iter().filter(|file| is(&file.name));
            files
                .map(|file| Asset {
                    path: file.name.clone(),
                    length: file.length,
                    sha256: String::new(),
                })
                .collect()
        };
        inventory.data = of(is_data);
        inventory.prompts = of(is_prompt);
        inventory.digest(&tree, threads)?;
        Ok(inventory)
    }

    /// Only the packages, which takes no reading of weights.
    ///
    /// # Errors
    /// When the folder cannot be walked.
    pub fn packages(root: &Path) -> Result<Self, DigestError> {
        if image::is_image(root) {
            return Ok(Self::of_image(root));
        }
        Ok(Self::of_tree(&walk(root)?))
    }

    fn of_tree(tree: &Tree) -> Self {
        let mut inventory = Self {
            name: tree.name.clone(),
            locks: Vec::new(),
            models: Vec::new(),
            data: Vec::new(),
            prompts: Vec::new(),
            gaps: Vec::new(),
        };
        for odd in &tree.odd {
            inventory.gap(&odd.name, odd.kind.to_string());
        }
        for file in &tree.files {
            let Some(kind) = LockKind::of(&file.name) else {
                continue;
            };
            let read = read_text(file).and_then(|text| {
                let packages = kind
                    .read(&text)
                    .map_err(|error: LockError| error.to_string())?;
                Ok((text, packages))
            });
            match read {
                Ok((text, packages)) => {
                    inventory.follow(file, kind, &text, tree);
                    inventory.locks.push(LockFile {
                        path: file.name.clone(),
                        kind,
                        text,
                        packages,
                    });
                }
                Err(why) => inventory.gap(&file.name, why),
            }
        }
        let mut texts = tree
            .files
            .iter()
            .filter(|file| image::is_release(&file.name))
            .filter_map(|file| read_text(file).ok());
        inventory.place_in(texts.find_map(|text| image::release(&text)));
        inventory
    }

    /// What a file names instead of packages must be read as well, or it was not looked at.
    fn follow(&mut self, file: &TreeFile, kind: &LockKind, text: &str, tree: &Tree) {
        let is_read = |place: &String| {
            let mut others = tree.files.iter().filter(|other| other.name != file.name);
            others.any(|other| is_within(&other.name, place) && LockKind::of(&other.name).is_some())
        };
        let missing = kind.references(text).into_iter().find(|reference| {
            let place = resolve(&file.name, &reference.target);
            !place.is_some_and(|place| is_read(&place))
        });
        if let Some(reference) = missing {
            let line = reference.line;
            self.gap(
                &file.name,
                format!("line {line} names what was not looked at"),
            );
        }
    }

    /// Packages of which a file names an exact version.
    pub(crate) fn exact(&self) -> HashSet<(Ecosystem, &str)> {
        let packages = self.locks.iter().flat_map(|lock| &lock.packages);
        packages
            .filter(|package| package.version.is_some())
            .map(|package| (package.ecosystem, package.name.as_str()))
            .collect()
    }

    /// The packages of a container image; what cannot be read of it is a gap.
    fn of_image(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy());
        let mut inventory = Self {
            name: name.unwrap_or_default().into_owned(),
            locks: Vec::new(),
            models: Vec::new(),
            data: Vec::new(),
            prompts: Vec::new(),
            gaps: Vec::new(),
        };
        match image::files(path, is_wanted) {
            Ok(files) => inventory.take_files(files.found),
            Err(error) => inventory.gap("", error.to_string()),
        }
        inventory
    }

    fn gap(&mut self, path: &str, why: impl Into<String>) {
        self.gaps.push(Gap {
            path: path.to_owned(),
            why: why.into(),
        });
    }

    fn take_files(&mut self, found: BTreeMap<String, Option<Vec<u8>>>) {
        let releases = found.iter().filter(|(path, _)| image::is_release(path));
        let has_release = releases.clone().next().is_some();
        let mut texts =
            releases.filter_map(|(_, bytes)| Some(String::from_utf8_lossy(bytes.as_ref()?)));
        let release = texts.find_map(|text| image::release(&text));
        for (path, bytes) in found {
            if image::is_release(&path) {
                continue;
            }
            let Some(kind) = LockKind::of(&path) else {
                self.gap(&path, "a database of RPM, which is not read");
                continue;
            };
            let Some(bytes) = bytes else {
                self.gap(&path, "a link, or too long a file");
                continue;
            };
            let Ok(text) = String::from_utf8(bytes) else {
                self.gap(&path, "it is no UTF-8");
                continue;
            };
            match kind.read(&text) {
                Ok(packages) => self.locks.push(LockFile {
                    path,
                    kind,
                    text,
                    packages,
                }),
                Err(error) => self.gap(&path, error.to_string()),
            }
        }
        let has_system = self.place_in(release);
        if has_release && !has_system && self.gaps.is_empty() {
            self.gap(
                "etc/os-release",
                "a system without a known database of packages",
            );
        }
    }

    /// Says of which release the packages of the system are, if there are any: weaknesses are known by
    /// release.
    fn place_in(&mut self, release: Option<(Ecosystem, String)>) -> bool {
        let packages = self.locks.iter_mut().flat_map(|lock| &mut lock.packages);
        let mut packages = packages
            .filter(|package| package.source.is_some())
            .peekable();
        let has_system = packages.peek().is_some();
        match release {
            Some((ecosystem, name)) => {
                let is_alpine = |ecosystem| ecosystem == Ecosystem::Alpine;
                for package in packages {
                    // Another system's database says nothing about this release.
                    if is_alpine(package.ecosystem) == is_alpine(ecosystem) {
                        package.ecosystem = ecosystem;
                        package.release = Some(name.clone());
                    }
                }
            }
            None => drop(packages),
        }
        let all = self.locks.iter().flat_map(|lock| &lock.packages);
        let mut system = all.filter(|package| package.source.is_some());
        if system.any(|package| package.release.is_none()) {
            self.gap("etc/os-release", "which release it is cannot be told");
        }
        has_system
    }

    /// Every package once, with the files that name it. A range counts only where no file names an
    /// exact version.
    #[must_use]
    pub fn merged(&self) -> Vec<(Package, Vec<&str>)> {
        let mut merged: BTreeMap<String, (Package, Vec<&str>)> = BTreeMap::new();
        let all = || {
            self.locks
                .iter()
                .flat_map(|lock| lock.packages.iter().map(move |package| (lock, package)))
        };
        let exact = self.exact();
        for (lock, package) in all() {
            if package.version.is_none()
                && exact.contains(&(package.ecosystem, package.name.as_str()))
            {
                continue;
            }
            let (own, files) = merged
                .entry(package.purl())
                .or_insert_with(|| (package.clone(), Vec::new()));
            if files.last() != Some(&lock.path.as_str()) {
                files.push(&lock.path);
            }
            own.hashes.extend(package.hashes.iter().cloned());
            own.hashes.sort();
            own.hashes.dedup();
            if own.licence.is_none() {
                own.licence.clone_from(&package.licence);
            }
        }
        merged.into_values().collect()
    }

    fn digest(&mut self, tree: &Tree, threads: NonZeroUsize) -> Result<(), DigestError> {
        let files: BTreeMap<&str, &TreeFile> = tree
            .files
            .iter()
            .map(|file| (file.name.as_str(), file))
            .collect();
        let models = self.models.iter_mut().flat_map(|model| &mut model.files);
        let mut wanted: Vec<(&str, &mut String)> = models
            .map(|file| (file.path.as_str(), &mut file.sha256))
            .chain(
                self.data
                    .iter_mut()
                    .chain(&mut self.prompts)
                    .map(|asset| (asset.path.as_str(), &mut asset.sha256)),
            )
            .collect();
        let pieces: Vec<Piece> = wanted
            .iter()
            .filter_map(|(path, _)| files.get(path))
            .map(|file| Piece {
                path: file.path.clone(),
                follow: file.follow,
                start: 0,
                length: file.length,
                is_last: true,
            })
            .collect();
        let digests = hash_pieces(&pieces, Algorithm::Sha256, threads);
        for ((_, place), digest) in wanted.iter_mut().zip(digests) {
            **place = digest?.to_hex();
        }
        Ok(())
    }
}

/// Files of an image that say what is installed, or that somebody should be told about.
fn is_wanted(path: &str) -> bool {
    let is_rpm = path.contains("lib/rpm/") || path.contains("lib/sysimage/rpm/");
    let is_rpm = is_rpm
        && matches!(
            path.rsplit('/').next(),
            Some("rpmdb.sqlite" | "Packages" | "Packages.db")
        );
    image::is_release(path) || is_rpm || LockKind::of(path).is_some()
}

fn walk(root: &Path) -> Result<Tree, DigestError> {
    let selection = Selection {
        // A cache of models consists of links; what they lead to is what is used.
        allow_symlinks: true,
        ignored: vec![".git".to_owned()],
    };
    Tree::walk(root, &selection)
}

/// Where `target` leads from the folder of `file`, below the root; `None` if out of it.
fn resolve(file: &str, target: &str) -> Option<String> {
    if target.starts_with('/') || target.contains(':') {
        return None;
    }
    // Extras of a project: `.[dev]`.
    let target = target.split('[').next().unwrap_or_default();
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split(['/', '\\'])) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether a file is the one at `path` or in the folder there; the root is an empty path.
fn is_within(file: &str, path: &str) -> bool {
    let rest = file.strip_prefix(path);
    rest.is_some_and(|rest| path.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// Reads a file of bounded size as UTF-8.
pub(super) fn read_text(file: &TreeFile) -> Result<String, String> {
    let from = open_regular(&file.path, file.follow).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    from.take(MAX_TEXT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(format!("it has more than {MAX_TEXT_BYTES} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

fn extension(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn in_folder(path: &str, names: &[&str]) -> bool {
    path.rsplit_once('/')
        .is_some_and(|(folders, _)| folders.split('/').any(|folder| names.contains(&folder)))
}

/// Data sets by form, and tables in folders that are called so.
fn is_data(path: &str) -> bool {
    match extension(path) {
        "parquet" | "arrow" | "tfrecord" | "feather" | "jsonl" => true,
        "csv" | "tsv" | "json" | "npy" => in_folder(path, &["data", "dataset", "datasets"]),
        _ => false,
    }
}

/// Prompts by form, and texts in folders that are called so.
fn is_prompt(path: &str) -> bool {
    match extension(path) {
        "prompt" | "prompty" => true,
        "jinja" | "jinja2" | "j2" => {
            in_folder(path, &["prompts"]) || path.contains("chat_template")
        }
        "txt" | "md" | "yaml" | "yml" | "json" => in_folder(path, &["prompts"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_told_by_form_and_folder() {
        for (path, data, prompt) in [
            ("a/train.parquet", true, false),
            ("data/a.csv", true, false),
            ("a.csv", false, false),
            ("prompts/system.md", false, true),
            ("README.md", false, false),
            ("chat_template.jinja", false, true),
        ] {
            assert_eq!((is_data(path), is_prompt(path)), (data, prompt), "{path}");
        }
    }
}
