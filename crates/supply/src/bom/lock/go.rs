use bartizan_core::hex;
use base64::{Engine, engine::general_purpose::STANDARD};

use super::LockError;
use crate::bom::{Ecosystem, Package};

/// A module, the version that is replaced if not all are, and the module and version instead; `None`
/// for a folder.
type Replacement = (String, Option<String>, Option<(String, String)>);

/// `go.mod` (Go Modules Reference, "go.mod files"): what is required, also indirectly. `replace` by
/// another version counts; by a folder takes the module out.
pub(super) fn modules(text: &str) -> Result<Vec<Package>, LockError> {
    let mut packages: Vec<Package> = Vec::new();
    let mut replaced: Vec<Replacement> = Vec::new();
    let mut block = "";
    let mut is_module = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let body = line.split("//").next().unwrap_or_default().trim();
        let (verb, rest) = match (block, body.split_once(char::is_whitespace)) {
            (_, _) if body == ")" => {
                block = "";
                continue;
            }
            ("", Some((verb, rest))) if rest.trim() == "(" => {
                block = ["require", "replace"]
                    .into_iter()
                    .find(|known| *known == verb)
                    .unwrap_or("other");
                continue;
            }
            ("", Some((verb, rest))) => (verb, rest.trim()),
            ("", None) => continue,
            (block, _) => (block, body),
        };
        is_module |= verb == "module";
        let words: Vec<&str> = rest.split_whitespace().collect();
        match (verb, words.as_slice()) {
            ("require", [name, version, ..]) => {
                let mut package = Package::new(Ecosystem::Go, name, Some(version));
                package.place = (start as u64, (start + line.trim_end().len()) as u64);
                packages.push(package);
            }
            ("replace", words) => {
                let arrow = words.iter().position(|word| *word == "=>");
                let (Some(arrow), Some(name)) = (arrow, words.first()) else {
                    continue;
                };
                let version = words.get(1..arrow).and_then(|between| between.first());
                let with = match words.get(arrow + 1..) {
                    Some([name, version]) => Some(((*name).to_owned(), (*version).to_owned())),
                    _ => None,
                };
                let version = version.map(|version| (*version).to_owned());
                replaced.push(((*name).to_owned(), version, with));
            }
            _ => {}
        }
    }
    if !is_module {
        return Err(LockError::Malformed("go.mod"));
    }
    for (name, version, with) in replaced {
        let fits = |package: &Package| {
            package.name == name && (version.is_none() || package.version == version)
        };
        match with {
            None => packages.retain(|package| !fits(package)),
            Some((name, version)) => {
                for package in packages.iter_mut().filter(|package| fits(package)) {
                    package.name.clone_from(&name);
                    package.version = Some(version.clone());
                }
            }
        }
    }
    Ok(packages)
}

/// `go.sum`: what was ever fetched, with digests. Lines about `go.mod` files are no packages.
pub(super) fn sums(text: &str) -> Result<Vec<Package>, LockError> {
    let mut packages = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [_, version, _] if version.ends_with("/go.mod") => {}
            [name, version, hash] => {
                let mut package = Package::new(Ecosystem::Go, name, Some(version));
                package.place = (start as u64, (start + line.trim_end().len()) as u64);
                let digest = hash
                    .strip_prefix("h1:")
                    .and_then(|hash| STANDARD.decode(hash).ok());
                if let Some(digest) = digest {
                    package.hashes.push(("h1".to_owned(), hex::encode(&digest)));
                }
                packages.push(package);
            }
            _ => return Err(LockError::Malformed("go.sum")),
        }
    }
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_with_blocks_and_replacements() {
        let text = "module example.com/m\n\ngo 1.22\n\nrequire example.com/a v1.0.0 // indirect\nrequire (\n\texample.com/b v0.2.0\n\texample.com/c v1.1.0+incompatible\n\texample.com/d v1.0.0\n)\nreplace example.com/b => example.com/bb v0.3.0\nreplace example.com/d => ../d\nexclude example.com/a v0.9.0\n";
        let said: Vec<_> = modules(text)
            .unwrap()
            .into_iter()
            .map(|package| format!("{} {}", package.name, package.version.unwrap()))
            .collect();
        assert_eq!(
            said,
            [
                "example.com/a v1.0.0",
                "example.com/bb v0.3.0",
                "example.com/c v1.1.0+incompatible"
            ]
        );
        assert!(modules("nothing here\n").is_err());
    }

    #[test]
    fn sums_are_packages_with_digests() {
        let text = "example.com/a v1.0.0 h1:AAAA\nexample.com/a v1.0.0/go.mod h1:AAAA\n";
        let packages = sums(text).unwrap();
        assert_eq!(packages.len(), 1);
        assert_eq!(packages[0].hashes, [("h1".to_owned(), "000000".to_owned())]);
    }
}
