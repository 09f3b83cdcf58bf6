//! Files that name packages, one module for each family.

mod go;
mod maven;
mod metadata;
mod npm;
mod python;
mod requirements;
mod system;

use super::Package;

/// A kind of file that names packages.
#[derive(Clone, Copy, Debug)]
pub struct LockKind {
    /// Its name in reports.
    pub name: &'static str,
    /// The ecosystem has a way to write digests into such files.
    pub can_hash: bool,
    read: fn(&str) -> Result<Vec<Package>, LockError>,
    references: fn(&str) -> Vec<Reference>,
}

/// A file or folder that a file names instead of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// As it stands there: a path from the folder of the file, or an address.
    pub(super) target: String,
    /// The line that names it, from 1.
    pub(super) line: usize,
}

/// Why a file that names packages cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// It is not in the form that its name promises.
    #[error("it is no {0}")]
    Malformed(&'static str),
    /// It names too many packages.
    #[error("it names more than {MAX_PACKAGES} packages")]
    TooMany,
}

/// Most packages of one file.
const MAX_PACKAGES: usize = 200_000;

const fn kind(
    name: &'static str,
    can_hash: bool,
    read: fn(&str) -> Result<Vec<Package>, LockError>,
) -> LockKind {
    LockKind {
        name,
        can_hash,
        read,
        references: |_| Vec::new(),
    }
}

/// Files by their whole name.
static BY_NAME: [(&str, LockKind); 12] = [
    ("poetry.lock", kind("poetry.lock", true, python::poetry)),
    ("uv.lock", kind("uv.lock", true, python::uv)),
    ("pdm.lock", kind("pdm.lock", true, python::poetry)),
    ("pylock.toml", kind("pylock.toml", true, python::uv)),
    ("Pipfile.lock", kind("Pipfile.lock", true, python::pipfile)),
    (
        "pyproject.toml",
        kind("pyproject.toml", false, python::pyproject),
    ),
    ("Cargo.lock", kind("Cargo.lock", true, python::cargo)),
    (
        "package-lock.json",
        kind("package-lock.json", true, npm::package_lock),
    ),
    (
        "npm-shrinkwrap.json",
        kind("package-lock.json", true, npm::package_lock),
    ),
    ("go.mod", kind("go.mod", false, go::modules)),
    ("go.sum", kind("go.sum", true, go::sums)),
    ("pom.xml", kind("pom.xml", false, maven::pom)),
];

static REQUIREMENTS: LockKind = LockKind {
    references: requirements::references,
    ..kind("requirements file", true, requirements::read)
};
static METADATA: LockKind = kind("package metadata", false, metadata::read);
static DPKG: LockKind = kind("database of dpkg", false, system::dpkg);
static APK: LockKind = kind("database of apk", false, system::apk);

impl LockKind {
    /// The kind of the file at `path`, by its name.
    #[must_use]
    pub fn of(path: &str) -> Option<&'static Self> {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some((_, kind)) = BY_NAME.iter().find(|(name, _)| *name == file) {
            return Some(kind);
        }
        let in_system = |name: &str| path == name || path.ends_with(&format!("/{name}"));
        if in_system("var/lib/dpkg/status")
            || (folder.ends_with("var/lib/dpkg/status.d") && !file.contains('.'))
        {
            return Some(&DPKG);
        }
        if in_system("lib/apk/db/installed") {
            return Some(&APK);
        }
        let lower = file.to_ascii_lowercase();
        let is_text = lower.ends_with(".txt") || lower.ends_with(".in");
        let in_folder = folder.rsplit('/').next() == Some("requirements");
        if is_text && (lower.contains("requirements") || in_folder) {
            return Some(&REQUIREMENTS);
        }
        let is_metadata = (file == "METADATA" && folder.ends_with(".dist-info"))
            || (file == "PKG-INFO" && folder.ends_with(".egg-info"));
        is_metadata.then_some(&METADATA)
    }

    /// The packages that `text` names, each once, in order.
    ///
    /// # Errors
    /// When it is malformed or too long.
    pub fn read(&self, text: &str) -> Result<Vec<Package>, LockError> {
        let mut packages = (self.read)(text)?;
        if packages.len() > MAX_PACKAGES {
            return Err(LockError::TooMany);
        }
        packages.sort();
        packages.dedup_by(|a, b| {
            (a.ecosystem, &a.name, &a.version) == (b.ecosystem, &b.name, &b.version)
        });
        Ok(packages)
    }

    /// What `text` names instead of packages.
    pub(super) fn references(&self, text: &str) -> Vec<Reference> {
        (self.references)(text)
    }
}

/// Where `needle` first stands in `text` at or after `from`.
fn place(text: &str, needle: &str, from: usize) -> (u64, u64) {
    let found = text.get(from..).and_then(|rest| rest.find(needle));
    found.map_or((0, 0), |at| {
        let start = from + at;
        (start as u64, (start + needle.len()) as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_name() {
        let name = |path: &str| LockKind::of(path).map(|kind| kind.name);
        for (path, expected) in [
            ("a/Cargo.lock", Some("Cargo.lock")),
            ("requirements-dev.txt", Some("requirements file")),
            ("requirements/base.txt", Some("requirements file")),
            ("dev_requirements.in", Some("requirements file")),
            ("x/torch-2.0.dist-info/METADATA", Some("package metadata")),
            ("METADATA", None),
            ("notes.txt", None),
            ("cargo.lock", None),
        ] {
            assert_eq!(name(path), expected, "{path}");
        }
    }
}
