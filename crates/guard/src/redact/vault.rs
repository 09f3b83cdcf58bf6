use std::{collections::BTreeMap, ops::Deref};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bartizan_core::Secret;
use serde::{Deserialize, Serialize};

use super::{Keys, style::base32};

/// Values of one session behind tokens, for round trips: the prompt goes out with tokens, the
/// answer comes back with values.
///
/// The same value gets the same token throughout the session. Values are sealed with
/// AES-256-GCM-SIV (RFC 8452) at rest and in memory; tokens are found by a keyed hash. Erasure
/// removes the sealed value, so that its token means nothing ever after.
pub struct Vault {
    key: LessSafeKey,
    keys: Keys,
    scope: String,
    /// Part of every token, so that text from elsewhere cannot name tokens of this session.
    mark: String,
    entries: BTreeMap<u64, Entry>,
    /// Keyed hash of entity and value, to the number of its token.
    index: BTreeMap<[u8; 16], u64>,
    next: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    entity: String,
    hash: [u8; 16],
    sealed: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    scope: String,
    next: u64,
    entries: BTreeMap<u64, Entry>,
}

/// Why a stored vault cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// Not a stored vault.
    #[error("this is not a stored vault")]
    Malformed(#[source] serde_json::Error),
    /// Written by a later version.
    #[error("the vault has version {0}, this program reads version {STORED_VERSION}; upgrade it")]
    Version(u32),
    /// The key does not fit.
    #[error("the vault was sealed with another key or altered")]
    WrongKey,
}

const STORED_VERSION: u32 = 1;

impl Vault {
    /// An empty vault for `scope` (a session or tenant).
    #[must_use]
    pub fn new(keys: &Keys, scope: &str) -> Self {
        let keys = Keys::new(*keys.derive("vault").expose());
        let mark = base32(
            keys.mac("vault-mark", scope, "")
                .get(..5)
                .unwrap_or_default(),
        )
        .to_ascii_uppercase();
        Self {
            key: sealing_key(&keys.derive("vault-seal")),
            keys,
            scope: scope.to_owned(),
            mark,
            entries: BTreeMap::new(),
            index: BTreeMap::new(),
            next: 1,
        }
    }

    /// The token of `value`, e.g. `[EMAIL_ADDRESS_1_K3V7QZ2A]`.
    pub fn token(&mut self, entity: &str, value: &str) -> String {
        let hash = self.hash(entity, value);
        let number = match self.index.get(&hash) {
            Some(&number) => number,
            None => {
                let number = self.next;
                let Some(sealed) = self.seal(number, entity, value) else {
                    return format!("[{entity}]");
                };
                self.next += 1;
                self.index.insert(hash, number);
                self.entries.insert(
                    number,
                    Entry {
                        entity: entity.to_owned(),
                        hash,
                        sealed,
                    },
                );
                number
            }
        };
        format!("[{entity}_{number}_{}]", self.mark)
    }

    /// `text` with every token of this vault replaced by its value.
    #[must_use]
    pub fn restore(&self, text: &str) -> String {
        let mut restorer = Restorer::new(self);
        let mut out = restorer.push(text);
        out.push_str(&restorer.finish());
        out
    }

    /// Forgets `value`; says whether it was there.
    pub fn erase(&mut self, entity: &str, value: &str) -> bool {
        let hash = self.hash(entity, value);
        self.index
            .remove(&hash)
            .and_then(|number| self.entries.remove(&number))
            .is_some()
    }

    /// Forgets everything.
    pub fn erase_all(&mut self) {
        self.entries.clear();
        self.index.clear();
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The vault for storage: sealed values, keyed hashes, and no key.
    ///
    /// # Errors
    /// Never in practice: the form has no map with keys that JSON cannot hold.
    pub fn store(&self) -> Result<Vec<u8>, VaultError> {
        serde_json::to_vec(&Stored {
            version: STORED_VERSION,
            scope: self.scope.clone(),
            next: self.next,
            entries: self.entries.clone(),
        })
        .map_err(VaultError::Malformed)
    }

    /// Opens a stored vault.
    ///
    /// # Errors
    /// When it is malformed, of another version, or sealed with another key.
    pub fn open(keys: &Keys, stored: &[u8]) -> Result<Self, VaultError> {
        let stored: Stored = serde_json::from_slice(stored).map_err(VaultError::Malformed)?;
        if stored.version != STORED_VERSION {
            return Err(VaultError::Version(stored.version));
        }
        let mut vault = Self::new(keys, &stored.scope);
        vault.next = stored.next;
        for (number, entry) in stored.entries {
            let value = vault.unseal(number, &entry).ok_or(VaultError::WrongKey)?;
            if number >= vault.next || vault.hash(&entry.entity, &value) != entry.hash {
                return Err(VaultError::WrongKey);
            }
            vault.index.insert(entry.hash, number);
            vault.entries.insert(number, entry);
        }
        Ok(vault)
    }

    /// The value behind `token`, brackets included.
    fn value(&self, token: &str) -> Option<String> {
        let inner = token.strip_prefix('[')?.strip_suffix(']')?;
        let (rest, mark) = inner.rsplit_once('_')?;
        let (entity, number) = rest.rsplit_once('_')?;
        let number = number.parse().ok()?;
        let entry = self.entries.get(&number)?;
        (mark == self.mark && entity == entry.entity)
            .then(|| self.unseal(number, entry))
            .flatten()
    }

    fn hash(&self, entity: &str, value: &str) -> [u8; 16] {
        let tag = self.keys.mac("vault-index", entity, value);
        let mut hash = [0; 16];
        for (byte, from) in hash.iter_mut().zip(tag) {
            *byte = from;
        }
        hash
    }

    fn seal(&self, number: u64, entity: &str, value: &str) -> Option<Vec<u8>> {
        let mut sealed = value.as_bytes().to_vec();
        let aad = Aad::from(format!("{}/{entity}", self.scope));
        self.key
            .seal_in_place_append_tag(nonce(number), aad, &mut sealed)
            .ok()?;
        Some(sealed)
    }

    fn unseal(&self, number: u64, entry: &Entry) -> Option<String> {
        let mut sealed = entry.sealed.clone();
        let aad = Aad::from(format!("{}/{}", self.scope, entry.entity));
        let value = self
            .key
            .open_in_place(nonce(number), aad, &mut sealed)
            .ok()?;
        String::from_utf8(value.to_vec()).ok()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

fn sealing_key(key: &Secret<[u8; 32]>) -> LessSafeKey {
    #[expect(
        clippy::expect_used,
        reason = "the key has the 32 bytes that AES-256 takes"
    )]
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, key.expose()).expect("32 bytes"))
}

/// The token's number: used once per key, and misuse would reveal equality only (RFC 8452).
fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (byte, from) in bytes.iter_mut().zip(number.to_be_bytes()) {
        *byte = from;
    }
    Nonce::assume_unique_for_key(bytes)
}

/// Puts values back into a stream of text; a token may be cut anywhere. `V` is a reference to the
/// vault, or an `Arc` of it where the stream outlives its caller.
#[derive(Debug)]
pub struct Restorer<V> {
    vault: V,
    /// Starts with `[`, or is empty.
    held: String,
}

/// Longest token: brackets, an entity's name, a number, and the mark.
const MAX_TOKEN: usize = 96;

impl<V: Deref<Target = Vault>> Restorer<V> {
    /// A restorer for the tokens of `vault`.
    #[must_use]
    pub const fn new(vault: V) -> Self {
        Self {
            vault,
            held: String::new(),
        }
    }

    /// Takes `text` in and gives out what holds no unfinished token.
    pub fn push(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match (c, self.held.is_empty()) {
                ('[', _) => {
                    out.push_str(&self.held);
                    self.held.clear();
                    self.held.push('[');
                }
                (_, true) => out.push(c),
                (']', false) => {
                    self.held.push(']');
                    match self.vault.value(&self.held) {
                        Some(value) => out.push_str(&value),
                        None => out.push_str(&self.held),
                    }
                    self.held.clear();
                }
                (_, false) => {
                    self.held.push(c);
                    let inside = c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                    if !inside || self.held.len() > MAX_TOKEN {
                        out.push_str(&self.held);
                        self.held.clear();
                    }
                }
            }
        }
        out
    }

    /// Gives out the rest.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vault() -> Vault {
        Vault::new(&Keys::new([3; 32]), "session-1")
    }

    #[test]
    fn the_same_value_gets_the_same_token() {
        let mut vault = vault();
        let one = vault.token("EMAIL_ADDRESS", "jane@example.com");
        assert_eq!(one, vault.token("EMAIL_ADDRESS", "jane@example.com"));
        assert_ne!(one, vault.token("EMAIL_ADDRESS", "joe@example.com"));
        assert!(one.starts_with("[EMAIL_ADDRESS_1_"), "{one}");
        assert_eq!(
            vault.restore(&format!("mail {one}!")),
            "mail jane@example.com!"
        );
    }

    #[test]
    fn tokens_of_another_session_mean_nothing() {
        let mut mine = vault();
        let token = mine.token("EMAIL_ADDRESS", "jane@example.com");
        let mut other = Vault::new(&Keys::new([3; 32]), "session-2");
        other.token("EMAIL_ADDRESS", "joe@example.com");
        assert_eq!(other.restore(&token), token);
        assert_eq!(mine.restore("[EMAIL_ADDRESS_1]"), "[EMAIL_ADDRESS_1]");
    }

    #[test]
    fn storage_is_sealed_and_erasure_is_final() {
        let mut vault = vault();
        let token = vault.token("US_SSN", "123-45-6789");
        let stored = vault.store().unwrap();
        assert!(!String::from_utf8_lossy(&stored).contains("6789"));
        assert!(!format!("{vault:?}").contains("6789"));
        let mut opened = Vault::open(&Keys::new([3; 32]), &stored).unwrap();
        assert_eq!(opened.restore(&token), "123-45-6789");
        assert!(matches!(
            Vault::open(&Keys::new([4; 32]), &stored),
            Err(VaultError::WrongKey)
        ));
        assert!(opened.erase("US_SSN", "123-45-6789"));
        assert_eq!(opened.restore(&token), token);
        let next = opened.token("US_SSN", "123-45-6789");
        assert_ne!(next, token, "a number is never used twice");
    }

    proptest! {
        #[test]
        fn restoring_a_stream_is_restoring_the_whole(
            text in "[\\[\\]A-C_1 ]{0,40}",
            cut in 0usize..100,
        ) {
            let mut vault = vault();
            let token = vault.token("A", "secret");
            let text = format!("{text}{token}{text}");
            let cut = cut.min(text.len());
            let mut restorer = Restorer::new(&vault);
            let (start, end) = text.split_at(cut);
            let mut out = restorer.push(start);
            out.push_str(&restorer.push(end));
            out.push_str(&restorer.finish());
            prop_assert_eq!(&out, &vault.restore(&text));
            prop_assert!(out.contains("secret"));
        }
    }
}
