use std::fmt;

use aws_lc_rs::digest;
use bartizan_core::hex;
use blake2::Digest as _;

/// A digest algorithm that the OpenSSF model-signing specification names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-256 (FIPS 180-4), with the processor's instructions where it has them.
    #[default]
    Sha256,
    /// BLAKE2b with 64 bytes (RFC 7693).
    Blake2b,
    /// BLAKE3 with 32 bytes.
    Blake3,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Blake2b, Self::Blake3];

    /// The name in signatures and in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake2b => "blake2b",
            Self::Blake3 => "blake3",
        }
    }

    /// The algorithm of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// Bytes of a digest.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 | Self::Blake3 => 32,
            Self::Blake2b => 64,
        }
    }

    /// The digest of `bytes`.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A digest and what made it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: Box<[u8]>,
}

impl Digest {
    /// A digest that somebody states; `None` when it has not as many bytes as the algorithm makes.
    #[must_use]
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == algorithm.length()).then(|| Self {
            algorithm,
            bytes: bytes.into(),
        })
    }

    /// A digest as this type writes it: `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (algorithm, digits) = text.trim().split_once(':')?;
        Self::new(Algorithm::from_name(algorithm)?, &hex::decode(digits)?)
    }

    /// What made it.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes as lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(&self.bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.to_hex())
    }
}

/// A digest in the making.
pub(crate) enum Hasher {
    Sha256(digest::Context),
    Blake2b(Box<blake2::Blake2b512>),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(digest::Context::new(&digest::SHA256)),
            Algorithm::Blake2b => Self::Blake2b(Box::new(blake2::Blake2b512::new())),
            Algorithm::Blake3 => Self::Blake3(Box::new(blake3::Hasher::new())),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(context) => context.update(bytes),
            Self::Blake2b(hasher) => hasher.update(bytes),
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(context) => Digest {
                algorithm: Algorithm::Sha256,
                bytes: context.finish().as_ref().into(),
            },
            Self::Blake2b(hasher) => Digest {
                algorithm: Algorithm::Blake2b,
                bytes: hasher.finalize().as_slice().into(),
            },
            Self::Blake3(hasher) => Digest {
                algorithm: Algorithm::Blake3,
                bytes: hasher.finalize().as_bytes().as_slice().into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4, RFC 7693 appendix A, and the BLAKE3 paper's own vectors for `abc`.
    #[test]
    fn published_vectors() {
        let said: Vec<String> = Algorithm::ALL
            .map(|algorithm| algorithm.digest(b"abc").to_string())
            .into();
        assert_eq!(
            said,
            [
                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "blake2b:ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
                "blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
            ]
        );
    }

    #[test]
    fn a_digest_reads_what_it_writes() {
        for algorithm in Algorithm::ALL {
            let digest = algorithm.digest(b"x");
            assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        }
        for bad in ["", "sha256:", "sha256:00", "md5:00", "sha256:zz"] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
    }
}
