//! What the package managers of Debian and Alpine say is installed.

use super::LockError;
use crate::bom::{Ecosystem, Package};

/// `var/lib/dpkg/status`, or one file of `status.d` (`deb-control(5)`, dpkg's "status" database).
pub(super) fn dpkg(text: &str) -> Result<Vec<Package>, LockError> {
    let mut packages = Vec::new();
    for stanza in text
        .split("\n\n")
        .filter(|stanza| !stanza.trim().is_empty())
    {
        let field = |name: &str| {
            let mut lines = stanza.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let (Some(name), Some(version)) = (field("Package"), field("Version")) else {
            return Err(LockError::Malformed("database of dpkg"));
        };
        // Removed packages stay in the list; `status.d` has no states.
        let is_installed = field("Status").is_none_or(|status| status.ends_with(" installed"));
        if !is_installed {
            continue;
        }
        let mut package = Package::new(Ecosystem::Debian, name.trim(), Some(version.trim()));
        // `Source: name`, or `Source: name (version)` where that is another one.
        let source = field("Source").unwrap_or(name);
        let (source, own) = source.split_once(" (").unwrap_or((source, version));
        package.source = Some((
            source.trim().to_owned(),
            own.trim().trim_end_matches(')').to_owned(),
        ));
        packages.push(package);
    }
    Ok(packages)
}

/// `lib/apk/db/installed` (Alpine wiki, "Apk spec", "Installed Database V2").
pub(super) fn apk(text: &str) -> Result<Vec<Package>, LockError> {
    let mut packages = Vec::new();
    for stanza in text
        .split("\n\n")
        .filter(|stanza| !stanza.trim().is_empty())
    {
        let field = |name: &str| {
            let mut lines = stanza.lines();
            lines.find_map(|line| line.strip_prefix(name))
        };
        let (Some(name), Some(version)) = (field("P:"), field("V:")) else {
            return Err(LockError::Malformed("database of apk"));
        };
        let mut package = Package::new(Ecosystem::Alpine, name, Some(version));
        package.licence = field("L:").map(str::to_owned);
        let source = field("o:").unwrap_or(name);
        package.source = Some((source.to_owned(), version.to_owned()));
        packages.push(package);
    }
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_packages_and_their_sources() {
        let text = "Package: libc6\nStatus: install ok installed\nSource: glibc\nVersion: 2.36-9\nDescription: x\n Package: not this\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: libgcc-s1\nStatus: install ok installed\nSource: gcc-12 (12.2.0-14)\nVersion: 12.2.0-14+b1\n";
        let packages = dpkg(text).unwrap();
        let source = |at: usize| packages[at].source.clone().unwrap();
        assert_eq!(packages.len(), 2);
        assert_eq!(source(0), ("glibc".into(), "2.36-9".into()));
        assert_eq!(source(1), ("gcc-12".into(), "12.2.0-14".into()));
        assert_eq!(packages[1].version.as_deref(), Some("12.2.0-14+b1"));
        assert!(dpkg("Package: a\n").is_err());
        let packages = apk(
            "C:Q1x\nP:libcrypto3\nV:3.1.4-r5\nL:Apache-2.0\no:openssl\nF:lib\n\nP:zlib\nV:1.3-r0\n",
        )
        .unwrap();
        assert_eq!(packages[0].source.clone().unwrap().0, "openssl");
        assert_eq!(packages[1].name, "zlib");
        assert!(apk("nothing").is_err());
    }
}
