use std::fmt;

/// Where packages of one kind come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// Python packages.
    PyPi,
    /// Rust crates.
    CratesIo,
    /// JavaScript packages.
    Npm,
    /// Go modules.
    Go,
    /// Java packages.
    Maven,
    /// Packages of Debian.
    Debian,
    /// Packages of Ubuntu.
    Ubuntu,
    /// Packages of Alpine.
    Alpine,
}

impl Ecosystem {
    /// Every ecosystem.
    pub const ALL: [Self; 8] = [
        Self::PyPi,
        Self::CratesIo,
        Self::Npm,
        Self::Go,
        Self::Maven,
        Self::Debian,
        Self::Ubuntu,
        Self::Alpine,
    ];

    /// The name in OSV records (OSV schema 1.7, "Defined Ecosystems").
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PyPi => "PyPI",
            Self::CratesIo => "crates.io",
            Self::Npm => "npm",
            Self::Go => "Go",
            Self::Maven => "Maven",
            Self::Debian => "Debian",
            Self::Ubuntu => "Ubuntu",
            Self::Alpine => "Alpine",
        }
    }

    /// The ecosystem that OSV calls so, whatever stands behind a colon.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.split(':').next()?;
        Self::ALL
            .into_iter()
            .find(|ecosystem| ecosystem.as_str() == name)
    }

    /// The type in a package address (package-url/purl-spec, "types").
    const fn purl_type(self) -> &'static str {
        match self {
            Self::PyPi => "pypi",
            Self::CratesIo => "cargo",
            Self::Npm => "npm",
            Self::Go => "golang",
            Self::Maven => "maven",
            Self::Debian => "deb/debian",
            Self::Ubuntu => "deb/ubuntu",
            Self::Alpine => "apk/alpine",
        }
    }

    /// A name as the ecosystem compares it: PEP 503 for Python, as it is otherwise.
    #[must_use]
    pub fn folded(self, name: &str) -> String {
        if self != Self::PyPi {
            return name.to_owned();
        }
        let mut folded = String::with_capacity(name.len());
        for c in name.trim().chars() {
            match c {
                '-' | '_' | '.' if folded.ends_with('-') => {}
                '-' | '_' | '.' => folded.push('-'),
                c => folded.extend(c.to_lowercase()),
            }
        }
        folded
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A package that something depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// Its name, as [`Ecosystem::folded`]; `group:artifact` for Maven.
    pub name: String,
    /// The exact version; `None` where only a range is asked for.
    pub version: Option<String>,
    /// What is asked for, where that is no exact version.
    pub requirement: Option<String>,
    /// Digests of what is fetched: name of the algorithm in lower case, and hexadecimal digits.
    pub hashes: Vec<(String, String)>,
    /// Its licence, as it says itself.
    pub licence: Option<String>,
    /// Another place than the ecosystem's own registry that it is fetched from.
    pub origin: Option<String>,
    /// Name and version of the source package, by which distributions name weaknesses.
    pub source: Option<(String, String)>,
    /// The release of the distribution as OSV names it, e.g. `12` or `v3.19`.
    pub release: Option<String>,
    /// Where in the file it is named, in bytes; an empty range at 0 if that is not known.
    pub place: (u64, u64),
}

impl Package {
    /// A package by name and version.
    #[must_use]
    pub fn new(ecosystem: Ecosystem, name: &str, version: Option<&str>) -> Self {
        Self {
            ecosystem,
            name: ecosystem.folded(name),
            version: version.map(str::to_owned),
            requirement: None,
            hashes: Vec::new(),
            licence: None,
            origin: None,
            source: None,
            release: None,
            place: (0, 0),
        }
    }

    /// The digests that bills of materials know, with as many digits as they must have.
    pub(super) fn known_hashes(&self) -> impl Iterator<Item = (&'static HashName, &str)> {
        self.hashes.iter().filter_map(|(name, digits)| {
            let known = HASHES.iter().find(|known| known.own == name)?;
            let is_whole =
                digits.len() == known.digits && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_whole.then_some((known, digits.as_str()))
        })
    }

    /// Its address, `pkg:TYPE/NAME@VERSION` (package-url/purl-spec).
    #[must_use]
    pub fn purl(&self) -> String {
        let name = match self.ecosystem {
            Ecosystem::Maven => encoded(&self.name.replacen(':', "/", 1)),
            _ => encoded(&self.name),
        };
        let kind = self.ecosystem.purl_type();
        let mut purl = format!("pkg:{kind}/{name}");
        if let Some(version) = &self.version {
            purl.push('@');
            purl.push_str(&encoded(version));
        }
        if let (Some(release), Some((_, system))) = (&self.release, kind.split_once('/')) {
            purl.push_str(&format!("?distro={system}-{}", encoded(release)));
        }
        purl
    }
}

/// What a digest is called.
pub(super) struct HashName {
    own: &'static str,
    digits: usize,
    /// In CycloneDX.
    pub(super) cyclonedx: &'static str,
    /// In SPDX.
    pub(super) spdx: &'static str,
}

const fn hash(
    own: &'static str,
    digits: usize,
    cyclonedx: &'static str,
    spdx: &'static str,
) -> HashName {
    HashName {
        own,
        digits,
        cyclonedx,
        spdx,
    }
}

/// Go's `h1` is a digest of digests, which no format knows.
static HASHES: [HashName; 5] = [
    hash("md5", 32, "MD5", "MD5"),
    hash("sha1", 40, "SHA-1", "SHA1"),
    hash("sha256", 64, "SHA-256", "SHA256"),
    hash("sha384", 96, "SHA-384", "SHA384"),
    hash("sha512", 128, "SHA-512", "SHA512"),
];

/// Percent-encoded but for what the specification leaves as it is, and the slash.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~/:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// An address in which what RFC 3986 does not allow is percent-encoded.
pub(super) fn address(text: &str) -> String {
    let mut address = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of the specification.
    #[test]
    fn addresses() {
        let purl = |ecosystem, name, version| Package::new(ecosystem, name, version).purl();
        assert_eq!(
            purl(Ecosystem::PyPi, "Django_Allauth", Some("12.23")),
            "pkg:pypi/django-allauth@12.23"
        );
        assert_eq!(
            purl(Ecosystem::Npm, "@angular/animation", Some("12.3.1")),
            "pkg:npm/%40angular/animation@12.3.1"
        );
        assert_eq!(
            purl(
                Ecosystem::Maven,
                "org.apache.xmlgraphics:batik-anim",
                Some("1.9.1")
            ),
            "pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1"
        );
        assert_eq!(
            purl(Ecosystem::Go, "google.golang.org/genproto", None),
            "pkg:golang/google.golang.org/genproto"
        );
        assert_eq!(
            purl(Ecosystem::PyPi, "torch", Some("2.4.0+cpu")),
            "pkg:pypi/torch@2.4.0%2Bcpu"
        );
    }

    #[test]
    fn python_names_are_folded() {
        for name in ["Foo.Bar", "foo-bar", "FOO__bar", "foo._-bar"] {
            assert_eq!(Ecosystem::PyPi.folded(name), "foo-bar");
        }
        assert_eq!(Ecosystem::Npm.folded("Foo_bar"), "Foo_bar");
    }
}
