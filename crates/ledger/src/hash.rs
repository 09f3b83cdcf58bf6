use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A SHA-256 hash of a leaf or of a node (RFC 6962, section 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// A hash that was read from somewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The root of the tree without leaves: the hash of nothing.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self::sha256(&[])
    }

    /// The hash of an entry: `SHA-256(0x00 || entry)`.
    #[must_use]
    pub fn leaf(entry: &[u8]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&[0]);
        context.update(entry);
        Self::of(&context.finish())
    }

    /// The hash of a node: `SHA-256(0x01 || left || right)`.
    #[must_use]
    pub fn node(left: Self, right: Self) -> Self {
        let mut bytes = [1; 65];
        let (_, both) = bytes.split_at_mut(1);
        let (to_left, to_right) = both.split_at_mut(32);
        to_left.copy_from_slice(&left.0);
        to_right.copy_from_slice(&right.0);
        Self::sha256(&bytes)
    }

    /// The plain SHA-256 of `bytes`.
    pub(crate) fn sha256(bytes: &[u8]) -> Self {
        Self::of(&digest::digest(&digest::SHA256, bytes))
    }

    pub(crate) fn of(digest: &digest::Digest) -> Self {
        // SHA-256 gives 32 bytes.
        Self(digest.as_ref().first_chunk().copied().unwrap_or_default())
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads standard base64 with padding, as the C2SP formats write hashes.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        // 32 bytes are 44 characters.
        if text.len() != 44 {
            return None;
        }
        let bytes = STANDARD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl std::fmt::Display for Hash {
    /// Standard base64 with padding.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: Hash) -> String {
        hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Vectors of RFC 6962 as Certificate Transparency's reference implementation publishes them
    /// (`merkle_tree_test.cc`): the empty tree, a leaf without bytes, and a node.
    #[test]
    fn published_hashes() {
        assert_eq!(
            hex(Hash::of_nothing()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex(Hash::leaf(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            hex(Hash::node(Hash::leaf(b""), Hash::leaf(b"\0"))),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
    }

    #[test]
    fn base64_is_read_strictly() {
        let hash = Hash::leaf(b"a");
        let text = hash.to_string();
        assert_eq!(Hash::from_base64(&text), Some(hash));
        assert_eq!(Hash::from_base64(text.trim_end_matches('=')), None);
        assert_eq!(Hash::from_base64(&format!("{text}\n")), None);
        // The last character before the padding has 2 bits that mean nothing.
        let mut sloppy = text.into_bytes();
        sloppy[42] += 1;
        assert_eq!(Hash::from_base64(&String::from_utf8(sloppy).unwrap()), None);
    }
}
