use bartizan_core::hex;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{LockError, place};
use crate::bom::{Ecosystem, Package};

/// Most levels of packages inside packages in lock files of version 1.
const MAX_DEPTH: usize = 64;

/// `package-lock.json` of versions 1 to 3 (npm documentation, "package-lock.json").
pub(super) fn package_lock(text: &str) -> Result<Vec<Package>, LockError> {
    let wrong = LockError::Malformed("package-lock.json");
    let lock: Value = serde_json::from_str(text).map_err(|_| wrong.clone())?;
    lock.get("lockfileVersion").ok_or(wrong)?;
    let mut packages = Vec::new();
    if let Some(listed) = lock.get("packages").and_then(Value::as_object) {
        for (path, entry) in listed {
            // Folders outside of `node_modules`, and links to them, are code of one's own.
            let Some((_, name)) = path.rsplit_once("node_modules/") else {
                continue;
            };
            if entry.get("link").and_then(Value::as_bool) == Some(true) {
                continue;
            }
            // An alias says its true name.
            let name = entry.get("name").and_then(Value::as_str).unwrap_or(name);
            packages.extend(package(name, entry, place(text, &format!("\"{path}\""), 0)));
        }
    } else {
        nested(text, lock.get("dependencies"), 0, &mut packages);
    }
    Ok(packages)
}

fn nested(text: &str, dependencies: Option<&Value>, depth: usize, packages: &mut Vec<Package>) {
    let dependencies = dependencies.and_then(Value::as_object);
    for (name, entry) in dependencies.into_iter().flatten() {
        packages.extend(package(name, entry, place(text, &format!("\"{name}\""), 0)));
        if depth < MAX_DEPTH {
            nested(text, entry.get("dependencies"), depth + 1, packages);
        }
    }
}

fn package(name: &str, entry: &Value, place: (u64, u64)) -> Option<Package> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str);
    let version = text("version")?;
    let mut package = Package::new(Ecosystem::Npm, name, Some(version));
    package.licence = text("license").map(str::to_owned);
    package.place = place;
    // Subresource Integrity: an algorithm, and base64.
    for hash in text("integrity").unwrap_or_default().split_whitespace() {
        if let Some((algorithm, digest)) = hash.split_once('-')
            && let Ok(digest) = STANDARD.decode(digest)
        {
            package
                .hashes
                .push((algorithm.to_owned(), hex::encode(&digest)));
        }
    }
    let resolved = text("resolved").unwrap_or_default();
    let is_registry = resolved.is_empty() || resolved.starts_with("https://registry.npmjs.org/");
    package.origin = (!is_registry).then(|| resolved.to_owned());
    Some(package)
}
