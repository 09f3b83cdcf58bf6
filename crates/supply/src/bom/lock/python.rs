//! Lock files in TOML, and the one of pipenv.

use serde::Deserialize;
use serde_json::Value;

use super::{LockError, place, requirements};
use crate::bom::{Ecosystem, Package};

#[derive(Deserialize)]
struct Lock {
    #[serde(default, alias = "packages")]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    source: Option<toml::Value>,
    #[serde(default)]
    checksum: Option<String>,
    #[serde(default)]
    files: Vec<LockedFile>,
    #[serde(default)]
    wheels: Vec<LockedFile>,
    #[serde(default)]
    sdist: Option<LockedFile>,
}

#[derive(Deserialize)]
struct LockedFile {
    #[serde(default)]
    hash: Option<String>,
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
}

impl LockedFile {
    fn digests(&self) -> Vec<(String, String)> {
        let written = self.hash.as_deref().and_then(|hash| hash.split_once(':'));
        let written = written.map(|(name, digits)| (name.to_owned(), digits.to_owned()));
        let listed = self.hashes.iter();
        written
            .into_iter()
            .chain(listed.map(|(name, digits)| (name.clone(), digits.clone())))
            .collect()
    }
}

fn read(text: &str, what: &'static str) -> Result<Vec<Locked>, LockError> {
    let lock: Lock = toml::from_str(text).map_err(|_| LockError::Malformed(what))?;
    Ok(lock.package)
}

fn package(ecosystem: Ecosystem, text: &str, locked: &Locked, from: &mut usize) -> Package {
    let mut package = Package::new(ecosystem, &locked.name, locked.version.as_deref());
    let files = locked
        .files
        .iter()
        .chain(&locked.wheels)
        .chain(&locked.sdist);
    package.hashes = files.flat_map(LockedFile::digests).collect();
    package.place = place(text, &format!("name = \"{}\"", locked.name), *from);
    if package.place.1 > 0 {
        *from = usize::try_from(package.place.1).unwrap_or(*from);
    }
    package
}

/// `poetry.lock` and `pdm.lock`: files with digests below each package.
pub(super) fn poetry(text: &str) -> Result<Vec<Package>, LockError> {
    let mut from = 0;
    let locked = read(text, "lock file of Poetry")?;
    Ok(locked
        .iter()
        .map(|locked| {
            let mut package = package(Ecosystem::PyPi, text, locked, &mut from);
            package.origin = locked
                .source
                .as_ref()
                .and_then(|source| source.get("url")?.as_str().map(str::to_owned));
            package
        })
        .collect())
}

/// `uv.lock` and `pylock.toml` (PEP 751): wheels and source archives with digests.
pub(super) fn uv(text: &str) -> Result<Vec<Package>, LockError> {
    let mut from = 0;
    let locked = read(text, "lock file of uv")?;
    let of = |locked: &Locked, name: &str| {
        let source = locked.source.as_ref()?;
        source.get(name)?.as_str().map(str::to_owned)
    };
    Ok(locked
        .iter()
        // Code of one's own has no registry, and nothing to look up.
        .filter(|locked| {
            ["editable", "virtual", "directory"]
                .iter()
                .all(|name| of(locked, name).is_none())
        })
        .map(|locked| {
            let mut package = package(Ecosystem::PyPi, text, locked, &mut from);
            package.origin = ["url", "git"].iter().find_map(|name| of(locked, name));
            package
        })
        .collect())
}

/// `Cargo.lock`: crates without a source are code of one's own.
pub(super) fn cargo(text: &str) -> Result<Vec<Package>, LockError> {
    let mut from = 0;
    let locked = read(text, "Cargo.lock")?;
    Ok(locked
        .iter()
        .filter_map(|locked| {
            let source = locked.source.as_ref()?.as_str()?.to_owned();
            let mut package = package(Ecosystem::CratesIo, text, locked, &mut from);
            if let Some(checksum) = &locked.checksum {
                package.hashes.push(("sha256".to_owned(), checksum.clone()));
            }
            let is_registry = source.starts_with("registry+") || source.starts_with("sparse+");
            package.origin = (!is_registry).then_some(source);
            Some(package)
        })
        .collect())
}

/// `Pipfile.lock`: JSON with `default` and `develop`.
pub(super) fn pipfile(text: &str) -> Result<Vec<Package>, LockError> {
    let wrong = LockError::Malformed("lock file of pipenv");
    let lock: Value = serde_json::from_str(text).map_err(|_| wrong.clone())?;
    lock.get("_meta").ok_or(wrong)?;
    let mut packages = Vec::new();
    for section in ["default", "develop"] {
        let Some(section) = lock.get(section).and_then(Value::as_object) else {
            continue;
        };
        for (name, entry) in section {
            let version = entry.get("version").and_then(Value::as_str);
            let version = version.and_then(requirements::pinned);
            let mut package = Package::new(Ecosystem::PyPi, name, version);
            let hashes = entry.get("hashes").and_then(Value::as_array);
            package.hashes = hashes
                .into_iter()
                .flatten()
                .filter_map(|hash| hash.as_str()?.split_once(':'))
                .map(|(name, digits)| (name.to_owned(), digits.to_owned()))
                .collect();
            package.origin = entry.get("git").and_then(Value::as_str).map(str::to_owned);
            package.place = place(text, &format!("\"{name}\""), 0);
            packages.push(package);
        }
    }
    Ok(packages)
}

/// `pyproject.toml`: what a project asks for (PEP 621), also in its extras and groups (PEP 735), and
/// what Poetry asks for in its own table.
pub(super) fn pyproject(text: &str) -> Result<Vec<Package>, LockError> {
    let file: toml::Value =
        toml::from_str(text).map_err(|_| LockError::Malformed("pyproject.toml"))?;
    let mut wanted: Vec<String> = Vec::new();
    let mut list = |value: Option<&toml::Value>| {
        let items = value.and_then(toml::Value::as_array).into_iter().flatten();
        wanted.extend(items.filter_map(|item| item.as_str().map(str::to_owned)));
    };
    let project = file.get("project");
    list(project.and_then(|project| project.get("dependencies")));
    list(
        file.get("build-system")
            .and_then(|build| build.get("requires")),
    );
    let groups = [
        project.and_then(|project| project.get("optional-dependencies")),
        file.get("dependency-groups"),
    ];
    for group in groups.into_iter().flatten() {
        for (_, value) in group.as_table().into_iter().flatten() {
            list(Some(value));
        }
    }
    let mut packages: Vec<Package> = wanted
        .iter()
        .filter_map(|line| {
            let mut package = requirements::requirement(line)?;
            package.place = place(text, line, 0);
            Some(package)
        })
        .collect();
    let poetry = file.get("tool").and_then(|tool| tool.get("poetry"));
    let table = poetry.and_then(|poetry| poetry.get("dependencies"));
    for (name, value) in table.and_then(toml::Value::as_table).into_iter().flatten() {
        if name == "python" {
            continue;
        }
        let version = value.as_str().or_else(|| value.get("version")?.as_str());
        let mut package = Package::new(Ecosystem::PyPi, name, None);
        package.requirement = Some(version.unwrap_or("*").to_owned());
        package.place = place(text, name, 0);
        packages.push(package);
    }
    Ok(packages)
}
