use aws_lc_rs::hkdf;
use bartizan_core::Secret;

/// The keys of the gateway's own, derived from one root of 32 bytes by HKDF-SHA-256 (RFC 5869) with
/// a label each.
#[derive(Debug)]
pub struct Keyring {
    root: Secret<[u8; 32]>,
}

/// What a derived key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// The pepper of API keys' hashes.
    ApiKeyPepper,
    /// Keyed hashes of content in the audit record.
    AuditHash,
    /// Pseudonyms and redaction: the master key of `bartizan_guard::redact::Keys`.
    Redaction,
    /// Names of counters in a shared limit store.
    LimitNames,
    /// The seed of the Ed25519 key that signs service tokens.
    ServiceToken,
    /// The seed of the Ed25519 key that signs predictions.
    PredictionSigning,
    /// Deterministic noise of predictions.
    Noise,
    /// Keyed hashes for caches of verdicts.
    Cache,
    /// The seed of the Ed25519 key that signs checkpoints of the ledger.
    Ledger,
    /// Seals the keys of subjects, which seal contents.
    Content,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 10] = [
        Self::ApiKeyPepper,
        Self::AuditHash,
        Self::Redaction,
        Self::LimitNames,
        Self::ServiceToken,
        Self::PredictionSigning,
        Self::Noise,
        Self::Cache,
        Self::Ledger,
        Self::Content,
    ];

    /// Its label; part of what is stored, never changed.
    const fn label(self) -> &'static str {
        match self {
            Self::ApiKeyPepper => "api-key-pepper",
            Self::AuditHash => "audit-hash",
            Self::Redaction => "redaction",
            Self::LimitNames => "limit-names",
            Self::ServiceToken => "service-token",
            Self::PredictionSigning => "prediction-signing",
            Self::Noise => "noise",
            Self::Cache => "cache",
            Self::Ledger => "ledger",
            Self::Content => "content",
        }
    }
}

impl Keyring {
    /// A keyring over `root`: 32 bytes from a secure random source.
    #[must_use]
    pub const fn new(root: [u8; 32]) -> Self {
        Self {
            root: Secret::new(root),
        }
    }

    /// The key for `purpose`.
    #[must_use]
    pub fn derive(&self, purpose: Purpose) -> Secret<[u8; 32]> {
        derive(self.root.expose(), purpose.label())
    }
}

/// A key of 32 bytes out of `from` for `label`.
pub(super) fn derive(from: &[u8; 32], label: &str) -> Secret<[u8; 32]> {
    let mut key = [0; 32];
    let info = [b"bartizan-gateway/v1/".as_slice(), label.as_bytes()];
    let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, b"bartizan").extract(from);
    if let Ok(material) = derived.expand(&info, hkdf::HKDF_SHA256) {
        // Fails only for more than 255 * 32 bytes.
        let _ = material.fill(&mut key);
    }
    Secret::new(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_has_its_own_key() {
        let ring = Keyring::new([7; 32]);
        let keys: std::collections::HashSet<[u8; 32]> = Purpose::ALL
            .iter()
            .map(|purpose| *ring.derive(*purpose).expose())
            .collect();
        assert_eq!(keys.len(), Purpose::ALL.len());
        assert!(!keys.contains(&[0; 32]));
        assert!(!keys.contains(&[7; 32]));
        let again = Keyring::new([7; 32]);
        assert!(keys.contains(again.derive(Purpose::AuditHash).expose()));
        let other = Keyring::new([8; 32]);
        assert!(!keys.contains(other.derive(Purpose::AuditHash).expose()));
    }
}
