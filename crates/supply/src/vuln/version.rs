use std::{cmp::Ordering, str::FromStr};

use super::{alpine, debian, maven};
use crate::bom::Ecosystem;

/// How two versions stand to each other; `None` when one of them is no version of the ecosystem.
pub type Order = Option<Ordering>;

/// Compares two versions as their ecosystem does: PEP 440, Semantic Versioning 2.0 without build
/// metadata, Go's with the `v` before it, Maven's `ComparableVersion`, dpkg's, and apk's.
///
/// `0` stands before every version (OSV schema 1.7, "introduced").
#[must_use]
pub fn compare_versions(ecosystem: Ecosystem, a: &str, b: &str) -> Order {
    match (a, b) {
        ("0", "0") => return Some(Ordering::Equal),
        ("0", _) => return parses(ecosystem, b).then_some(Ordering::Less),
        (_, "0") => return parses(ecosystem, a).then_some(Ordering::Greater),
        _ => {}
    }
    match ecosystem {
        Ecosystem::PyPi => {
            let [a, b] = [a, b].map(|text| pep440_rs::Version::from_str(text).ok());
            Some(a?.cmp(&b?))
        }
        Ecosystem::CratesIo | Ecosystem::Npm | Ecosystem::Go => {
            Some(semantic(ecosystem, a)?.cmp_precedence(&semantic(ecosystem, b)?))
        }
        Ecosystem::Maven => Some(maven::compare(a, b)),
        Ecosystem::Debian | Ecosystem::Ubuntu => debian::compare(a, b),
        Ecosystem::Alpine => alpine::compare(a, b),
    }
}

/// Whether `text` is a version of the ecosystem.
pub(super) fn parses(ecosystem: Ecosystem, text: &str) -> bool {
    match ecosystem {
        Ecosystem::PyPi => pep440_rs::Version::from_str(text).is_ok(),
        Ecosystem::CratesIo | Ecosystem::Npm | Ecosystem::Go => semantic(ecosystem, text).is_some(),
        Ecosystem::Maven => !text.is_empty(),
        Ecosystem::Debian | Ecosystem::Ubuntu => debian::parses(text),
        Ecosystem::Alpine => alpine::parses(text),
    }
}

/// Also versions with fewer than three numbers, which advisories write.
fn semantic(ecosystem: Ecosystem, text: &str) -> Option<semver::Version> {
    let text = match ecosystem {
        Ecosystem::Go | Ecosystem::Npm => text.strip_prefix('v').unwrap_or(text),
        _ => text,
    };
    // Go's own toolchain: `go1.22.3`.
    let text = text.strip_prefix("go").unwrap_or(text);
    if let Ok(version) = semver::Version::parse(text) {
        return Some(version);
    }
    let (numbers, rest) = match text.find(['-', '+']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let missing = 2_usize.checked_sub(numbers.matches('.').count())?;
    semver::Version::parse(&format!("{numbers}{}{rest}", ".0".repeat(missing))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascending(ecosystem: Ecosystem, versions: &[&str]) {
        for (at, a) in versions.iter().enumerate() {
            for (bt, b) in versions.iter().enumerate() {
                let said = compare_versions(ecosystem, a, b);
                assert_eq!(said, Some(at.cmp(&bt)), "{a} {b}");
            }
        }
    }

    /// PEP 440, "Summary of permitted suffixes and relative ordering".
    #[test]
    fn python_order() {
        let versions = [
            "0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0.post456",
            "1.1.dev1",
            "1.10",
            "1!0.1",
        ];
        ascending(Ecosystem::PyPi, &versions);
        let equal = compare_versions(Ecosystem::PyPi, "1.0", "1.0.0");
        assert_eq!(equal, Some(Ordering::Equal));
        assert_eq!(compare_versions(Ecosystem::PyPi, "1.0", "banana"), None);
    }

    /// Semantic Versioning 2.0, section 11.
    #[test]
    fn semantic_order() {
        let versions = [
            "0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.2.0",
            "1.10.0",
        ];
        ascending(Ecosystem::CratesIo, &versions);
        ascending(Ecosystem::Npm, &versions);
        let build = compare_versions(Ecosystem::CratesIo, "1.0.0+a", "1.0.0+b");
        assert_eq!(build, Some(Ordering::Equal));
    }

    /// Go Modules Reference, "Pseudo-versions".
    #[test]
    fn go_order() {
        let versions = [
            "v0.0.0-20191109021931-daa7c04131f5",
            "v1.2.3-pre.0.20191109021931-daa7c04131f5",
            "v1.2.3",
            "v1.2.4-0.20191109021931-daa7c04131f5",
            "v2.0.0+incompatible",
        ];
        ascending(Ecosystem::Go, &versions);
    }
}
