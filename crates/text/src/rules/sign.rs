//! Who wrote a pack.
//!
//! A signed pack holds `pack.manifest`, a line `SHA-256  file` for each of its YAML files as
//! `sha256sum` writes it, and `pack.sig`, the signature of the manifest in the format of
//! minisign(1): Ed25519 over BLAKE2b-512. `minisign -Vm pack.manifest -x pack.sig` and
//! `sha256sum -c pack.manifest` verify a pack without Bartizan.

use std::{collections::BTreeMap, fmt, io::Cursor, str::FromStr};

use super::load::{PackFile, manifest};

/// Name of the list of files.
pub const MANIFEST: &str = "pack.manifest";
/// Name of the signature.
pub const SIGNATURE: &str = "pack.sig";

/// Whose packs are loaded.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Packs that one of these keys signed.
    SignedBy(Vec<PublicKey>),
    /// Every pack; signatures are not looked at.
    AllowUnsigned,
}

/// A public key of minisign.
#[derive(Clone)]
pub struct PublicKey(minisign::PublicKey);

impl PublicKey {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> SignerKeyId {
        SignerKeyId::new(self.0.keynum())
    }
}

impl From<minisign::PublicKey> for PublicKey {
    fn from(key: minisign::PublicKey) -> Self {
        Self(key)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

impl FromStr for PublicKey {
    type Err = SignatureError;

    /// Reads the base64 line of a key or the whole of a `minisign.pub`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let line = text
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
            .unwrap_or_default();
        minisign::PublicKey::from_base64(line)
            .map(Self)
            .map_err(|_| SignatureError::BadKey)
    }
}

/// The id of a key, as minisign prints it: 16 upper-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerKeyId(String);

impl SignerKeyId {
    fn new(number: &[u8]) -> Self {
        // Little-endian.
        let digits = number.iter().rev().map(|byte| format!("{byte:02X}"));
        Self(digits.collect())
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SignerKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a pack is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not a public key.
    #[error("not a minisign public key; give the line that starts with `RW`")]
    BadKey,
    /// Nothing was signed.
    #[error("the pack has no `{0}`; sign it with `bartizan rules sign`")]
    Missing(&'static str),
    /// Not a signature.
    #[error("`{SIGNATURE}` is not a minisign signature")]
    Malformed,
    /// Signed by somebody else.
    #[error("signed by the key {0}, which is not trusted")]
    UnknownKey(SignerKeyId),
    /// The signature does not belong to the manifest.
    #[error("`{SIGNATURE}` does not belong to `{MANIFEST}`; one of them was altered")]
    BadSignature,
    /// A file is not what was signed.
    #[error("`{0}` was altered after signing")]
    Altered(String),
    /// A file is not in the manifest.
    #[error("`{0}` was added after signing")]
    Added(String),
    /// A file of the manifest is gone.
    #[error("`{0}` was removed after signing")]
    Removed(String),
    /// The key cannot sign.
    #[error("cannot sign: the key is encrypted or malformed")]
    CannotSign,
}

/// Signs the pack in `files`: returns its `pack.manifest` and `pack.sig`.
///
/// `comment` is signed too, e.g. `pack prompt 2026.11.21`.
///
/// # Errors
/// [`SignatureError::CannotSign`] for a key that is still encrypted.
pub fn sign(
    files: &[PackFile],
    key: &minisign::SecretKey,
    comment: &str,
) -> Result<[PackFile; 2], SignatureError> {
    let folder = files.first().map_or("", |file| file.split().0);
    let beside = |name: &str| match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    let manifest = manifest(&files.iter().collect::<Vec<_>>());
    let signature = minisign::sign(
        None,
        key,
        Cursor::new(&manifest),
        Some(comment),
        Some("signature of a Bartizan rule pack"),
    )
    .map_err(|_| SignatureError::CannotSign)?;
    Ok([
        PackFile {
            name: beside(MANIFEST),
            text: manifest,
        },
        PackFile {
            name: beside(SIGNATURE),
            text: signature.into_string(),
        },
    ])
}

/// Says which of `keys` signed the pack in `files`.
///
/// # Errors
/// When none did, or when a file is not what was signed.
pub fn verify(files: &[PackFile], keys: &[PublicKey]) -> Result<SignerKeyId, SignatureError> {
    verify_files(&files.iter().collect::<Vec<_>>(), keys)
}

pub(super) fn verify_files(
    files: &[&PackFile],
    keys: &[PublicKey],
) -> Result<SignerKeyId, SignatureError> {
    let named = |name: &'static str| {
        let file = files.iter().find(|file| file.split().1 == name);
        file.map(|file| file.text.as_str())
            .ok_or(SignatureError::Missing(name))
    };
    let (signature, signed) = (named(SIGNATURE)?, named(MANIFEST)?);
    let signature =
        minisign::SignatureBox::from_string(signature).map_err(|_| SignatureError::Malformed)?;
    if !has_whole_comment_signature(&signature) {
        return Err(SignatureError::Malformed);
    }
    let id = SignerKeyId::new(signature.keynum());
    let Some(key) = keys.iter().find(|key| key.id() == id) else {
        return Err(SignatureError::UnknownKey(id));
    };
    minisign::verify(&key.0, &signature, Cursor::new(signed), true, false, false)
        .map_err(|_| SignatureError::BadSignature)?;
    let found = manifest(files);
    let (found, signed) = (entries(&found), entries(signed));
    for (name, digest) in &found {
        match signed.get(name) {
            None => return Err(SignatureError::Added((*name).to_owned())),
            Some(signed) if signed != digest => {
                return Err(SignatureError::Altered((*name).to_owned()));
            }
            Some(_) => {}
        }
    }
    match signed.keys().find(|name| !found.contains_key(*name)) {
        Some(name) => Err(SignatureError::Removed((*name).to_owned())),
        None => Ok(id),
    }
}

/// Whether the signature of the trusted comment has its 64 bytes, which `minisign` 0.10 slices
/// without looking.
fn has_whole_comment_signature(signature: &minisign::SignatureBox) -> bool {
    let text = signature.to_string();
    let line = text.lines().nth(3).unwrap_or_default();
    line.len() == 88 && line.ends_with("==")
}

/// Digests by file.
fn entries(manifest: &str) -> BTreeMap<&str, &str> {
    manifest
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(digest, name)| (name, digest))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> PackFile {
        PackFile {
            name: format!("mine/{name}"),
            text: text.to_owned(),
        }
    }

    fn signed() -> (Vec<PackFile>, PublicKey) {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        let mut files = vec![file("pack.yaml", "name: mine"), file("a.yaml", "rules: []")];
        files.extend(sign(&files, &pair.sk, "pack mine 1").unwrap());
        (files, pair.pk.into())
    }

    #[test]
    fn a_signed_pack_names_its_signer() {
        let (files, key) = signed();
        assert_eq!(verify(&files, std::slice::from_ref(&key)), Ok(key.id()));
        assert_eq!(key.id().as_str().len(), 16);
        let text = key.0.to_base64();
        assert_eq!(text.parse::<PublicKey>().unwrap().id(), key.id());
        assert_eq!(
            "RWx".parse::<PublicKey>().unwrap_err(),
            SignatureError::BadKey
        );
    }

    #[test]
    fn every_change_is_seen_and_named() {
        let (files, key) = signed();
        let after = |change: &dyn Fn(&mut Vec<PackFile>)| {
            let mut files = files.clone();
            change(&mut files);
            verify(&files, std::slice::from_ref(&key)).unwrap_err()
        };
        let altered = after(&|files| files[1].text.push('\n'));
        assert_eq!(altered, SignatureError::Altered("a.yaml".into()));
        let added = after(&|files| files.push(file("b.yaml", "")));
        assert_eq!(added, SignatureError::Added("b.yaml".into()));
        let removed = after(&|files| drop(files.remove(1)));
        assert_eq!(removed, SignatureError::Removed("a.yaml".into()));
        let manifest = after(&|files| files[2].text.push('\n'));
        assert_eq!(manifest, SignatureError::BadSignature);
        let unsigned = after(&|files| files.truncate(3));
        assert_eq!(unsigned, SignatureError::Missing("pack.sig"));
        let nonsense = after(&|files| files[3].text = "x".into());
        assert_eq!(nonsense, SignatureError::Malformed);
    }

    #[test]
    fn a_short_signature_of_the_comment_is_malformed() {
        let (files, key) = signed();
        for cut in ["", "AAAA", &"A".repeat(88)] {
            let mut files = files.clone();
            let mut lines: Vec<&str> = files[3].text.lines().take(3).collect();
            lines.push(cut);
            files[3].text = lines.join("\n") + "\n";
            assert_eq!(
                verify(&files, std::slice::from_ref(&key)),
                Err(SignatureError::Malformed),
                "{cut}"
            );
        }
    }

    #[test]
    fn a_stranger_is_no_signer() {
        let (files, key) = signed();
        let (_, other) = signed();
        assert_eq!(
            verify(&files, &[other]),
            Err(SignatureError::UnknownKey(key.id()))
        );
    }
}
