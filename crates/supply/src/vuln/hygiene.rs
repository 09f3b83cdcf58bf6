use bartizan_core::Finding;

use super::{
    popular,
    rules::{ORIGIN, RISKY, TYPOSQUAT, UNHASHED, UNPINNED, finding},
};
use crate::bom::{Ecosystem, LockFile, Package};

/// How packages are asked for, beside their known weaknesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hygiene {
    /// Also name packages without an exact version or a digest.
    pub pins: bool,
}

impl Hygiene {
    /// What is to be said about a file's packages, with the package that it is about.
    pub(super) fn findings(self, lock: &LockFile) -> Vec<(&Package, Finding)> {
        let mut all = Vec::new();
        let hashes_some = lock
            .packages
            .iter()
            .any(|package| !package.hashes.is_empty());
        for package in &lock.packages {
            let mut say = |rule, message: String| {
                all.push((package, finding(rule, package.place, message)));
            };
            let name = &package.name;
            if let Some(meant) = squatted(package) {
                say(&TYPOSQUAT, format!("`{name}` is near `{meant}`"));
            }
            if package.ecosystem == Ecosystem::PyPi && popular::PICKLES.contains(&name.as_str()) {
                say(&RISKY, format!("`{name}`"));
            }
            if package.origin.is_some() {
                say(&ORIGIN, format!("`{name}`"));
            }
            // A lock beside the range is looked at on its own.
            if self.pins && package.version.is_none() && package.origin.is_none() {
                say(&UNPINNED, format!("`{name}`"));
            }
            let wants_hash = lock.kind.can_hash && package.origin.is_none();
            if wants_hash && package.hashes.is_empty() && (self.pins || hashes_some) {
                say(&UNHASHED, format!("`{name}`"));
            }
        }
        all
    }
}

/// The well-known package that a slip away is called otherwise.
fn squatted(package: &Package) -> Option<&'static str> {
    let known: &[&str] = match package.ecosystem {
        Ecosystem::PyPi => &popular::PYPI,
        Ecosystem::Npm => &popular::NPM,
        _ => return None,
    };
    let name = package.name.as_str();
    if known.contains(&name) || popular::HONEST.contains(&name) {
        return None;
    }
    let plain = |name: &str| name.replace('-', "");
    known.iter().copied().find(|meant| {
        // Short names are near each other by chance.
        (meant.len() >= 5 && strsim::osa_distance(name, meant) == 1 && !is_versioned(name, meant))
            || (meant.contains('-') != name.contains('-') && plain(name) == plain(meant))
    })
}

/// `beautifulsoup5` for `beautifulsoup4`, `urllib2`: another number is another edition.
fn is_versioned(name: &str, meant: &str) -> bool {
    let stem = |name: &str| {
        name.trim_end_matches(|c: char| c.is_ascii_digit())
            .to_owned()
    };
    stem(name) == stem(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_named_and_relatives_are_not() {
        let said = |ecosystem, name: &str| squatted(&Package::new(ecosystem, name, None));
        for (name, meant) in [
            ("reqeusts", Some("requests")),
            ("request", Some("requests")),
            ("numpyy", Some("numpy")),
            ("tensorfow", Some("tensorflow")),
            ("python-dateutl", Some("python-dateutil")),
            ("scikitlearn", Some("scikit-learn")),
            ("requests", None),
            ("numpy", None),
            ("torch", None),
            ("urllib2", None),
            ("requests-oauthlib", None),
            ("dill", None),
            ("psycopg", None),
            ("tqdm", None),
            ("pandas-stubs", None),
        ] {
            assert_eq!(said(Ecosystem::PyPi, name), meant, "{name}");
        }
        assert_eq!(said(Ecosystem::Npm, "crossenv"), Some("cross-env"));
        assert_eq!(said(Ecosystem::Npm, "request"), None);
        assert_eq!(said(Ecosystem::Go, "reqeusts"), None);
    }
}
