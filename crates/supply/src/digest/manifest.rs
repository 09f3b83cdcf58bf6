use std::fmt::{self, Write as _};

use super::{Algorithm, Digest, Hasher, Tree};

/// The digests of the files of a tree, or of their shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// One for each file or shard.
    pub resources: Vec<Resource>,
}

/// A file or a shard with its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Which one.
    pub name: ResourceName,
    /// Of its bytes.
    pub digest: Digest,
}

/// A file, or a range of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceName {
    /// The file's name below the root.
    pub path: String,
    /// First byte, and the byte after the last one; `None` for the whole file.
    pub range: Option<(u64, u64)>,
}

impl ResourceName {
    /// Reads `path:start:end`; the path may hold colons of its own.
    #[must_use]
    pub fn parse_shard(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, ':');
        let end = decimal(parts.next()?)?;
        let start = decimal(parts.next()?)?;
        let path = parts.next()?;
        (start < end).then(|| Self {
            path: path.to_owned(),
            range: Some((start, end)),
        })
    }
}

/// Digits only: no sign, no blanks.
fn decimal(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match self.range {
            Some((start, end)) => write!(f, ":{start}:{end}"),
            None => Ok(()),
        }
    }
}

impl Manifest {
    /// SHA-256 over the digests' bytes in the order of the resources, whatever made them
    /// (model-signing 1.0, "root digest"). It does not bind names; a signed statement does.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        for resource in &self.resources {
            hasher.update(resource.digest.as_bytes());
        }
        hasher.finish()
    }

    /// The digest of [`Manifest::lines`]: names and contents, wherever the folder stands.
    ///
    /// For SHA-256 and whole files it is what coreutils say, so that anybody can repeat it:
    /// `find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`.
    #[must_use]
    pub fn folder_digest(&self, algorithm: Algorithm) -> Digest {
        algorithm.digest(self.lines().as_bytes())
    }

    /// The digest of what stands at the root of `tree`: of a file its own, as every other tool says it,
    /// of a folder that of its list.
    #[must_use]
    pub fn digest_of(&self, tree: &Tree, algorithm: Algorithm) -> Digest {
        match self.resources.as_slice() {
            [only] if tree.is_file && only.name.range.is_none() => only.digest.clone(),
            _ => self.folder_digest(algorithm),
        }
    }

    /// The lines that `sha256sum` and its kin write and check.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        for resource in &self.resources {
            let name = resource.name.to_string();
            // coreutils, "md5sum invocation": such lines start with a backslash.
            if name.contains(['\\', '\n', '\r']) {
                let name = name
                    .replace('\\', "\\\\")
                    .replace('\n', "\\n")
                    .replace('\r', "\\r");
                let _ = writeln!(lines, "\\{}  {name}", resource.digest.to_hex());
            } else {
                let _ = writeln!(lines, "{}  {name}", resource.digest.to_hex());
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_read_from_the_end() {
        let name = ResourceName::parse_shard("a:b:0:10").unwrap();
        assert_eq!((name.path.as_str(), name.range), ("a:b", Some((0, 10))));
        assert_eq!(name.to_string(), "a:b:0:10");
        for bad in [
            "a", "a:1", "a:x:1", "a:1:1", "a:2:1", "a:+1:2", "a: 1:2", "a::2",
        ] {
            assert_eq!(ResourceName::parse_shard(bad), None, "{bad}");
        }
    }

    #[test]
    fn odd_names_are_written_as_sha256sum_does() {
        let resource = Resource {
            name: ResourceName {
                path: "a\nb\\c".to_owned(),
                range: None,
            },
            digest: Algorithm::Sha256.digest(b""),
        };
        let manifest = Manifest {
            resources: vec![resource],
        };
        assert!(manifest.lines().starts_with("\\e3b0c442"));
        assert!(manifest.lines().ends_with("  a\\nb\\\\c\n"));
    }
}
